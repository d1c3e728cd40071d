//! Operators' statuses, the two facets of one instance, and what Nacos registrations look like to Eureka clients.

use super::{eureka::*, *};
use std::sync::Arc;

fn over(text: &str, change: OverrideChange) -> Op {
    let instance = InstanceKey::of(&instance(text));
    Op::Override { service: service("order"), instance, change, cause: cause(Reason::Operator) }
}

fn enabled(enabled: bool) -> OverrideChange {
    OverrideChange::Merge(Override { enabled: Some(enabled), ..Override::default() })
}

/// Whether the one host shown to Nacos clients is enabled, and healthy.
fn nacos(world: &World) -> (bool, bool) {
    let view = world.view("order");
    assert_eq!(view.hosts.len(), 1);
    (view.hosts[0].enabled, view.hosts[0].healthy)
}

/// Recording status-override.
#[test]
fn an_override_holds_in_both_views_until_it_is_lifted() {
    let (mut world, mut viewer) = (World::new(), Viewer::new());
    world.ok(eureka_register(declared("ORDER", "a", 100)));
    world.pass(1_000);
    let lift = status(&world, "ORDER", "a", StatusChange::default());
    assert_eq!(world.ok(lift.clone()), Outcome::Unchanged, "none to lift");
    world.ok(status(
        &world,
        "ORDER",
        "a",
        StatusChange { last_dirty: Some(150), ..set(EurekaStatus::OutOfService) },
    ));
    assert_eq!(
        world.told(),
        ["changed order 2 operator", "updated 10.0.0.5:8080@DEFAULT in order 2: operator"]
    );
    let shown = viewer.shown(&mut world, "ORDER", "a").unwrap();
    assert_eq!((shown.status, shown.overridden), (EurekaStatus::OutOfService, EurekaStatus::OutOfService));
    assert_eq!((shown.action, shown.last_dirty), (EurekaAction::Modified, 150));
    assert_eq!(shown.times.updated, world.now.wall);
    assert_eq!(nacos(&world), (false, true));
    world.ok(renewal("ORDER", "a", Some(100), false));
    // Registering anew does not lift it, nor does another address.
    let moved = EurekaInstance { ip_addr: "10.0.0.6".into(), ..declared("ORDER", "a", 300) };
    world.ok(eureka_register(moved));
    assert_eq!(viewer.lines(&mut world), ["ORDER/a OUT_OF_SERVICE overridden OUT_OF_SERVICE"]);
    assert_eq!(nacos(&world), (false, true));
    world.ok(cancel("ORDER", "a"));
    assert_eq!(world.registry.orphaned_overrides().len(), 1);
    world.ok(eureka_register(declared("ORDER", "a", 400)));
    assert_eq!(world.registry.orphaned_overrides(), []);
    assert_eq!(viewer.lines(&mut world), ["ORDER/a OUT_OF_SERVICE overridden OUT_OF_SERVICE"]);
    world.ok(lift);
    assert_eq!(viewer.lines(&mut world), ["ORDER/a UP"]);
    assert_eq!(nacos(&world), (true, true));
    assert_eq!(world.rows().len(), 1);
    assert_eq!(world.rows()[0].value, None, "no empty record stays");
}

#[test]
fn the_operator_is_first_then_the_client_then_the_lease() {
    use EurekaStatus::*;
    let (mut world, mut viewer) = (World::new(), Viewer::new());
    world.registry.set_self_preservation(false);
    world.ok(eureka_register(EurekaInstance { status: Down, ..declared("ORDER", "a", 1) }));
    world.ok(renewal("ORDER", "a", None, false));
    for (says, expected) in [(Up, (true, true)), (Starting, (true, false)), (OutOfService, (false, false))] {
        world.ok(status(&world, "ORDER", "a", set(says)));
        let shown = viewer.shown(&mut world, "ORDER", "a").unwrap();
        assert_eq!((shown.status, shown.overridden), (says, says));
        assert_eq!(nacos(&world), expected);
    }
    world.ok(status(&world, "ORDER", "a", StatusChange::default()));
    assert_eq!(viewer.lines(&mut world), ["ORDER/a DOWN"], "what the client declared, and nothing else");
    world.ok(eureka_register(declared("ORDER", "a", 2)));
    world.ok(renewal("ORDER", "a", None, false));
    world.ok(status(&world, "ORDER", "a", set(Up)));
    world.pass(90_000);
    assert_eq!(viewer.lines(&mut world), ["ORDER/a UP overridden UP"]);
    world.ok(status(&world, "ORDER", "a", StatusChange::default()));
    assert_eq!(viewer.lines(&mut world), ["ORDER/a DOWN"], "the lease is over");
}

