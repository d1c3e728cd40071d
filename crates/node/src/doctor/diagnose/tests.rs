//! Each fault is found in the reports, named, and nothing else is.

use super::*;
use crate::doctor::{
    digest::StateDigest,
    report::{DiskSpace, MirrorReport},
};
use muster_model::{Epoch, Origin, Row};

const DAY_MS: u64 = 24 * 3_600_000;
const NOW: u64 = 1_700_000_000_000;

fn report(node: u64) -> NodeReport {
    NodeReport {
        node: NodeId(node),
        version: "1.0.0".into(),
        is_ready: true,
        applied: 10,
        committed: 10,
        leader: Some(NodeId(1)),
        term: 3,
        wall: Timestamp(NOW),
        disk: Some(DiskSpace { free: 50 << 30, total: 100 << 30 }),
        certificate_until: Some(Timestamp(NOW + 90 * DAY_MS)),
        ..NodeReport::default()
    }
}

/// Three healthy nodes, the second of which is changed.
fn with(change: impl FnOnce(&mut NodeReport)) -> Vec<Asked> {
    let mut reports = [report(1), report(2), report(3)];
    change(&mut reports[1]);
    let asked = |report: NodeReport| Asked {
        node: report.node,
        address: format!("10.0.0.{}:7848", report.node.0),
        answer: Ok(report),
        middle: Timestamp(NOW),
        half_ms: 1,
    };
    reports.into_iter().map(asked).collect()
}

/// The only finding there must be.
fn only(asked: &[Asked]) -> Finding {
    let findings = look(asked);
    assert_eq!(findings.len(), 1, "{findings:?}");
    findings.into_iter().next().unwrap()
}

#[test]
fn healthy_nodes_are_well() {
    assert_eq!(look(&with(|_| ())), []);
    let slightly = |report: &mut NodeReport| {
        report.wall = Timestamp(NOW + 1_500);
        report.disk = Some(DiskSpace { free: 6 << 30, total: 100 << 30 });
        report.certificate_until = None;
    };
    assert_eq!(look(&with(slightly)), []);
}

#[test]
fn a_clock_thirty_seconds_off_is_named() {
    for (wall, wanted) in [(NOW + 30_000, "30 s ahead"), (NOW - 30_000, "30 s behind")] {
        let found = only(&with(|report| report.wall = Timestamp(wall)));
        assert_eq!((found.check, found.node), ("clocks", Some(NodeId(2))));
        assert!(found.what.contains(wanted), "{}", found.what);
    }
    // An answer that took long says little of the clock.
    let mut slow = with(|report| report.wall = Timestamp(NOW + 8_000));
    slow[1].half_ms = 4_000;
    assert_eq!(look(&slow), []);
}

#[test]
fn a_certificate_due_in_seven_days_is_named() {
    let found = only(&with(|report| report.certificate_until = Some(Timestamp(NOW + 7 * DAY_MS))));
    assert_eq!((found.check, found.node), ("certificates", Some(NodeId(2))));
    assert!(found.what.contains("ends in 7 days"), "{}", found.what);
    let found = only(&with(|report| report.certificate_until = Some(Timestamp(NOW - 1))));
    assert!(found.what.contains("has ended"), "{}", found.what);
}

#[test]
fn other_versions_are_named() {
    let found = only(&with(|report| report.version = "0.9.0".into()));
    assert_eq!((found.check, found.node), ("versions", None));
    assert!(found.what.contains("0.9.0 on node 2; 1.0.0 on node 1, node 3"), "{}", found.what);
}

#[test]
fn a_disk_that_is_95_percent_full_is_named() {
    let found = only(&with(|report| report.disk = Some(DiskSpace { free: 5 << 30, total: 100 << 30 })));
    assert_eq!((found.check, found.node), ("disks", Some(NodeId(2))));
    assert!(found.what.contains("95 % full, 5120 MiB"), "{}", found.what);
    assert_eq!(look(&with(|report| report.disk = Some(DiskSpace::default()))), [], "it could not be told");
}

