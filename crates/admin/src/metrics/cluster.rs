//! Figures of the ensemble, as this node sees it.

use muster_node::{Node, PeerState};

/// Counters: name, help, value.
pub(super) fn counters(node: &Node) -> Vec<(&'static str, &'static str, u64)> {
    let mirror = node.mirror_figures();
    vec![
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
    ]
}

/// Gauges: name, help, value.
pub(super) fn gauges(node: &Node) -> Vec<(&'static str, &'static str, i64)> {
    let stale_ms = node.stale_ms().unwrap_or_default();
    let mut gauges = vec![(
        "muster_stale_milliseconds",
        "for how long no leader was heard: what is read may be that old",
        stale_ms as i64,
    )];
    let mirror = node.mirror_figures();
    gauges.push(("muster_mirror_foreign", "registrations held that other nodes own", mirror.foreign as i64));
    gauges.push(("muster_mirror_orphans", "of these, those whose owner is gone", mirror.orphans as i64));
    let Ok(status) = node.cluster_status() else { return gauges };
    let answering = status.members.iter().filter(|member| member.state == PeerState::Up).count();
    let lag = status.members.iter().filter_map(|member| member.lag).max().unwrap_or_default();
    gauges.extend([
        ("muster_raft_term", "newest term heard of", status.term as i64),
        ("muster_raft_leader", "1 on the node that leads", i64::from(status.leader == Some(status.node))),
        ("muster_raft_committed_index", "last log entry a majority has", status.committed as i64),
        ("muster_cluster_members", "nodes of the cluster", status.members.len() as i64),
        ("muster_cluster_members_up", "nodes that answer, and are ready for clients", answering as i64),
        ("muster_cluster_voters", "nodes that vote", status.voters as i64),
        (
            "muster_cluster_survivable_losses",
            "voters that may fail from now on; -1 if too many have failed",
            status.survivable_losses.map_or(-1, |losses| losses as i64),
        ),
        (
            "muster_cluster_lag_max",
            "committed log entries that the slowest node has yet to apply",
            lag as i64,
        ),
    ]);
    gauges
}
