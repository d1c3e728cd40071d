use super::*;

fn client() -> ClientId {
    address("10.0.0.1:80", Kind::Ephemeral)
}

fn timing(interval: &str, beat: &str, delete: &str) -> Instance {
    let pairs = [
        ("preserved.heart.beat.interval", interval),
        ("preserved.heart.beat.timeout", beat),
        ("preserved.ip.delete.timeout", delete),
    ];
    with("10.0.0.1:80", &pairs)
}

#[test]
fn silence_is_unhealthy_and_then_removal() {
    let mut world = World::new();
    world.ok(register(&client(), "s", vec![instance("10.0.0.1:80")]));
    assert_eq!(world.registry.next_deadline(), Some(world.now.mono.plus(15_000)));
    world.pass(14_999);
    assert!(world.effects.is_empty());
    world.pass(1);
    assert_eq!(
        world.told(),
        ["changed s 2 beat missed", "unhealthy 10.0.0.1:80@DEFAULT in s 2: beat missed"]
    );
    assert_eq!(world.shown("s"), ["10.0.0.1:80@DEFAULT unhealthy"]);
    world.pass(14_999);
    assert!(world.effects.is_empty());
    world.pass(1);
    assert_eq!(
        world.told(),
        ["changed s 3 beat missed", "vanished s", "removed 10.0.0.1:80@DEFAULT in s 3: beat missed"]
    );
    assert_eq!(world.registry.counts().clients, 0);
}

#[test]
fn beats_keep_it_and_bring_it_back() {
    let mut world = World::new();
    world.ok(register(&client(), "s", vec![instance("10.0.0.1:80")]));
    for _ in 0..10 {
        world.pass(14_000);
        assert!(world.effects.is_empty());
        let outcome = world.ok(beat(&client(), "s", None));
        assert_eq!(outcome, Outcome::Renewed { interval_ms: 5_000 });
        assert!(world.effects.is_empty());
    }
    world.pass(15_000);
    assert_eq!(world.shown("s"), ["10.0.0.1:80@DEFAULT unhealthy"]);
    world.ok(beat(&client(), "s", None));
    assert_eq!(
        world.told(),
        ["changed s 3 beat returned", "healthy 10.0.0.1:80@DEFAULT in s 3: beat returned"]
    );
    world.pass(14_999);
    assert!(world.effects.is_empty());
    world.pass(1);
    assert_eq!(world.shown("s"), ["10.0.0.1:80@DEFAULT unhealthy"]);
}

#[test]
fn a_returned_beat_is_looked_at_before_the_old_removal_time() {
    let mut world = World::new();
    world.ok(register(&client(), "s", vec![timing("1000", "2000", "100000")]));
    world.pass(2_000);
    assert!(!world.effects.is_empty());
    world.ok(beat(&client(), "s", None));
    world.pass(2_000);
    assert_eq!(world.told()[0], "changed s 4 beat missed");
}

#[test]
fn a_full_beat_registers_the_unknown_and_changes_nothing_known() {
    let mut world = World::new();
    assert_eq!(world.ok(beat(&client(), "s", None)), Outcome::UnknownInstance);
    assert!(world.registry.parts(&service("s")).is_none());
    let full = with("10.0.0.1:80", &[("preserved.heart.beat.interval", "2000")]);
    let outcome = world.ok(beat(&client(), "s", Some(full)));
    assert_eq!(outcome, Outcome::Registered { interval_ms: 2_000 });
    assert_eq!(world.told()[..2], ["changed s 1 registered", "appeared s"]);
    let outcome = world.ok(beat(&client(), "s", Some(with("10.0.0.1:80", &[("a", "changed")]))));
    assert_eq!(outcome, Outcome::Renewed { interval_ms: 2_000 });
    assert!(world.effects.is_empty());
    assert_eq!(world.shown("s"), ["10.0.0.1:80@DEFAULT preserved.heart.beat.interval=2000"]);
}

