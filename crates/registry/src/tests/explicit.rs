use super::*;

fn create(name: &str, kind: Kind) -> Op {
    Op::CreateService { service: service(name), spec: spec(kind) }
}

fn http() -> ClusterSpec {
    let checker = Checker::Http { path: "/health".into(), headers: "A:b".into(), expected_status: 204 };
    ClusterSpec { checker, check_port: 81, use_instance_port: false, metadata: Metadata::new([("k", "v")]) }
}

#[test]
fn a_created_service_stays_and_has_its_kind() {
    let mut world = World::new();
    world.ok(create("s", Kind::Persistent));
    assert_eq!(world.rows().len(), 1);
    assert!(world.told().is_empty());
    world.pass(1_000_000);
    let details = world.registry.details(&service("s")).unwrap();
    assert!(details.explicit && details.instances == 0 && details.spec == spec(Kind::Persistent));
    let refused = world.apply(register(&connection(1), "s", vec![instance("10.0.0.1:80")]));
    assert_eq!(refused, Err(RegistryError::KindClash { service: service("s"), kind: Kind::Persistent }));
    let exists = RegistryError::ServiceExists(service("s"));
    assert_eq!(world.registry.check(&create("s", Kind::Persistent)), Err(exists.clone()));
    assert_eq!(world.apply(create("s", Kind::Ephemeral)), Err(exists));
    assert!(world.effects.is_empty());
}

#[test]
fn creating_what_exists_by_registration_is_refused_before_it_is_proposed() {
    let mut world = World::new();
    world.ok(register(&connection(1), "s", vec![instance("10.0.0.1:80")]));
    let exists = RegistryError::ServiceExists(service("s"));
    assert_eq!(world.registry.check(&create("s", Kind::Persistent)), Err(exists));
    // In the log it counts: another node, or this one after a restart, may not have the instance.
    world.ok(create("s", Kind::Persistent));
    assert_eq!(world.shown("s").len(), 1);
    assert!(world.apply(register(&connection(2), "s", vec![instance("10.0.0.2:80")])).is_err());
}

#[test]
fn durable_ops_do_not_look_at_ephemeral_state() {
    let persistent = register(&address("10.0.0.9:80", Kind::Persistent), "s", vec![instance("10.0.0.9:80")]);
    let ops = [persistent, create("t", Kind::Ephemeral), Op::RemoveService { service: service("t") }];
    let rows = |world: &mut World| -> Vec<Row> {
        ops.iter().flat_map(|op| world.apply(op.clone()).map(|_| world.rows()).unwrap_or_default()).collect()
    };
    let mut busy = World::new();
    for name in ["s", "t"] {
        busy.ok(register(&connection(1), name, vec![instance("10.0.0.1:80")]));
    }
    let with_ephemeral = rows(&mut busy);
    assert_eq!(with_ephemeral, rows(&mut World::new()));
    assert_eq!(with_ephemeral.len(), 3);
    assert_eq!(busy.shown("s"), ["10.0.0.1:80@DEFAULT", "10.0.0.9:80@DEFAULT"]);
    assert_eq!(busy.shown("t"), ["10.0.0.1:80@DEFAULT"]);
    assert!(!busy.registry.details(&service("t")).unwrap().explicit);
}

