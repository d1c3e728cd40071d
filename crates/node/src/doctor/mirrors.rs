//! Whether mirrors are like what they mirror.

use super::diagnose::{Asked, Finding};
use muster_model::{NodeId, Origin};
use std::collections::BTreeSet;

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

/// How many more or fewer publications a mirror has than its owner.
pub(super) fn counts(asked: &[Asked], holder: NodeId, origin: Origin) -> String {
    let count_at = |node: NodeId| {
        let report = asked.iter().filter_map(Asked::report).find(|report| report.node == node)?;
        report.mirrors.iter().find(|mirror| mirror.origin == origin).map(|mirror| mirror.count)
    };
    match (count_at(origin.node), count_at(holder)) {
        (Some(own), Some(held)) if own > held => format!("{} are missing of {own}", own - held),
        (Some(own), Some(held)) if own < held => format!("{} are too many beside {own}", held - own),
        (Some(own), Some(_)) => format!("there are {own}, not all of them alike"),
        (None, _) | (_, None) => String::new(),
    }
}
