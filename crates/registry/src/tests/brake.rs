//! The brake on mass expiry, by ops and time.

use super::*;
use std::{collections::BTreeSet, sync::Arc};

/// Registers `count` instances that beat every 5 s, each at its own moment.
fn beating(world: &mut World, count: u64) {
    for number in 0..count {
        world.ok(register(&client(number), "s", vec![instance(&place(number))]));
    }
    for _ in 0..2 {
        run(world, 15, 0..count);
    }
}

fn place(number: u64) -> String {
    format!("10.0.{}.{}:80", number / 250, number % 250)
}

fn client(number: u64) -> ClientId {
    address(&place(number), Kind::Ephemeral)
}

/// Lets seconds pass while these beat.
fn run(world: &mut World, secs: u64, alive: impl IntoIterator<Item = u64>) -> Vec<String> {
    let alive: BTreeSet<_> = alive.into_iter().collect();
    let mut told = Vec::new();
    for _ in 0..secs {
        world.pass(1_000);
        told.extend(
            world.told().into_iter().filter(|line| line.starts_with("brake") || line.contains("expiry")),
        );
        let second = world.now.mono.0 / 1_000;
        for number in alive.iter().filter(|number| (**number + second).is_multiple_of(5)) {
            world.ok(beat(&client(*number), "s", None));
        }
    }
    told
}

fn unhealthy(world: &World) -> usize {
    world.shown("s").iter().filter(|line| line.contains("unhealthy")).count()
}

fn report(world: &World) -> BrakeReport {
    let [report] = &world.registry.brakes(world.now.mono)[..] else { panic!("one brake") };
    report.clone()
}

fn release(world: &mut World) -> Outcome {
    world.ok(Op::ReleaseBrake {
        namespace: Namespace::default(),
        kind: LeaseKind::Beat,
        cause: cause(Reason::Operator),
    })
}

#[test]
fn a_lost_rack_is_held_and_its_return_releases_the_brake() {
    let mut world = World::new();
    beating(&mut world, 100);
    let told = run(&mut world, 120, 40..100);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].starts_with("expiry held 10.0.0."), "{told:?}");
    assert!(told[0].ends_with("beat missed"), "{told:?}");
    assert_eq!(told[1], "brake beat: engaged");
    assert_eq!((world.shown("s").len(), unhealthy(&world)), (100, 15));
    let now = report(&world);
    assert_eq!((now.leases, now.silent, now.held), (100, 40, 40));
    assert_eq!(now.rule, Some(BrakeRule::Share));
    assert_eq!(world.registry.brakes_summary(), BrakesSummary { engaged: 1, held: 40, engagements: 1 });
    // All but five return.
    let told = run(&mut world, 59, 5..100);
    assert!(told.is_empty(), "{told:?}");
    assert_eq!(world.shown("s").len(), 100);
    let told = run(&mut world, 6, 5..100);
    assert!(told[0].starts_with("expiry released 10.0.0."), "{told:?}");
    assert_eq!(told[1], "brake beat: renewals are back");
    assert_eq!((world.shown("s").len(), unhealthy(&world)), (95, 0));
    assert_eq!(report(&world).lost_last_minute, 5);
}

#[test]
fn the_smaller_side_of_a_partition_stays_listed() {
    let mut world = World::new();
    beating(&mut world, 300);
    run(&mut world, 600, 100..300);
    assert_eq!((world.shown("s").len(), unhealthy(&world)), (300, 45));
    run(&mut world, 5, 0..300);
    assert_eq!((world.shown("s").len(), unhealthy(&world)), (300, 0));
    run(&mut world, 61, 0..300);
    assert_eq!(report(&world).rule, None);
    assert_eq!(world.shown("s").len(), 300);
}

#[test]
fn the_larger_side_too() {
    let mut world = World::new();
    beating(&mut world, 300);
    run(&mut world, 600, 200..300);
    assert_eq!((world.shown("s").len(), unhealthy(&world)), (300, 45));
}

#[test]
fn slow_attrition_expires_as_ever() {
    let mut world = World::new();
    beating(&mut world, 1_000);
    for minute in 1..=10 {
        // Each minute 5 % of those that were there in the beginning go, all at once.
        let told = run(&mut world, 60, minute * 50..1_000);
        assert!(told.is_empty(), "{told:?}");
        assert_eq!(world.shown("s").len() as u64, 1_000 - minute * 50);
    }
}

#[test]
fn fifteen_percent_may_go_and_no_more() {
    let mut world = World::new();
    beating(&mut world, 100);
    assert!(run(&mut world, 40, 15..100).is_empty());
    assert_eq!(world.shown("s").len(), 85);
    // The next one within the minute is one too many; a minute later it is not.
    let told = run(&mut world, 16, 16..100);
    assert_eq!(told.last().map(String::as_str), Some("brake beat: engaged"), "{told:?}");
    run(&mut world, 90, 16..100);
    assert_eq!((world.shown("s").len(), report(&world).rule), (84, None));
}

