//! All nodes lose power at once, under twenty thousand instances, and come back: all together, or not.

use crate::{
    ensemble::JOIN_WAIT,
    figures::{figure, say},
    readers::Readers,
    residents::{Plan, Protocol, Residents},
    stage::Stage,
};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// The checkpoint of ephemeral registrations is at most five seconds old; and a second for writing it.
const CHECKPOINT: Duration = Duration::from_secs(6);
/// How long the power is away, and how long the first ones are by themselves.
const AWAY: Duration = Duration::from_secs(1);
/// Between two looks whether nodes are ready.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// The instances that live through it, and who reads them.
pub(crate) struct Crowd {
    residents: Vec<Residents>,
    readers: Readers,
}

impl Crowd {
    /// Registers a crowd of either kind, 100 a service, and reads them at every node from then on.
    pub(crate) async fn gather(stage: &Stage) -> Self {
        let each = 100;
        let services = u32::try_from(figure("MUSTER_CROWD", 10_000)).unwrap() / each;
        let plans = [
            Plan {
                prefix: "crowd",
                protocol: Protocol::Nacos,
                services,
                each,
                every: Duration::from_secs(10),
                keepers: 4,
            },
            Plan {
                prefix: "CROWD",
                protocol: Protocol::Eureka,
                services,
                each,
                every: Duration::from_secs(30),
                keepers: 4,
            },
        ];
        let began = Instant::now();
        let nodes = stage.ensemble.addresses();
        let [nacos, eureka] = plans.map(|plan| Residents::settle(plan, &nodes, &stage.tally));
        let (nacos, eureka) = tokio::join!(nacos, eureka);
        let residents = vec![nacos, eureka];
        let services: Vec<_> = residents.iter().flat_map(|some| some.services.clone()).collect();
        let registered = began.elapsed();
        stage.wait_listed(&services).await;
        say(&format!("a crowd came in {registered:?} and was listed after {:?}", began.elapsed()));
        Self { readers: Readers::start(&nodes, &services, &stage.tally), residents }
    }

    /// It needs no lists any more.
    pub(crate) async fn disperse(self) {
        self.readers.finish().await;
        for some in self.residents {
            some.leave().await;
        }
    }
}

/// Kills all nodes at once and starts `first`, then the others. None may wait longer for the absent ones than it is told
/// to, and none may list less than before: the readers see to that.
pub(crate) async fn power_off(stage: &mut Stage, first: &[usize]) -> String {
    let all: Vec<usize> = (0..stage.ensemble.nodes.len()).collect();
    for node in &all {
        stage.comers.excuse(*node);
    }
    // Whoever lives has been in a checkpoint of each node since: none is older than that.
    sleep(CHECKPOINT).await;
    for node in &all {
        stage.ensemble.kill(*node);
    }
    sleep(AWAY).await;
    let rest: Vec<usize> = all.iter().copied().filter(|node| !first.contains(node)).collect();
    let mut took = Vec::new();
    for together in [first, &rest] {
        took.extend(start(stage, together).await);
        // Readers see what these list by themselves.
        sleep(AWAY).await;
    }
    let written = stage.write_through(&all).await;
    for node in &all {
        stage.comers.expect(*node);
    }
    format!("ready after {took:?} ms, first write {} ms later", written.as_millis())
}

async fn start(stage: &mut Stage, together: &[usize]) -> Vec<u128> {
    for node in together {
        stage.ensemble.start_node(*node);
    }
    let mut began = Vec::new();
    let limit = stage.ensemble.ready_within();
    for node in together {
        stage.ensemble.nodes[*node].wait_live().await;
        // What it waits for begins there.
        began.push(Instant::now());
    }
    let mut took = vec![None; together.len()];
    while took.contains(&None) && began[0].elapsed() < JOIN_WAIT {
        for ((node, began), took) in together.iter().zip(&began).zip(&mut took) {
            let told = stage.ensemble.nodes[*node].ready("/ready").await;
            *took = took.or(told.is_some_and(|told| told.is_ok()).then(|| began.elapsed()));
        }
        sleep(LOOK_AGAIN).await;
    }
    // So far it may have waited for others; what the machine kept it from meanwhile is no excuse.
    stage.take_delays();
    for ((node, began), took) in together.iter().zip(&began).zip(&mut took) {
        if took.is_none() {
            stage.ensemble.nodes[*node].wait_ready().await;
            *took = Some(began.elapsed());
        }
    }
    let took: Vec<Duration> = took.into_iter().flatten().collect();
    stage.within("a start until ready", took.iter().copied().max().unwrap_or_default(), limit);
    took.iter().map(Duration::as_millis).collect()
}
