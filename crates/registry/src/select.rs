//! The part of a snapshot that a query asks for.

use crate::{ServiceSnapshot, ShownHost, Threshold};
use muster_model::Metadata;

/// What a query asks for. The default is everything that is enabled, as pushes have it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filter<'a> {
    /// Cluster names separated by commas; empty means all. Blank parts are ignored.
    pub clusters: &'a str,
    /// Leaves unhealthy hosts out.
    pub healthy_only: bool,
    /// The labels of the one who asks, for services that choose by them; absent: everyone is shown all.
    pub consumer: Option<&'a Metadata>,
}

/// The hosts that answer a query.
#[derive(Debug)]
pub struct Selection<'a> {
    /// The hosts, in the snapshot's order.
    pub hosts: Vec<&'a ShownHost>,
    /// The protection threshold is reached: every host whose health is its own is to be shown as healthy.
    pub protected: bool,
}

impl Selection<'_> {
    /// The health to show of one of the hosts.
    pub fn shows_healthy(&self, host: &ShownHost) -> bool {
        host.healthy || (self.protected && host.is_liftable())
    }
}

impl ServiceSnapshot {
    /// The enabled hosts that pass a filter, and whether they are protected: if of those hosts at most the
    /// protection threshold's share is healthy (nacos naming `ServiceUtil`). Never protected when empty.
    /// Hosts that are not [liftable](ShownHost::is_liftable) count on neither side.
    ///
    /// A label selector is asked last, and where it would leave nothing it leaves all (naming `LabelSelector`).
    pub fn select(&self, filter: Filter<'_>) -> Selection<'_> {
        let Filter { clusters, healthy_only, consumer } = filter;
        let is_wanted = |host: &ShownHost| {
            host.enabled
                && (!healthy_only || host.healthy)
                && (clusters.is_empty()
                    || clusters.split(',').any(|name| name.trim() == host.cluster.as_str()))
        };
        let mut hosts: Vec<&ShownHost> = self.hosts.iter().filter(|host| is_wanted(host)).collect();
        if let Some(consumer) = consumer {
            self.choose(&mut hosts, consumer);
        }
        let protected = is_protected(self.protection, hosts.iter().copied());
        Selection { hosts, protected }
    }

    /// Leaves the hosts that share the labels of a consumer, if there are any.
    fn choose(&self, hosts: &mut Vec<&ShownHost>, consumer: &Metadata) {
        let labels = self.selector.labels();
        if labels.is_empty() {
            return;
        }
        let is_alike = |host: &ShownHost| {
            labels.iter().all(|label| {
                let wanted = consumer.get(label).filter(|value| !value.trim().is_empty());
                wanted.is_some() && wanted == host.metadata.get(label)
            })
        };
        if hosts.iter().any(|host| is_alike(host)) {
            hosts.retain(|host| is_alike(host));
        }
    }
}

/// Whether at most the threshold's share of hosts is healthy, of those whose health is their own. Never if there are none.
pub(crate) fn is_protected<'a>(
    threshold: Option<Threshold>,
    hosts: impl Iterator<Item = &'a ShownHost>,
) -> bool {
    let Some(threshold) = threshold else { return false };
    let (mut count, mut healthy) = (0_u32, 0_u32);
    for host in hosts.filter(|host| host.is_liftable()) {
        count += 1;
        healthy += u32::from(host.healthy);
    }
    count > 0 && healthy as f32 / count as f32 <= threshold.get()
}
