//! A mirror that lacks something, has too much, or has it otherwise, is found, and what it is, is named.

use super::*;
use crate::doctor::report::NodeReport;
use muster_model::{
    Actor, Cause, ClientId, ClusterName, Epoch, GroupName, Host, Instance, Kind, Limits, Metadata, Monotonic,
    Namespace, Now, Reason, ServiceKey, ServiceName, Timestamp, Weight,
};
use muster_registry::{Op, Register, Registry, SnapshotCursor};

const NOW: Now = Now { wall: Timestamp(1_700_000_000_000), mono: Monotonic(1_000) };

fn origin(node: u64) -> Origin {
    Origin { node: NodeId(node), epoch: Epoch { boot: 1, random: node } }
}

fn register(registry: &mut Registry, number: u8, weight: f64) {
    let host = Host::new(&format!("10.0.0.{number}")).unwrap();
    let instance = Instance {
        host: host.clone(),
        port: 80,
        cluster: ClusterName::new(ClusterName::DEFAULT).unwrap(),
        weight: Weight::new(weight).unwrap(),
        enabled: true,
        healthy: true,
        metadata: Metadata::default(),
    };
    let key = ServiceKey::new(Namespace::default(), GroupName::default(), ServiceName::new("order").unwrap());
    let register = Register {
        client: ClientId::Address(host, 80, Kind::Ephemeral),
        origin: NodeId(1),
        service: key,
        instances: vec![instance],
        cause: Cause { actor: Actor::default(), reason: Reason::Registered },
    };
    // Each has its own time, and so the same incarnation whoever else is there.
    let ms = u64::from(number);
    let now = Now { wall: Timestamp(NOW.wall.0 + ms), mono: Monotonic(NOW.mono.0 + ms) };
    registry.apply(Op::Register(register), now, &mut Vec::new()).unwrap();
}

/// A registry of node 1 with these instances and their weights.
fn owner(instances: &[(u8, f64)]) -> Registry {
    let mut registry = Registry::new(Limits::default());
    registry.set_identity(origin(1));
    instances.iter().for_each(|(number, weight)| register(&mut registry, *number, *weight));
    registry
}

/// A registry of node 2 that took a snapshot of another for one of that sequence.
fn holder(told: &Registry, sequence: u64) -> Registry {
    let mut registry = Registry::new(Limits::default());
    registry.set_identity(origin(2));
    registry.resync_begin(origin(1), sequence, NOW, &mut Vec::new());
    let mut from = Some(SnapshotCursor::default());
    while let Some(cursor) = from {
        let page = told.snapshot_page(cursor, 1_000);
        registry.resync_page(origin(1), &page.ops, NOW, &mut Vec::new()).unwrap();
        from = page.next;
    }
    registry.resync_end(origin(1), NOW, &mut Vec::new()).unwrap();
    registry
}

/// What a node with this registry says of its mirror of node 1.
fn asked(node: u64, registry: &Registry) -> Asked {
    let digest = registry.digest(origin(1)).unwrap();
    let mirror = MirrorReport {
        origin: origin(1),
        sequence: digest.sequence,
        count: digest.count,
        sum: digest.sum,
        buckets: digest.buckets.to_vec(),
        mended_ms_ago: None,
    };
    let report = NodeReport { node: NodeId(node), mirrors: vec![mirror], ..NodeReport::default() };
    let (address, middle) = (String::new(), NOW.wall);
    Asked { node: NodeId(node), address, answer: Ok(report), middle, half_ms: 0 }
}

fn named(registry: &Registry, buckets: &[u8]) -> NamedMirror {
    let page = registry.mirror_names(origin(1), buckets, 0).unwrap();
    NamedMirror { sequence: page.sequence, names: page.names }
}

/// What is found between an owner and a holder; `None`: nothing.
fn found(own: &Registry, held: &Registry) -> Option<String> {
    let all = [asked(1, own), asked(2, held)];
    let (differing, compared) = compare(&all);
    assert_eq!(compared.len(), 1, "both are of one sequence");
    if differing.is_empty() {
        return None;
    }
    assert_eq!(differing, Differing::from([(NodeId(2), origin(1))]));
    let buckets = differing_buckets(&all, NodeId(2), origin(1));
    let what = differences(&named(own, &buckets), &named(held, &buckets)).unwrap();
    let finding = finding(NodeId(2), origin(1), &what);
    assert_eq!((finding.check, finding.node), ("mirrors", Some(NodeId(2))));
    Some(finding.what)
}

#[test]
fn what_is_different_is_named() {
    let all: Vec<(u8, f64)> = (1..=50).map(|number| (number, 1.0)).collect();
    let own = owner(&all);
    let sequence = own.mirror_sequence();
    assert_eq!(found(&own, &holder(&own, sequence)), None);

    let lacking: Vec<_> = all.iter().copied().filter(|(number, _)| *number != 7).collect();
    let what = found(&own, &holder(&owner(&lacking), sequence)).unwrap();
    assert!(what.ends_with(": instance 10.0.0.7:80 of public/DEFAULT_GROUP/order is missing"), "{what}");

    let more: Vec<_> = all.iter().copied().chain([(60, 1.0)]).collect();
    let what = found(&own, &holder(&owner(&more), sequence)).unwrap();
    assert!(what.ends_with("10.0.0.60:80 of public/DEFAULT_GROUP/order should not be there"), "{what}");

    let other: Vec<_> =
        all.iter().map(|(number, weight)| (*number, if *number == 9 { 2.0 } else { *weight })).collect();
    let what = found(&own, &holder(&owner(&other), sequence)).unwrap();
    assert!(what.contains("10.0.0.9:80 of public/DEFAULT_GROUP/order differs"), "{what}");
}

#[test]
fn names_of_two_sequences_prove_nothing_and_many_are_counted() {
    let own = owner(&[(1, 1.0), (2, 1.0)]);
    let all: Vec<u8> = (0..=u8::MAX).collect();
    let (mut one, other) = (named(&own, &all), named(&owner(&[]), &all));
    assert_eq!((one.names.len(), other.names.len()), (2, 0));
    assert_eq!(differences(&one, &other), None);
    one.names = (0..30).map(|key| MirrorName { key, hash: 1, name: format!("instance {key:02}") }).collect();
    let none = NamedMirror { sequence: one.sequence, names: Vec::new() };
    let what = differences(&one, &none).unwrap();
    assert!(what.starts_with("instance 00 is missing; ") && what.ends_with("; and 10 more"), "{what}");
    assert_eq!(differences(&one, &one), None);
}