#[test]
fn what_an_operator_said_last_holds_over_either_protocol() {
    let (mut world, mut viewer) = (World::new(), Viewer::new());
    world.ok(eureka_register(declared("ORDER", "a", 1)));
    world.ok(over("10.0.0.5:8080", enabled(false)));
    assert_eq!(viewer.lines(&mut world), ["ORDER/a OUT_OF_SERVICE overridden OUT_OF_SERVICE"]);
    world.ok(status(&world, "ORDER", "a", StatusChange::default()));
    assert_eq!(viewer.lines(&mut world), ["ORDER/a UP"], "lifted over Eureka");
    assert_eq!(nacos(&world), (true, true));
    world.ok(status(&world, "ORDER", "a", set(EurekaStatus::OutOfService)));
    world.ok(over("10.0.0.5:8080", enabled(true)));
    assert_eq!(viewer.lines(&mut world), ["ORDER/a UP"], "lifted over Nacos");
    assert_eq!(nacos(&world), (true, true));
    world.ok(over("10.0.0.5:8080", enabled(false)));
    world.ok(status(&world, "ORDER", "a", set(EurekaStatus::Up)));
    assert_eq!(viewer.lines(&mut world), ["ORDER/a UP overridden UP"]);
    // The rows say the same after a restart.
    let mut rows = stored::Rows::new();
    let mut again = World::new();
    again.ok(eureka_register(declared("ORDER", "a", 1)));
    for op in [
        over("10.0.0.5:8080", enabled(false)),
        status(&again, "ORDER", "a", set(EurekaStatus::OutOfService)),
        over("10.0.0.5:8080", enabled(true)),
        status(&again, "ORDER", "a", set(EurekaStatus::Starting)),
    ] {
        again.ok(op);
        stored::write(&mut rows, again.rows());
    }
    let registry = stored::loaded(&rows, again.now);
    let mut restarted = World { registry, ..World::new() };
    restarted.ok(eureka_register(declared("ORDER", "a", 1)));
    assert_eq!(Viewer::new().lines(&mut restarted), ["ORDER/a STARTING overridden STARTING"]);
    assert_eq!(restarted.shown("order"), again.shown("order"));
}

#[test]
fn equal_ids_of_two_applications_share_nothing() {
    let (mut world, mut viewer) = (World::new(), Viewer::new());
    for app in ["ORDER", "PAY"] {
        world.ok(eureka_register(declared(app, "a", 1)));
    }
    world.ok(status(&world, "ORDER", "a", set(EurekaStatus::Down)));
    assert_eq!(viewer.lines(&mut world), ["ORDER/a DOWN overridden DOWN", "PAY/a UP"]);
    world.ok(cancel("ORDER", "a"));
    assert_eq!(world.ok(renewal("PAY", "a", None, false)), Outcome::Renewed { interval_ms: 30_000 });
}

