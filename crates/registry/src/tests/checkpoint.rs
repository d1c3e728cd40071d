//! Taking ephemeral publications out and putting them back.

use super::*;
use crate::stored::VERSION;
use std::sync::Arc;

/// Everything ephemeral, page by page, through its bytes, in the order to restore it in.
fn taken(world: &World, max: usize) -> Vec<EphemeralPublication> {
    let (mut all, mut from) = (Vec::new(), Some(PageCursor::default()));
    while let Some(cursor) = from {
        let (page, next) = world.registry.ephemeral_page(cursor, max);
        assert!(page.len() <= max);
        all.extend(page);
        from = next;
    }
    all.sort_by_key(|publication| publication.sequence);
    for publication in &all {
        let mut expected = publication.clone();
        if let Some(facet) = &mut expected.facet {
            Arc::make_mut(&mut facet.shown).stamp = 0;
        }
        assert_eq!(EphemeralPublication::decode(&publication.encode()), Ok(expected));
    }
    all
}

/// A registry after a restart that has only what the other one's checkpoint has.
fn restarted(old: &World) -> World {
    let mut world = World::new();
    for publication in taken(old, 3) {
        world.effects.clear();
        world.registry.restore(publication, NodeId(1), world.now, &mut world.effects).unwrap();
    }
    world
}

fn beating(text: &str) -> ClientId {
    address(text, Kind::Ephemeral)
}

#[test]
fn everything_ephemeral_comes_back_and_nothing_else() {
    let mut world = World::new();
    world.ok(register(&address("10.0.9.9:80", Kind::Persistent), "p", vec![instance("10.0.9.9:80")]));
    for number in 0..40 {
        let service = format!("s{}", number % 7);
        let batch = (0..=number % 3).map(|port| with(&format!("10.0.0.{number}:{port}@c"), &[("k", "v")]));
        world.ok(register(&connection(number % 11), &service, batch.collect()));
        let text = format!("10.0.1.{number}:80");
        world.ok(register(&beating(&text), &service, vec![instance(&text)]));
    }
    world.ok(register(&connection(2), "s0", vec![instance("10.0.0.1:1"), instance("10.0.0.2:1@b")]));
    let after = restarted(&world);
    for number in 0..7 {
        let service = format!("s{number}");
        assert_eq!(after.shown(&service), world.shown(&service));
    }
    assert!(after.shown("p").is_empty());
    for max in [1, 2, 1_000] {
        assert_eq!(taken(&world, max), taken(&world, 3));
    }
    let (old, new) = (world.registry.counts(), after.registry.counts());
    assert_eq!((new.instances, new.publications), (old.instances - 1, old.publications - 1));
}

#[test]
fn the_newest_publication_of_an_address_still_shows() {
    let mut world = World::new();
    world.ok(register(&connection(1), "s", vec![with("10.0.0.1:80", &[("who", "old")])]));
    world.ok(register(&connection(2), "s", vec![with("10.0.0.1:80", &[("who", "new")])]));
    assert_eq!(restarted(&world).shown("s"), ["10.0.0.1:80@DEFAULT who=new"]);
}

#[test]
fn a_connection_s_instances_wait_half_a_minute() {
    let mut world = World::new();
    world.ok(register(&connection(1), "s", vec![instance("10.0.0.1:80"), instance("10.0.0.2:80")]));
    let mut world = restarted(&world);
    world.pass(29_999);
    assert!(world.effects.is_empty());
    world.pass(1);
    assert_eq!(world.told()[1..3], ["vanished s", "removed 10.0.0.1:80@DEFAULT in s 2: not confirmed"]);
    assert_eq!(world.registry.counts().publications, 0);
}