#[test]
fn few_leases_of_beats_have_no_brake() {
    let mut world = World::new();
    beating(&mut world, 9);
    assert!(run(&mut world, 31, []).is_empty());
    assert_eq!(world.shown("s").len(), 0);
    assert!(world.registry.brakes(world.now.mono).is_empty());
}

#[test]
fn leaving_by_request_is_no_loss() {
    let mut world = World::new();
    beating(&mut world, 100);
    for number in 0..60 {
        world.ok(deregister(&client(number), "s"));
    }
    assert!(run(&mut world, 60, 60..100).is_empty());
    assert_eq!((world.shown("s").len(), report(&world).lost_last_minute), (40, 0));
}

#[test]
fn a_command_lets_go_what_ran_out() {
    let mut world = World::new();
    beating(&mut world, 100);
    assert_eq!(release(&mut world), Outcome::Unchanged);
    run(&mut world, 60, 40..100);
    assert_eq!(release(&mut world), Outcome::Done);
    assert_eq!(world.told()[1], "brake beat: released by command");
    assert_eq!(world.shown("s").len(), 100);
    assert!(run(&mut world, 1, 40..100).is_empty());
    assert_eq!(world.shown("s").len(), 60);
    // What fails a minute later is held again.
    run(&mut world, 60, 40..100);
    run(&mut world, 60, 60..100);
    assert_eq!((world.shown("s").len(), report(&world).rule), (60, Some(BrakeRule::Share)));
    assert_eq!(world.registry.brakes_summary().engagements, 2);
}

#[test]
fn half_an_hour_is_the_longest() {
    let mut world = World::new();
    beating(&mut world, 100);
    let told = run(&mut world, 20, 40..100);
    assert_eq!(told.last().unwrap(), "brake beat: engaged");
    assert!(run(&mut world, 1_790, 40..100).is_empty());
    assert_eq!(world.shown("s").len(), 100);
    let told = run(&mut world, 15, 40..100);
    assert!(told[0].ends_with("held too long"), "{told:?}");
    assert_eq!(told[1], "brake beat: held for 30 minutes");
    assert_eq!(world.shown("s").len(), 60);
    assert!(world.registry.brakes_summary().engaged == 0);
}

#[test]
fn a_held_lease_that_returns_can_run_out_again() {
    let mut world = World::new();
    beating(&mut world, 100);
    run(&mut world, 60, 40..100);
    run(&mut world, 70, 0..100);
    assert_eq!(report(&world).rule, None);
    assert!(run(&mut world, 40, 10..100).is_empty());
    assert_eq!(world.shown("s").len(), 90);
}

#[test]
fn a_held_lease_can_be_deregistered_and_registered_anew() {
    let mut world = World::new();
    beating(&mut world, 100);
    run(&mut world, 60, 40..100);
    for number in 0..20 {
        world.ok(deregister(&client(number), "s"));
        world.ok(register(&client(number), "s", vec![instance(&place(number))]));
    }
    let now = report(&world);
    assert_eq!((now.leases, now.silent, now.held), (100, 20, 20));
    for number in 20..40 {
        world.ok(register(&client(number), "s", vec![instance(&place(number))]));
    }
    let now = report(&world);
    assert_eq!((now.leases, now.silent, now.held), (100, 0, 0));
}

#[test]
fn so_few_left_that_a_share_means_nothing() {
    let mut world = World::new();
    beating(&mut world, 20);
    run(&mut world, 60, 8..20);
    assert_eq!(report(&world).rule, Some(BrakeRule::Share));
    for number in 8..20 {
        world.ok(deregister(&client(number), "s"));
    }
    let told = run(&mut world, 1, []);
    assert_eq!(told.last().unwrap(), "brake beat: fewer than ten leases are left");
    assert!(world.shown("s").is_empty());
}

#[test]
fn namespaces_have_brakes_of_their_own() {
    let mut world = World::new();
    beating(&mut world, 100);
    let namespace = Namespace::new("other").unwrap();
    let key = ServiceKey::new(namespace, GroupName::default(), ServiceName::new("s").unwrap());
    let mut op = register(&address("10.9.9.9:80", Kind::Ephemeral), "s", vec![instance("10.9.9.9:80")]);
    let Op::Register(register) = &mut op else { panic!("it registers") };
    register.service = key.clone();
    world.ok(op);
    run(&mut world, 31, 40..100);
    let places: Vec<_> =
        world.registry.brakes(world.now.mono).iter().map(|brake| brake.namespace.to_string()).collect();
    assert_eq!(places, ["public"]);
    assert!(world.registry.parts(&key).is_none_or(|parts| parts.build().hosts.is_empty()));
    assert_eq!(world.shown("s").len(), 100);
}