#[test]
fn a_peer_that_does_not_answer_is_named() {
    let mut asked = with(|_| ());
    asked[1].answer = Err("timed out".into());
    let found = only(&asked);
    assert_eq!((found.check, found.node), ("reachability", Some(NodeId(2))));
    assert!(found.what.contains("10.0.0.2:7848"), "{}", found.what);
    let found = only(&with(|report| report.is_ready = false));
    assert_eq!((found.check, found.node), ("reachability", Some(NodeId(2))));
}

#[test]
fn leaders_are_compared_within_a_term() {
    let found = only(&with(|report| report.leader = Some(NodeId(2))));
    assert!(found.what.contains("node 1 in term 3, node 2 in term 3"), "{}", found.what);
    let later = |report: &mut NodeReport| (report.leader, report.term) = (Some(NodeId(2)), 4);
    assert_eq!(look(&with(later)), [], "an election is going on");
    let found = only(&with(|report| (report.leader, report.without_leader_ms) = (None, Some(9_000))));
    assert_eq!((found.check, found.node), ("leader", Some(NodeId(2))));
}

#[test]
fn a_mirror_that_had_to_be_mended_is_named_for_a_while() {
    let mirror = |ago| MirrorReport {
        origin: Origin { node: NodeId(3), epoch: Epoch { boot: 1, random: 1 } },
        sequence: 1,
        count: 1,
        sum: 1,
        buckets: vec![1],
        mended_ms_ago: Some(ago),
    };
    let found = only(&with(|report| report.mirrors = vec![mirror(9_000)]));
    assert_eq!((found.check, found.node), ("mirrors", Some(NodeId(2))));
    assert!(found.what.contains("its mirror of node 3 differed 9 s ago"), "{}", found.what);
    assert_eq!(look(&with(|report| report.mirrors = vec![mirror(11 * 60_000)])), []);
}

fn row(key: &str, value: &str) -> Row {
    Row {
        table: Table::Config,
        key: Bytes::copy_from_slice(key.as_bytes()),
        value: Some(Bytes::copy_from_slice(value.as_bytes())),
    }
}

/// Digests of nodes with these rows, at a mark that has what differs named.
fn digests(nodes: &[&[(&str, &str)]]) -> Vec<(NodeId, Arc<StateDigest>)> {
    let of = |name: &[Place]| -> Vec<(NodeId, Arc<StateDigest>)> {
        let digest = |rows: &[(&str, &str)]| {
            let rows = rows.iter().map(|(key, value)| Ok(row(key, value)));
            Arc::new(StateDigest::of(rows, &[], name))
        };
        (1..).map(NodeId).zip(nodes.iter().map(|rows| digest(rows))).collect()
    };
    of(&differing(&of(&[])))
}

#[test]
fn rows_that_differ_are_named_with_the_node_that_is_wrong() {
    let same: &[(&str, &str)] = &[("public\0G\0a", "1"), ("public\0G\0b", "2")];
    assert_eq!(state(&digests(&[same, same, same])), []);
    for (rows, wanted) in [
        (&[("public\0G\0a", "1"), ("public\0G\0b", "X")][..], "config public/G/b differs"),
        (&[("public\0G\0a", "1")], "config public/G/b is missing"),
        (&[same[0], same[1], ("public\0G\0c", "3")], "config public/G/c should not be there"),
    ] {
        let findings = state(&digests(&[same, rows, same]));
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert_eq!((findings[0].check, findings[0].node), ("state", Some(NodeId(2))));
        assert!(findings[0].what.ends_with(wanted), "{}", findings[0].what);
        assert!(findings[0].advice.contains("cluster remove 2"));
    }
    // Two nodes: nobody knows which is right.
    let findings = state(&digests(&[same, &same[..1]]));
    assert_eq!((findings.len(), findings[0].node), (1, None));
    assert!(findings[0].what.contains("node 1, node 2 differ: config public/G/b"), "{}", findings[0].what);
}

#[test]
fn keys_are_shown_for_people() {
    let revision = [&7_u64.to_be_bytes()[..], b"public\0G\0a"].concat();
    let shown = describe(Table::ConfigContent as u8, &revision);
    assert_eq!(shown, "the content of config public/G/a at revision 7");
    assert_eq!(describe(Table::Namespace as u8, b"dev\x01"), "namespace dev");
    assert_eq!(describe(99, b""), "a row of table 99");
}
