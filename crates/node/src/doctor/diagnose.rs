//! From reports to findings: what is wrong, with whom, and what to do. Pure.

use super::{
    digest::{Place, StateDigest},
    report::NodeReport,
};
use bytes::Bytes;
use muster_model::{NodeId, Table, Timestamp};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// A clock this far from the one of the node that asks is a finding: registrations of nodes whose clock is ten seconds
/// ahead are refused.
const CLOCK_MS_MAX: u64 = 5_000;
/// A certificate that ends within so long is a finding: nodes renew theirs long before.
const CERTIFICATE_MS_MIN: u64 = 8 * 24 * 3_600_000;
/// A disk that is this full, in hundredths, is a finding.
const DISK_USED_MAX: u64 = 95;
/// A stream that mended a mirror within so long is a finding.
const MENDED_MS: u64 = 10 * 60_000;
/// Rows that are named of one node; there may be more.
const NAMED_MAX: usize = 20;

/// What is looked at.
pub const CHECKS: [&str; 9] =
    ["reachability", "leader", "progress", "state", "mirrors", "clocks", "certificates", "versions", "disks"];

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which of [`CHECKS`] found it.
    pub check: &'static str,
    /// With which node.
    pub node: Option<NodeId>,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub advice: String,
}

impl Finding {
    pub(super) fn new(
        check: &'static str,
        node: Option<NodeId>,
        what: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self { check, node, what: what.into(), advice: advice.into() }
    }
}

/// A member that was asked.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) node: NodeId,
    pub(crate) address: String,
    /// What it said, or why it did not.
    pub(crate) answer: Result<NodeReport, String>,
    /// What the clock of whoever asked showed in the middle between question and answer, and half of the time between.
    pub(crate) middle: Timestamp,
    pub(crate) half_ms: u64,
}

impl Asked {
    pub(crate) fn report(&self) -> Option<&NodeReport> {
        self.answer.as_ref().ok()
    }
}

/// What one look at everybody shows, apart from digests.
pub(crate) fn look(asked: &[Asked]) -> Vec<Finding> {
    let mut findings = Vec::new();
    reachability(asked, &mut findings);
    leader(asked, &mut findings);
    for (asked, report) in asked.iter().filter_map(|asked| Some((asked, asked.report()?))) {
        clock(asked, report, &mut findings);
        certificate(asked.middle, report, &mut findings);
        disk(report, &mut findings);
        mended(report, &mut findings);
    }
    versions(asked, &mut findings);
    findings
}

fn reachability(asked: &[Asked], findings: &mut Vec<Finding>) {
    for asked in asked {
        match &asked.answer {
            Ok(report) if report.is_ready => {}
            Ok(report) => findings.push(Finding::new(
                "reachability",
                Some(report.node),
                "it answers, and is not ready for clients",
                "wait until it has caught up; if that takes long, its log says what it waits for",
            )),
            Err(why) => {
                let place =
                    if asked.address.is_empty() { "it has no address for peers" } else { &asked.address };
                findings.push(Finding::new(
                    "reachability",
                    Some(asked.node),
                    format!("it does not answer ({place}): {why}"),
                    "start it, or mend the network to its cluster address; if it is gone for good, \
                     `muster cluster remove` it",
                ));
            }
        }
    }
}

fn leader(asked: &[Asked], findings: &mut Vec<Finding>) {
    for report in asked.iter().filter_map(Asked::report) {
        if let Some(ms) = report.without_leader_ms {
            findings.push(Finding::new(
                "leader",
                Some(report.node),
                format!("it has heard no leader for {} s", ms / 1_000),
                "nothing durable can be written through it: start the nodes that are down, or mend the network",
            ));
        }
    }
    let leaders: BTreeSet<(u64, NodeId)> =
        asked.iter().filter_map(Asked::report).filter_map(|it| Some((it.term, it.leader?))).collect();
    let terms: BTreeSet<u64> = leaders.iter().map(|(term, _)| *term).collect();
    if terms.len() < leaders.len() {
        let named: Vec<String> =
            leaders.iter().map(|(term, node)| format!("node {} in term {term}", node.0)).collect();
        findings.push(Finding::new(
            "leader",
            None,
            format!("nodes follow different leaders of one term: {}", named.join(", ")),
            "this must not be: keep the data directories and logs of all nodes, and report it",
        ));
    }
}

