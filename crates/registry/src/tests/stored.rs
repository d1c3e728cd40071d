//! Rows and logged ops: what is written can be read.

use super::*;
use bytes::Bytes;
use proptest::prelude::*;
use std::collections::BTreeMap;

pub(crate) type Rows = BTreeMap<(Table, Bytes), Bytes>;

/// Writes rows as storage does.
pub(crate) fn write(store: &mut Rows, rows: Vec<Row>) {
    for Row { table, key, value } in rows {
        match value {
            Some(value) => store.insert((table, key), value),
            None => store.remove(&(table, key)),
        };
    }
}

pub(crate) fn loaded(rows: &Rows, now: Now) -> Registry {
    let mut registry = Registry::new(Limits::default());
    for ((table, key), value) in rows {
        registry.load(*table, key, value, now).unwrap();
    }
    registry
}

/// Everything durable, in words; health is not.
fn durable(registry: &Registry) -> Vec<String> {
    let mut lines = Vec::new();
    for summary in registry.clients() {
        for publication in registry.publications(&summary.client) {
            if matches!(summary.client, ClientId::Address(_, _, Kind::Persistent)) {
                let instance = Instance { healthy: true, ..publication.instances[0].clone() };
                let kind = registry.details(&publication.service).unwrap().spec.kind;
                lines.push(format!(
                    "{} {kind:?} {} {:?}",
                    publication.service,
                    line(&instance),
                    summary.origin
                ));
            }
        }
    }
    for service in registry.services.iter() {
        lines.extend(service.explicit.iter().map(|explicit| format!("{} {explicit:?}", service.key)));
    }
    lines.extend(registry.overrides.iter().map(|(service, all)| format!("{service} {all:?}")));
    lines.extend(registry.namespaces().map(|namespace| format!("{namespace:?}")));
    lines.sort();
    lines
}

pub(crate) fn check_loaded(world: &World, rows: &Rows) {
    assert_eq!(durable(&loaded(rows, world.now)), durable(&world.registry));
}

fn text() -> impl Strategy<Value = String> {
    proptest::string::string_regex("[a-zA-Z0-9 =|:\u{e9}\u{4e2d}]{0,12}").unwrap()
}

fn any_metadata() -> impl Strategy<Value = Metadata> {
    proptest::collection::vec((text(), text()), 0..4).prop_map(Metadata::new)
}

fn any_service() -> impl Strategy<Value = ServiceKey> {
    // Names may have almost any character, a NUL among them.
    ("[a-z-]{1,4}", "[a-z:.]{1,4}", "[a-z\u{0}:\u{e9}]{1,4}").prop_map(|(namespace, group, name)| {
        let (namespace, group) = (Namespace::new(&namespace).unwrap(), GroupName::new(&group).unwrap());
        ServiceKey::new(namespace, group, ServiceName::new(&name).unwrap())
    })
}

fn any_cluster() -> impl Strategy<Value = ClusterName> {
    "[a-z_-]{1,4}".prop_map(|name| ClusterName::new(&name).unwrap())
}

fn any_host() -> impl Strategy<Value = Host> {
    "[a-z0-9.\u{0}]{0,6}".prop_map(|host| Host::new(&host).unwrap())
}

fn any_kind() -> impl Strategy<Value = Kind> {
    any::<bool>().prop_map(|persistent| if persistent { Kind::Persistent } else { Kind::Ephemeral })
}

fn any_cause() -> impl Strategy<Value = Cause> {
    let user = proptest::option::of(text().prop_map(|user| user.as_str().into()));
    let actor = (proptest::option::of(any::<u64>()), proptest::option::of(any::<std::net::IpAddr>()), user);
    (proptest::sample::select(Reason::ALL.to_vec()), actor).prop_map(
        |(reason, (connection, address, user))| {
            let connection = connection.map(ConnectionId);
            Cause { actor: Actor { connection, address, user }, reason }
        },
    )
}

fn any_weight() -> impl Strategy<Value = Weight> {
    (0.0..=Weight::MAX).prop_map(|weight| Weight::new(weight).unwrap())
}

fn any_instance() -> impl Strategy<Value = Instance> {
    let place = (any_host(), any::<u16>(), any_cluster());
    (place, any_weight(), any::<bool>(), any::<bool>(), any_metadata()).prop_map(
        |((host, port, cluster), weight, enabled, healthy, metadata)| Instance {
            host,
            port,
            cluster,
            weight,
            enabled,
            healthy,
            metadata,
        },
    )
}

