use super::*;

#[test]
fn a_registration_shows_and_tells() {
    let mut world = World::new();
    assert_eq!(world.ok(register(&connection(1), "s", vec![instance("10.0.0.1:80")])), Outcome::Done);
    assert_eq!(
        world.told(),
        ["changed s 1 registered", "appeared s", "added 10.0.0.1:80@DEFAULT in s 1: registered"]
    );
    assert!(world.rows().is_empty());
    assert_eq!(world.shown("s"), ["10.0.0.1:80@DEFAULT"]);
    let counts = Counts { services: 1, instances: 1, clients: 1, publications: 1 };
    assert_eq!(world.registry.counts(), counts);
}

#[test]
fn registering_again_replaces_the_publication_and_is_a_change() {
    let mut world = World::new();
    let client = connection(1);
    world.ok(register(&client, "s", vec![instance("10.0.0.1:80")]));
    world.ok(register(&client, "s", vec![instance("10.0.0.1:80")]));
    assert_eq!(world.told(), ["changed s 2 registered"]);
    world.ok(register(&client, "s", vec![with("10.0.0.1:80", &[("a", "1")])]));
    assert_eq!(world.told(), ["changed s 3 registered", "updated 10.0.0.1:80@DEFAULT in s 3: registered"]);
    world.ok(register(&client, "s", vec![instance("10.0.0.1:80@east")]));
    assert_eq!(
        world.told(),
        [
            "changed s 4 registered",
            "removed 10.0.0.1:80@DEFAULT in s 4: registered",
            "added 10.0.0.1:80@east in s 4: registered"
        ]
    );
    assert_eq!(world.shown("s"), ["10.0.0.1:80@east"]);
    assert_eq!(world.registry.counts().instances, 1);
}

#[test]
fn a_batch_replaces_and_an_empty_one_clears() {
    let mut world = World::new();
    let client = connection(1);
    let batch = ["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80@B"].map(instance).to_vec();
    world.ok(register(&client, "s", batch));
    assert_eq!(world.shown("s"), ["10.0.0.3:80@B", "10.0.0.1:80@DEFAULT", "10.0.0.2:80@DEFAULT"]);
    world.ok(register(&client, "s", vec![instance("10.0.0.2:80")]));
    assert_eq!(
        world.told(),
        [
            "changed s 2 registered",
            "removed 10.0.0.3:80@B in s 2: registered",
            "removed 10.0.0.1:80@DEFAULT in s 2: registered"
        ]
    );
    world.ok(register(&client, "s", vec![]));
    assert_eq!(
        world.told(),
        ["changed s 3 registered", "vanished s", "removed 10.0.0.2:80@DEFAULT in s 3: registered"]
    );
    assert_eq!(world.registry.counts(), Counts { services: 1, ..Counts::default() });
    assert_eq!(world.ok(register(&client, "t", vec![])), Outcome::Unchanged);
    assert!(world.effects.is_empty());
}

#[test]
fn deregistering_takes_the_own_publication_only() {
    let mut world = World::new();
    world.ok(register(&connection(1), "s", vec![instance("10.0.0.1:80")]));
    world.ok(register(&connection(2), "s", vec![instance("10.0.0.1:80"), instance("10.0.0.2:80")]));
    world.ok(deregister(&connection(1), "s"));
    assert_eq!(
        world.told(),
        ["changed s 3 deregistered", "removed 10.0.0.1:80@DEFAULT in s 3: deregistered"]
    );
    assert_eq!(world.shown("s"), ["10.0.0.1:80@DEFAULT", "10.0.0.2:80@DEFAULT"]);
    for name in ["s", "never"] {
        assert_eq!(world.ok(deregister(&connection(1), name)), Outcome::Unchanged);
        assert!(world.effects.is_empty());
    }
}

