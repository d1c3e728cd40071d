//! How new what this node shows is: reads that must see every acknowledged write, and how stale a node is that hears no
//! leader.

use crate::{Node, NodeError};
use muster_model::Monotonic;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// How often it is looked whether there is a leader.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Since when no leader is heard: milliseconds of the monotonic clock, `u64::MAX` while there is one. Every answer asks.
pub(crate) struct Freshness(AtomicU64);

impl Default for Freshness {
    fn default() -> Self {
        Self(AtomicU64::new(u64::MAX))
    }
}

impl Node {
    /// After it returns, this node shows every durable write that was acknowledged anywhere before it was called; an
    /// error: no majority of the nodes answers.
    pub async fn read_barrier(&self) -> Result<(), NodeError> {
        self.ready()?;
        Ok(self.consensus()?.read_barrier().await?)
    }

    /// By how many milliseconds what this node shows may be older than what others know; `None` while it hears a leader.
    pub fn stale_ms(&self) -> Option<u64> {
        let since = self.freshness.0.load(Ordering::Relaxed);
        (since != u64::MAX).then(|| self.now().mono.since(Monotonic(since)))
    }

    /// Looks whether there is a leader until the node stops.
    pub(crate) async fn run_freshness(self: Arc<Self>) {
        let stopping = self.tasks.stopping();
        loop {
            self.look_for_leader();
            tokio::select! {
                biased;
                () = stopping.cancelled() => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    fn look_for_leader(&self) {
        let Ok(consensus) = self.consensus() else { return };
        let without = consensus.standing().without_leader_ms;
        let since = without.map_or(u64::MAX, |without| self.now().mono.0.saturating_sub(without));
        self.freshness.0.store(since, Ordering::Relaxed);
    }
}
