//! A connection to a node, as tests use it.

use muster_client::{
    Client, ClientError, Driver, InstanceBody, Options, Publish, Push, RequestType, Text, connect,
};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::{sync::mpsc::Receiver, task::JoinSet};

/// The group all tests write into.
pub(crate) const GROUP: &str = "FAULTS";
/// The address that beta versions are for.
pub(crate) const BETA_IP: &str = "10.9.8.7";

/// A connection whose driver runs until it is dropped.
#[derive(Debug)]
pub(crate) struct Session {
    /// What requests are sent with.
    pub(crate) client: Client,
    /// What the server sends.
    pub(crate) pushes: Receiver<Push>,
    _driver: JoinSet<Result<(), ClientError>>,
}

/// What a reader sees of a config.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) content: String,
    pub(crate) md5: String,
    pub(crate) kind: String,
    pub(crate) beta: bool,
}

impl Session {
    /// Connects without a client address.
    pub(crate) async fn open(address: &str) -> Result<Self, ClientError> {
        Self::open_as(address, "").await
    }

    /// Connects and declares an address.
    pub(crate) async fn open_as(address: &str, client_ip: &str) -> Result<Self, ClientError> {
        let options = Options {
            client_ip: client_ip.to_owned(),
            timeout: Duration::from_secs(20),
            ..Options::default()
        };
        let (client, driver, pushes): (Client, Driver, _) = connect(address, options).await?;
        let mut drivers = JoinSet::new();
        drivers.spawn(driver.run());
        Ok(Self { client, pushes, _driver: drivers })
    }

    /// Publishes a formal version.
    pub(crate) async fn publish(&self, data_id: &str, content: &str) -> Result<(), ClientError> {
        self.client.publish(Publish { group: GROUP, data_id, content, ..Publish::default() }).await
    }

    /// The version that this connection sees, or that of a tag.
    pub(crate) async fn read(&self, data_id: &str, tag: &str) -> Result<Option<Seen>, ClientError> {
        const NOT_FOUND: i64 = 300;
        let body = json!({ "dataId": data_id, "group": GROUP, "tenant": "", "tag": tag });
        let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
        match self.client.request::<Value>(RequestType::ConfigQuery, &body).await {
            Ok(found) => Ok(Some(Seen {
                content: text(&found, "content"),
                md5: text(&found, "md5"),
                kind: text(&found, "contentType"),
                beta: found["beta"].as_bool().unwrap_or_default(),
            })),
            Err(error) if error.code() == Some(NOT_FOUND) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes a config, or one gray version of it.
    pub(crate) async fn remove(&self, data_id: &str, gray: &str) -> Result<(), ClientError> {
        let body = json!({ "dataId": data_id, "group": GROUP, "tenant": "", "tag": gray });
        self.client.request::<Value>(RequestType::ConfigRemove, &body).await.map(drop)
    }

    /// Takes a lock for half an hour, or gives it back; whether that was possible.
    pub(crate) async fn lock(&self, key: &str, acquire: bool) -> Result<bool, ClientError> {
        let body = json!({
            "lockInstance": { "key": key, "expiredTime": 1_800_000, "lockType": "NACOS_LOCK" },
            "lockOperationEnum": if acquire { "ACQUIRE" } else { "RELEASE" },
        });
        let answer: Value = self.client.request(RequestType::LockOperation, &body).await?;
        Ok(answer["result"].as_bool().unwrap())
    }

    /// Registers a persistent instance that carries a text, or removes it.
    pub(crate) async fn persist(
        &self,
        service: &str,
        port: u16,
        label: Option<&str>,
    ) -> Result<(), ClientError> {
        let instance = instance(port, label.unwrap_or_default(), false);
        match label {
            Some(_) => self.client.register_persistent(GROUP, service, instance).await,
            None => self.client.deregister_persistent(GROUP, service, instance).await,
        }
    }

    /// Registers an ephemeral instance.
    pub(crate) async fn register(&self, service: &str, port: u16) -> Result<(), ClientError> {
        self.client.register(GROUP, service, instance(port, "", true)).await
    }

    /// Removes it.
    pub(crate) async fn deregister(&self, service: &str, port: u16) -> Result<(), ClientError> {
        self.client.deregister(GROUP, service, instance(port, "", true)).await
    }

    /// Ports and labels of a service's instances.
    pub(crate) async fn instances(&self, service: &str) -> Result<Vec<(u16, String)>, ClientError> {
        let info = self.client.query_service(GROUP, service, "", false).await?;
        let label = |labels: &std::collections::BTreeMap<String, String>| labels.get("label").cloned();
        Ok(info.hosts.iter().map(|host| (host.port, label(&host.metadata).unwrap_or_default())).collect())
    }
}

fn instance(port: u16, label: &str, ephemeral: bool) -> InstanceBody<'_> {
    InstanceBody {
        ip: Text::from("127.0.0.1"),
        port: i64::from(port),
        weight: Some(1.0),
        healthy: Some(true),
        enabled: Some(true),
        ephemeral: Some(ephemeral),
        cluster_name: Text::from("DEFAULT"),
        metadata: [("label", label)].into_iter().collect(),
    }
}
