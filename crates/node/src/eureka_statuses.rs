//! Statuses that were set without the log, as Eureka peers do, on their way into it.

use crate::{Node, NodeError};
use muster_model::{Cause, ServiceKey};
use muster_registry::{InstanceKey, Op, OverrideChange, StatusChange};
use parking_lot::Mutex;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};
use tokio::sync::Notify;

/// Instances whose status waits, at most. Beyond it the oldest are dropped with a warning: they show until this process
/// ends, and the peer that set them still has them.
const WAITING_MAX: usize = 10_000;
/// How long to wait when the log takes none.
const RETRY: Duration = Duration::from_secs(1);

type Key = (ServiceKey, InstanceKey);

/// The newest change of each instance, in the order in which the first came.
#[derive(Debug, Default)]
pub(crate) struct WaitingStatuses {
    waiting: Mutex<Queue>,
    came: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    changes: BTreeMap<Key, (StatusChange, Arc<Cause>)>,
    order: VecDeque<Key>,
}

impl WaitingStatuses {
    /// Takes a change in; it replaces one of the same instance.
    pub(crate) fn put(&self, key: Key, change: StatusChange, cause: Arc<Cause>) {
        let mut queue = self.waiting.lock();
        if queue.changes.insert(key.clone(), (change, cause)).is_none() {
            queue.order.push_back(key);
        }
        if queue.changes.len() > WAITING_MAX
            && let Some(oldest) = queue.order.pop_front()
        {
            queue.changes.remove(&oldest);
            tracing::warn!(service = %oldest.0, "an overridden status is not kept: too many wait for the log");
        }
        drop(queue);
        self.came.notify_one();
    }

    /// Forgets the change of an instance: an operator's of now is on its way.
    pub(crate) fn forget(&self, key: &Key) {
        let mut queue = self.waiting.lock();
        if queue.changes.remove(key).is_some() {
            queue.order.retain(|other| other != key);
        }
    }

    fn first(&self) -> Option<(Key, StatusChange, Arc<Cause>)> {
        let queue = self.waiting.lock();
        let key = queue.order.front()?;
        let (change, cause) = queue.changes.get(key)?;
        Some((key.clone(), *change, cause.clone()))
    }

    /// Removes what was proposed, unless a newer one came meanwhile: that is next.
    fn done(&self, key: &Key, change: StatusChange) {
        let mut queue = self.waiting.lock();
        if queue.changes.get(key).is_some_and(|(newest, _)| *newest == change) {
            queue.changes.remove(key);
            queue.order.retain(|other| other != key);
        }
    }
}

impl Node {
    /// Proposes the statuses that wait, one after the other, until the node stops.
    pub(crate) async fn run_status_proposals(self: Arc<Self>) {
        let stopping = self.tasks.stopping();
        loop {
            let Some((key, change, cause)) = self.waiting_statuses.first() else {
                tokio::select! {
                    () = stopping.cancelled() => return,
                    () = self.waiting_statuses.came.notified() => continue,
                }
            };
            let (service, instance) = key.clone();
            let change_of = OverrideChange::Status(change);
            let op = Op::Override { service, instance, change: change_of, cause: Cause::clone(&cause) };
            let proposed = tokio::select! {
                () = stopping.cancelled() => return,
                proposed = self.propose_registry(op) => proposed,
            };
            match proposed {
                Ok(_) => self.waiting_statuses.done(&key, change),
                Err(NodeError::Registry(error)) => {
                    tracing::warn!(service = %key.0, %error, "an overridden status is not kept");
                    self.waiting_statuses.done(&key, change);
                }
                Err(error) => {
                    tracing::debug!(service = %key.0, %error, "an overridden status waits for the log");
                    tokio::select! {
                        () = stopping.cancelled() => return,
                        () = tokio::time::sleep(RETRY) => {}
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use muster_model::{Actor, ClusterName, EurekaStatus, GroupName, Host, Namespace, Reason, ServiceName};

    fn key(number: usize) -> Key {
        let name = ServiceName::new(&format!("s{number}")).unwrap();
        let service = ServiceKey::new(Namespace::default(), GroupName::default(), name);
        let (cluster, host) = (ClusterName::default(), Host::new("10.0.0.1").unwrap());
        (service, InstanceKey { cluster, host, port: 80, eureka: Some(Arc::from("a")) })
    }

    fn put(waiting: &WaitingStatuses, number: usize, status: EurekaStatus) -> StatusChange {
        let change = StatusChange { status: Some(status), ..StatusChange::default() };
        let cause = Cause { actor: Actor::default(), reason: Reason::Operator };
        waiting.put(key(number), change, Arc::new(cause));
        change
    }

    #[test]
    fn the_newest_of_an_instance_waits_and_is_not_lost_to_an_older_one() {
        let waiting = WaitingStatuses::default();
        let old = put(&waiting, 1, EurekaStatus::OutOfService);
        put(&waiting, 2, EurekaStatus::Down);
        let new = put(&waiting, 1, EurekaStatus::Up);
        waiting.done(&key(1), old);
        assert_eq!(waiting.first().map(|first| (first.0, first.1)), Some((key(1), new)));
        waiting.done(&key(1), new);
        assert_eq!(waiting.first().map(|first| first.0), Some(key(2)));
        waiting.forget(&key(2));
        assert_eq!(waiting.first(), None);
    }

    #[test]
    fn no_more_wait_than_there_is_room_for() {
        let waiting = WaitingStatuses::default();
        for number in 0..=WAITING_MAX {
            put(&waiting, number, EurekaStatus::Up);
        }
        assert_eq!(waiting.waiting.lock().changes.len(), WAITING_MAX);
        assert_eq!(waiting.first().map(|first| first.0), Some(key(1)));
    }
}