#[test]
fn a_peer_s_status_shows_at_once_and_is_proposed() {
    let (mut world, mut viewer) = (World::new(), Viewer::new());
    world.ok(registration(declared("ORDER", "a", 1), EurekaStatus::OutOfService, true));
    assert!(
        world.told().contains(&"propose Some(OutOfService) of Some(\"a\")".to_owned()),
        "{:?}",
        world.told()
    );
    assert!(world.rows().is_empty());
    assert_eq!(viewer.lines(&mut world), ["ORDER/a OUT_OF_SERVICE overridden OUT_OF_SERVICE"]);
    assert_eq!(nacos(&world), (false, true));
    // What it declares again brings nothing new.
    world.ok(registration(declared("ORDER", "a", 1), EurekaStatus::Down, true));
    assert_eq!(viewer.lines(&mut world), ["ORDER/a OUT_OF_SERVICE overridden OUT_OF_SERVICE"]);
    let lifted = |world: &World| {
        let target = world.registry.eureka_target(&EurekaBase::default(), "ORDER", "a");
        let (service, instance) = target.unwrap();
        Op::EurekaStatus(EurekaStatusChange {
            service,
            instance,
            change: StatusChange::default(),
            cause: cause(Reason::Operator),
        })
    };
    // The log has the first by now, and what it says of it is the same.
    world.ok(status(&world, "ORDER", "a", set(EurekaStatus::OutOfService)));
    assert_eq!(world.rows().len(), 1);
    assert_eq!(viewer.lines(&mut world), ["ORDER/a OUT_OF_SERVICE overridden OUT_OF_SERVICE"]);
    world.ok(lifted(&world));
    assert!(world.told().contains(&"propose None of Some(\"a\")".to_owned()));
    assert_eq!(viewer.lines(&mut world), ["ORDER/a UP"]);
    world.ok(status(&world, "ORDER", "a", StatusChange::default()));
    assert_eq!(viewer.lines(&mut world), ["ORDER/a UP"]);
    assert_eq!(world.ok(lifted(&world)), Outcome::Unchanged);
}

#[test]
fn what_comes_through_the_log_late_undoes_nothing_newer() {
    let (mut world, mut viewer) = (World::new(), Viewer::new());
    world.ok(registration(declared("ORDER", "a", 1), EurekaStatus::Unknown, true));
    let (service, instance) = world.registry.eureka_target(&EurekaBase::default(), "ORDER", "a").unwrap();
    let said = |change| {
        let (service, instance) = (service.clone(), instance.clone());
        Op::EurekaStatus(EurekaStatusChange { service, instance, change, cause: cause(Reason::Operator) })
    };
    let out = ["ORDER/a OUT_OF_SERVICE overridden OUT_OF_SERVICE"];
    world.ok(said(set(EurekaStatus::OutOfService)));
    world.ok(said(StatusChange::default()));
    world.ok(said(set(EurekaStatus::OutOfService)));
    assert_eq!(viewer.lines(&mut world), out);
    // The second of the three is in the log now, the third is on its way.
    world.ok(status(&world, "ORDER", "a", StatusChange::default()));
    assert_eq!(viewer.lines(&mut world), out);
    world.ok(status(&world, "ORDER", "a", set(EurekaStatus::OutOfService)));
    assert_eq!(viewer.lines(&mut world), out);
    // An operator's change goes through the log alone, and is newer than what a peer said before it.
    world.ok(said(set(EurekaStatus::Down)));
    world.registry.supersede_provisional(&service, &instance);
    assert_eq!(viewer.lines(&mut world), ["ORDER/a DOWN overridden DOWN"]);
    world.ok(status(&world, "ORDER", "a", StatusChange::default()));
    assert_eq!(viewer.lines(&mut world), ["ORDER/a UP"]);
}

#[test]
fn where_a_peer_gave_no_status_but_the_override_its_fallback_counts() {
    let (mut world, mut viewer) = (World::new(), Viewer::new());
    let overridden = EurekaInstance { status: EurekaStatus::OutOfService, ..declared("ORDER", "a", 1) };
    world.ok(registration(overridden.clone(), EurekaStatus::OutOfService, true));
    let (service, instance) = world.registry.eureka_target(&EurekaBase::default(), "ORDER", "a").unwrap();
    world.registry.supersede_provisional(&service, &instance);
    world.ok(status(
        &world,
        "ORDER",
        "a",
        StatusChange { fallback: Some(EurekaStatus::Up), ..StatusChange::default() },
    ));
    assert_eq!(viewer.lines(&mut world), ["ORDER/a UP"]);
    assert_eq!(nacos(&world), (true, true));
    world.ok(eureka_register(overridden));
    world.ok(status(&world, "ORDER", "a", set(EurekaStatus::Down)));
    world.ok(status(
        &world,
        "ORDER",
        "a",
        StatusChange { fallback: Some(EurekaStatus::Up), ..StatusChange::default() },
    ));
    assert_eq!(viewer.lines(&mut world), ["ORDER/a OUT_OF_SERVICE"], "what the client declares goes before");
}

