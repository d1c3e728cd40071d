//! Every durable operation reads back as it was written.

use super::*;
use muster_config::{Author, Bounds, Content, Publish, Remove, RemoveTarget};
use muster_model::{
    Actor, Cause, ClientId, ClusterName, ConfigKey, ConnectionId, DataId, GroupName, Host, Instance, Kind,
    LabelSelector, Metadata, Namespace, NodeId, Reason, Selector, ServiceKey, ServiceName, Weight,
};
use muster_registry::{
    Checker, ClusterSpec, Deregister, InstanceKey, NamespaceSpec, Op, Override, OverrideChange, Register,
    ServiceSpec, Threshold,
};

fn service() -> ServiceKey {
    ServiceKey::new(Namespace::new("n1").unwrap(), GroupName::default(), ServiceName::new("s").unwrap())
}

fn cause() -> Cause {
    let actor = Actor {
        connection: Some(ConnectionId(7)),
        address: Some("10.0.0.9".parse().unwrap()),
        user: Some("me".into()),
    };
    Cause { actor, reason: Reason::Operator }
}

fn host() -> Host {
    Host::new("10.0.0.1").unwrap()
}

fn instance() -> Instance {
    Instance {
        host: host(),
        port: 8080,
        cluster: ClusterName::new("c1").unwrap(),
        weight: Weight::new(2.5).unwrap(),
        enabled: false,
        healthy: true,
        metadata: Metadata::new([("a", "1"), ("中", "文")]),
    }
}

fn override_with(change: OverrideChange) -> Op {
    let instance = InstanceKey { cluster: ClusterName::default(), host: host(), port: 1, eureka: None };
    Op::Override { service: service(), instance, change, cause: cause() }
}

fn spec() -> ServiceSpec {
    ServiceSpec {
        kind: Kind::Persistent,
        protection: Threshold::new(0.6).unwrap(),
        metadata: Metadata::new([("k", "v")]),
        selector: Selector::Label(LabelSelector::parse("CONSUMER.label.a=PROVIDER.label.a").unwrap()),
    }
}

fn cluster_with(checker: Checker) -> Op {
    let spec = ClusterSpec {
        checker,
        check_port: 81,
        use_instance_port: false,
        metadata: Metadata::new([("k", "v")]),
    };
    Op::UpdateCluster { service: service(), cluster: ClusterName::default(), spec, kind: Kind::Persistent }
}

fn registry_ops() -> Vec<Op> {
    let client = ClientId::Address(host(), 8080, Kind::Persistent);
    let over = Override {
        weight: Weight::new(3.0),
        enabled: Some(false),
        status: None,
        metadata: Metadata::new([("x", "y")]),
    };
    let id = Namespace::new("n2").unwrap();
    let named = NamespaceSpec { name: "name".into(), description: "text".into() };
    let http = Checker::Http { path: "/p".into(), headers: "a:b".into(), expected_status: 204 };
    let mysql = Checker::Mysql { user: "u".into(), password: "p".into(), command: "c".into() };
    vec![
        Op::Register(Register {
            client: client.clone(),
            origin: NodeId(3),
            service: service(),
            instances: vec![instance()],
            cause: cause(),
        }),
        Op::Deregister(Deregister { client, service: service(), cause: cause() }),
        override_with(OverrideChange::Replace(over.clone())),
        override_with(OverrideChange::Merge(over)),
        override_with(OverrideChange::Patch {
            weight: Weight::new(2.0),
            enabled: None,
            metadata: Some(Metadata::default()),
        }),
        override_with(OverrideChange::RemoveKeys(vec!["x".into()])),
        override_with(OverrideChange::Clear),
        Op::CreateService { service: service(), spec: spec() },
        Op::UpdateService { service: service(), spec: spec() },
        cluster_with(Checker::Tcp),
        cluster_with(Checker::None),
        cluster_with(http),
        cluster_with(mysql),
        Op::RemoveService { service: service() },
        Op::CreateNamespace { id: id.clone(), spec: named.clone() },
        Op::UpdateNamespace { id: id.clone(), spec: named },
        Op::RemoveNamespace { id },
    ]
}

