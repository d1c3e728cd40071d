//! Services as each protocol version shows them.

use muster_nacos_wire::{HostView, ServiceInfoView, Shape, write_hosts, write_service_info};
use muster_node::{
    Node, ServiceView,
    registry::{Filter, Selection, ShownHost},
};

/// What is asked of a service, and by whom.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Query<'a> {
    /// The clusters: none or "" is all, and they are repeated as they are given.
    pub(crate) clusters: Option<&'a str>,
    /// Leaves unhealthy hosts out.
    pub(crate) healthy_only: bool,
    /// The address of the one who asks, for services that choose by it.
    pub(crate) consumer: &'a str,
}

impl<'a> Query<'a> {
    /// All of it, for one who is told of it by push.
    pub(crate) fn all(clusters: Option<&'a str>, consumer: &'a str) -> Self {
        Self { clusters, healthy_only: false, consumer }
    }
}

/// The ServiceInfo of a view as JSON.
pub(crate) fn service_info(node: &Node, shape: Shape, view: &ServiceView, query: Query<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    write_service_info_of(&mut out, node, shape, view, query);
    out
}

/// As [`service_info`], written behind what there is.
pub(crate) fn write_service_info_of(
    out: &mut Vec<u8>,
    node: &Node,
    shape: Shape,
    view: &ServiceView,
    query: Query<'_>,
) {
    let consumer = node.consumer_labels(view, query.consumer);
    let clusters = query.clusters.unwrap_or_default();
    let filter = Filter { clusters, healthy_only: query.healthy_only, consumer: consumer.as_ref() };
    let selection = view.select(filter);
    let info = ServiceInfoView {
        service: &view.key,
        clusters: query.clusters,
        last_ref_time: view.last_ref_time,
        protected: selection.protected,
        cache_millis: view.cache_millis(),
    };
    write_service_info(out, shape, &info, hosts_of(&selection));
}

/// The hosts of a view alone, written as a JSON array.
pub(crate) fn write_hosts_of(
    out: &mut Vec<u8>,
    node: &Node,
    shape: Shape,
    view: &ServiceView,
    query: Query<'_>,
) {
    let consumer = node.consumer_labels(view, query.consumer);
    let clusters = query.clusters.unwrap_or_default();
    let filter = Filter { clusters, healthy_only: query.healthy_only, consumer: consumer.as_ref() };
    let selection = view.select(filter);
    write_hosts(out, shape, &view.key, hosts_of(&selection));
}

fn hosts_of<'a>(selection: &'a Selection<'_>) -> impl Iterator<Item = HostView<'a>> {
    selection.hosts.iter().map(|host| HostView {
        instance: host,
        healthy: selection.shows_healthy(host),
        ephemeral: host.is_ephemeral(),
    })
}

/// A host as it is, whatever the protection of its service.
pub(crate) fn plain(host: &ShownHost) -> HostView<'_> {
    HostView { instance: host, healthy: host.healthy, ephemeral: host.is_ephemeral() }
}
