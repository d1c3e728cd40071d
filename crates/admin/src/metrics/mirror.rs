//! Figures of ephemeral registrations between nodes: what was taken in and given way to, and, where there are peers, their
//! streams, summed up over all of them.

use muster_node::{Node, mirroring::LinkState};

/// Gauges: name, help, value.
pub(super) fn gauges(node: &Node) -> Vec<(&'static str, &'static str, i64)> {
    let held = node.mirror_figures();
    let mut gauges = vec![
        ("muster_mirror_foreign", "registrations held that other nodes own", held.foreign as i64),
        ("muster_mirror_orphans", "of these, those whose owner is gone", held.orphans as i64),
    ];
    let Some(status) = node.mirror_status() else { return gauges };
    let peers = &status.peers;
    let live = peers.iter().filter(|peer| peer.link == LinkState::Live).count();
    let silent = peers.iter().filter(|peer| peer.silent).count();
    let lag = peers.iter().filter_map(|peer| peer.lag()).max().unwrap_or_default();
    gauges.extend([
        ("muster_mirror_peers_live", "other nodes whose registrations come as they change", live as i64),
        ("muster_mirror_peers_silent", "other nodes that are not heard", silent as i64),
        ("muster_mirror_lag_max", "changes of the furthest peer that are not here yet", lag as i64),
    ]);
    gauges
}

/// Counters: name, help, value.
pub(super) fn counters(node: &Node) -> Vec<(&'static str, &'static str, u64)> {
    let mirror = node.mirror_figures();
    let mut counters = vec![
        ("muster_mirror_sent", "changes of own registrations kept for other nodes", mirror.sent),
        ("muster_mirror_applied", "changes of other nodes that were taken in", mirror.applied),
        ("muster_mirror_beaten", "changes of other nodes that something newer had overtaken", mirror.beaten),
        (
            "muster_mirror_refused_ahead",
            "changes refused because the other node's clock is ahead",
            mirror.refused_ahead,
        ),
        ("muster_mirror_adopted", "registrations taken over from nodes that were gone", mirror.adopted),
        ("muster_mirror_yielded", "own registrations that gave way to those of other nodes", mirror.yielded),
        ("muster_mirror_beats_passed_on", "beats that came here for what other nodes own", mirror.passed_on),
    ];
    if node.mirror_status().is_none() {
        return counters;
    }
    let counts = node.mirror_counts();
    counters.extend([
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
    ]);
    counters
}