#[test]
fn a_registration_of_the_address_confirms_it() {
    let mut world = World::new();
    world.ok(register(&connection(1), "s", vec![instance("10.0.0.1:80"), instance("10.0.0.2:80")]));
    let mut world = restarted(&world);
    world.ok(register(&connection(1), "s", vec![instance("10.0.0.1:80")]));
    assert_eq!(world.told(), ["changed s 2 registered", "added 10.0.0.1:80@DEFAULT in s 2: registered"]);
    assert_eq!(world.shown("s").len(), 2);
    assert_eq!(world.registry.counts().instances, 2);
    // It is the new connection's alone: when that takes it back, it is gone.
    world.ok(deregister(&connection(1), "s"));
    assert_eq!(world.shown("s"), ["10.0.0.2:80@DEFAULT"]);
    world.ok(register(&connection(2), "s", vec![instance("10.0.0.2:80")]));
    world.pass(40_000);
    assert!(world.effects.is_empty(), "{:?}", world.told());
    assert_eq!(world.shown("s"), ["10.0.0.2:80@DEFAULT"]);
    assert_eq!(world.registry.counts().clients, 1);
}

#[test]
fn a_beat_confirms_and_silence_does_not() {
    let mut world = World::new();
    for text in ["10.0.0.1:80", "10.0.0.2:80"] {
        world.ok(register(&beating(text), "s", vec![instance(text)]));
    }
    world.pass(15_000);
    world.ok(beat(&beating("10.0.0.1:80"), "s", None));
    let mut world = restarted(&world);
    assert_eq!(world.shown("s"), ["10.0.0.1:80@DEFAULT", "10.0.0.2:80@DEFAULT unhealthy"]);
    world.pass(14_000);
    assert!(matches!(world.ok(beat(&beating("10.0.0.1:80"), "s", None)), Outcome::Renewed { .. }));
    world.pass(14_000);
    world.ok(beat(&beating("10.0.0.1:80"), "s", None));
    world.pass(2_000);
    assert_eq!(world.shown("s"), ["10.0.0.1:80@DEFAULT"]);
}

#[test]
fn a_short_lease_is_given_half_a_minute_once() {
    let pairs = [
        ("preserved.heart.beat.timeout", "2000"),
        ("preserved.ip.delete.timeout", "3000"),
        ("preserved.heart.beat.interval", "1000"),
    ];
    let mut world = World::new();
    for text in ["10.0.0.1:80", "10.0.0.2:80"] {
        world.ok(register(&beating(text), "s", vec![with(text, &pairs)]));
    }
    let mut world = restarted(&world);
    world.pass(1_000);
    world.ok(beat(&beating("10.0.0.1:80"), "s", None));
    world.pass(3_000);
    assert_eq!(world.shown("s").len(), 1, "it is a lease like any other again");
    world.pass(25_000);
    assert_eq!(world.shown("s").len(), 1);
    world.pass(1_000);
    assert!(world.shown("s").is_empty());
}

#[test]
fn a_long_lease_lasts_as_long_as_it_does() {
    let text = "10.0.0.1:80";
    let mut world = World::new();
    world.ok(register(&beating(text), "s", vec![with(text, &[("preserved.ip.delete.timeout", "120000")])]));
    let mut world = restarted(&world);
    world.pass(119_999);
    assert_eq!(world.shown("s").len(), 1);
    world.pass(1);
    assert!(world.shown("s").is_empty());
}

#[test]
fn a_service_that_is_persistent_by_now_takes_nothing_back() {
    let mut world = World::new();
    world.ok(register(&connection(1), "s", vec![instance("10.0.0.1:80")]));
    let [publication] = &taken(&world, 10)[..] else { panic!("one") };
    let mut world = World::new();
    world.ok(register(&address("10.0.0.2:80", Kind::Persistent), "s", vec![instance("10.0.0.2:80")]));
    let refused = world.registry.restore(publication.clone(), NodeId(1), world.now, &mut Vec::new());
    assert!(matches!(refused, Err(RegistryError::KindClash { .. })));
    assert_eq!(world.shown("s"), ["10.0.0.2:80@DEFAULT"]);
}