#[test]
fn what_registered_twice_is_one_in_each_view() {
    let (mut world, mut viewer) = (World::new(), Viewer::new());
    world.registry.set_self_preservation(false);
    let own = address("10.0.0.5:8080", Kind::Ephemeral);
    world.ok(eureka_register(declared("ORDER", "a", 1)));
    world.ok(renewal("ORDER", "a", None, false));
    world.ok(register(&own, "order", vec![with("10.0.0.5:8080@east", &[("k", "v")])]));
    assert_eq!(world.shown("order"), ["10.0.0.5:8080@east k=v"], "Nacos clients see the Nacos registration");
    assert_eq!(viewer.lines(&mut world), ["ORDER/a UP"], "and Eureka clients the other");
    // Out of one is out of both.
    world.ok(eureka_register(EurekaInstance {
        status: EurekaStatus::OutOfService,
        ..declared("ORDER", "a", 2)
    }));
    assert_eq!(world.shown("order"), ["10.0.0.5:8080@east disabled k=v"]);
    world.ok(eureka_register(declared("ORDER", "a", 3)));
    world.ok(register(&own, "order", vec![Instance { enabled: false, ..instance("10.0.0.5:8080@east") }]));
    assert_eq!(viewer.lines(&mut world), ["ORDER/a OUT_OF_SERVICE"]);
    world.ok(register(&own, "order", vec![instance("10.0.0.5:8080@east")]));
    assert_eq!(viewer.lines(&mut world), ["ORDER/a UP"]);
    world.ok(status(&world, "ORDER", "a", set(EurekaStatus::OutOfService)));
    assert_eq!(world.shown("order"), ["10.0.0.5:8080@east disabled"]);
    world.ok(status(&world, "ORDER", "a", StatusChange::default()));
    // It lives while it is renewed over either.
    world.ok(renewal("ORDER", "a", None, false));
    for _ in 0..9 {
        world.pass(10_000);
        world.ok(beat(&own, "order", None));
    }
    assert_eq!(viewer.lines(&mut world), ["ORDER/a UP"], "its beats keep it");
    for _ in 0..9 {
        world.pass(10_000);
        world.ok(beat(&own, "order", None));
    }
    assert_eq!(viewer.lines(&mut world), ["ORDER/10.0.0.5:order:8080:east UP derived"]);
    // A second host at the address, in another cluster: now nothing tells which of the two it is.
    world.ok(eureka_register(declared("ORDER", "a", 1)));
    world.ok(register(&connection(1), "order", vec![instance("10.0.0.5:8080@west")]));
    assert_eq!(world.shown("order").len(), 3);
    assert_eq!(viewer.lines(&mut world).len(), 3);
}

#[test]
fn of_two_at_one_address_nacos_clients_see_the_one_that_changed_last() {
    let (mut world, mut viewer) = (World::new(), Viewer::new());
    let with = |id: &str, dirty| EurekaInstance {
        metadata: Metadata::new([("id", id)]),
        ..declared("ORDER", id, dirty)
    };
    world.ok(eureka_register(with("a", 200)));
    world.ok(eureka_register(with("b", 100)));
    assert_eq!(viewer.lines(&mut world), ["ORDER/a UP", "ORDER/b UP"]);
    assert_eq!(world.view("order").hosts.len(), 1);
    assert_eq!(world.view("order").hosts[0].metadata.get("id"), Some("a"));
    world.ok(eureka_register(with("b", 300)));
    assert_eq!(world.view("order").hosts[0].metadata.get("id"), Some("b"));
    world.ok(status(&world, "ORDER", "b", set(EurekaStatus::OutOfService)));
    assert_eq!(
        viewer.lines(&mut world),
        ["ORDER/a UP", "ORDER/b OUT_OF_SERVICE overridden OUT_OF_SERVICE"],
        "each has its own override"
    );
}

