//! Services as each protocol version shows them.

use muster_nacos_wire::{HostView, ServiceInfoView, Shape, write_hosts, write_service_info};
use muster_node::registry::{Filter, Selection, ServiceSnapshot};

/// The ServiceInfo of a view as JSON, for some clusters: none or "" is all, and they are repeated as they are given.
pub(crate) fn service_info(
    shape: Shape,
    snapshot: &ServiceSnapshot,
    clusters: Option<&str>,
    healthy_only: bool,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    write_service_info_of(&mut out, shape, snapshot, clusters, healthy_only);
    out
}

/// As [`service_info`], written behind what there is.
pub(crate) fn write_service_info_of(
    out: &mut Vec<u8>,
    shape: Shape,
    snapshot: &ServiceSnapshot,
    clusters: Option<&str>,
    healthy_only: bool,
) {
    let selection = snapshot.select(Filter { clusters: clusters.unwrap_or_default(), healthy_only });
    let view = ServiceInfoView {
        service: &snapshot.key,
        clusters,
        last_ref_time: snapshot.last_ref_time,
        protected: selection.protected,
    };
    write_service_info(out, shape, &view, hosts_of(&selection));
}

/// The hosts of a view alone, written as a JSON array.
pub(crate) fn write_hosts_of(
    out: &mut Vec<u8>,
    shape: Shape,
    snapshot: &ServiceSnapshot,
    filter: Filter<'_>,
) {
    let selection = snapshot.select(filter);
    write_hosts(out, shape, &snapshot.key, hosts_of(&selection));
}

fn hosts_of<'a>(selection: &'a Selection<'_>) -> impl Iterator<Item = HostView<'a>> {
    selection.hosts.iter().map(|host| HostView {
        instance: host,
        healthy: selection.shows_healthy(host),
        ephemeral: host.is_ephemeral(),
    })
}