#[test]
fn whoever_registered_already_is_not_restored() {
    let text = "10.0.0.1:80";
    let mut world = World::new();
    world.ok(register(&beating(text), "s", vec![with(text, &[("a", "old")])]));
    let [publication] = &taken(&world, 10)[..] else { panic!("one") };
    let mut world = World::new();
    world.ok(register(&beating(text), "s", vec![with(text, &[("a", "new")])]));
    let outcome = world.registry.restore(publication.clone(), NodeId(1), world.now, &mut Vec::new());
    assert_eq!(outcome, Ok(Outcome::Unchanged));
    assert_eq!(world.shown("s"), ["10.0.0.1:80@DEFAULT a=new"]);
}

#[test]
fn a_restored_publication_is_in_the_next_checkpoint_too() {
    let mut world = World::new();
    world.ok(register(&connection(1), "s", vec![instance("10.0.0.1:80")]));
    let mut world = restarted(&world);
    world.ok(register(&connection(1), "s", vec![instance("10.0.0.2:80")]));
    assert_eq!(restarted(&restarted(&world)).shown("s").len(), 2);
}

#[test]
fn many_are_given_up_some_at_a_time() {
    let mut world = World::new();
    for number in 0..2_500 {
        world.ok(register(&connection(number), "s", vec![instance(&format!("10.0.0.1:{number}"))]));
    }
    let mut world = restarted(&world);
    world.pass(30_000);
    assert_eq!(world.shown("s").len(), 1_500);
    assert!(world.registry.next_deadline().unwrap() <= world.now.mono);
    world.pass(1);
    world.pass(1);
    assert!(world.shown("s").is_empty());
    world.pass(1);
    assert!(world.effects.is_empty());
}

#[test]
fn what_is_durable_is_cleared_and_what_is_ephemeral_stays() {
    let mut world = World::new();
    let text = "10.0.0.1:80";
    world.ok(register(&beating(text), "e", vec![instance(text)]));
    world.ok(register(&connection(1), "e", vec![instance("10.0.0.2:80")]));
    world.ok(register(&address("10.0.9.9:80", Kind::Persistent), "p", vec![instance("10.0.9.9:80")]));
    world.ok(Op::CreateService { service: service("c"), spec: spec(Kind::Persistent) });
    let change = OverrideChange::Merge(Override { enabled: Some(false), ..Override::default() });
    let instance = InstanceKey::of(&instance(text));
    world.ok(Op::Override { service: service("e"), instance, change, cause: cause(Reason::Operator) });
    let old = world.view("e");
    world.registry.clear_durable(world.now);
    assert!(!old.is_current());
    assert_eq!(world.shown("e"), ["10.0.0.1:80@DEFAULT", "10.0.0.2:80@DEFAULT"]);
    assert!(world.registry.parts(&service("p")).is_none() && world.registry.parts(&service("c")).is_none());
    assert_eq!(world.registry.counts().instances, 2);
    world.pass(30_000);
    assert_eq!(world.shown("e"), ["10.0.0.2:80@DEFAULT"], "its lease runs on");
    world.ok(Op::Close(Close { client: connection(1), cause: cause(Reason::ConnectionLost) }));
    assert_eq!(world.registry.counts().clients, 0);
}

#[test]
fn a_newer_record_is_refused_by_name() {
    let mut world = World::new();
    world.ok(register(&connection(1), "s", vec![instance("10.0.0.1:80")]));
    let mut bytes = taken(&world, 10)[0].encode().to_vec();
    bytes[0] = VERSION + 1;
    let error = EphemeralPublication::decode(&bytes).unwrap_err();
    assert!(error.to_string().contains("version"), "{error}");
}