#[test]
fn closing_a_client_is_one_revision_a_service() {
    let mut world = World::new();
    for name in ["a", "b"] {
        world.ok(register(&connection(1), name, vec![instance("10.0.0.1:80"), instance("10.0.0.2:80")]));
    }
    world.ok(register(&connection(2), "b", vec![instance("10.0.0.3:80")]));
    let close = Op::Close(Close { client: connection(1), cause: cause(Reason::ConnectionLost) });
    assert_eq!(world.ok(close.clone()), Outcome::Done);
    assert_eq!(
        world.told(),
        [
            "changed a 4 connection lost",
            "vanished a",
            "removed 10.0.0.1:80@DEFAULT in a 4: connection lost",
            "removed 10.0.0.2:80@DEFAULT in a 4: connection lost",
            "changed b 5 connection lost",
            "removed 10.0.0.1:80@DEFAULT in b 5: connection lost",
            "removed 10.0.0.2:80@DEFAULT in b 5: connection lost",
        ]
    );
    assert_eq!(world.shown("b"), ["10.0.0.3:80@DEFAULT"]);
    assert!(world.registry.publications(&connection(1)).is_empty());
    assert_eq!(world.ok(close), Outcome::Unchanged);
}

#[test]
fn a_service_is_of_one_kind() {
    let mut world = World::new();
    let persistent = address("10.0.0.1:80", Kind::Persistent);
    world.ok(register(&connection(1), "e", vec![instance("10.0.0.1:80")]));
    let op = register(&persistent, "e", vec![instance("10.0.0.1:80")]);
    let clash = RegistryError::KindClash { service: service("e"), kind: Kind::Ephemeral };
    assert_eq!(world.registry.check(&op), Err(clash.clone()));
    assert_eq!(clash.code(), ErrorCode::KindClash);

    // Even after it emptied.
    world.ok(deregister(&connection(1), "e"));
    assert_eq!(world.registry.check(&op), Err(clash));

    world.ok(register(&persistent, "p", vec![instance("10.0.0.1:80")]));
    let clash = RegistryError::KindClash { service: service("p"), kind: Kind::Persistent };
    let op = register(&connection(1), "p", vec![instance("10.0.0.1:80")]);
    assert_eq!(world.apply(op.clone()), Err(clash.clone()));
    assert!(world.effects.is_empty());
    assert_eq!(world.apply(register(&connection(1), "p", vec![])), Err(clash));
    // Deregistering with the other kind is a success that does nothing.
    assert_eq!(world.ok(deregister(&address("10.0.0.1:80", Kind::Ephemeral), "p")), Outcome::Unchanged);
    assert_eq!(world.shown("p"), ["10.0.0.1:80@DEFAULT"]);
}

#[test]
fn the_kind_lives_as_long_as_the_empty_service() {
    let mut world = World::new();
    let persistent = address("10.0.0.1:80", Kind::Persistent);
    world.ok(register(&connection(1), "e", vec![instance("10.0.0.1:80")]));
    world.ok(deregister(&connection(1), "e"));
    world.pass(59_999);
    assert!(world.effects.is_empty());
    let old = world.view("e");
    assert!(old.is_current());
    let op = register(&persistent, "e", vec![instance("10.0.0.1:80")]);
    assert!(world.registry.check(&op).is_err());
    world.pass(1);
    assert_eq!(world.told(), ["forgotten e"]);
    assert!(!old.is_current());
    assert_eq!(world.registry.counts(), Counts::default());
    assert_eq!(world.registry.next_deadline(), None);
    assert_eq!(world.registry.check(&op), Ok(()));
    world.ok(op);
    assert!(world.view("e").last_ref_time > old.last_ref_time);
}

