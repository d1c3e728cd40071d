//! An ensemble under all loads, and what is looked at after each thing that happens to it.

use crate::{
    calls::{self, Instance, Renewed, Written},
    comers::Comers,
    configs::Configs,
    ensemble::Ensemble,
    figures::say,
    http::Caller,
    lag::Lag,
    process::Process,
    readers::Readers,
    residents::{Plan, Protocol, Residents, Service},
    sessions::{self, Sessions},
    tally::Tally,
};
use muster_runtime::Rng;
use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// Within this time after a cut ends all nodes must list the same.
pub(crate) const CONVERGED_WITHIN: Duration = Duration::from_secs(2);
/// Within this time after a leader died writes must be answered again.
pub(crate) const WRITES_WITHIN: Duration = Duration::from_secs(5);
/// Subscribers of nodes that live must hear of one another's comers at least this often.
pub(crate) const SILENCE_MAX: Duration = Duration::from_secs(1);
/// How long a test waits for what has no limit of its own.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long one write may take: longer than a node tries.
const WRITE_PATIENCE: Duration = Duration::from_secs(10);

/// How the line begins that says in short what was done.
const SUMMARY: &str = "summary: ";

const RESIDENTS: [Plan; 2] = [
    Plan {
        prefix: "resident",
        protocol: Protocol::Nacos,
        services: 3,
        each: 10,
        every: Duration::from_secs(5),
        keepers: 3,
    },
    Plan {
        prefix: "RESIDENT",
        protocol: Protocol::Eureka,
        services: 2,
        each: 10,
        every: Duration::from_secs(10),
        keepers: 3,
    },
];

/// Whether a step is among those that `MUSTER_ONLY` names: all, if it names none.
pub(crate) fn is_wanted(name: &str) -> bool {
    std::env::vars().all(|(key, only)| key != "MUSTER_ONLY" || name.contains(&only))
}

/// All of it.
pub(crate) struct Stage {
    pub(crate) ensemble: Ensemble,
    pub(crate) tally: Tally,
    pub(crate) comers: Comers,
    lag: Lag,
    configs: Configs,
    residents: Vec<Residents>,
    sessions: Sessions,
    readers: Readers,
    markers: u32,
    /// How many steps were gone through.
    steps: u32,
    /// What could not be tried, and why.
    skipped: Vec<String>,
    failures: Vec<String>,
}

impl Stage {
    /// Puts an ensemble under load.
    pub(crate) async fn open(ensemble: Ensemble, mut rng: Rng) -> Self {
        let tally = Tally::default();
        let nodes = ensemble.addresses();
        let mut residents = Vec::new();
        for plan in RESIDENTS {
            residents.push(Residents::settle(plan, &nodes, &tally).await);
        }
        let sessions = Sessions::settle(&nodes, 2 * nodes.len(), &tally).await;
        let mut services: Vec<Service> = residents.iter().flat_map(|some| some.services.clone()).collect();
        services.push(Service {
            protocol: Protocol::Nacos,
            name: sessions::SERVICE.into(),
            hosts: sessions.hosts().clone(),
        });
        let mut stage = Self {
            readers: Readers::start(&[], &[], &tally),
            comers: Comers::start(&nodes, &tally),
            configs: Configs::start(&nodes, 4, &mut rng, &tally),
            lag: Lag::start(),
            ensemble,
            tally,
            residents,
            sessions,
            markers: 0,
            steps: 0,
            skipped: Vec::new(),
            failures: Vec::new(),
        };
        stage.wait_listed(&services).await;
        stage.readers = Readers::start(&nodes, &services, &stage.tally);
        stage
    }

    /// Lets something happen, and says how it went.
    pub(crate) async fn step<F>(&mut self, name: &str, happens: F)
    where
        F: AsyncFnOnce(&mut Self) -> String,
    {
        if !is_wanted(name) {
            return;
        }
        let began = Instant::now();
        let said = happens(self).await;
        self.sessions.wait_settled().await;
        let breaches = self.tally.take_breaches();
        let took = began.elapsed().as_secs_f64();
        say(&format!("{name:<28} {took:>5.1} s  {said}"));
        if said.starts_with("SKIPPED") {
            self.skipped.push(format!("{name} {said}"));
        } else {
            self.steps += 1;
        }
        if !breaches.is_empty() {
            self.explain().await;
        }
        for breach in breaches {
            say(&format!("    FAILED: {breach}"));
            self.failures.push(format!("{name}: {breach}"));
        }
    }

    /// Says what may explain a breach: what clients met with, and what nodes know of instances that lists lacked.
    async fn explain(&self) {
        self.tally.take_notes().iter().for_each(|note| say(&format!("    {note}")));
        for (service, ip) in self.tally.take_lacking() {
            for node in 0..self.ensemble.nodes.len() {
                let words = ["history", "service", &service, "--instance", &ip, "--limit", "15"];
                let (Ok(told) | Err(told)) = self.ensemble.try_ask(node, &words).await;
                say(&format!("    node {node} of {ip} of {service}:\n{told}"));
            }
        }
    }