#[test]
fn protection_lifts_only_what_its_lease_made_unhealthy() {
    let (mut world, mut viewer) = (World::new(), Viewer::new());
    world.registry.set_self_preservation(false);
    let protected = ServiceSpec { protection: Threshold::new(0.5).unwrap(), ..spec(Kind::Ephemeral) };
    world.ok(Op::CreateService { service: service("order"), spec: protected });
    let at = |id: &str, status| EurekaInstance {
        status,
        ip_addr: format!("10.0.1.{}", id.as_bytes()[0] - 96).into(),
        ..declared("ORDER", id, 1)
    };
    for (id, status) in [("a", EurekaStatus::Up), ("b", EurekaStatus::Up), ("c", EurekaStatus::Down)] {
        world.ok(eureka_register(at(id, status)));
        world.ok(renewal("ORDER", id, None, false));
    }
    world.ok(eureka_register(at("d", EurekaStatus::Up)));
    world.ok(renewal("ORDER", "d", None, false));
    world.ok(status(&world, "ORDER", "d", set(EurekaStatus::Down)));
    let selection = |world: &World| {
        let view = world.view("order");
        let selection = view.select(Filter::default());
        let shown = selection.hosts.iter().map(|host| selection.shows_healthy(host));
        (selection.protected, shown.collect::<Vec<_>>())
    };
    assert_eq!(selection(&world), (false, vec![true, true, false, false]), "two of two are healthy");
    world.pass(60_000);
    world.ok(renewal("ORDER", "a", None, false));
    world.pass(30_000);
    // One of two: those that declared or were set DOWN count on no side.
    assert_eq!(selection(&world), (true, vec![true, true, false, false]));
    assert_eq!(
        viewer.lines(&mut world),
        ["ORDER/a UP", "ORDER/b UP", "ORDER/c DOWN", "ORDER/d DOWN overridden DOWN"]
    );
}

#[test]
fn nacos_registrations_are_shown_to_eureka_clients() {
    let (mut world, mut viewer) = (World::new(), Viewer::new());
    let secure =
        [("secure", "true"), ("hostName", "h2.example"), ("preserved.register.source", "SPRING_CLOUD")];
    world.ok(register(
        &connection(1),
        "Order",
        vec![
            with("10.0.0.1:80", &[("management.port", "9090"), ("management.context-path", "/m/")]),
            with("10.0.0.2:8443@east", &secure),
            Instance { enabled: false, ..instance("10.0.0.3:80") },
            Instance { healthy: false, ..instance("10.0.0.4:80") },
            Instance { weight: Weight::new(0.0).unwrap(), ..instance("10.0.0.5:80") },
        ],
    ));
    let own = address("10.0.0.6:80", Kind::Ephemeral);
    let timing = [("preserved.heart.beat.interval", "2000"), ("preserved.ip.delete.timeout", "20000")];
    world.ok(register(&own, "Order", vec![with("10.0.0.6:80", &timing)]));
    assert_eq!(
        viewer.lines(&mut world),
        [
            "ORDER/10.0.0.1:Order:80 UP derived",
            "ORDER/10.0.0.2:Order:8443:east UP derived",
            "ORDER/10.0.0.3:Order:80 OUT_OF_SERVICE derived",
            "ORDER/10.0.0.4:Order:80 DOWN derived",
            "ORDER/10.0.0.5:Order:80 OUT_OF_SERVICE derived",
            "ORDER/10.0.0.6:Order:80 UP derived",
        ]
    );
    let plain = viewer.shown(&mut world, "ORDER", "10.0.0.1:Order:80").unwrap();
    let instance_of = &plain.instance;
    assert_eq!(
        (instance_of.vip_address.as_deref(), instance_of.secure_vip_address.as_deref()),
        (Some("Order"), Some("Order"))
    );
    assert_eq!(&*instance_of.host_name, "10.0.0.1");
    assert_eq!(
        (instance_of.port, instance_of.secure_port),
        (EurekaPort { number: 80, enabled: true }, EurekaPort { number: 443, enabled: false })
    );
    assert_eq!(instance_of.health_check_url.as_deref(), Some("http://10.0.0.1:9090/m/actuator/health"));
    assert_eq!(instance_of.home_page_url.as_deref(), Some("http://10.0.0.1:80/"));
    assert_eq!(instance_of.lease, EurekaLease::default());
    assert_eq!(plain.last_dirty, 1_700_000_000_000);
    let secure = viewer.shown(&mut world, "ORDER", "10.0.0.2:Order:8443:east").unwrap();
    assert_eq!(
        (secure.instance.port, secure.instance.secure_port),
        (EurekaPort { number: 8443, enabled: false }, EurekaPort { number: 8443, enabled: true })
    );
    assert_eq!(&*secure.instance.host_name, "h2.example");
    let metadata = Metadata::new([("secure", "true"), ("hostName", "h2.example"), ("zone", "east")]);
    assert_eq!(secure.instance.metadata, metadata);
    let beaten = viewer.shown(&mut world, "ORDER", "10.0.0.6:Order:80").unwrap();
    assert_eq!(beaten.instance.lease, EurekaLease { renewal_secs: 2, duration_secs: 20 });
    // Eureka's own requests do not touch it.
    assert_eq!(world.ok(renewal("ORDER", "10.0.0.6:Order:80", None, false)), Outcome::UnknownInstance);
    assert_eq!(world.ok(cancel("ORDER", "10.0.0.6:Order:80")), Outcome::UnknownInstance);
    world.pass(1_000);
    world.ok(status(&world, "ORDER", "10.0.0.6:Order:80", set(EurekaStatus::OutOfService)));
    let taken_out = viewer.shown(&mut world, "ORDER", "10.0.0.6:Order:80").unwrap();
    assert_eq!(taken_out.overridden, EurekaStatus::OutOfService);
    assert_eq!((taken_out.action, taken_out.last_dirty), (EurekaAction::Modified, plain.last_dirty));
    assert!(
        !world
            .view("Order")
            .hosts
            .iter()
            .any(|host| host.port == 80 && host.enabled && host.host.as_str() == "10.0.0.6")
    );
    world.ok(status(&world, "ORDER", "10.0.0.6:Order:80", StatusChange::default()));
    assert_eq!(viewer.shown(&mut world, "ORDER", "10.0.0.6:Order:80").unwrap().status, EurekaStatus::Up);
}

