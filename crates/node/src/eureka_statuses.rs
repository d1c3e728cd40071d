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

/// How long to wait when the log takes none.
const RETRY: Duration = Duration::from_secs(1);

type Key = (ServiceKey, InstanceKey);

/// The newest change of each instance, in the order in which the first came. The registry refuses more than 10,000.
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
        drop(queue);
        self.came.notify_one();
    }

    /// Takes the change of an instance back: an operator's of now is on its way. If that is not written put it back, or it
    /// would show until this process ends and then be lost.
    pub(crate) fn take(&self, key: &Key) -> Option<(StatusChange, Arc<Cause>)> {
        let mut queue = self.waiting.lock();
        let taken = queue.changes.remove(key)?;
        queue.order.retain(|other| other != key);
        Some(taken)
    }

    /// Puts back what was taken, unless a newer one came meanwhile.
    pub(crate) fn put_back(&self, key: Key, (change, cause): (StatusChange, Arc<Cause>)) {
        let is_replaced = self.waiting.lock().changes.contains_key(&key);
        if !is_replaced {
            self.put(key, change, cause);
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
                    biased;
                    () = stopping.cancelled() => return,
                    () = self.waiting_statuses.came.notified() => continue,
                }
            };
            let (service, instance) = key.clone();
            let change_of = OverrideChange::Status(change);
            let op = Op::Override { service, instance, change: change_of, cause: Cause::clone(&cause) };
            let proposed = tokio::select! {
                biased;
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
                        biased;
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
        let taken = waiting.take(&key(2)).unwrap();
        assert_eq!(waiting.first(), None);
        waiting.put_back(key(2), taken.clone());
        let newer = put(&waiting, 2, EurekaStatus::Up);
        waiting.put_back(key(2), taken);
        assert_eq!(waiting.first().map(|first| first.1), Some(newer));
    }
}