fn clock(asked: &Asked, report: &NodeReport, findings: &mut Vec<Finding>) {
    let (theirs, ours) = (report.wall.0, asked.middle.0);
    // A slow answer tells less.
    let distance = theirs.abs_diff(ours).saturating_sub(asked.half_ms);
    if distance > CLOCK_MS_MAX {
        let direction = if theirs > ours { "ahead of" } else { "behind" };
        findings.push(Finding::new(
            "clocks",
            Some(report.node),
            format!(
                "its clock is {} s {direction} the clock of the node that asks",
                (distance + 500) / 1_000
            ),
            "set the clocks of all nodes by NTP: registrations from a clock ten seconds ahead are refused",
        ));
    }
}

fn certificate(now: Timestamp, report: &NodeReport, findings: &mut Vec<Finding>) {
    let Some(until) = report.certificate_until else { return };
    let left = until.0.saturating_sub(now.0);
    if left < CERTIFICATE_MS_MIN {
        let what = match left {
            0 => "its certificate has ended".to_owned(),
            left => format!("its certificate ends in {} days", left / (24 * 3_600_000)),
        };
        findings.push(Finding::new(
            "certificates",
            Some(report.node),
            what,
            "nodes renew their own certificates: its log says why it could not; an operator's own is to be replaced",
        ));
    }
}

fn disk(report: &NodeReport, findings: &mut Vec<Finding>) {
    let Some(disk) = report.disk.filter(|disk| disk.total > 0) else { return };
    let used = 100 - disk.free.min(disk.total) / (disk.total / 100).max(1);
    if used >= DISK_USED_MAX {
        findings.push(Finding::new(
            "disks",
            Some(report.node),
            format!("the disk of its data is {used} % full, {} MiB are free", disk.free >> 20),
            "make room or give it a larger disk: writes are refused when it is full",
        ));
    }
}

fn mended(report: &NodeReport, findings: &mut Vec<Finding>) {
    for mirror in &report.mirrors {
        if let Some(ms) = mirror.mended_ms_ago.filter(|ms| *ms < MENDED_MS) {
            findings.push(Finding::new(
                "mirrors",
                Some(report.node),
                format!(
                    "its mirror of node {} differed {} s ago, and was mended from there",
                    mirror.origin.node.0,
                    ms / 1_000
                ),
                "nothing is to be done for the data; keep the logs of both nodes, and report it",
            ));
        }
    }
}

fn versions(asked: &[Asked], findings: &mut Vec<Finding>) {
    let mut by_version: BTreeMap<&str, Vec<NodeId>> = BTreeMap::new();
    for report in asked.iter().filter_map(Asked::report) {
        by_version.entry(&report.version).or_default().push(report.node);
    }
    if by_version.len() > 1 {
        let named: Vec<String> =
            by_version.iter().map(|(version, nodes)| format!("{version} on {}", list(nodes))).collect();
        findings.push(Finding::new(
            "versions",
            None,
            format!("nodes run different versions: {}", named.join("; ")),
            "finish the upgrade: a mixed cluster works, and keeps to what the oldest version knows",
        ));
    }
}

/// `node 1, node 2`
pub(super) fn list(nodes: &[NodeId]) -> String {
    nodes.iter().map(|node| format!("node {}", node.0)).collect::<Vec<_>>().join(", ")
}

/// Buckets in which not all digests are alike.
pub(crate) fn differing(digests: &[(NodeId, Arc<StateDigest>)]) -> Vec<Place> {
    let Some(((_, first), others)) = digests.split_first() else { return Vec::new() };
    let places: BTreeSet<Place> = others.iter().flat_map(|(_, other)| first.differing(other)).collect();
    places.into_iter().collect()
}

