//! Those who ask the nodes. They live on a machine that nothing happens to, and call use cases on the machines of nodes.

mod configs;
mod instances;
mod readers;

pub(crate) use configs::{KEYS, config_key, value};
pub(crate) use instances::service;

use crate::{
    machine::Machine,
    record::{Recorder, Server},
};
use muster_node::Node;
use muster_runtime::{Rng, Tasks};
use std::{future::Future, sync::Arc, time::Duration};
use tokio::sync::oneshot;

/// How long a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(7);

/// What became of a question.
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
        let (answer, answered) = oneshot::channel();
        let is_taken = process.submit(Box::new(move |node| {
            Box::pin(async move {
                // Whoever asked may be gone.
                answer.send(work(node).await).ok();
            })
        }));
        if !is_taken {
            return Reply::Unreachable;
        }
        match tokio::time::timeout(PATIENCE, answered).await {
            Ok(Ok(answer)) => Reply::Answer(answer, server),
            Ok(Err(_)) | Err(_) => Reply::Lost,
        }
    }
}

/// How many clients of each kind there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Crowd {
    pub(crate) configs: u32,
    pub(crate) instances: u32,
}

/// Runs all clients until the simulation ends.
pub(crate) async fn run(desk: Desk, crowd: Crowd, seed: u64, quiet_from_ms: u64) -> turmoil::Result {
    let mut rng = Rng::seeded(seed);
    let tasks = Tasks::single_threaded();
    for client in 1..=crowd.configs {
        let client = configs::Client::new(client, desk.clone(), Rng::seeded(rng.next_u64()));
        tasks.spawn("configs", client.run());
    }
    for number in 1..=crowd.instances {
        let client = instances::Client::new(number, desk.clone(), Rng::seeded(rng.next_u64()), quiet_from_ms);
        tasks.spawn("instance", client.run());
    }
    for node in 1..=desk.machines.len() {
        tasks.spawn("reader", readers::run(desk.clone(), node, crowd.instances));
    }
    std::future::pending().await
}

/// Waits for a time between two.
pub(crate) async fn pause(rng: &mut Rng, least_ms: u64, most_ms: u64) {
    tokio::time::sleep(Duration::from_millis(least_ms + rng.below(most_ms - least_ms + 1))).await;
}