#[test]
fn a_service_in_use_again_does_not_expire() {
    let mut world = World::new();
    world.ok(register(&connection(1), "e", vec![instance("10.0.0.1:80")]));
    world.ok(deregister(&connection(1), "e"));
    world.pass(30_000);
    world.ok(register(&connection(1), "e", vec![instance("10.0.0.1:80")]));
    world.ok(deregister(&connection(1), "e"));
    world.pass(30_000);
    assert_eq!(world.registry.counts().services, 1);
    world.pass(29_999);
    assert_eq!(world.registry.counts().services, 1);
    world.pass(1);
    assert_eq!(world.registry.counts().services, 0);
}

#[test]
fn a_persistent_publication_is_kept_by_address_and_stored() {
    let mut world = World::new();
    let (one, two) = (address("10.0.0.1:80", Kind::Persistent), address("10.0.0.2:80", Kind::Persistent));
    let op = register(&one, "p", vec![instance("10.0.0.1:80")]);
    assert!(op.is_durable());
    world.ok(op);
    assert_eq!(world.rows().len(), 1);
    world.ok(register(&two, "p", vec![instance("10.0.0.2:80")]));
    world.ok(register(&one, "p", vec![instance("10.0.0.1:80@east")]));
    assert_eq!(world.shown("p"), ["10.0.0.2:80@DEFAULT", "10.0.0.1:80@east"]);
    let put = world.rows();
    world.ok(deregister(&one, "p"));
    let [delete] = &world.rows()[..] else { panic!("one row") };
    assert_eq!((delete.table, &delete.key, &delete.value), (Table::Instance, &put[0].key, &None));
    world.pass(600_000);
    assert_eq!(world.shown("p"), ["10.0.0.2:80@DEFAULT"]);
}

#[test]
fn ephemeral_and_persistent_clients_of_one_address_are_two() {
    let mut world = World::new();
    let (ephemeral, persistent) =
        (address("10.0.0.1:80", Kind::Ephemeral), address("10.0.0.1:80", Kind::Persistent));
    world.ok(register(&ephemeral, "e", vec![instance("10.0.0.1:80")]));
    world.ok(register(&persistent, "p", vec![instance("10.0.0.1:80")]));
    assert_eq!(world.registry.counts().clients, 2);
    assert_eq!(world.registry.publications(&ephemeral).len(), 1);
    assert_eq!(world.registry.publications(&ephemeral)[0].service, service("e"));
    assert_eq!(world.registry.publishers(&service("p"))[0].client, persistent);
}

#[test]
fn a_client_by_address_publishes_one_instance_there() {
    let mut world = World::new();
    for kind in [Kind::Ephemeral, Kind::Persistent] {
        let client = address("10.0.0.1:80", kind);
        for instances in
            [vec![instance("10.0.0.1:81")], vec![instance("10.0.0.1:80"), instance("10.0.0.1:80@b")]]
        {
            let op = register(&client, "s", instances);
            assert_eq!(world.registry.check(&op), Err(RegistryError::NotItsAddress));
            assert_eq!(world.apply(op), Err(RegistryError::NotItsAddress));
        }
    }
    assert_eq!(world.registry.counts(), Counts::default());
}

#[test]
fn limits_are_kept_and_named() {
    let limits = Limits {
        metadata_chars_max: 4,
        batch_instances_max: 2,
        publications_per_client_max: 1,
        ..Limits::default()
    };
    let mut world = World::with_limits(limits);
    let client = connection(1);
    let three = vec![instance("10.0.0.1:80"); 3];
    let refused = world.apply(register(&client, "s", three));
    assert_eq!(refused, Err(RegistryError::BatchTooLarge { count: 3, max: 2 }));
    let refused = world.apply(register(&client, "s", vec![with("10.0.0.1:80", &[("ab", "cde")])]));
    assert_eq!(refused, Err(RegistryError::MetadataTooLarge { size: 5, max: 4 }));
    assert_eq!(world.registry.counts(), Counts::default());

    world.ok(register(&client, "s", vec![with("10.0.0.1:80", &[("ab", "cd")])]));
    let refused = world.apply(register(&client, "t", vec![instance("10.0.0.1:80")]));
    assert_eq!(refused, Err(RegistryError::TooManyPublications { max: 1 }));
    assert_eq!(refused.unwrap_err().code(), ErrorCode::LimitExceeded);
    world.ok(register(&client, "s", vec![instance("10.0.0.2:80")]));

    // A durable op is held to them before it is proposed, and no more once it is in the log.
    let op =
        register(&address("10.0.0.1:80", Kind::Persistent), "p", vec![with("10.0.0.1:80", &[("ab", "cde")])]);
    let refused = world.registry.check(&op);
    assert_eq!(refused, Err(RegistryError::MetadataTooLarge { size: 5, max: 4 }));
    world.ok(op);
}

