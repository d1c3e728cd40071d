//! What the passing of time brings: late acknowledgements, lapsed leases, and the removals that the leader proposes.

use crate::{Node, op::DurableOp};
use muster_config::ExpireHistory;
use muster_model::{Actor, Cause, HashMap, Monotonic, Reason, ServiceKey, Timestamp};
use muster_registry::{InstanceKey, Op, OverrideChange};
use std::{sync::Arc, time::Duration};

/// The longest pause between two looks at the clock.
const PAUSE_MAX: Duration = Duration::from_millis(1_000);
/// How often the removals that go through the log are looked for.
const HOUSEKEEPING_MS: u64 = 60_000;
/// How many operations that remove old history are proposed in one round: more may come to age in a minute than one
/// of them removes.
const HISTORY_ROUNDS_MAX: usize = 100;
/// An expired lock is dropped when it has been so for this long: until then a release of it still answers that it was
/// taken.
const LOCK_GRACE_MS: u64 = 60_000;
/// An override is dropped when its instance has been gone for this long.
const OVERRIDE_GRACE_MS: u64 = 3_600_000;

impl Node {
    /// Runs the timers until the node stops.
    pub(crate) async fn run_timers(self: Arc<Self>) {
        let stopping = self.tasks.stopping();
        loop {
            let pause = self.expire();
            tokio::select! {
                biased;
                () = stopping.cancelled() => return,
                () = self.watchers.timer.notified() => {
                    // Deadlines are at least a second away: a moment's patience lets many pushes share one look.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    fn expire(&self) -> Duration {
        let now = self.now();
        let mut effects = Vec::new();
        let lease = {
            let mut registry = self.registry.lock();
            if self.switches.checks_health() {
                registry.expire(now, &mut effects);
                registry.next_deadline()
            } else {
                registry.expire_services(now, &mut effects);
                None
            }
        };
        self.run_registry_effects(effects);
        let watch = self.watchers.expire(now.mono);
        let next = [lease, watch].into_iter().flatten().min();
        next.map_or(PAUSE_MAX, |at| Duration::from_millis(at.since(now.mono).max(5))).min(PAUSE_MAX)
    }

    /// Proposes what time removes from durable state, until the node stops. Only a leader's proposals pass.
    pub(crate) async fn run_housekeeping(self: Arc<Self>) {
        let stopping = self.tasks.stopping();
        let mut orphans = HashMap::default();
        loop {
            tokio::select! {
                biased;
                () = stopping.cancelled() => return,
                () = tokio::time::sleep(Duration::from_millis(HOUSEKEEPING_MS)) => {}
            }
            if self.is_ready() {
                self.keep_house(&mut orphans).await;
            }
        }
    }

    async fn keep_house(&self, orphans: &mut HashMap<(ServiceKey, InstanceKey), Monotonic>) {
        let now = self.now();
        let long_over = Timestamp(now.wall.0.saturating_sub(LOCK_GRACE_MS));
        if self.locks.lock().has_expired(long_over) {
            self.propose_removal("expired locks", DurableOp::ExpireLocks(long_over)).await;
        }
        self.expire_history(now.wall).await;
        let seen = self.registry.lock().orphaned_overrides();
        orphans.retain(|key, _| seen.binary_search(key).is_ok());
        for key in seen {
            let since = *orphans.entry(key.clone()).or_insert(now.mono);
            if now.mono.since(since) >= OVERRIDE_GRACE_MS {
                let (service, instance) = key;
                let cause = Cause { actor: Actor::default(), reason: Reason::Operator };
                let clear = Op::Override { service, instance, change: OverrideChange::Clear, cause };
                self.propose_removal("override of an instance that is gone", DurableOp::Registry(clear))
                    .await;
            }
        }
    }

    async fn expire_history(&self, now: Timestamp) {
        let expire = ExpireHistory::at(now, &self.settings.history);
        let is_due = || self.configs.read().oldest_history().is_some_and(|oldest| oldest < expire.before);
        // One operation removes a limited number.
        for _ in 0..HISTORY_ROUNDS_MAX {
            let op = muster_config::Op::ExpireHistory(expire);
            if !is_due() || !self.propose_removal("config history", DurableOp::Config(op)).await {
                return;
            }
        }
    }

    /// Whether it was done.
    async fn propose_removal(&self, what: &'static str, op: DurableOp) -> bool {
        let result = self.propose(op).await;
        if let Err(error) = &result {
            tracing::warn!(what, %error, "removal waits for the next round");
        }
        result.is_ok()
    }
}