/// What is different on whom, of digests at one mark whose differing buckets are named. Where most nodes agree the others
/// are the ones that are wrong.
pub(crate) fn state(digests: &[(NodeId, Arc<StateDigest>)]) -> Vec<Finding> {
    let mut wrong: BTreeMap<Vec<NodeId>, BTreeSet<String>> = BTreeMap::new();
    for place in differing(digests) {
        let mut rows: BTreeMap<&Bytes, Vec<(NodeId, Option<u64>)>> = BTreeMap::new();
        let keys: BTreeSet<&Bytes> = digests
            .iter()
            .flat_map(|(_, digest)| digest.named.get(&place))
            .flatten()
            .map(|(key, _)| key)
            .collect();
        for (node, digest) in digests {
            let named: BTreeMap<&Bytes, u64> =
                digest.named.get(&place).into_iter().flatten().map(|(key, hash)| (key, *hash)).collect();
            for key in &keys {
                rows.entry(key).or_default().push((*node, named.get(key).copied()));
            }
        }
        let mut is_named = false;
        for (key, hashes) in &rows {
            if let Some((nodes, what)) = minority(hashes) {
                is_named = true;
                wrong.entry(nodes).or_default().insert(format!("{} {what}", describe(place.0, key)));
            }
        }
        if !is_named {
            let nodes = digests.iter().map(|(node, _)| *node).collect();
            wrong.entry(nodes).or_default().insert(format!("bucket {} of table {}", place.1, place.0));
        }
    }
    wrong.into_iter().map(|(nodes, rows)| state_finding(digests.len(), &nodes, &rows)).collect()
}

fn state_finding(all: usize, nodes: &[NodeId], rows: &BTreeSet<String>) -> Finding {
    let mut named: Vec<&str> = rows.iter().take(NAMED_MAX).map(String::as_str).collect();
    let more = format!("and {} more", rows.len().saturating_sub(NAMED_MAX));
    if rows.len() > NAMED_MAX {
        named.push(&more);
    }
    let what = named.join("; ");
    match nodes {
        [node] if all > 2 => Finding::new(
            "state",
            Some(*node),
            format!("its durable state is not that of the other nodes: {what}"),
            format!(
                "stop it, `muster cluster remove {}`, move its data directory away, and let it join anew: it takes \
                 everything from the others",
                node.0
            ),
        ),
        nodes => Finding::new(
            "state",
            None,
            format!("the durable states of {} differ: {what}", list(nodes)),
            "find out which is right (`muster get --server`), and let the other nodes join anew with empty data \
             directories",
        ),
    }
}

/// Which nodes have a row otherwise than most, and how; all of them where there is no majority. `None`: all are alike.
fn minority(hashes: &[(NodeId, Option<u64>)]) -> Option<(Vec<NodeId>, &'static str)> {
    let mut by_hash: BTreeMap<Option<u64>, Vec<NodeId>> = BTreeMap::new();
    for (node, hash) in hashes {
        by_hash.entry(*hash).or_default().push(*node);
    }
    if by_hash.len() < 2 {
        return None;
    }
    let (most, of_most) = by_hash.iter().max_by_key(|(_, nodes)| nodes.len())?;
    if of_most.len() * 2 <= hashes.len() {
        return Some((hashes.iter().map(|(node, _)| *node).collect(), "differs"));
    }
    let others: Vec<NodeId> = hashes.iter().filter(|(_, hash)| hash != most).map(|(node, _)| *node).collect();
    let what = if most.is_none() {
        "should not be there"
    } else if by_hash.keys().any(Option::is_none) {
        "is missing"
    } else {
        "differs"
    };
    Some((others, what))
}

/// A row, for people.
pub(crate) fn describe(table: u8, key: &[u8]) -> String {
    let Some(table) = Table::from_number(table) else { return format!("a row of table {table}") };
    let text = |key: &[u8]| {
        let text = String::from_utf8_lossy(key).replace('\0', "/");
        text.chars().filter(|letter| !letter.is_control()).collect::<String>()
    };
    let of_revision = |what: &str| match key.split_first_chunk::<8>() {
        Some((revision, key)) => {
            format!("{what} of config {} at revision {}", text(key), u64::from_be_bytes(*revision))
        }
        None => what.to_owned(),
    };
    match table {
        Table::Config => format!("config {}", text(key)),
        Table::ConfigContent => of_revision("the content"),
        Table::ConfigHistory => of_revision("the history entry"),
        Table::Namespace => format!("namespace {}", text(key)),
        Table::Service => format!("service {}", text(key)),
        Table::Instance => format!("persistent instance {}", text(key)),
        Table::Override => format!("override {}", text(key)),
        Table::Lock => format!("lock {}", text(key)),
        Table::ConfigCapacity => format!("capacity {}", text(key)),
        Table::Ensemble => format!("record of a member or token {}", text(key)),
        Table::Meta | Table::Consensus => format!("value {}", text(key)),
    }
}

#[cfg(test)]
mod tests;
