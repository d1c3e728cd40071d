//! A client that keeps an instance registered by beats, at whatever node answers.

use super::{Desk, Reply, Roamer, host, instance, pause, service_named, version};
use crate::record::now_ms;
use muster_model::{Actor, ClientId, Instance, Kind, ServiceKey};
use muster_runtime::Rng;

/// Between two beats.
const BEAT_MS: u64 = 1_000;

pub(crate) struct Client {
    roamer: Roamer,
    /// From now on it changes nothing any more.
    quiet_from_ms: u64,
    version: u32,
}

impl Client {
    pub(crate) fn new(number: u32, desk: Desk, rng: Rng, quiet_from_ms: u64) -> Self {
        Self { roamer: Roamer::new(number, desk, rng), quiet_from_ms, version: 0 }
    }

    /// Some stay from the beginning to the end, others come and go and change.
    fn is_steady(&self) -> bool {
        self.roamer.number % 2 == 1
    }

    pub(crate) async fn run(mut self) {
        let mut is_registered = false;
        loop {
            pause(&mut self.roamer.rng, BEAT_MS - 200, BEAT_MS + 200).await;
            let may_change = !self.is_steady() && now_ms() < self.quiet_from_ms;
            if !is_registered {
                is_registered = self.register().await;
            } else if may_change && self.roamer.rng.below(8) == 0 {
                is_registered = !self.deregister().await;
            } else if may_change && self.roamer.rng.below(8) == 0 {
                self.version += 1;
                self.register().await;
            } else {
                self.beat().await;
            }
            if self.roamer.rng.below(20) == 0 {
                self.roamer.move_on();
            }
        }
    }

    fn instance(&self) -> Instance {
        instance(self.roamer.number, version(self.version))
    }

    fn client(&self) -> ClientId {
        ClientId::Address(host(self.roamer.number), 80, Kind::Ephemeral)
    }

    async fn register(&mut self) -> bool {
        let (client, service, instance) = (self.client(), service(self.roamer.number), self.instance());
        let reply = self.roamer.desk.ask(self.roamer.node, move |node| async move {
            node.register(client, service, vec![instance], Actor::default()).await.is_ok()
        });
        let reply = reply.await;
        self.conclude("register", &reply)
    }

    async fn beat(&mut self) -> bool {
        let (service, instance) = (service(self.roamer.number), self.instance());
        let reply = self.roamer.desk.ask(self.roamer.node, move |node| async move {
            node.beat((instance.host.clone(), 80), service, Some(instance), Actor::default()).is_ok()
        });
        let reply = reply.await;
        self.conclude("beat", &reply)
    }

    async fn deregister(&mut self) -> bool {
        self.roamer.renewed(&service(self.roamer.number), true);
        let (client, service) = (self.client(), service(self.roamer.number));
        let reply = self.roamer.desk.ask(self.roamer.node, move |node| async move {
            node.deregister(client, service, Actor::default()).await.is_ok()
        });
        let reply = reply.await;
        let (number, node) = (self.roamer.number, self.roamer.node);
        let is_done = matches!(reply, Reply::Answer(true, _));
        self.roamer.desk.recorder.note(&format_args!("i{number} n{node} deregister: {is_done}"));
        if !is_done {
            self.roamer.move_on();
        }
        is_done
    }

    fn conclude(&mut self, what: &str, reply: &Reply<bool>) -> bool {
        let service = service(self.roamer.number);
        self.roamer.conclude(what, &service, matches!(reply, Reply::Answer(true, _)))
    }
}

/// The service of an instance: the steady ones have one each.
pub(crate) fn service(number: u32) -> ServiceKey {
    let name = if number % 2 == 1 { format!("steady{number}") } else { "changing".to_owned() };
    service_named(&name)
}
