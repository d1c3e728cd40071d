//! The part of a snapshot that a query asks for.

use crate::{ServiceSnapshot, ShownHost, Threshold};

/// What a query asks for. The default is everything that is enabled, as pushes have it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filter<'a> {
    /// Cluster names separated by commas; empty means all. Blank parts are ignored.
    pub clusters: &'a str,
    /// Leaves unhealthy hosts out.
    pub healthy_only: bool,
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
    pub fn select(&self, filter: Filter<'_>) -> Selection<'_> {
        let Filter { clusters, healthy_only } = filter;
        let is_wanted = |host: &ShownHost| {
            host.enabled
                && (!healthy_only || host.healthy)
                && (clusters.is_empty()
                    || clusters.split(',').any(|name| name.trim() == host.cluster.as_str()))
        };
        let hosts: Vec<&ShownHost> = self.hosts.iter().filter(|host| is_wanted(host)).collect();
        let protected = is_protected(self.protection, hosts.iter().copied());
        Selection { hosts, protected }
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