fn any_spec() -> impl Strategy<Value = ServiceSpec> {
    let selector = proptest::option::of(proptest::collection::vec("[a-z0-9.-]{1,9}", 0..4));
    (any_kind(), 0.0f32..=1.0, any_metadata(), selector).prop_map(|(kind, protection, metadata, labels)| {
        let protection = Threshold::new(protection).unwrap();
        let term = |label: &String| format!("CONSUMER.label.{label} = PROVIDER.label.{label}");
        let expression = |labels: Vec<_>| labels.iter().map(term).collect::<Vec<_>>().join(" & ");
        let selector = labels.map_or(Selector::None, |labels| {
            Selector::Label(LabelSelector::parse(&expression(labels)).unwrap())
        });
        ServiceSpec { kind, protection, metadata, selector }
    })
}

fn any_cluster_spec() -> impl Strategy<Value = ClusterSpec> {
    let checker = prop_oneof![
        Just(Checker::Tcp),
        Just(Checker::None),
        (text(), text(), any::<u16>()).prop_map(|(path, headers, expected_status)| Checker::Http {
            path: path.as_str().into(),
            headers: headers.as_str().into(),
            expected_status,
        }),
        (text(), text(), text()).prop_map(|(user, password, command)| Checker::Mysql {
            user: user.as_str().into(),
            password: password.as_str().into(),
            command: command.as_str().into(),
        }),
    ];
    (checker, any::<u16>(), any::<bool>(), any_metadata()).prop_map(
        |(checker, check_port, use_instance_port, metadata)| ClusterSpec {
            checker,
            check_port,
            use_instance_port,
            metadata,
        },
    )
}

fn any_status() -> impl Strategy<Value = EurekaStatus> {
    proptest::sample::select(EurekaStatus::ALL.to_vec())
}

fn any_change() -> impl Strategy<Value = OverrideChange> {
    let over = || {
        let set = (proptest::option::of(any_weight()), proptest::option::of(any::<bool>()));
        (set, proptest::option::of(any_status()), any_metadata())
            .prop_map(|((weight, enabled), status, metadata)| Override { weight, enabled, status, metadata })
    };
    prop_oneof![
        over().prop_map(OverrideChange::Replace),
        over().prop_map(OverrideChange::Merge),
        (over(), any::<bool>()).prop_map(|(over, with_metadata)| OverrideChange::Patch {
            weight: over.weight,
            enabled: over.enabled,
            metadata: with_metadata.then_some(over.metadata),
        }),
        proptest::collection::vec(text().prop_map(|key| key.as_str().into()), 0..3)
            .prop_map(OverrideChange::RemoveKeys),
        Just(OverrideChange::Clear),
        (proptest::option::of(any_status()), any::<Option<i64>>(), proptest::option::of(any_status()))
            .prop_map(|(status, last_dirty, fallback)| {
                OverrideChange::Status(StatusChange { status, last_dirty, fallback })
            }),
    ]
}

fn persistent(host: Host, port: u16) -> ClientId {
    ClientId::Address(host, port, Kind::Persistent)
}

