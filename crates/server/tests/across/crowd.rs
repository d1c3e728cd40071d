//! Clients that go where they are told to, and to another node when theirs is gone.

use crate::{http::Caller, listener::Listener, members::json};
use muster_client::Push;
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

/// How long a test waits for what has no limit of its own.
const PATIENCE: Duration = Duration::from_secs(60);

/// The clients; they leave when it is dropped.
pub(crate) struct Crowd {
    clients: JoinSet<()>,
    moves: Arc<AtomicUsize>,
}

impl Crowd {
    /// So many, spread over these nodes.
    pub(crate) fn gather(count: usize, nodes: &[SocketAddr]) -> Self {
        let (mut clients, moves) = (JoinSet::new(), Arc::<AtomicUsize>::default());
        for number in 0..count {
            clients.spawn(live(number, nodes.to_vec(), moves.clone()));
        }
        Self { clients, moves }
    }

    /// How often clients were told to go elsewhere.
    pub(crate) fn moves(&self) -> usize {
        self.moves.load(Relaxed)
    }

    /// Waits until every node of these has its share, give or take two, and nobody is elsewhere.
    pub(crate) async fn wait_shared(&self, nodes: &[SocketAddr]) {
        let share = self.clients.len() as u64 / nodes.len() as u64;
        let begun = Instant::now();
        loop {
            let counts = counts(nodes[0]).await;
            let is_shared = |node: &SocketAddr| {
                counts.get(&node.to_string()).is_some_and(|count| count.abs_diff(share) <= 2)
            };
            if counts.values().sum::<u64>() == self.clients.len() as u64 && nodes.iter().all(is_shared) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{counts:?}");
            sleep(Duration::from_millis(100)).await;
        }
    }
}

/// How many clients each node has, as one of them tells.
async fn counts(node: SocketAddr) -> BTreeMap<String, u64> {
    let mut caller = Caller::new(node, PATIENCE);
    let loads = json(&mut caller, "/nacos/v3/admin/core/loader/cluster").await;
    let counts = loads["data"]["detail"].as_array().unwrap().iter();
    let count = |node: &serde_json::Value| {
        Some((node["address"].as_str()?.to_owned(), node["sdkConCount"].as_u64()?))
    };
    counts.map(|node| count(node).unwrap()).collect()
}

async fn live(mut number: usize, nodes: Vec<SocketAddr>, moves: Arc<AtomicUsize>) {
    let mut told = None;
    loop {
        let node = told.take().unwrap_or(nodes[number % nodes.len()]);
        number += 1;
        let Ok(mut client) = Listener::open(node).await else {
            sleep(Duration::from_millis(200)).await;
            continue;
        };
        loop {
            match client.next().await {
                Some(Push::Reset { to }) => {
                    moves.fetch_add(1, Relaxed);
                    told = to.map(|to| to.parse().unwrap());
                    break;
                }
                Some(Push::Service(_) | Push::Config(_) | Push::Other { .. }) => {}
                None => break,
            }
        }
    }
}
