//! A client of gRPC that waits for pushes.

use muster_client::{Client, ClientError, InstanceBody, Options, Push, Text, connect};
use std::{net::SocketAddr, time::Duration};
use tokio::{sync::mpsc::Receiver, task::JoinSet, time::timeout};

/// How long a push may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connection to one node. What it registered ends with it.
pub(crate) struct Listener {
    pub(crate) client: Client,
    pushes: Receiver<Push>,
    _driver: JoinSet<Result<(), ClientError>>,
}

impl Listener {
    pub(crate) async fn at(node: SocketAddr) -> Self {
        Self::open(node).await.unwrap()
    }

    /// The same, where the node may be gone.
    pub(crate) async fn open(node: SocketAddr) -> Result<Self, ClientError> {
        let options = Options { timeout: PATIENCE, setup_timeout: PATIENCE, ..Options::default() };
        let (client, driver, pushes) = connect(&node.to_string(), options).await?;
        let mut running = JoinSet::new();
        running.spawn(driver.run());
        Ok(Self { client, pushes, _driver: running })
    }

    /// The next push; `None`: the connection has ended.
    pub(crate) async fn next(&mut self) -> Option<Push> {
        self.pushes.recv().await
    }

    /// Registers an instance with this address.
    pub(crate) async fn register(&self, service: &str, ip: &str) {
        self.client.register(GROUP, service, instance(ip)).await.unwrap();
    }

    /// Takes the next push for which there is something to be told; others are passed over.
    pub(crate) async fn wait<T>(&mut self, what: &str, told: impl Fn(Push) -> Option<T>) -> T {
        let told = async {
            loop {
                let push = self.next().await.expect("the connection stays");
                if let Some(told) = told(push) {
                    return told;
                }
            }
        };
        timeout(PATIENCE, told).await.unwrap_or_else(|_| panic!("no push comes: {what}"))
    }
}

/// The group of everything here.
pub(crate) const GROUP: &str = "DEFAULT_GROUP";

/// An instance that lives as long as its connection.
pub(crate) fn instance(ip: &str) -> InstanceBody<'_> {
    InstanceBody {
        ip: Text::from(ip),
        port: 8080,
        weight: Some(1.0),
        healthy: Some(true),
        enabled: Some(true),
        ephemeral: Some(true),
        cluster_name: Text::from("DEFAULT"),
        metadata: [("client", "across")].into_iter().collect(),
    }
}
