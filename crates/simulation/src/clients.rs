//! Those who ask the nodes. They live on a machine that nothing happens to, and call use cases on the machines of nodes.

mod configs;
mod connections;
mod crowd;
mod eureka;
mod instances;
mod persistent;
mod readers;
mod subscribers;

pub(crate) use configs::{KEYS, config_key, value};
pub(crate) use crowd::service as crowd_service;

use crate::{
    machine::{self, Machine},
    record::{Recorder, Renewed, Server, now_ms},
    schedule::{Fault, Schedule, Trouble},
};
use muster_model::{
    ClusterName, GroupName, Host, Instance, Metadata, Namespace, ServiceKey, ServiceName, Weight,
};
use muster_node::{Node, ServiceView};
use muster_runtime::{Rng, Tasks};
use std::{
    future::Future,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

/// What became of a question, and who was asked.
pub(crate) enum Reply<T> {
    /// It was answered.
    Answer(T, Server),
    /// Nobody took it.
    Unreachable,
    /// It was taken, and no answer came.
    Lost,
}

/// What every client has.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) machines: Vec<Arc<Machine>>,
    pub(crate) recorder: Recorder,
    /// Whether the crowd says nothing.
    pub(crate) silence: Arc<AtomicBool>,
}

impl Desk {
    /// Has a node do something, on its machine.
    pub(crate) async fn ask<T, F>(
        &self,
        node: usize,
        work: impl FnOnce(Arc<Node>) -> F + Send + 'static,
    ) -> Reply<T>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let Some(process) = self.machines[node - 1].process() else { return Reply::Unreachable };
        let server = Server { node, life: process.life };
        match process.ask(work).await {
            machine::Reply::Answer(_) if self.machines[node - 1].drops_answer() => Reply::Lost,
            machine::Reply::Answer(answer) => Reply::Answer(answer, server),
            machine::Reply::Unreachable => Reply::Unreachable,
            machine::Reply::Lost => Reply::Lost,
        }
    }
}

impl Desk {
    /// Some node.
    fn any(&self, rng: &mut Rng) -> usize {
        1 + rng.below(self.machines.len() as u64) as usize
    }

    /// Notes that a node answered an ephemeral client that it lives, or that the client is about to leave.
    fn renewed(&self, service: &ServiceKey, number: u32, node: usize, is_leaving: bool) {
        let renewed = Renewed {
            at_ms: now_ms(),
            service: service.name().as_str().to_owned(),
            host: host(number).as_str().to_owned(),
            node,
            is_leaving,
        };
        self.recorder.with(|seen| seen.renewed.push(renewed));
    }
}

/// Who asks one node as long as that answers, and then another one.
pub(crate) struct Roamer {
    pub(crate) number: u32,
    pub(crate) desk: Desk,
    pub(crate) rng: Rng,
    pub(crate) node: usize,
}

impl Roamer {
    fn new(number: u32, desk: Desk, rng: Rng) -> Self {
        let node = 1 + number as usize % desk.machines.len();
        Self { number, desk, rng, node }
    }

    fn move_on(&mut self) {
        self.node = self.desk.any(&mut self.rng);
    }

    fn renewed(&self, service: &ServiceKey, is_leaving: bool) {
        self.desk.renewed(service, self.number, self.node, is_leaving);
    }

    /// Takes note of what came of a registration or renewal, which it gives back.
    fn conclude(&mut self, what: &str, service: &ServiceKey, is_done: bool) -> bool {
        let (number, node) = (self.number, self.node);
        self.desk.recorder.note(&format_args!("i{number} n{node} {what}: {is_done}"));
        if is_done {
            self.renewed(service, false);
        } else {
            self.move_on();
        }
        is_done
    }
}

/// How many clients of each kind there are.
const CONFIGS: u32 = 4;
const INSTANCES: u32 = 7;
const CONNECTIONS: u32 = 3;
const EUREKA: u32 = 3;
const PERSISTENT: u32 = 2;

/// So long before the end nothing is written any more: longer than a proposal may wait.
const SETTLED_MS: u64 = 6_000;

