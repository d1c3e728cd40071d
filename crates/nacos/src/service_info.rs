//! Services as each protocol version shows them.

use muster_nacos_wire::{HostView, ServiceInfoView, Shape, write_hosts, write_service_info};
use muster_node::registry::{Filter, Selection, ServiceSnapshot};

/// The ServiceInfo of a view, as JSON.
pub(crate) fn service_info(shape: Shape, snapshot: &ServiceSnapshot, filter: Filter<'_>) -> Vec<u8> {
    let selection = snapshot.select(filter);
    let mut out = Vec::with_capacity(256 + 400 * selection.hosts.len());
    let view = ServiceInfoView {
        service: &snapshot.key,
        clusters: Some(filter.clusters),
        last_ref_time: snapshot.last_ref_time,
        protected: selection.protected,
    };
    write_service_info(&mut out, shape, &view, hosts_of(&selection));
    out
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