#[test]
fn weights_are_labels_of_all_or_of_none() {
    let (mut world, mut viewer) = (World::new(), Viewer::new());
    world.ok(eureka_register(declared("ORDER", "a", 1)));
    world.ok(register(&connection(1), "order", vec![instance("10.0.0.1:80")]));
    let mut labels = |world: &mut World| -> Vec<Option<String>> {
        let app = &viewer.look(world).apps["ORDER"];
        app.instances
            .iter()
            .map(|shown| shown.instance.metadata.get("weight").map(ToOwned::to_owned))
            .collect()
    };
    assert_eq!(labels(&mut world), [None, None]);
    let weight = Override { weight: Weight::new(2.5), ..Override::default() };
    world.ok(over("10.0.0.5:8080", OverrideChange::Merge(weight)));
    assert_eq!(labels(&mut world), [Some("2".to_owned()), Some("5".to_owned())]);
    world.ok(over("10.0.0.5:8080", OverrideChange::Clear));
    assert_eq!(labels(&mut world), [None, None]);
}

#[test]
fn names_that_are_no_applications_are_hidden_unless_they_come_over_eureka() {
    let (mut world, mut viewer) = (World::new(), Viewer::new());
    let dubbo = "providers:com.x.Y:1.0:";
    world.ok(register(&connection(1), dubbo, vec![instance("10.0.0.1:80")]));
    assert_eq!(viewer.lines(&mut world), [""; 0]);
    world.ok(eureka_register(declared("PROVIDERS:COM.X.Y:1.0:", "a", 1)));
    assert_eq!(viewer.lines(&mut world), ["PROVIDERS:COM.X.Y:1.0:/a UP"]);
}

#[test]
fn services_of_one_name_but_for_case_are_one_application() {
    let (mut world, mut viewer) = (World::new(), Viewer::new());
    world.ok(register(&connection(1), "order", vec![instance("10.0.0.1:80")]));
    world.ok(register(&connection(1), "Order", vec![instance("10.0.0.1:80")]));
    assert_eq!(
        viewer.lines(&mut world),
        ["ORDER/10.0.0.1:Order:80 UP derived", "ORDER/10.0.0.1:order:80 UP derived"]
    );
    world.ok(deregister(&connection(1), "order"));
    world.pass(60_000);
    assert_eq!(viewer.lines(&mut world), ["ORDER/10.0.0.1:Order:80 UP derived"]);
    world.ok(deregister(&connection(1), "Order"));
    world.pass(60_000);
    assert_eq!(viewer.lines(&mut world), [""; 0]);
    assert!(viewer.apps.is_empty());
}