fn eureka_instance(number: u64) -> Arc<EurekaInstance> {
    let port = |enabled| EurekaPort { number: 80, enabled };
    Arc::new(EurekaInstance {
        app: "S".into(),
        instance_id: Some(format!("i-{number}").into()),
        host_name: "h".into(),
        ip_addr: place(number).split(':').next().unwrap().into(),
        sid: None,
        status: EurekaStatus::Up,
        port: port(true),
        secure_port: port(false),
        country_id: 1,
        data_center: DataCenter::MyOwn,
        lease: EurekaLease::default(),
        metadata: Metadata::default(),
        app_group: None,
        home_page_url: None,
        status_page_url: None,
        health_check_url: None,
        secure_health_check_url: None,
        vip_address: None,
        secure_vip_address: None,
        asg_name: None,
        last_dirty: 1,
    })
}

/// Registers Eureka clients that renew every 30 s, each at its own moment, and lets a minute pass.
fn renewing(world: &mut World, count: u64) {
    for number in 0..count {
        world.ok(Op::EurekaRegister(EurekaRegister {
            base: EurekaBase::default(),
            instance: eureka_instance(number),
            overridden: EurekaStatus::Unknown,
            replicated: false,
            origin: NodeId(1),
            cause: cause(Reason::Registered),
        }));
    }
    run_eureka(world, 65, 0..count);
}

/// Lets seconds pass while these renew; gives the second at which each number of UP instances was first seen.
fn run_eureka(world: &mut World, secs: u64, alive: std::ops::Range<u64>) -> Vec<(u64, usize, usize)> {
    let mut seen = Vec::new();
    for passed in 1..=secs {
        world.pass(1_000);
        let second = world.now.mono.0 / 1_000;
        for number in alive.clone().filter(|number| (number * 7 + second).is_multiple_of(30)) {
            let renew = Op::EurekaRenew(EurekaRenew {
                base: EurekaBase::default(),
                app: "S".into(),
                id: format!("i-{number}").into(),
                last_dirty: Some(1),
                overridden: EurekaStatus::Unknown,
                replicated: false,
                cause: cause(Reason::Registered),
            });
            assert!(matches!(world.ok(renew), Outcome::Renewed { .. }));
        }
        let now = (world.shown("s").len(), unhealthy(world));
        if seen.last().is_none_or(|(_, all, down)| (*all, *down) != now) {
            seen.push((passed, now.0, now.1));
        }
    }
    seen
}

#[test]
fn a_killed_eureka_client_is_down_in_90_s_and_gone_in_180() {
    let mut world = World::new();
    renewing(&mut world, 20);
    let seen = run_eureka(&mut world, 200, 1..20);
    let [(_, 20, 0), (down, 20, 1), (gone, 19, 0)] = seen[..] else { panic!("{seen:?}") };
    assert!(down <= 91 && down > 60, "{seen:?}");
    assert!(gone <= 181 && gone == down + 90, "{seen:?}");
    assert_eq!(world.registry.brakes_summary().engagements, 0);
}

#[test]
fn a_lost_rack_of_eureka_clients_is_held() {
    let mut world = World::new();
    renewing(&mut world, 100);
    run_eureka(&mut world, 600, 40..100);
    assert_eq!((world.shown("s").len(), unhealthy(&world)), (100, 15));
    let now = report(&world);
    assert_eq!((now.kind, now.rule, now.silent), (LeaseKind::Eureka, Some(BrakeRule::Share), 40));
    run_eureka(&mut world, 100, 0..100);
    assert_eq!((world.shown("s").len(), unhealthy(&world), report(&world).rule), (100, 0, None));
}

#[test]
fn eureka_clients_that_go_slowly_are_evicted() {
    let mut world = World::new();
    renewing(&mut world, 400);
    for minute in 1..=8 {
        run_eureka(&mut world, 60, minute * 20..400);
        assert_eq!(world.registry.brakes_summary().engagements, 0, "minute {minute}");
    }
    run_eureka(&mut world, 181, 160..400);
    assert_eq!(world.shown("s").len(), 240);
}

#[test]
fn the_last_eureka_client_of_two_keeps_the_other_listed() {
    let mut world = World::new();
    renewing(&mut world, 2);
    run_eureka(&mut world, 400, 1..2);
    assert_eq!((world.shown("s").len(), report(&world).rule), (2, Some(BrakeRule::EurekaRenewals)));
    world.registry.set_self_preservation(false);
    let op = Op::ReleaseBrake {
        namespace: Namespace::default(),
        kind: LeaseKind::Eureka,
        cause: cause(Reason::Operator),
    };
    world.ok(op);
    run_eureka(&mut world, 2, 1..2);
    assert_eq!(world.shown("s").len(), 1);
}
