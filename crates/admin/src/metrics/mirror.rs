//! Figures of the streams of ephemeral registrations between nodes, summed up over all peers.

use muster_node::{Node, mirroring::LinkState};

/// Gauges: name, help, value.
pub(super) fn gauges(node: &Node) -> Vec<(&'static str, &'static str, i64)> {
    let Some(status) = node.mirror_status() else { return Vec::new() };
    let peers = &status.peers;
    let live = peers.iter().filter(|peer| peer.link == LinkState::Live).count();
    let silent = peers.iter().filter(|peer| peer.silent).count();
    let lag = peers.iter().filter_map(|peer| peer.lag()).max().unwrap_or_default();
    vec![
        ("muster_mirror_peers_live", "other nodes whose registrations come as they change", live as i64),
        ("muster_mirror_peers_silent", "other nodes that are not heard", silent as i64),
        ("muster_mirror_lag_max", "changes of the furthest peer that are not here yet", lag as i64),
    ]
}

/// Counters: name, help, value.
pub(super) fn counters(node: &Node) -> Vec<(&'static str, &'static str, u64)> {
    if node.mirror_status().is_none() {
        return Vec::new();
    }
    let counts = node.mirror_counts();
    vec![
        ("muster_mirror_links", "links to peers made", counts.links),
        ("muster_mirror_resumes", "links that went on where the one before ended", counts.resumes),
        ("muster_mirror_resyncs", "peers' registrations taken whole", counts.resyncs),
        (
            "muster_mirror_repairs",
            "parts of peers' registrations taken because they differed",
            counts.repairs,
        ),
        ("muster_mirror_digests", "digests of peers compared", counts.digests),
        ("muster_mirror_digest_mismatches", "digests of peers that differed", counts.mismatches),
        ("muster_mirror_op_bytes_received", "bytes of operations of peers", counts.op_bytes_received),
        ("muster_mirror_op_bytes_sent", "bytes of operations sent to peers", counts.op_bytes_sent),
        ("muster_mirror_snapshots_sent", "snapshots sent to peers", counts.snapshots_sent),
        ("muster_mirror_beat_bytes_sent", "bytes of beats passed on to peers", counts.renewal_bytes_sent),
        (
            "muster_mirror_beat_bytes_received",
            "bytes of beats that peers passed on",
            counts.renewal_bytes_received,
        ),
    ]
}