#[test]
fn an_impossible_timing_is_refused() {
    let mut world = World::new();
    let slow = with("10.0.0.1:80", &[("preserved.heart.beat.interval", "60000")]);
    let refused = world.apply(register(&connection(1), "s", vec![slow]));
    assert_eq!(refused, Err(RegistryError::Timing(TimingError)));
}

#[test]
fn last_ref_time_grows_with_every_change_even_in_one_millisecond() {
    let mut world = World::new();
    let absent = world.registry.absent(&service("s"), world.now);
    assert!(absent.hosts.is_empty() && !absent.is_current());
    let mut last = absent.last_ref_time;
    assert_eq!(last, world.now.wall.0);
    for _ in 0..3 {
        world.ok(register(&connection(1), "s", vec![instance("10.0.0.1:80")]));
        let view = world.view("s");
        assert!(view.last_ref_time > last);
        last = view.last_ref_time;
    }
    world.now.wall.0 -= 1_000;
    world.ok(deregister(&connection(1), "s"));
    assert_eq!(world.view("s").last_ref_time, last + 1);
}

#[test]
fn services_are_listed_in_order() {
    let mut world = World::new();
    for name in ["c", "a", "b"] {
        world.ok(register(&connection(1), name, vec![instance("10.0.0.1:80")]));
    }
    world.ok(deregister(&connection(1), "b"));
    let (namespace, group) = (Namespace::default(), GroupName::default());
    let names = |keys: &[ServiceKey]| keys.iter().map(|key| key.name().to_string()).collect::<Vec<_>>();
    let page = world.registry.list(&namespace, &group, 1, 5);
    assert_eq!((page.count, names(&page.items)), (3, vec!["b".into(), "c".into()]));
    assert_eq!(world.registry.list(&namespace, &group, 3, 5), Page { count: 3, items: vec![] });
    assert_eq!(world.registry.list(&namespace, &GroupName::new("g").unwrap(), 0, 5).count, 0);
    let visible: Vec<_> = world.registry.visible(&namespace).cloned().collect();
    assert_eq!(names(&visible), ["a", "c"]);
    let search = Search {
        namespace: &namespace,
        group: None,
        group_contains: "FAULT",
        name_contains: "",
        with_instances: true,
        offset: 1,
        limit: 1,
    };
    let page = world.registry.search(search);
    assert_eq!((page.count, page.items.len(), page.items[0].key.name().as_str()), (2, 1, "c"));
    let page =
        world.registry.search(Search { name_contains: "b", with_instances: false, offset: 0, ..search });
    assert_eq!((page.count, page.items[0].publications), (1, 0));
}

#[test]
fn last_ref_time_grows_across_removal_even_if_the_clock_goes_back() {
    let mut world = World::new();
    world.ok(register(&connection(1), "s", vec![instance("10.0.0.1:80")]));
    world.ok(deregister(&connection(1), "s"));
    let last = world.view("s").last_ref_time;
    world.pass(60_000);
    assert!(world.registry.parts(&service("s")).is_none());
    world.now.wall.0 -= 3_600_000;
    world.ok(register(&connection(1), "s", vec![instance("10.0.0.1:80")]));
    assert!(world.view("s").last_ref_time > last);
}
