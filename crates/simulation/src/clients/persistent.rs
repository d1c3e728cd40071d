//! A client that registers a persistent instance again and again, each time as another version.

use super::{Desk, Reply, host, pause, service_named};
use crate::record::Stored;
use muster_model::{Actor, ClientId, ClusterName, Instance, Kind, Metadata, ServiceKey, Weight};
use muster_node::{
    NodeError,
    registry::{Checker, ClusterSpec},
};
use muster_runtime::Rng;

/// Numbers of these clients begin here.
pub(crate) const FIRST: u32 = 80;

pub(crate) struct Client {
    number: u32,
    desk: Desk,
    rng: Rng,
    node: usize,
    quiet_from_ms: u64,
    version: u32,
}

/// The service of a client: nothing checks its instances.
pub(crate) fn service(number: u32) -> ServiceKey {
    service_named(&format!("stored{number}"))
}

impl Client {
    pub(crate) fn new(number: u32, desk: Desk, rng: Rng, quiet_from_ms: u64) -> Self {
        let node = 1 + number as usize % desk.machines.len();
        Self { number, desk, rng, node, quiet_from_ms, version: 0 }
    }

    pub(crate) async fn run(mut self) {
        while !self.switch_checks_off().await {
            pause(&mut self.rng, 300, 600).await;
        }
        while crate::record::now_ms() < self.quiet_from_ms {
            pause(&mut self.rng, 500, 2_500).await;
            self.register().await;
        }
    }

    async fn switch_checks_off(&mut self) -> bool {
        let service = service(self.number);
        let spec = ClusterSpec {
            checker: Checker::None,
            check_port: 80,
            use_instance_port: true,
            metadata: Metadata::default(),
        };
        let reply = self.desk.ask(self.node, move |node| async move {
            node.update_cluster(service, ClusterName::default(), spec, Kind::Persistent).await
        });
        let is_done = self.conclude(reply.await);
        if !is_done {
            self.move_on();
        }
        is_done
    }

    fn conclude(&self, reply: Reply<Result<(), NodeError>>) -> bool {
        matches!(reply, Reply::Answer(Ok(()), _))
    }

    async fn register(&mut self) {
        self.version += 1;
        let (number, version, node) = (self.number, self.version, self.node);
        let instance = Instance {
            host: host(number),
            port: 80,
            cluster: ClusterName::default(),
            weight: Weight::clamped(1.0),
            enabled: true,
            healthy: true,
            metadata: Metadata::new([("version", version.to_string())]),
        };
        let client = ClientId::Address(host(number), 80, Kind::Persistent);
        let service = service(number);
        let name = service.name().as_str().to_owned();
        let reply = self.desk.ask(self.node, move |node| async move {
            node.register(client, service, vec![instance], Actor::default()).await
        });
        let is_done = self.conclude(reply.await);
        self.desk.recorder.note(&format_args!("p{number} n{node} version {version}: {is_done}"));
        if is_done {
            self.desk.recorder.with(|seen| {
                seen.stored.insert(name.clone(), Stored { acknowledged: version, asked: version });
            });
        } else {
            self.desk.recorder.with(|seen| {
                if let Some(stored) = seen.stored.get_mut(&name) {
                    stored.asked = version;
                }
            });
            self.move_on();
        }
    }

    fn move_on(&mut self) {
        self.node = 1 + self.rng.below(self.desk.machines.len() as u64) as usize;
    }
}