fn durable_op() -> impl Strategy<Value = Op> {
    let namespace = || "[a-z]{1,2}".prop_map(|id| Namespace::new(&id).unwrap());
    let namespace_spec = || {
        (text(), text()).prop_map(|(name, description)| NamespaceSpec {
            name: name.as_str().into(),
            description: description.as_str().into(),
        })
    };
    let register = (any_service(), any_instance(), any::<u64>(), any_cause());
    let id = proptest::option::of("[a-c]{0,2}");
    let change = ((any_service(), id), any_cluster(), any_host(), any::<u16>(), any_change(), any_cause());
    prop_oneof![
        4 => register.prop_map(|(service, instance, origin, cause)| Op::Register(Register {
            client: persistent(instance.host.clone(), instance.port),
            origin: NodeId(origin),
            service,
            instances: vec![instance],
            cause,
        })),
        1 => (any_service(), any_host(), any::<u16>(), any_cause()).prop_map(|(service, host, port, cause)| {
            Op::Deregister(Deregister { client: persistent(host, port), service, cause })
        }),
        3 => change.prop_map(|((service, id), cluster, host, port, change, cause)| Op::Override {
            service,
            instance: InstanceKey { cluster, host, port, eureka: id.map(|id| id.as_str().into()) },
            change,
            cause,
        }),
        2 => (any_service(), any_spec()).prop_map(|(service, spec)| Op::CreateService { service, spec }),
        2 => (any_service(), any_spec()).prop_map(|(service, spec)| Op::UpdateService { service, spec }),
        2 => (any_service(), any_cluster(), any_cluster_spec(), any_kind())
            .prop_map(|(service, cluster, spec, kind)| Op::UpdateCluster { service, cluster, spec, kind }),
        1 => any_service().prop_map(|service| Op::RemoveService { service }),
        2 => (namespace(), namespace_spec()).prop_map(|(id, spec)| Op::CreateNamespace { id, spec }),
        1 => (namespace(), namespace_spec()).prop_map(|(id, spec)| Op::UpdateNamespace { id, spec }),
        1 => namespace().prop_map(|id| Op::RemoveNamespace { id }),
    ]
}

proptest! {
    #[test]
    fn ops_and_rows_come_back_as_they_were(ops in proptest::collection::vec(durable_op(), 1..40)) {
        let mut world = World::new();
        let mut rows = Rows::new();
        for op in ops {
            let encoded = op.encode().unwrap();
            let decoded = Op::decode(&encoded).unwrap();
            prop_assert_eq!(&decoded, &op);
            // A refused op has no rows.
            let refused = world.apply(decoded).is_err();
            prop_assert!(!refused || world.effects.is_empty());
            write(&mut rows, world.rows());
        }
        check_loaded(&world, &rows);
    }

    #[test]
    fn damaged_ops_are_refused_and_never_panic(op in durable_op(), at in any::<usize>(), flip in 1..=255u8) {
        let mut bytes = op.encode().unwrap().to_vec();
        let at = at % bytes.len();
        bytes[at] ^= flip;
        if let Ok(read) = Op::decode(&bytes) {
            prop_assert!(read.is_durable());
        }
        prop_assert!(Op::decode(&bytes[..at]).is_err() || at > 0);
    }
}

#[test]
fn a_newer_version_is_refused_by_name() {
    let op = Op::RemoveService { service: service("s") };
    let mut bytes = op.encode().unwrap().to_vec();
    bytes[0] = 2;
    assert_eq!(Op::decode(&bytes), Err(DecodeError::Version { what: "op", version: 2, known: 1 }));
    assert!(matches!(Op::decode(&[]), Err(DecodeError::Malformed { what: "op", .. })));
    let now = World::new().now;
    let mut registry = Registry::new(Limits::default());
    let refused = registry.load(Table::Namespace, b"dev", &[2], now);
    assert_eq!(refused, Err(DecodeError::Version { what: "namespace", version: 2, known: 1 }));
    assert!(registry.load(Table::Service, b"public", &[1], now).is_err());
}

#[test]
fn ephemeral_ops_have_no_stored_form() {
    let client = address("10.0.0.1:80", Kind::Ephemeral);
    for op in [
        register(&connection(1), "s", vec![instance("10.0.0.1:80")]),
        deregister(&client, "s"),
        beat(&client, "s", None),
        Op::Close(Close { client: client.clone(), cause: cause(Reason::ConnectionLost) }),
    ] {
        assert!(!op.is_durable());
        assert_eq!(op.encode(), None);
    }
}

#[test]
fn the_stored_form_does_not_change_unseen() {
    let mut world = World::new();
    world.ok(register(
        &address("10.0.0.1:80", Kind::Persistent),
        "p",
        vec![with("10.0.0.1:80", &[("a", "1")])],
    ));
    let [row] = &world.rows()[..] else { panic!("one row") };
    assert_eq!(&row.key[..], b"public\0DEFAULT_GROUP\0\0\x01p\0P10.0.0.1");
    let value = b"\x01\x0a\x2a\x0a\x0810.0.0.1\x10P\x1a\x07DEFAULT\x21\0\0\0\0\0\0\xf0?(\x010\x01:\x06\x0a\x01a\x12\x011\x10\x01";
    assert_eq!(row.value.as_deref(), Some(&value[..]));
}