fn round_trip(op: &DurableOp) -> DurableOp {
    DurableOp::decode(&op.encode()).unwrap()
}

#[test]
fn registry_operations() {
    for op in registry_ops() {
        let DurableOp::Registry(back) = round_trip(&DurableOp::Registry(op.clone())) else {
            panic!("{op:?}")
        };
        assert_eq!(back, op);
    }
}

#[test]
fn config_operations() {
    let key = ConfigKey::new(Namespace::default(), GroupName::default(), DataId::new("d").unwrap());
    let author = Author { user: Some("me".into()), ip: "10.0.0.1".into() };
    let bounds = Bounds { gray_versions_max: 10, history_entries_max: 100 };
    let content = Content::new(Bytes::from_static("内容".as_bytes())).unwrap();
    let publish = Publish::new(key.clone(), content, author.clone(), bounds);
    for op in [
        muster_config::Op::Publish(Box::new(publish)),
        muster_config::Op::Remove(Remove { key, target: RemoveTarget::Gray("beta".into()), author, bounds }),
    ] {
        let DurableOp::Config(back) = round_trip(&DurableOp::Config(op.clone())) else { panic!("{op:?}") };
        assert_eq!(back, op);
    }
}

#[test]
fn lock_operations() {
    for op in [LockOp::Acquire { key: "k".into(), hold_ms: -1 }, LockOp::Release { key: "k".into() }] {
        let DurableOp::Lock(back) = round_trip(&DurableOp::Lock(op.clone())) else { panic!("{op:?}") };
        assert_eq!(back, op);
    }
    assert!(matches!(
        round_trip(&DurableOp::ExpireLocks(Timestamp(5))),
        DurableOp::ExpireLocks(Timestamp(5))
    ));
}

#[test]
fn switches() {
    let op = DurableOp::Switch { entry: "pushEnabled".into(), value: "false".into() };
    let DurableOp::Switch { entry, value } = round_trip(&op) else { panic!("{op:?}") };
    assert_eq!((entry.as_str(), value.as_str()), ("pushEnabled", "false"));
}

#[test]
fn what_is_not_understood_is_an_error() {
    assert_eq!(DurableOp::decode(&Bytes::new()).unwrap_err(), DecodeError::Version(0));
    assert_eq!(DurableOp::decode(&Bytes::from_static(&[2, 9])).unwrap_err(), DecodeError::Version(2));
    assert!(matches!(DurableOp::decode(&Bytes::from_static(&[1, 255])), Err(DecodeError::Malformed(_))));
    assert_eq!(DurableOp::decode(&Bytes::from_static(&[1])).unwrap_err(), DecodeError::Missing("operation"));
}

/// The numbers stay as they are: nodes of a level read what needs no higher one.
#[test]
fn what_a_node_alone_never_had_needs_the_second_level() {
    for op in registry_ops() {
        assert_eq!(DurableOp::Registry(op).level(), 1);
    }
    let lock = DurableOp::Lock(LockOp::Release { key: "k".into() });
    let switch = DurableOp::Switch { entry: "e".into(), value: "v".into() };
    assert_eq!([lock, DurableOp::ExpireLocks(Timestamp(5)), switch].map(|op| op.level()), [1; 3]);
    let mark = DurableOp::Mark(Mark { id: 7, name: Vec::new() });
    let account = DurableOp::Account(Row { table: Table::Meta, key: Bytes::new(), value: None });
    let leave = DurableOp::Ensemble(EnsembleOp::Leave { node: NodeId(1) });
    for op in [mark, account, leave] {
        assert_eq!(op.level(), 2, "{op:?}");
        let read = DurableOp::decode(&op.encode());
        match LEVEL_NEWEST {
            1 => assert_eq!(read.unwrap_err(), DecodeError::Level(2)),
            _ => assert!(read.is_ok(), "{read:?}"),
        }
    }
}
