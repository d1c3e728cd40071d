//! Who watches which services, and how pushes to them go.

use crate::{Node, ServiceInterest};
use muster_model::{Namespace, ServiceKey};
use muster_watch::WatcherId;
use std::sync::atomic::{AtomicU64, Ordering};

/// A watcher's interest in a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceSubscription {
    /// Who: the [`Watcher::id`](crate::Watcher::id) of an open watcher.
    pub watcher: WatcherId,
    /// The service; it need not exist.
    pub service: ServiceKey,
    /// How it wants to be told.
    pub interest: ServiceInterest,
}

/// Pushes of services since the start, or since they were last reset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PushCounts {
    /// Handed out, repetitions included.
    pub sent: u64,
    /// Acknowledged in time.
    pub acknowledged: u64,
    /// Milliseconds from handing out to acknowledgement, of all together.
    pub cost_ms: u64,
    /// The longest of them.
    pub cost_max_ms: u64,
}

#[derive(Debug, Default)]
pub(crate) struct PushCounters {
    sent: AtomicU64,
    acknowledged: AtomicU64,
    cost_ms: AtomicU64,
    cost_max_ms: AtomicU64,
}

impl PushCounters {
    pub(crate) fn sent(&self) {
        self.sent.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn acknowledged(&self, after_ms: u64) {
        self.acknowledged.fetch_add(1, Ordering::Relaxed);
        self.cost_ms.fetch_add(after_ms, Ordering::Relaxed);
        self.cost_max_ms.fetch_max(after_ms, Ordering::Relaxed);
    }
}

impl Node {
    /// Who watches the services of a namespace whose name and group contain these texts, sorted by service and age of
    /// the watcher. It looks at every watched service.
    pub fn service_subscriptions(
        &self,
        namespace: &Namespace,
        group_contains: &str,
        name_contains: &str,
    ) -> Vec<ServiceSubscription> {
        let watch = self.watchers.services.lock();
        let mut keys: Vec<&ServiceKey> = watch
            .keys()
            .filter(|key| {
                key.namespace() == namespace
                    && key.group().as_str().contains(group_contains)
                    && key.name().as_str().contains(name_contains)
            })
            .collect();
        keys.sort_unstable();
        keys.into_iter()
            .flat_map(|key| watch.watchers_of(key).map(move |(watcher, interest)| (watcher, key, interest)))
            .map(|(watcher, key, interest)| ServiceSubscription {
                watcher,
                service: key.clone(),
                interest: interest.clone(),
            })
            .collect()
    }

    /// How many interests in services there are: of one watcher in ten services, ten.
    pub fn subscription_count(&self) -> usize {
        self.watchers.services.lock().interest_count()
    }

    /// Who watches a service.
    pub fn subscriptions_of(&self, service: &ServiceKey) -> Vec<ServiceSubscription> {
        let watch = self.watchers.services.lock();
        let of = |(watcher, interest): (WatcherId, &ServiceInterest)| ServiceSubscription {
            watcher,
            service: service.clone(),
            interest: interest.clone(),
        };
        watch.watchers_of(service).map(of).collect()
    }

    /// What a watcher watches, sorted by service.
    pub fn watched_services(&self, watcher: WatcherId) -> Vec<ServiceSubscription> {
        let watch = self.watchers.services.lock();
        let of = |(service, interest): (&ServiceKey, &ServiceInterest)| ServiceSubscription {
            watcher,
            service: service.clone(),
            interest: interest.clone(),
        };
        let mut watched: Vec<_> = watch.watched_by(watcher).map(of).collect();
        watched.sort_unstable_by(|a, b| a.service.cmp(&b.service));
        watched
    }

    /// How pushes of services go.
    pub fn push_counts(&self) -> PushCounts {
        let counts = &self.watchers.counts;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        PushCounts {
            sent: read(&counts.sent),
            acknowledged: read(&counts.acknowledged),
            cost_ms: read(&counts.cost_ms),
            cost_max_ms: read(&counts.cost_max_ms),
        }
    }

    /// Begins to count pushes anew.
    pub fn reset_push_counts(&self) {
        let counts = &self.watchers.counts;
        for counter in [&counts.sent, &counts.acknowledged, &counts.cost_ms, &counts.cost_max_ms] {
            counter.store(0, Ordering::Relaxed);
        }
    }
}
