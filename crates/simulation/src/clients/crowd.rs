//! A crowd of clients with short leases, which may fall silent all at once.

use super::{Desk, Reply, instance, pause, service_named};
use muster_model::{Actor, ClientId, Instance, Kind, Metadata, ServiceKey};
use muster_runtime::Rng;
use std::sync::atomic::Ordering;

/// Numbers of these clients begin here.
pub(crate) const FIRST: u32 = 101;
/// How many there are: enough for each node to have a brake.
pub(crate) const COUNT: u32 = 60;

pub(crate) struct Client {
    number: u32,
    desk: Desk,
    rng: Rng,
}

/// The service of all of them.
pub(crate) fn service() -> ServiceKey {
    service_named("crowd")
}

impl Client {
    pub(crate) fn new(number: u32, desk: Desk, rng: Rng) -> Self {
        Self { number, desk, rng }
    }

    pub(crate) async fn run(mut self) {
        let place = 1 + self.number as usize % self.desk.machines.len();
        let mut is_registered = false;
        loop {
            pause(&mut self.rng, 800, 1_200).await;
            if self.desk.silence.load(Ordering::Relaxed) {
                continue;
            }
            let instance = self.instance();
            let beats = is_registered;
            let reply = self.desk.ask(place, move |node| async move {
                if beats {
                    let address = (instance.host.clone(), 80);
                    return node.beat(address, service(), Some(instance), Actor::default()).is_ok();
                }
                let client = ClientId::Address(instance.host.clone(), 80, Kind::Ephemeral);
                node.register(client, service(), vec![instance], Actor::default()).await.is_ok()
            });
            is_registered |= matches!(reply.await, Reply::Answer(true, _));
        }
    }

    fn instance(&self) -> Instance {
        let timing = [
            ("preserved.heart.beat.interval", "1000"),
            ("preserved.heart.beat.timeout", "3000"),
            ("preserved.ip.delete.timeout", "6000"),
        ];
        instance(self.number, Metadata::new(timing))
    }
}
