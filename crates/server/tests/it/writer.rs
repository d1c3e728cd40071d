//! A client that writes everything durable there is, one write at a time, and remembers what was acknowledged.

use crate::{
    client::{BETA_IP, GROUP, Session},
    node::http,
    offline::Stored,
    oracle::{ConfigState, Known, Readers, TAG, VERSIONS, is_seen},
};
use muster_client::{ClientError, Publish};
use muster_model::Md5;
use muster_runtime::Rng;
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::Notify;

const CONFIGS: u64 = 4;
const INSTANCES: u64 = 4;
const LOCKS: u64 = 3;
const SERVICES_MAX: usize = 40;
const KINDS: [&str; 4] = ["text", "json", "yaml", "properties"];
/// A digest of nothing that is ever written.
const NO_MD5: &str = "00000000000000000000000000000000";

/// The kinds of writes, as they are counted.
pub(crate) const WRITES: [&str; 9] =
    ["publish", "cas", "cas refused", "beta", "tag", "remove", "instance", "lock", "service"];

/// A writer and what it knows.
#[derive(Debug)]
pub(crate) struct Writer {
    id: u64,
    rng: Rng,
    serial: u64,
    configs: BTreeMap<String, Known<ConfigState>>,
    /// By service and port: the label, while it is registered.
    instances: BTreeMap<(String, u16), Known<Option<String>>>,
    locks: BTreeMap<String, Known<bool>>,
    services: BTreeMap<String, Known<bool>>,
    /// Acknowledged writes by the places of [`WRITES`].
    pub(crate) counts: [u64; WRITES.len()],
}

/// A write that was not acknowledged because the node has gone.
struct Gone;

impl Writer {
    pub(crate) fn new(id: u64, rng: Rng) -> Self {
        Self {
            id,
            rng,
            serial: 0,
            configs: BTreeMap::new(),
            instances: BTreeMap::new(),
            locks: BTreeMap::new(),
            services: BTreeMap::new(),
            counts: [0; WRITES.len()],
        }
    }

    /// Writes until the node is gone; says when the first write was acknowledged.
    pub(crate) async fn run(mut self, port: u16, begun: Arc<Notify>) -> Self {
        let Ok(session) = Session::open(&format!("127.0.0.1:{port}")).await else { return self };
        while self.write(&session, port).await.is_ok() {
            begun.notify_one();
        }
        self
    }

    async fn write(&mut self, session: &Session, port: u16) -> Result<(), Gone> {
        let kind = match self.rng.below(16) {
            0..3 => self.publish(session, "", false).await?,
            3..5 => self.publish(session, "", true).await?,
            5 => self.refused(session).await?,
            6 | 7 => self.publish(session, "beta", false).await?,
            8 => self.publish(session, "tag_blue", false).await?,
            9 | 10 => self.remove(session).await?,
            11..13 => self.persist(session).await?,
            13 | 14 => self.lock(session).await?,
            _ => self.create(port).await?,
        };
        let place = WRITES.iter().position(|write| *write == kind).unwrap();
        self.counts[place] += 1;
        Ok(())
    }

    fn next(&mut self) -> String {
        self.serial += 1;
        format!("w{}-{}", self.id, self.serial)
    }

    fn config(&mut self) -> String {
        format!("config-{}-{}", self.id, self.rng.below(CONFIGS))
    }