/// Runs all clients until the simulation ends.
pub(crate) async fn run(desk: Desk, schedule: Schedule, seed: u64) -> turmoil::Result {
    let mut rng = Rng::seeded(seed);
    let tasks = Tasks::single_threaded();
    let quiet_from_ms = schedule.heal_ms;
    let mut next = || Rng::seeded(rng.next_u64());
    for number in 1..=CONFIGS {
        tasks.spawn(
            "configs",
            configs::Client::new(number, desk.clone(), next()).run(schedule.end_ms - SETTLED_MS),
        );
    }
    for number in 1..=INSTANCES {
        let client = instances::Client::new(number, desk.clone(), next(), quiet_from_ms);
        tasks.spawn("instance", client.run());
    }
    for number in connections::FIRST..connections::FIRST + CONNECTIONS {
        let client = connections::Client::new(number, desk.clone(), next(), quiet_from_ms);
        tasks.spawn("connection", client.run());
    }
    for number in eureka::FIRST..eureka::FIRST + EUREKA {
        let client = eureka::Client::new(number, desk.clone(), next(), quiet_from_ms);
        tasks.spawn("eureka", client.run());
    }
    for number in persistent::FIRST..persistent::FIRST + PERSISTENT {
        let client = persistent::Client::new(number, desk.clone(), next(), quiet_from_ms);
        tasks.spawn("persistent", client.run());
    }
    if schedule.troubles.iter().any(|trouble| trouble.fault == Fault::Silence) {
        for number in crowd::FIRST..crowd::FIRST + crowd::COUNT {
            tasks.spawn("crowd", crowd::Client::new(number, desk.clone(), next()).run());
        }
    }
    for node in 1..=desk.machines.len() {
        tasks.spawn("reader", readers::run(desk.clone(), node));
        tasks.spawn("subscriber", subscribers::run(desk.clone(), node));
    }
    for Trouble { from_ms, fault, .. } in schedule.troubles {
        if let Fault::Remove(place) = fault {
            tasks.spawn("operator", remove(desk.clone(), place, from_ms, next()));
        }
    }
    std::future::pending().await
}

/// Removes the node on a machine when the time has come, and says so to whoever runs the machine.
async fn remove(desk: Desk, place: usize, from_ms: u64, mut rng: Rng) {
    tokio::time::sleep(Duration::from_millis(from_ms.saturating_sub(now_ms()))).await;
    let machine = &desk.machines[place - 1];
    let Some(node) = machine.node() else { return };
    let others: Vec<_> = desk.machines.iter().filter(|other| other.place != place).cloned().collect();
    machine.begin_removal();
    machine::remove(&others, node, &mut rng).await;
    desk.recorder.note(&format_args!("node {} is removed", node.0));
    machine.set_removed();
}

/// Waits for a time between two.
pub(crate) async fn pause(rng: &mut Rng, least_ms: u64, most_ms: u64) {
    tokio::time::sleep(Duration::from_millis(least_ms + rng.below(most_ms - least_ms + 1))).await;
}

/// The address of a client.
fn host(number: u32) -> Host {
    Host::new(&format!("10.0.0.{number}")).expect("an address is a host")
}

/// The instance that a client registers.
fn instance(number: u32, metadata: Metadata) -> Instance {
    Instance {
        host: host(number),
        port: 80,
        cluster: ClusterName::default(),
        weight: Weight::clamped(1.0),
        enabled: true,
        healthy: true,
        metadata,
    }
}

fn version(version: impl ToString) -> Metadata {
    Metadata::new([("version", version.to_string())])
}

fn service_named(name: &str) -> ServiceKey {
    let name = ServiceName::new(name).expect("letters and digits");
    ServiceKey::new(Namespace::default(), GroupName::default(), name)
}

/// All services that clients read and watch.
pub(crate) fn services() -> Vec<ServiceKey> {
    let mut services: Vec<_> = (1..=INSTANCES).map(instances::service).collect();
    services.extend([connections::service(), eureka::service(), crowd::service()]);
    services.extend((persistent::FIRST..persistent::FIRST + PERSISTENT).map(persistent::service));
    services.sort_by_key(ServiceKey::grouped_name);
    services.dedup();
    services
}

/// What is shown of the hosts of a service.
pub(crate) fn shown(view: &ServiceView) -> Vec<String> {
    let hosts = view.hosts.iter().map(|host| {
        let version = host.metadata.get("version").unwrap_or_default();
        format!("{}:{} {} v{version}", host.host.as_str(), host.port, host.healthy)
    });
    hosts.collect()
}
