//! Whether mirrors are like what they mirror.

use super::{
    diagnose::{Asked, Finding},
    report::MirrorReport,
};
use muster_model::{NodeId, Origin};
use muster_registry::MirrorName;
use std::collections::{BTreeMap, BTreeSet};

/// Differences that are named of one mirror; there may be more.
const NAMED_MAX: usize = 20;

/// What a node has of an origin in some buckets, after some change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NamedMirror {
    pub(crate) sequence: u64,
    pub(crate) names: Vec<MirrorName>,
}

/// A mirror that differs: who has it, and of which origin.
pub(super) type Differing = BTreeSet<(NodeId, Origin)>;

/// Of one look at everybody: mirrors that differ from what their owner has after the same change, and those that were
/// compared at all.
pub(super) fn compare(asked: &[Asked]) -> (Differing, Differing) {
    let (mut differing, mut compared) = (Differing::new(), Differing::new());
    let reports = || asked.iter().filter_map(Asked::report);
    for owner in reports() {
        let Some(own) = owner.mirrors.iter().find(|own| own.origin.node == owner.node) else { continue };
        for holder in reports().filter(|holder| holder.node != owner.node) {
            let held = holder.mirrors.iter().find(|held| held.origin == own.origin);
            let Some(held) = held.filter(|held| held.sequence == own.sequence) else { continue };
            compared.insert((holder.node, own.origin));
            if (held.count, held.sum, &held.buckets) != (own.count, own.sum, &own.buckets) {
                differing.insert((holder.node, own.origin));
            }
        }
    }
    (differing, compared)
}

/// A mirror that differed in each look, and what is missing or too much, as far as it is known.
pub(super) fn finding(holder: NodeId, origin: Origin, named: &str) -> Finding {
    let what = format!("its mirror of the instances registered at node {} is not like them", origin.node.0);
    Finding::new(
        "mirrors",
        Some(holder),
        if named.is_empty() { what } else { format!("{what}: {named}") },
        "the stream between them mends it within seconds; if it does not, restart the node, and report it",
    )
}

/// What a node reported of an origin.
fn reported(asked: &[Asked], node: NodeId, origin: Origin) -> Option<&MirrorReport> {
    let report = asked.iter().filter_map(Asked::report).find(|report| report.node == node)?;
    report.mirrors.iter().find(|mirror| mirror.origin == origin)
}

/// How many more or fewer publications a mirror has than its owner.
pub(super) fn counts(asked: &[Asked], holder: NodeId, origin: Origin) -> String {
    let count_at = |node| reported(asked, node, origin).map(|mirror| mirror.count);
    match (count_at(origin.node), count_at(holder)) {
        (Some(own), Some(held)) if own > held => format!("{} are missing of {own}", own - held),
        (Some(own), Some(held)) if own < held => format!("{} are too many beside {own}", held - own),
        (Some(own), Some(_)) => format!("there are {own}, not all of them alike"),
        (None, _) | (_, None) => String::new(),
    }
}

/// The buckets in which a mirror and its owner differ, as far as their reports tell.
pub(super) fn differing_buckets(asked: &[Asked], holder: NodeId, origin: Origin) -> Vec<u8> {
    let buckets_at = |node| reported(asked, node, origin).map(|mirror| &mirror.buckets);
    let (Some(own), Some(held)) = (buckets_at(origin.node), buckets_at(holder)) else { return Vec::new() };
    let differing = (0..=u8::MAX).zip(own.iter().zip(held)).filter(|(_, (own, held))| own != held);
    differing.map(|(bucket, _)| bucket).collect()
}

/// What is different, by name; `None` where the two are not of the same change, or are alike.
pub(super) fn differences(own: &NamedMirror, held: &NamedMirror) -> Option<String> {
    if own.sequence != held.sequence {
        return None;
    }
    let by_key = |named: &NamedMirror| -> BTreeMap<u64, (u64, String)> {
        named.names.iter().map(|name| (name.key, (name.hash, name.name.clone()))).collect()
    };
    let (own, held) = (by_key(own), by_key(held));
    let mut named: BTreeSet<String> = BTreeSet::new();
    for (key, (hash, name)) in &own {
        match held.get(key) {
            None => drop(named.insert(format!("{name} is missing"))),
            Some((other, _)) if other != hash => drop(named.insert(format!("{name} differs"))),
            Some(_) => {}
        }
    }
    for (_, name) in held.iter().filter(|(key, _)| !own.contains_key(key)).map(|(_, held)| held) {
        named.insert(format!("{name} should not be there"));
    }
    let more = named.len().saturating_sub(NAMED_MAX);
    let mut named: Vec<String> = named.into_iter().take(NAMED_MAX).collect();
    if more > 0 {
        named.push(format!("and {more} more"));
    }
    (!named.is_empty()).then(|| named.join("; "))
}

#[cfg(test)]
mod tests;
