//! A client that keeps an instance registered by beats, at whatever node answers.

use super::{Desk, Reply, host, pause, service_named};
use crate::record::{Renewed, now_ms};
use muster_model::{Actor, ClientId, ClusterName, Instance, Kind, Metadata, ServiceKey, Weight};
use muster_runtime::Rng;

/// Between two beats.
const BEAT_MS: u64 = 1_000;

pub(crate) struct Client {
    number: u32,
    desk: Desk,
    rng: Rng,
    node: usize,
    /// From now on it changes nothing any more.
    quiet_from_ms: u64,
    version: u32,
}

impl Client {
    pub(crate) fn new(number: u32, desk: Desk, rng: Rng, quiet_from_ms: u64) -> Self {
        let node = 1 + number as usize % desk.machines.len();
        Self { number, desk, rng, node, quiet_from_ms, version: 0 }
    }

    /// Some stay from the beginning to the end, others come and go and change.
    fn is_steady(&self) -> bool {
        self.number % 2 == 1
    }

    pub(crate) async fn run(mut self) {
        let mut is_registered = false;
        loop {
            pause(&mut self.rng, BEAT_MS - 200, BEAT_MS + 200).await;
            let may_change = !self.is_steady() && now_ms() < self.quiet_from_ms;
            if !is_registered {
                is_registered = self.register().await;
            } else if may_change && self.rng.below(8) == 0 {
                is_registered = !self.deregister().await;
            } else if may_change && self.rng.below(8) == 0 {
                self.version += 1;
                self.register().await;
            } else {
                self.beat().await;
            }
            if self.rng.below(20) == 0 {
                self.move_on();
            }
        }
    }

    fn instance(&self) -> Instance {
        Instance {
            host: host(self.number),
            port: 80,
            cluster: ClusterName::default(),
            weight: Weight::clamped(1.0),
            enabled: true,
            healthy: true,
            metadata: Metadata::new([("version", self.version.to_string())]),
        }
    }

    fn client(&self) -> ClientId {
        ClientId::Address(host(self.number), 80, Kind::Ephemeral)
    }

    async fn register(&mut self) -> bool {
        let (client, service, instance) = (self.client(), service(self.number), self.instance());
        let reply = self.desk.ask(self.node, move |node| async move {
            node.register(client, service, vec![instance], Actor::default()).await.is_ok()
        });
        let reply = reply.await;
        self.conclude("register", reply)
    }

    async fn beat(&mut self) -> bool {
        let (service, instance) = (service(self.number), self.instance());
        let reply = self.desk.ask(self.node, move |node| async move {
            node.beat((instance.host.clone(), 80), service, Some(instance), Actor::default()).is_ok()
        });
        let reply = reply.await;
        self.conclude("beat", reply)
    }

    async fn deregister(&mut self) -> bool {
        self.note(true);
        let (client, service) = (self.client(), service(self.number));
        let reply = self.desk.ask(self.node, move |node| async move {
            node.deregister(client, service, Actor::default()).await.is_ok()
        });
        let reply = reply.await;
        let (number, node) = (self.number, self.node);
        let is_done = matches!(reply, Reply::Answer(true, _));
        self.desk.recorder.note(&format_args!("i{number} n{node} deregister: {is_done}"));
        if !is_done {
            self.move_on();
        }
        is_done
    }

    fn conclude(&mut self, what: &str, reply: Reply<bool>) -> bool {
        let is_done = matches!(reply, Reply::Answer(true, _));
        let (number, node) = (self.number, self.node);
        self.desk.recorder.note(&format_args!("i{number} n{node} {what}: {is_done}"));
        if is_done {
            self.note(false);
        } else {
            self.move_on();
        }
        is_done
    }

    fn note(&self, is_leaving: bool) {
        let renewed = Renewed {
            at_ms: now_ms(),
            service: service(self.number).name().as_str().to_owned(),
            host: host(self.number).as_str().to_owned(),
            node: self.node,
            is_leaving,
        };
        self.desk.recorder.with(|seen| seen.renewed.push(renewed));
    }

    fn move_on(&mut self) {
        self.node = 1 + self.rng.below(self.desk.machines.len() as u64) as usize;
    }
}

/// The service of an instance: the steady ones have one each.
pub(crate) fn service(number: u32) -> ServiceKey {
    let name = if number % 2 == 1 { format!("steady{number}") } else { "changing".to_owned() };
    service_named(&name)
}
