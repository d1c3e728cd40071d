//! The part of a snapshot that a query asks for.

use crate::{ServiceSnapshot, ShownHost};

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
    /// The protection threshold is reached: every host is to be shown as healthy.
    pub protected: bool,
}

impl Selection<'_> {
    /// The health to show of one of the hosts.
    pub fn shows_healthy(&self, host: &ShownHost) -> bool {
        self.protected || host.healthy
    }
}

impl ServiceSnapshot {
    /// The enabled hosts that pass a filter, and whether they are protected: if of those hosts at most the
    /// protection threshold's share is healthy (nacos naming `ServiceUtil`). Never protected when empty.
    pub fn select(&self, filter: Filter<'_>) -> Selection<'_> {
        let Filter { clusters, healthy_only } = filter;
        let is_wanted = |host: &ShownHost| {
            host.enabled
                && (!healthy_only || host.healthy)
                && (clusters.is_empty()
                    || clusters.split(',').any(|name| name.trim() == host.cluster.as_str()))
        };
        let hosts: Vec<&ShownHost> = self.hosts.iter().filter(|host| is_wanted(host)).collect();
        let healthy = hosts.iter().filter(|host| host.healthy).count();
        let protected = self.protection.is_some_and(|threshold| {
            !hosts.is_empty() && healthy as f32 / hosts.len() as f32 <= threshold.get()
        });
        Selection { hosts, protected }
    }
}