#[test]
fn the_zone_is_a_cluster_if_that_is_wanted() {
    let rules = EurekaRules { zone_as_cluster: true, ..EurekaRules::default() };
    let registry = Registry::with_rules(Limits::default(), rules);
    let mut world = World { registry, ..World::new() };
    world.ok(eureka_register(declared("ORDER", "a", 1)));
    assert_eq!(world.view("order").hosts[0].cluster.as_str(), "z1");
    let odd = EurekaInstance { metadata: Metadata::new([("zone", "a zone")]), ..declared("ORDER", "a", 1) };
    world.ok(eureka_register(odd));
    assert_eq!(world.view("order").hosts[0].cluster.as_str(), "DEFAULT");
}

#[test]
fn the_tls_port_counts_where_it_is_the_only_one() {
    let mut world = World::new();
    let secure = EurekaInstance {
        port: EurekaPort { number: 80, enabled: false },
        secure_port: EurekaPort { number: 8443, enabled: true },
        metadata: Metadata::new([
            ("@class", "x"),
            ("preserved.register.source", "mine"),
            ("nacos.weight", "3"),
        ]),
        ..declared("ORDER", "a", 1)
    };
    world.ok(eureka_register(secure));
    let view = world.view("order");
    let host = &view.hosts[0];
    assert_eq!((host.port, host.weight.get()), (8443, 3.0));
    assert_eq!(host.metadata.get("secure"), Some("true"));
    assert_eq!(host.metadata.get("preserved.register.source"), Some("mine"), "the client's keys win");
    assert_eq!(host.metadata.get("@class"), None);
}

#[test]
fn stored_overrides_of_before_still_read() {
    // As the version before this one wrote it: cluster `DEFAULT`, port 80, host `10.0.0.1`, disabled.
    let key = b"public\0DEFAULT_GROUP\0\0\x05orderDEFAULT\0\0\x5010.0.0.1";
    let mut registry = Registry::new(Limits::default());
    let now = World::new().now;
    registry.load(Table::Override, key, &[1, 0x10, 0], now).unwrap();
    let mut world = World { registry, ..World::new() };
    world.ok(register(&connection(1), "order", vec![instance("10.0.0.1:80")]));
    assert_eq!(world.shown("order"), ["10.0.0.1:80@DEFAULT disabled"]);
    assert_eq!(
        Viewer::new().lines(&mut world),
        ["ORDER/10.0.0.1:order:80 OUT_OF_SERVICE overridden OUT_OF_SERVICE derived"]
    );
    let _: Arc<str> = "".into();
}

#[test]
fn no_more_changes_wait_for_the_log_than_there_is_room_for() {
    let (mut world, mut viewer) = (World::new(), Viewer::new());
    let max = crate::overrides::PROVISIONAL_MAX;
    let set_at_once = |world: &mut World, number: usize, status| {
        let (app, id) = (format!("APP{}", number / 100), format!("i{number}"));
        if world.registry.eureka_target(&EurekaBase::default(), &app, &id).is_none() {
            world.ok(eureka_register(declared(&app, &id, 1)));
        }
        let (service, instance) = world.registry.eureka_target(&EurekaBase::default(), &app, &id).unwrap();
        let (change, cause) = (set(status), cause(Reason::Operator));
        world.apply(Op::EurekaStatus(EurekaStatusChange { service, instance, change, cause }))
    };
    for number in 0..max {
        assert_eq!(set_at_once(&mut world, number, EurekaStatus::OutOfService), Ok(Outcome::Done));
    }
    let refused = set_at_once(&mut world, max, EurekaStatus::OutOfService);
    assert_eq!(refused, Err(RegistryError::TooManyWait { max }));
    assert!(!world.told().iter().any(|told| told.starts_with("propose")), "{:?}", world.told());
    let last = format!("APP{}/i{max} UP", max / 100);
    assert!(viewer.lines(&mut world).contains(&last), "what is refused does not show");
    // One that waits is replaced.
    assert_eq!(set_at_once(&mut world, 0, EurekaStatus::Down), Ok(Outcome::Done));
    // The log takes one in.
    world.ok(status(&world, "APP0", "i0", set(EurekaStatus::Down)));
    assert_eq!(set_at_once(&mut world, max, EurekaStatus::OutOfService), Ok(Outcome::Done));
}