    async fn publish(&mut self, session: &Session, gray: &str, cas: bool) -> Result<&'static str, Gone> {
        let (data_id, about) = (self.config(), self.next());
        let padding = if self.rng.below(20) == 0 { self.rng.below(60_000) } else { self.rng.below(300) };
        let content = format!("{about}:{}", "x".repeat(padding as usize));
        let kind = KINDS[self.rng.below(KINDS.len() as u64) as usize];
        let known = self.configs.entry(data_id.clone()).or_default();
        let old =
            known.acknowledged.variants.get(gray).map(|content| Md5::of(content.as_bytes()).to_string());
        let cas_md5 = old.filter(|_| cas);
        let mut state = known.acknowledged.clone();
        state.publish(gray, &content, kind, &about);
        known.begin(state);
        let mut additions = vec![("type", kind), ("desc", &about), ("config_tags", &about)];
        match gray {
            "" => {}
            "beta" => additions.push(("betaIps", BETA_IP)),
            _ => additions.push(("tag", TAG)),
        }
        let sent = session.client.publish(Publish {
            group: GROUP,
            data_id: &data_id,
            content: &content,
            cas_md5: cas_md5.as_deref(),
            additions: additions.into_iter().collect(),
        });
        answered(&data_id, sent.await)?;
        known.acknowledge();
        Ok(match gray {
            "" if cas_md5.is_some() => "cas",
            "" => "publish",
            "beta" => "beta",
            _ => "tag",
        })
    }

    /// A compare-and-set on a wrong digest changes nothing.
    async fn refused(&mut self, session: &Session) -> Result<&'static str, Gone> {
        let data_id = self.config();
        if !self.configs.get(&data_id).is_some_and(|known| known.acknowledged.variants.contains_key("")) {
            return self.publish(session, "", false).await;
        }
        let publish = Publish {
            group: GROUP,
            data_id: &data_id,
            content: "never",
            cas_md5: Some(NO_MD5),
            ..Publish::default()
        };
        match session.client.publish(publish).await {
            Ok(()) => panic!("{data_id}: published although its digest is another one"),
            Err(ClientError::Refused { .. }) => Ok("cas refused"),
            Err(error) => answered(&data_id, Err(error)).map(|()| "cas refused"),
        }
    }

    async fn remove(&mut self, session: &Session) -> Result<&'static str, Gone> {
        let data_id = self.config();
        let gray = VERSIONS[self.rng.below(3) as usize];
        let known = self.configs.entry(data_id.clone()).or_default();
        let mut state = known.acknowledged.clone();
        state.remove(gray);
        known.begin(state);
        answered(&data_id, session.remove(&data_id, gray).await)?;
        known.acknowledge();
        Ok("remove")
    }

    async fn persist(&mut self, session: &Session) -> Result<&'static str, Gone> {
        let service = format!("persistent-{}-{}", self.id, self.rng.below(2));
        let port = 1 + self.rng.below(INSTANCES) as u16;
        let label = self.next();
        let label = (self.rng.below(3) > 0).then_some(label);
        let known = self.instances.entry((service.clone(), port)).or_default();
        known.begin(label.clone());
        answered(&service, session.persist(&service, port, label.as_deref()).await)?;
        known.acknowledge();
        Ok("instance")
    }

    async fn lock(&mut self, session: &Session) -> Result<&'static str, Gone> {
        let key = format!("lock-{}-{}", self.id, self.rng.below(LOCKS));
        let known = self.locks.entry(key.clone()).or_default();
        let held = known.acknowledged;
        known.begin(!held);
        let changed = answered(&key, session.lock(&key, !held).await)?;
        assert!(changed, "{key}: held was {held}");
        known.acknowledge();
        Ok("lock")
    }

    async fn create(&mut self, port: u16) -> Result<&'static str, Gone> {
        if self.services.len() >= SERVICES_MAX {
            return Ok("service");
        }
        let name = self.next();
        let known = self.services.entry(name.clone()).or_default();
        known.begin(true);
        let path = format!(
            "/nacos/v3/admin/ns/service?serviceName={name}&groupName={GROUP}&metadata=%7B%22label%22%3A%22of-{name}%22%7D"
        );
        let (status, body) = http(port, "POST", &path).await.map_err(|_| Gone)?;
        assert!(status == 200 && body.contains("\"code\":0"), "{status} {body}");
        known.acknowledge();
        Ok("service")
    }

    /// What is stored agrees with what was acknowledged; the node is dead.
    pub(crate) fn check_stored(&self, stored: &Stored) {
        for (data_id, known) in &self.configs {
            stored.check(data_id, GROUP, known);
        }
        for (name, known) in &self.services {
            let is_stored = stored.has_service(name, &format!("of-{name}"));
            assert!(is_stored || !known.acknowledged, "{name} with its metadata");
        }
    }

    /// What a restarted node serves agrees with what was acknowledged; what was under way is settled.
    pub(crate) async fn check_served(&mut self, readers: &Readers) {
        let session = readers.session();
        for (data_id, known) in &mut self.configs {
            let seen = readers.versions(data_id).await;
            known.settle(data_id, &seen, |state| is_seen(state, &seen));
        }
        for ((service, port), known) in &mut self.instances {
            let seen = session.instances(service).await.unwrap();
            let label = seen.iter().find(|(other, _)| other == port).map(|(_, label)| label.clone());
            known.settle(&format!("{service} {port}"), &label, |state| *state == label);
        }
        for (key, known) in &mut self.locks {
            let held = !session.lock(key, true).await.unwrap();
            if !held {
                assert!(session.lock(key, false).await.unwrap());
            }
            known.settle(key, &held, |state| *state == held);
        }
        let listed = session.client.list_services(GROUP, 1, 10_000).await.unwrap().service_names;
        for (name, known) in &mut self.services {
            let is_listed = listed.iter().any(|other| other == name);
            known.settle(name, &is_listed, |state| *state == is_listed);
        }
    }
}

/// The answer; a refusal is a failure of the test, a broken connection the end of the writer.
fn answered<T>(what: &str, result: Result<T, ClientError>) -> Result<T, Gone> {
    result.map_err(|error| match error {
        ClientError::Call(_) | ClientError::Closed | ClientError::Connect { .. } => Gone,
        error @ (ClientError::Address(_)
        | ClientError::Timeout(_)
        | ClientError::Refused { .. }
        | ClientError::Unexpected { .. }) => panic!("{what}: {error}"),
    })
}