#[test]
fn beats_for_a_persistent_service() {
    let mut world = World::new();
    let persistent = address("10.0.0.1:80", Kind::Persistent);
    world.ok(register(&persistent, "p", vec![instance("10.0.0.1:80")]));
    assert_eq!(world.ok(beat(&client(), "p", None)), Outcome::UnknownInstance);
    let refused = world.apply(beat(&client(), "p", Some(instance("10.0.0.1:80"))));
    let clash = RegistryError::KindClash { service: service("p"), kind: Kind::Persistent };
    assert_eq!(refused, Err(clash));
    // And from a client that does not beat at all.
    assert_eq!(world.ok(beat(&persistent, "p", None)), Outcome::UnknownInstance);
    assert_eq!(world.ok(beat(&connection(1), "e", Some(instance("10.0.0.1:80")))), Outcome::UnknownInstance);
}

#[test]
fn the_instance_s_own_timing_counts_and_registering_anew_changes_it() {
    let mut world = World::new();
    world.ok(register(&client(), "s", vec![timing("1000", "2000", "3000")]));
    assert_eq!(world.ok(beat(&client(), "s", None)), Outcome::Renewed { interval_ms: 1_000 });
    world.pass(2_000);
    assert_eq!(world.told()[0], "changed s 2 beat missed");
    world.ok(register(&client(), "s", vec![timing("1000", "60000", "90000")]));
    world.pass(59_999);
    assert!(world.effects.is_empty());
    world.ok(register(&client(), "s", vec![timing("10", "20", "20")]));
    world.pass(20);
    assert_eq!(world.told()[..2], ["changed s 5 beat missed", "vanished s"]);
}

#[test]
fn a_connection_s_instance_has_no_beat_lease() {
    let mut world = World::new();
    world.ok(register(&connection(1), "s", vec![timing("10", "20", "30")]));
    assert_eq!(world.registry.next_deadline(), None);
    world.pass(1_000_000);
    assert!(world.effects.is_empty());
}

#[test]
fn the_beat_check_can_be_switched_off_by_metadata() {
    let mut world = World::new();
    let off: &[(&str, &str)] = &[("enableClientBeat", "true")];
    world.ok(register(&client(), "s", vec![with("10.0.0.1:80", off)]));
    world.pass(100_000);
    assert!(world.effects.is_empty());
    world.ok(register(&client(), "s", vec![instance("10.0.0.1:80")]));
    let change = OverrideChange::Merge(Override {
        metadata: Metadata::new(off.iter().copied()),
        ..Override::default()
    });
    let instance = InstanceKey::of(&instance("10.0.0.1:80"));
    let op = |change| Op::Override {
        service: service("s"),
        instance: instance.clone(),
        change,
        cause: cause(Reason::Operator),
    };
    world.ok(op(change));
    world.pass(100_000);
    assert!(world.effects.is_empty());
    world.ok(op(OverrideChange::Clear));
    world.pass(15_000);
    assert_eq!(world.told()[0], "changed s 5 beat missed");
}

#[test]
fn deadlines_of_leases_that_are_gone_do_not_pile_up() {
    let mut world = World::new();
    for _ in 0..10_000 {
        world.ok(register(&client(), "s", vec![timing("1000", "86400000", "86400000")]));
        world.ok(deregister(&client(), "s"));
    }
    assert!(world.registry.leases.deadlines() < 100, "{}", world.registry.leases.deadlines());
}

#[test]
fn a_place_that_is_used_again_is_not_expired_by_its_old_deadline() {
    let mut world = World::new();
    world.ok(register(&client(), "s", vec![timing("10", "20", "20")]));
    world.ok(deregister(&client(), "s"));
    world.ok(register(&client(), "s", vec![instance("10.0.0.1:80")]));
    world.pass(100);
    assert!(world.effects.is_empty());
    assert_eq!(world.shown("s").len(), 1);
}

#[test]
fn health_set_by_hand_lasts_until_the_missing_beats_are_looked_at() {
    let mut world = World::new();
    world.ok(register(&client(), "s", vec![timing("1000", "2000", "100000")]));
    world.pass(2_000);
    let set =
        SetHealth { client: client(), service: service("s"), healthy: true, cause: cause(Reason::Operator) };
    world.ok(Op::SetHealth(set));
    assert_eq!(world.shown("s").len(), 1);
    assert_eq!(world.told()[0], "changed s 3 operator");
    world.pass(1);
    assert_eq!(world.told()[0], "changed s 4 beat missed");
}