fn eureka(app: &str, id: &str) -> Arc<EurekaInstance> {
    let text = |text: &str| Some(Arc::from(text));
    Arc::new(EurekaInstance {
        app: app.into(),
        instance_id: text(id),
        host_name: "h.example".into(),
        ip_addr: "10.0.0.1".into(),
        sid: text("na"),
        status: EurekaStatus::Up,
        port: EurekaPort { number: 8080, enabled: true },
        secure_port: EurekaPort { number: 443, enabled: false },
        country_id: 1,
        data_center: DataCenter::Amazon(Metadata::new([("instance-id", "i-1")])),
        lease: EurekaLease { renewal_secs: 3, duration_secs: 20 },
        metadata: Metadata::new([("zone", "z1"), ("k", "v")]),
        app_group: text("G"),
        home_page_url: text("http://h/"),
        status_page_url: None,
        health_check_url: text("http://h/health"),
        secure_health_check_url: None,
        vip_address: text("orders"),
        secure_vip_address: text("s-orders"),
        asg_name: None,
        last_dirty: 1_700_000_000_123,
    })
}

fn register_eureka(world: &mut World, instance: &Arc<EurekaInstance>) {
    world.ok(Op::EurekaRegister(EurekaRegister {
        base: EurekaBase::default(),
        instance: instance.clone(),
        overridden: EurekaStatus::Unknown,
        replicated: false,
        origin: NodeId(1),
        cause: cause(Reason::Registered),
    }));
}

fn renew_eureka(world: &mut World, id: &str) -> Outcome {
    world.ok(Op::EurekaRenew(EurekaRenew {
        base: EurekaBase::default(),
        app: "ORDERS".into(),
        id: id.into(),
        last_dirty: Some(1_700_000_000_123),
        overridden: EurekaStatus::Unknown,
        replicated: false,
        cause: cause(Reason::Registered),
    }))
}

fn shown_eureka(world: &mut World) -> Vec<EurekaShown> {
    let changes = world.registry.eureka_changes(&EurekaBase::default());
    let apps = changes.apps.into_iter().filter_map(|(_, parts)| parts?.build(None));
    apps.flat_map(|app| app.instances.into_iter())
        .map(|shown| EurekaShown { stamp: 0, ..(*shown).clone() })
        .collect()
}

#[test]
fn eureka_registrations_come_back_as_they_were() {
    let mut world = World::new();
    world.registry.set_self_preservation(false);
    register_eureka(&mut world, &eureka("ORDERS", "one"));
    register_eureka(&mut world, &eureka("ORDERS", "two"));
    register_eureka(&mut world, &eureka("ORDERS", "three"));
    world.pass(1_000);
    renew_eureka(&mut world, "one");
    renew_eureka(&mut world, "two");
    world.pass(19_000);
    renew_eureka(&mut world, "one");
    world.pass(1_500);
    let mut after = restarted(&world);
    after.registry.set_self_preservation(false);
    let (old, new) = (shown_eureka(&mut world), shown_eureka(&mut after));
    assert_eq!(new, old);
    let statuses: Vec<_> = new.iter().map(|shown| (&**shown.id(), shown.status)).collect();
    assert_eq!(statuses, [("one", EurekaStatus::Up), ("two", EurekaStatus::Down)]);
    assert_eq!(after.shown("orders"), world.shown("orders"));
    assert!(matches!(renew_eureka(&mut after, "two"), Outcome::Renewed { .. }));
    assert!(shown_eureka(&mut after).iter().all(|shown| shown.status == EurekaStatus::Up));
    // One was renewed before, so it has two of its leases from the restart.
    for _ in 0..39 {
        after.pass(1_000);
        renew_eureka(&mut after, "two");
    }
    let statuses: Vec<_> = shown_eureka(&mut after).iter().map(|shown| shown.status).collect();
    assert_eq!(statuses, [EurekaStatus::Down, EurekaStatus::Up]);
    after.pass(1_000);
    assert_eq!(shown_eureka(&mut after).len(), 1);
}

#[test]
fn an_eureka_lease_never_renewed_has_half_a_minute() {
    let mut world = World::new();
    world.registry.set_self_preservation(false);
    register_eureka(&mut world, &eureka("ORDERS", "one"));
    let mut world = restarted(&world);
    world.registry.set_self_preservation(false);
    world.pass(29_999);
    assert_eq!(shown_eureka(&mut world).len(), 1);
    world.pass(1);
    assert!(shown_eureka(&mut world).is_empty());
}
