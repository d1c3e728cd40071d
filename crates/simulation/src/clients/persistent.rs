//! A client that registers a persistent instance again and again, each time as another version.

use super::{Desk, Reply, Roamer, host, instance, pause, service_named, version};
use crate::record::{Stored, now_ms};
use muster_model::{Actor, ClientId, ClusterName, Kind, Metadata, ServiceKey};
use muster_node::{
    NodeError,
    registry::{Checker, ClusterSpec},
};
use muster_runtime::Rng;

/// Numbers of these clients begin here.
pub(crate) const FIRST: u32 = 80;

pub(crate) struct Client {
    roamer: Roamer,
    /// From now on it changes nothing any more.
    quiet_from_ms: u64,
    version: u32,
}

/// The service of a client: nothing checks its instances.
pub(crate) fn service(number: u32) -> ServiceKey {
    service_named(&format!("stored{number}"))
}

impl Client {
    pub(crate) fn new(number: u32, desk: Desk, rng: Rng, quiet_from_ms: u64) -> Self {
        Self { roamer: Roamer::new(number, desk, rng), quiet_from_ms, version: 0 }
    }

    pub(crate) async fn run(mut self) {
        while !self.switch_checks_off().await {
            pause(&mut self.roamer.rng, 300, 600).await;
        }
        while now_ms() < self.quiet_from_ms {
            pause(&mut self.roamer.rng, 500, 2_500).await;
            self.register().await;
        }
    }

    async fn switch_checks_off(&mut self) -> bool {
        let service = service(self.roamer.number);
        let spec = ClusterSpec {
            checker: Checker::None,
            check_port: 80,
            use_instance_port: true,
            metadata: Metadata::default(),
        };
        let reply = self.roamer.desk.ask(self.roamer.node, move |node| async move {
            node.update_cluster(service, ClusterName::default(), spec, Kind::Persistent).await
        });
        let is_done = self.conclude(reply.await);
        if !is_done {
            self.roamer.move_on();
        }
        is_done
    }

    fn conclude(&self, reply: Reply<Result<(), NodeError>>) -> bool {
        matches!(reply, Reply::Answer(Ok(()), _))
    }

    async fn register(&mut self) {
        self.version += 1;
        let (number, asked, node) = (self.roamer.number, self.version, self.roamer.node);
        let instance = instance(number, version(self.version));
        let client = ClientId::Address(host(number), 80, Kind::Persistent);
        let service = service(number);
        let name = service.name().as_str().to_owned();
        let reply = self.roamer.desk.ask(self.roamer.node, move |node| async move {
            node.register(client, service, vec![instance], Actor::default()).await
        });
        let is_done = self.conclude(reply.await);
        self.roamer.desk.recorder.note(&format_args!("p{number} n{node} version {asked}: {is_done}"));
        if is_done {
            self.roamer.desk.recorder.with(|seen| {
                seen.stored.insert(name.clone(), Stored { acknowledged: asked, asked });
            });
        } else {
            self.roamer.desk.recorder.with(|seen| {
                if let Some(stored) = seen.stored.get_mut(&name) {
                    stored.asked = asked;
                }
            });
            self.roamer.move_on();
        }
    }
}