    /// How long the machine kept us and the nodes from running since this was asked last.
    pub(crate) fn take_delays(&self) -> Duration {
        self.lag.take(self.ensemble.nodes.iter().filter_map(Process::id))
    }

    /// Holds a time against its limit, to which the machine's own delays are added.
    pub(crate) fn within(&self, what: &str, took: Duration, limit: Duration) {
        let lag = self.take_delays();
        self.tally.took(what, took);
        if took > limit + lag {
            self.tally
                .breach(format!("{what} took {took:?}, more than {limit:?} and {lag:?} of this machine"));
        }
    }

    /// Waits until a write through one of these nodes is acknowledged.
    pub(crate) async fn write_through(&self, nodes: &[usize]) -> Duration {
        let began = Instant::now();
        let mut callers: Vec<_> =
            nodes.iter().map(|node| Caller::new(self.ensemble.nodes[*node].http, WRITE_PATIENCE)).collect();
        let content = began.elapsed().as_nanos().to_string();
        let count = callers.len();
        let mut seen = BTreeMap::new();
        for at in 0.. {
            let asked = Instant::now();
            let written = calls::publish(&mut callers[at % count], "probe", &content, None).await;
            if written == Written::Done {
                break;
            }
            seen.insert(nodes[at % count], (written, asked.elapsed()));
            assert!(began.elapsed() < PATIENCE, "no write is acknowledged by {nodes:?}: {seen:?}");
            sleep(Duration::from_millis(20)).await;
        }
        began.elapsed()
    }

    /// Registers an instance at each node and removes another there, calls `heals`, and waits until every node lists
    /// what came and not what went. How long that took since `heals` ended.
    pub(crate) async fn converges(&mut self, heals: impl Future<Output = ()>) -> Duration {
        self.markers += 1;
        let nodes = self.ensemble.addresses();
        let service = format!("marker-{}", self.markers);
        let mut callers: Vec<_> = nodes.iter().map(|node| Caller::new(*node, PATIENCE)).collect();
        let mut expected = BTreeSet::new();
        for (number, caller) in (0..).zip(&mut callers) {
            let stays = Instance { service: service.clone(), number: 2 * number };
            let goes = Instance { service: service.clone(), number: 2 * number + 1 };
            for outcome in [
                calls::register(caller, &goes).await,
                calls::register(caller, &stays).await,
                calls::deregister(caller, &goes).await,
            ] {
                if outcome != Renewed::Yes {
                    self.tally.breach(format!("node {number} of a partition does not register: {outcome:?}"));
                }
            }
            expected.insert(stays.ip());
        }
        self.take_delays();
        heals.await;
        let began = Instant::now();
        for (number, caller) in callers.iter_mut().enumerate() {
            loop {
                let listed = calls::list(caller, &service).await;
                if listed.as_ref() == Ok(&expected) {
                    break;
                }
                assert!(began.elapsed() < PATIENCE, "node {number} lists {listed:?}, not {expected:?}");
                sleep(Duration::from_millis(5)).await;
            }
        }
        began.elapsed()
    }

    pub(crate) async fn wait_listed(&self, services: &[Service]) {
        let began = Instant::now();
        for node in self.ensemble.addresses() {
            let mut caller = Caller::new(node, PATIENCE);
            for service in services {
                while service
                    .protocol
                    .list(&mut caller, &service.name)
                    .await
                    .is_ok_and(|on| on != service.hosts)
                {
                    assert!(began.elapsed() < PATIENCE, "{node} does not list {} in time", service.name);
                    sleep(Duration::from_millis(20)).await;
                }
            }
        }
    }

    /// Ends the loads, looks at everything once more, and fails if anything was not well.
    pub(crate) async fn close(mut self) {
        let acknowledged = self.configs.acknowledged();
        let calls = self.configs.finish(&self.tally).await;
        self.readers.finish().await;
        self.comers.finish().await;
        self.sessions.leave().await;
        for some in self.residents {
            some.leave().await;
        }
        let entries = acknowledged.len();
        for node in self.ensemble.addresses() {
            let mut caller = Caller::new(node, PATIENCE);
            for name in &acknowledged {
                match calls::read(&mut caller, name, false).await {
                    Ok(Some(content)) if content == *name => {}
                    seen => self.tally.breach(format!("{name} was acknowledged, and {node} has {seen:?}")),
                }
            }
        }
        for node in &self.ensemble.nodes {
            let log = node.log();
            for line in log.lines().filter(|line| line.contains("panicked at")) {
                self.tally.breach(format!("{}: {line}", node.http));
            }
        }
        self.failures.extend(self.tally.take_breaches());
        say(&self.tally.summary());
        // `cargo xtask` shows this line in its table.
        let (steps, lists) = (self.steps, self.tally.of("lists read"));
        let mut said = format!(
            "{SUMMARY}{steps} steps; {calls} config calls, {entries} acknowledged writes, {lists} lists checked"
        );
        self.skipped.iter().for_each(|skipped| said.extend(["; ", skipped]));
        say(&said);
        assert!(self.failures.is_empty(), "{:#?}", self.failures);
    }
}
