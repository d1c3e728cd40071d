//! Instances that live through everything: each is renewed through whichever node answers, so no list may lack one.

use crate::{
    calls::{self, Instance, Renewed},
    http::Caller,
    tally::Tally,
};
use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until},
};

/// How long a client waits for an answer before it tries the next node: as Nacos's Java client reads.
const PATIENCE: Duration = Duration::from_secs(3);

/// A protocol by which an instance is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// v1 over HTTP.
    Nacos,
    /// Eureka's REST.
    Eureka,
}

/// Who settles.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// What services are named, before their number.
    pub(crate) prefix: &'static str,
    pub(crate) protocol: Protocol,
    pub(crate) services: u32,
    /// Instances a service.
    pub(crate) each: u32,
    /// From one renewal of an instance to the next. Each goes to the next node.
    pub(crate) every: Duration,
    /// Clients that share the work.
    pub(crate) keepers: usize,
}

impl Protocol {
    async fn register(self, caller: &mut Caller, instance: &Instance) -> Renewed {
        match self {
            Self::Nacos => calls::register(caller, instance).await,
            Self::Eureka => calls::register_eureka(caller, instance).await,
        }
    }

    async fn renew(self, caller: &mut Caller, instance: &Instance) -> Renewed {
        match self {
            Self::Nacos => calls::beat(caller, instance).await,
            Self::Eureka => calls::renew_eureka(caller, instance).await,
        }
    }

    /// What a node lists.
    pub(crate) async fn list(self, caller: &mut Caller, service: &str) -> Result<BTreeSet<String>, String> {
        match self {
            Self::Nacos => calls::list(caller, service).await,
            Self::Eureka => calls::list_eureka(caller, service).await,
        }
    }
}

/// A service of residents.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    pub(crate) protocol: Protocol,
    pub(crate) name: String,
    /// Addresses of its residents.
    pub(crate) hosts: BTreeSet<String>,
}

/// Residents and who keeps them.
#[derive(Debug)]
pub(crate) struct Residents {
    pub(crate) services: Vec<Service>,
    stop: Arc<AtomicBool>,
    keepers: JoinSet<()>,
}

impl Residents {
    /// Registers everybody through all nodes, and keeps them.
    pub(crate) async fn settle(plan: Plan, nodes: &[SocketAddr], tally: &Tally) -> Self {
        let of = |service: u32| -> Vec<Instance> {
            let numbers = service * plan.each..(service + 1) * plan.each;
            numbers.map(|number| Instance { service: format!("{}-{service}", plan.prefix), number }).collect()
        };
        let instances: Vec<Vec<Instance>> = (0..plan.services).map(of).collect();
        let hosts = |instances: &Vec<Instance>| Service {
            protocol: plan.protocol,
            name: instances[0].service.clone(),
            hosts: instances.iter().map(Instance::ip).collect(),
        };
        let services = instances.iter().map(hosts).collect();
        let stop = Arc::new(AtomicBool::new(false));
        let all: Vec<Instance> = instances.into_iter().flatten().collect();
        let mut starting = JoinSet::new();
        for share in all.chunks(all.len().div_ceil(plan.keepers)) {
            let mut keeper = Keeper::new(plan, share.to_vec(), nodes, tally);
            starting.spawn(async move {
                keeper.register_all().await;
                keeper
            });
        }
        let mut running = JoinSet::new();
        while let Some(keeper) = starting.join_next().await {
            running.spawn(keeper.unwrap().run(stop.clone()));
        }
        Self { services, stop, keepers: running }
    }

    /// Ends the renewals.
    pub(crate) async fn leave(mut self) {
        self.stop.store(true, Relaxed);
        self.keepers.shutdown().await;
    }
}

struct Keeper {
    plan: Plan,
    instances: Vec<Instance>,
    callers: Vec<Caller>,
    tally: Tally,
}

impl Keeper {
    fn new(plan: Plan, instances: Vec<Instance>, nodes: &[SocketAddr], tally: &Tally) -> Self {
        let callers = nodes.iter().map(|node| Caller::new(*node, PATIENCE)).collect();
        Self { plan, instances, callers, tally: tally.clone() }
    }

    async fn register_all(&mut self) {
        for at in 0..self.instances.len() {
            self.try_nodes(at, at, true).await;
        }
    }

    /// One instance after the other, evenly over the interval, each time through the next node.
    async fn run(mut self, stop: Arc<AtomicBool>) {
        let mut due = Instant::now();
        #[expect(clippy::cast_possible_truncation, reason = "some thousands")]
        let step = self.plan.every / self.instances.len() as u32;
        for round in 0.. {
            for at in 0..self.instances.len() {
                if stop.load(Relaxed) {
                    return;
                }
                // What it could not do in time it does at once, but not more than a second's worth.
                due = (due + step).max(Instant::now() - Duration::from_secs(1));
                sleep_until(due).await;
                self.try_nodes(at, at + round, false).await;
            }
        }
    }

    async fn try_nodes(&mut self, at: usize, first: usize, mut register: bool) {
        let began = Instant::now();
        let protocol = self.plan.protocol;
        for node in (first..).take(3 * self.callers.len()) {
            let node = node % self.callers.len();
            let (caller, instance) = (&mut self.callers[node], &self.instances[at]);
            let renewed = if register {
                protocol.register(caller, instance).await
            } else {
                protocol.renew(caller, instance).await
            };
            match renewed {
                Renewed::Yes if register => return,
                Renewed::Yes => {
                    self.tally.count("renewals");
                    self.tally.took("a renewal, tries included", began.elapsed());
                    return;
                }
                Renewed::Unheard => {
                    self.tally.count("renewals that had to register again");
                    register = true;
                }
                Renewed::Failed(_) => self.tally.count("calls of residents that went to the next node"),
            }
        }
        self.tally.count("renewals that no node took");
    }
}