#[test]
fn an_update_replaces_attributes_and_keeps_clusters_and_kind() {
    let mut world = World::new();
    let update = |spec| Op::UpdateService { service: service("s"), spec };
    let unknown = RegistryError::ServiceUnknown(service("s"));
    assert_eq!(world.registry.check(&update(spec(Kind::Ephemeral))), Err(unknown.clone()));
    world.ok(register(&connection(1), "s", vec![instance("10.0.0.1:80")]));
    let cluster = ClusterName::new("c").unwrap();
    let op = Op::UpdateCluster {
        service: service("s"),
        cluster: cluster.clone(),
        spec: http(),
        kind: Kind::Ephemeral,
    };
    assert_eq!(world.registry.check(&op), Ok(()));
    let before = world.view("s");
    world.ok(op);
    assert!(!before.is_current());
    assert_eq!(world.rows().len(), 1);
    let new = ServiceSpec {
        protection: Threshold::new(0.5).unwrap(),
        metadata: Metadata::new([("a", "b")]),
        selector: Selector::None,
        kind: Kind::Persistent,
    };
    world.ok(update(new.clone()));
    let details = world.registry.details(&service("s")).unwrap();
    assert_eq!(details.spec, ServiceSpec { kind: Kind::Ephemeral, ..new });
    assert_eq!(details.clusters.get(&cluster), Some(&http()));
    // What has attributes does not expire.
    world.ok(deregister(&connection(1), "s"));
    world.pass(1_000_000);
    assert!(world.registry.details(&service("s")).is_some());
}

#[test]
fn only_an_empty_service_is_removed() {
    let mut world = World::new();
    let remove = || Op::RemoveService { service: service("s") };
    let unknown = RegistryError::ServiceUnknown(service("s"));
    assert_eq!(world.registry.check(&remove()), Err(unknown));
    assert_eq!(world.apply(remove()), Ok(Outcome::Unchanged), "only some nodes may know an implicit one");
    world.ok(create("s", Kind::Persistent));
    let client = address("10.0.0.1:80", Kind::Persistent);
    world.ok(register(&client, "s", vec![instance("10.0.0.1:80")]));
    let not_empty = RegistryError::ServiceNotEmpty(service("s"));
    assert_eq!(world.registry.check(&remove()), Err(not_empty.clone()));
    assert_eq!(world.apply(remove()), Err(not_empty));
    world.ok(deregister(&client, "s"));
    let view = world.view("s");
    world.ok(remove());
    assert_eq!(world.told(), ["forgotten s"]);
    assert_eq!(world.rows()[0].value, None);
    assert!(!view.is_current());
    assert_eq!(world.registry.counts(), Counts::default());
}

#[test]
fn namespaces_are_a_list() {
    let mut world = World::new();
    let id = Namespace::new("dev").unwrap();
    let spec = |name: &str| NamespaceSpec { name: name.into(), description: "".into() };
    let create = |id: &Namespace| Op::CreateNamespace { id: id.clone(), spec: spec("one") };
    let public = Namespace::default();
    assert_eq!(world.apply(create(&public)), Err(RegistryError::NamespaceExists(public)));
    world.ok(create(&id));
    assert_eq!(world.apply(create(&id)), Err(RegistryError::NamespaceExists(id.clone())));
    world.ok(Op::UpdateNamespace { id: id.clone(), spec: spec("two") });
    assert_eq!(world.registry.namespaces().collect::<Vec<_>>(), [(&id, &spec("two"))]);
    world.ok(Op::RemoveNamespace { id: id.clone() });
    assert_eq!(world.rows()[0].value, None);
    assert_eq!(world.apply(Op::RemoveNamespace { id: id.clone() }), Err(RegistryError::NamespaceUnknown(id)));
    assert_eq!(world.registry.namespaces().count(), 0);
}

#[test]
fn ephemeral_instances_keep_a_removed_service_and_its_kind_is_theirs() {
    let mut world = World::new();
    world.ok(register(&connection(1), "s", vec![instance("10.0.0.1:80")]));
    world.ok(create("s", Kind::Persistent));
    world.ok(Op::RemoveService { service: service("s") });
    assert_eq!(world.rows()[0].value, None);
    world.ok(register(&connection(2), "s", vec![instance("10.0.0.2:80")]));
    assert_eq!(world.shown("s").len(), 2);
    for id in [1, 2] {
        world.ok(deregister(&connection(id), "s"));
    }
    world.pass(60_000);
    assert_eq!(world.told(), ["forgotten s"]);
}
