use super::*;

fn set(client: &ClientId, healthy: bool) -> Op {
    let (client, service) = (client.clone(), service("p"));
    Op::SetHealth(SetHealth { client, service, healthy, cause: cause(Reason::HealthCheck) })
}

#[test]
fn a_check_flips_health_and_stores_nothing() {
    let mut world = World::new();
    let client = address("10.0.0.1:80", Kind::Persistent);
    assert_eq!(world.apply(set(&client, false)), Err(RegistryError::InstanceUnknown(service("p"))));
    world.ok(register(&client, "p", vec![instance("10.0.0.1:80")]));
    assert_eq!(world.ok(set(&client, true)), Outcome::Unchanged);
    assert!(world.effects.is_empty());
    assert_eq!(world.ok(set(&client, false)), Outcome::Done);
    assert_eq!(
        world.told(),
        ["changed p 2 health check", "unhealthy 10.0.0.1:80@DEFAULT in p 2: health check"]
    );
    assert!(world.rows().is_empty());
    assert_eq!(world.shown("p"), ["10.0.0.1:80@DEFAULT unhealthy"]);
    assert!(!world.registry.check_target(&client, &service("p")).unwrap().instance[0].healthy);
    // A connection's health is its connection.
    world.ok(register(&connection(1), "e", vec![instance("10.0.0.1:80")]));
    assert!(world.apply(set(&connection(1), false)).is_err());
}

#[test]
fn targets_are_the_persistent_instances_with_their_cluster_s_checker() {
    let mut world = World::new();
    let client = address("10.0.0.1:80", Kind::Persistent);
    world.ok(register(&client, "p", vec![instance("10.0.0.1:80@c")]));
    world.ok(register(&address("10.0.0.2:80", Kind::Ephemeral), "e", vec![instance("10.0.0.2:80")]));
    let targets: Vec<_> = world.registry.check_targets().collect();
    let target = CheckTarget {
        service: service("p"),
        client: client.clone(),
        instance: [instance("10.0.0.1:80@c")].into(),
        checker: Checker::Tcp,
        port: 80,
    };
    assert_eq!(targets, std::slice::from_ref(&target));
    let spec = ClusterSpec {
        checker: Checker::None,
        check_port: 9,
        use_instance_port: false,
        metadata: Metadata::default(),
    };
    let cluster = ClusterName::new("c").unwrap();
    world.ok(Op::UpdateCluster { service: service("p"), cluster, spec, kind: Kind::Persistent });
    let changed = CheckTarget { checker: Checker::None, port: 9, ..target };
    assert_eq!(world.registry.check_target(&client, &service("p")), Some(changed));
    world.ok(deregister(&client, "p"));
    assert_eq!(world.registry.check_targets().count(), 0);
    assert_eq!(world.registry.check_target(&client, &service("p")), None);
}
