//! Figures of the ensemble, as this node sees it.

use muster_node::{Node, PeerState};

/// Gauges: name, help, value.
pub(super) fn gauges(node: &Node) -> Vec<(&'static str, &'static str, i64)> {
    let stale_ms = node.stale_ms().unwrap_or_default();
    let mut gauges = vec![(
        "muster_stale_milliseconds",
        "for how long no leader was heard: what is read may be that old",
        stale_ms as i64,
    )];
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
