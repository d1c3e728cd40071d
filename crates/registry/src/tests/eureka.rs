//! Registrations, renewals and status over Eureka, as recorded of the real server or where we differ on purpose.

use super::*;
use std::sync::Arc;

/// What is shown of one application, kept from look to look as a node does.
pub(crate) struct Viewer {
    pub(crate) base: EurekaBase,
    pub(crate) apps: std::collections::BTreeMap<Arc<str>, EurekaApp>,
    pub(crate) gone: std::collections::VecDeque<EurekaGone>,
}

impl Viewer {
    pub(crate) fn new() -> Self {
        Self { base: EurekaBase::default(), apps: Default::default(), gone: Default::default() }
    }

    pub(crate) fn look(&mut self, world: &mut World) -> &mut Self {
        let changes = world.registry.eureka_changes(&self.base);
        if changes.whole {
            self.apps.retain(|known, _| changes.apps.iter().any(|(name, _)| name == known));
        }
        for (name, parts) in changes.apps {
            let built = parts.and_then(|parts| parts.build(self.apps.get(&name)));
            match built {
                Some(app) => self.apps.insert(name, app),
                None => self.apps.remove(&name),
            };
        }
        self.gone = changes.gone;
        self
    }

    pub(crate) fn shown(&mut self, world: &mut World, app: &str, id: &str) -> Option<Arc<EurekaShown>> {
        self.look(world);
        self.apps.get(&*EurekaApp::key_of(app))?.instance(id).cloned()
    }

    /// All instances, a line each.
    pub(crate) fn lines(&mut self, world: &mut World) -> Vec<String> {
        self.look(world);
        let instances =
            self.apps.values().flat_map(|app| app.instances.iter().map(|shown| (&app.name, shown)));
        instances.map(|(app, shown)| eureka_line(app, shown)).collect()
    }
}

/// `APP/id status`, and what is not as usual.
fn eureka_line(app: &str, shown: &EurekaShown) -> String {
    let mut line = format!("{app}/{} {}", shown.id(), shown.status.as_str());
    if shown.overridden != EurekaStatus::Unknown {
        line += &format!(" overridden {}", shown.overridden.as_str());
    }
    if shown.derived {
        line += " derived";
    }
    line
}

pub(crate) fn declared(app: &str, id: &str, dirty: i64) -> EurekaInstance {
    EurekaInstance {
        app: app.into(),
        instance_id: Some(id.into()),
        host_name: "h1.example".into(),
        ip_addr: "10.0.0.5".into(),
        sid: None,
        status: EurekaStatus::Up,
        port: EurekaPort { number: 8080, enabled: true },
        secure_port: EurekaPort { number: 443, enabled: false },
        country_id: 1,
        data_center: DataCenter::MyOwn,
        lease: EurekaLease::default(),
        metadata: Metadata::new([("zone", "z1")]),
        app_group: None,
        home_page_url: None,
        status_page_url: None,
        health_check_url: None,
        secure_health_check_url: None,
        vip_address: Some(app.to_lowercase().into()),
        secure_vip_address: None,
        asg_name: None,
        last_dirty: dirty,
    }
}

pub(crate) fn eureka_register(instance: EurekaInstance) -> Op {
    registration(instance, EurekaStatus::Unknown, false)
}

pub(crate) fn registration(instance: EurekaInstance, overridden: EurekaStatus, replicated: bool) -> Op {
    Op::EurekaRegister(EurekaRegister {
        base: EurekaBase::default(),
        instance: Arc::new(instance),
        overridden,
        replicated,
        origin: NodeId(1),
        cause: cause(Reason::Registered),
    })
}

pub(crate) fn renewal(app: &str, id: &str, last_dirty: Option<i64>, replicated: bool) -> Op {
    Op::EurekaRenew(EurekaRenew {
        base: EurekaBase::default(),
        app: app.into(),
        id: id.into(),
        last_dirty,
        overridden: EurekaStatus::Unknown,
        replicated,
        cause: cause(Reason::BeatReturned),
    })
}

pub(crate) fn cancel(app: &str, id: &str) -> Op {
    let cause = cause(Reason::Deregistered);
    Op::EurekaCancel(EurekaCancel { base: EurekaBase::default(), app: app.into(), id: id.into(), cause })
}

/// A status set, or lifted, through the log.
pub(crate) fn status(world: &World, app: &str, id: &str, change: StatusChange) -> Op {
    let target = world.registry.eureka_target(&EurekaBase::default(), app, id);
    let (service, instance) = target.unwrap();
    Op::Override { service, instance, change: OverrideChange::Status(change), cause: cause(Reason::Operator) }
}

pub(crate) fn set(status: EurekaStatus) -> StatusChange {
    StatusChange { status: Some(status), ..StatusChange::default() }
}

fn renewed() -> Outcome {
    Outcome::Renewed { interval_ms: 30_000 }
}

#[test]
fn a_registration_is_an_instance_for_both() {
    let (mut world, mut viewer) = (World::new(), Viewer::new());
    world.ok(eureka_register(declared("ORDER", "a", 100)));
    assert_eq!(
        world.told(),
        [
            "changed order 1 registered",
            "appeared order",
            "added 10.0.0.5:8080@DEFAULT in order 1: registered"
        ]
    );
    assert!(world.rows().is_empty());
    let preserved = "preserved.heart.beat.interval=30000 preserved.heart.beat.timeout=90000 \
                     preserved.ip.delete.timeout=180000 preserved.register.source=EUREKA zone=z1";
    assert_eq!(world.shown("order"), [format!("10.0.0.5:8080@DEFAULT {preserved}")]);
    let shown = viewer.shown(&mut world, "order", "a").unwrap();
    assert_eq!(*shown.instance, declared("ORDER", "a", 100));
    let now = world.now.wall;
    let times =
        EurekaTimes { registered: now, renewed: now, evicted: Timestamp(0), service_up: now, updated: now };
    assert_eq!((shown.times, shown.last_dirty, shown.action), (times, 100, EurekaAction::Added));
    world.ok(cancel("order", "a"));
    assert_eq!(world.shown("order"), [""; 0]);
    assert_eq!(viewer.lines(&mut world), [""; 0]);
    assert_eq!(world.ok(cancel("ORDER", "a")), Outcome::UnknownInstance);
    assert!(world.effects.is_empty());
}

#[test]
fn the_name_is_that_of_a_service_in_any_case_or_of_the_vip() {
    let mut world = World::new();
    world.ok(register(&connection(1), "Order-Service", vec![instance("10.0.0.1:80")]));
    world.ok(eureka_register(declared("ORDER-SERVICE", "a", 1)));
    assert_eq!(world.shown("Order-Service").len(), 2);
    world.ok(register(&connection(1), "order-service", vec![instance("10.0.0.2:80")]));
    let vip = |vip: &str, id: &str| EurekaInstance {
        vip_address: Some(vip.into()),
        ip_addr: format!("10.0.1.{}", id.len()).into(),
        ..declared("ORDER-SERVICE", id, 1)
    };
    world.ok(eureka_register(vip("other, order-service", "bb")));
    assert_eq!(world.shown("order-service").len(), 2, "the vip names one of two");
    world.ok(eureka_register(vip("none", "ccc")));
    assert_eq!(world.shown("Order-Service").len(), 3, "else it is the oldest");
    world.ok(eureka_register(vip("order-service", "a")));
    assert_eq!(world.shown("Order-Service").len(), 3, "an instance stays where it is");

    let new = EurekaInstance { vip_address: Some("Pay-Ment".into()), ..declared("PAY-MENT", "p", 1) };
    world.ok(eureka_register(new));
    assert_eq!(world.shown("Pay-Ment").len(), 1);
    let odd = EurekaInstance { vip_address: None, ..declared("MY ÄPP@@X", "o", 1) };
    world.ok(eureka_register(odd));
    let mut viewer = Viewer::new();
    assert!(viewer.shown(&mut world, "my äpp@@x", "o").is_some());
    assert_eq!(viewer.apps.get("MY%20%C3%A4PP%40%40X").map(|app| &*app.name), Some("MY ÄPP@@X"));
    world.ok(renewal("MY ÄPP@@X", "o", None, false));
}

/// Recording dirty-timestamps.
#[test]
fn an_older_state_does_not_replace_a_newer_one() {
    let (mut world, mut viewer) = (World::new(), Viewer::new());
    let with = |dirty, version: &str| EurekaInstance {
        metadata: Metadata::new([("v", version)]),
        ..declared("ORDER", "a", dirty)
    };
    let mut shown = |world: &mut World| {
        let shown = viewer.shown(world, "ORDER", "a").unwrap();
        (shown.instance.metadata.get("v").unwrap().to_owned(), shown.last_dirty)
    };
    world.ok(eureka_register(with(100, "first")));
    world.ok(eureka_register(with(50, "older")));
    assert_eq!(shown(&mut world), ("first".into(), 100));
    world.ok(eureka_register(with(100, "equal")));
    assert_eq!(shown(&mut world), ("equal".into(), 100));
    world.ok(eureka_register(with(150, "newer")));
    assert_eq!(shown(&mut world), ("newer".into(), 150));
    // A status set later holds against peers, and not against the client (Netflix/eureka#955).
    world.ok(status(&world, "ORDER", "a", StatusChange { last_dirty: Some(900), ..set(EurekaStatus::Down) }));
    assert_eq!(shown(&mut world), ("newer".into(), 900));
    world.ok(registration(with(800, "peer"), EurekaStatus::Unknown, true));
    assert_eq!(shown(&mut world), ("newer".into(), 900));
    world.ok(eureka_register(with(800, "client")));
    assert_eq!(shown(&mut world), ("client".into(), 900));
    world.ok(registration(with(900, "peer"), EurekaStatus::Unknown, true));
    assert_eq!(shown(&mut world), ("peer".into(), 900));
    // Nothing is held against one that was away (recording restart-same-id).
    world.ok(cancel("ORDER", "a"));
    world.ok(eureka_register(with(1, "again")));
    assert_eq!(shown(&mut world), ("again".into(), 1));
}

/// Recordings heartbeat, heartbeat-replicated.
#[test]
fn a_renewal_compares_timestamps() {
    let mut world = World::new();
    world.ok(eureka_register(declared("ORDER", "a", 100)));
    let revision = world.registry.revision();
    for (dirty, replicated, expected) in [
        (None, false, renewed()),
        (Some(100), false, renewed()),
        (Some(99), false, renewed()),
        (Some(101), false, Outcome::UnknownInstance),
        (Some(100), true, renewed()),
        (Some(99), true, Outcome::Conflict),
        (Some(101), true, Outcome::UnknownInstance),
    ] {
        assert_eq!(world.ok(renewal("order", "a", dirty, replicated)), expected, "{dirty:?} {replicated}");
        assert!(world.effects.is_empty());
    }
    assert_eq!(world.registry.revision(), revision, "a renewal is no change");
    for (app, id) in [("ORDER", "A"), ("OTHER", "a"), ("ORDER", "b")] {
        assert_eq!(world.ok(renewal(app, id, None, false)), Outcome::UnknownInstance);
    }
}

#[test]
fn a_status_that_a_client_declares_is_taken() {
    let (mut world, mut viewer) = (World::new(), Viewer::new());
    let mut last = 0;
    for declares in [
        EurekaStatus::Starting,
        EurekaStatus::Up,
        EurekaStatus::OutOfService,
        EurekaStatus::Up,
        EurekaStatus::Down,
        EurekaStatus::Unknown,
        EurekaStatus::Up,
    ] {
        last += 1;
        world.pass(1_000);
        world.ok(eureka_register(EurekaInstance { status: declares, ..declared("ORDER", "a", last) }));
        let shown = viewer.shown(&mut world, "ORDER", "a").unwrap();
        assert_eq!(shown.status, declares);
        let first_up = Timestamp(if last == 1 { 0 } else { 1_700_000_002_000 });
        assert_eq!(shown.times.service_up, first_up);
        assert_eq!(world.ok(renewal("ORDER", "a", Some(last), false)), renewed(), "also if it is UNKNOWN");
        let hosts = world.view("order").hosts;
        let is_up = declares == EurekaStatus::Up || declares == EurekaStatus::OutOfService;
        assert_eq!((hosts[0].enabled, hosts[0].healthy), (declares != EurekaStatus::OutOfService, is_up));
    }
}

/// Recording metadata-update.
#[test]
fn metadata_is_added_until_the_client_registers_anew() {
    let (mut world, mut viewer) = (World::new(), Viewer::new());
    let change = |id: &str, pairs: &[(&str, &str)]| {
        Op::EurekaMetadata(EurekaMetadata {
            base: EurekaBase::default(),
            app: "order".into(),
            id: id.into(),
            metadata: Metadata::new(pairs.iter().copied()),
            cause: cause(Reason::Operator),
        })
    };
    world.ok(eureka_register(declared("ORDER", "a", 100)));
    assert_eq!(world.ok(change("b", &[])), Outcome::UnknownInstance);
    world.ok(change("a", &[("version", "2"), ("extra", "")]));
    let shown = viewer.shown(&mut world, "ORDER", "a").unwrap();
    assert_eq!(shown.instance.metadata, Metadata::new([("zone", "z1"), ("version", "2"), ("extra", "")]));
    assert_eq!((shown.last_dirty, shown.action), (100, EurekaAction::Added));
    assert_eq!(world.view("order").hosts[0].metadata.get("version"), Some("2"));
    let long = "x".repeat(65_536);
    assert!(world.apply(change("a", &[("long", &long)])).is_err());
    world.ok(eureka_register(declared("ORDER", "a", 100)));
    assert_eq!(viewer.shown(&mut world, "ORDER", "a").unwrap().instance.metadata.len(), 1);
}

#[test]
fn leases_last_one_duration_until_first_renewed_and_two_afterwards() {
    let (mut world, mut viewer) = (World::new(), Viewer::new());
    for app in ["OLD", "NEW"] {
        world.ok(eureka_register(declared(app, "a", 100)));
    }
    world.registry.set_self_preservation(false);
    world.pass(60_000);
    world.ok(renewal("OLD", "a", None, false));
    world.pass(29_999);
    assert_eq!(viewer.lines(&mut world), ["NEW/a UP", "OLD/a UP"]);
    world.pass(1);
    assert_eq!(viewer.lines(&mut world), ["OLD/a UP"], "never renewed");
    world.pass(59_999);
    assert_eq!(viewer.lines(&mut world), ["OLD/a UP"]);
    world.pass(1);
    assert_eq!(viewer.lines(&mut world), ["OLD/a DOWN"], "one duration after the renewal");
    assert_eq!(
        world.told(),
        [
            "changed old 4 beat missed",
            "unhealthy 10.0.0.5:8080@DEFAULT in old 4: beat missed",
            "forgotten new"
        ]
    );
    assert!(!world.view("old").hosts[0].healthy);
    world.pass(50_000);
    world.ok(renewal("OLD", "a", None, false));
    assert_eq!(viewer.lines(&mut world), ["OLD/a UP"], "a renewal restores it at once");
    assert!(world.view("old").hosts[0].healthy);
    world.pass(90_000);
    assert_eq!(viewer.lines(&mut world), ["OLD/a DOWN"]);
    world.pass(89_999);
    assert_eq!(viewer.lines(&mut world), ["OLD/a DOWN"]);
    world.pass(1);
    assert_eq!(viewer.lines(&mut world), [""; 0]);
    assert_eq!(viewer.gone.len(), 1);
    assert_eq!(world.ok(renewal("OLD", "a", None, false)), Outcome::UnknownInstance);
}

#[test]
fn what_declared_something_else_than_up_does_not_come_back_healthy() {
    let (mut world, mut viewer) = (World::new(), Viewer::new());
    world.registry.set_self_preservation(false);
    for (app, status) in [("A", EurekaStatus::Down), ("B", EurekaStatus::OutOfService)] {
        world.ok(eureka_register(EurekaInstance { status, ..declared(app, "a", 100) }));
        world.ok(renewal(app, "a", None, false));
    }
    world.pass(90_000);
    assert_eq!(viewer.lines(&mut world), ["A/a DOWN", "B/a OUT_OF_SERVICE"]);
    for app in ["A", "B"] {
        world.ok(renewal(app, "a", None, false));
    }
    assert_eq!(viewer.lines(&mut world), ["A/a DOWN", "B/a OUT_OF_SERVICE"]);
    assert!(!world.view("a").hosts[0].healthy);
    assert!(!world.view("b").hosts[0].enabled);
}

#[test]
fn eviction_as_the_original_has_it_shows_up_until_the_end() {
    let rules = EurekaRules { compat_eviction: true, ..EurekaRules::default() };
    let registry = Registry::with_rules(Limits::default(), rules);
    let (mut world, mut viewer) = (World { registry, ..World::new() }, Viewer::new());
    world.registry.set_self_preservation(false);
    world.ok(eureka_register(declared("ORDER", "a", 100)));
    world.ok(renewal("ORDER", "a", None, false));
    world.pass(179_999);
    assert_eq!(viewer.lines(&mut world), ["ORDER/a UP"]);
    world.pass(1);
    assert_eq!(viewer.lines(&mut world), [""; 0]);
}

#[test]
fn the_kind_of_a_service_binds_nacos_registrations_only() {
    let mut world = World::new();
    let persistent = address("10.0.0.1:80", Kind::Persistent);
    world.ok(register(&persistent, "order", vec![instance("10.0.0.1:80")]));
    world.ok(eureka_register(declared("ORDER", "a", 100)));
    assert_eq!(world.shown("order").len(), 2);
    let ephemeral = register(&connection(1), "order", vec![instance("10.0.0.2:80")]);
    assert!(matches!(world.apply(ephemeral.clone()), Err(RegistryError::KindClash { .. })));
    world.ok(deregister(&persistent, "order"));
    world.ok(ephemeral);
    assert_eq!(world.shown("order").len(), 2);
    let again = register(&persistent, "order", vec![instance("10.0.0.1:80")]);
    assert!(matches!(world.registry.check(&again), Err(RegistryError::KindClash { .. })));
    world.ok(deregister(&connection(1), "order"));
    assert_eq!(world.registry.check(&again), Ok(()));
    world.ok(cancel("ORDER", "a"));
    assert!(matches!(world.registry.check(&again), Err(RegistryError::KindClash { .. })), "until it is gone");
}

#[test]
fn an_address_that_is_none_is_shown_to_eureka_clients_alone() {
    let (mut world, mut viewer) = (World::new(), Viewer::new());
    world.registry.set_self_preservation(false);
    let odd =
        EurekaInstance { port: EurekaPort { number: 70_000, enabled: true }, ..declared("ORDER", "a", 100) };
    world.ok(eureka_register(odd));
    world.ok(renewal("ORDER", "a", None, false));
    assert_eq!(world.shown("order"), [""; 0]);
    world.ok(status(&world, "ORDER", "a", set(EurekaStatus::OutOfService)));
    assert_eq!(viewer.lines(&mut world), ["ORDER/a OUT_OF_SERVICE overridden OUT_OF_SERVICE"]);
    world.ok(status(&world, "ORDER", "a", StatusChange::default()));
    world.pass(90_000);
    assert_eq!(viewer.lines(&mut world), ["ORDER/a DOWN"]);
    world.ok(renewal("ORDER", "a", None, false));
    assert_eq!(viewer.lines(&mut world), ["ORDER/a UP"]);
    world.pass(180_000);
    assert_eq!(viewer.lines(&mut world), [""; 0]);
}

#[test]
fn what_nobody_changed_is_the_same_allocation() {
    let (mut world, mut viewer) = (World::new(), Viewer::new());
    world.ok(register(&connection(1), "order", vec![with("10.0.0.1:80", &[("a", "b")])]));
    for id in ["a", "b"] {
        world.ok(eureka_register(EurekaInstance { ip_addr: id.into(), ..declared("ORDER", id, 1) }));
    }
    let before = viewer.look(&mut world).apps["ORDER"].instances.clone();
    world.pass(5_000);
    world.ok(eureka_register(EurekaInstance { ip_addr: "b".into(), ..declared("ORDER", "b", 2) }));
    let after = viewer.look(&mut world).apps["ORDER"].instances.clone();
    let same = before.iter().zip(&after).map(|(before, after)| Arc::ptr_eq(before, after));
    assert_eq!(same.collect::<Vec<_>>(), [true, true, false]);
}

#[test]
fn the_last_registrations_and_cancellations_are_kept() {
    let mut world = World::new();
    for number in 0..1_005 {
        world.ok(eureka_register(declared("ORDER", &format!("i{number}"), 1)));
    }
    let ids: Vec<_> = world.registry.eureka_registered().rev().map(|event| event.id.clone()).collect();
    assert_eq!((ids.len(), &*ids[0], &*ids[999]), (1_000, "i1004", "i5"));
    world.ok(cancel("ORDER", "i7"));
    assert_eq!(world.registry.eureka_cancelled().map(|event| &*event.id).collect::<Vec<_>>(), ["i7"]);
}

#[test]
fn a_view_that_nobody_reads_takes_no_room() {
    let mut world = World::new();
    let base = EurekaBase { namespace: Namespace::new("dev").unwrap(), ..EurekaBase::default() };
    let register = |app: &str| {
        Op::EurekaRegister(EurekaRegister {
            base: base.clone(),
            instance: Arc::new(declared(app, "a", 1)),
            overridden: EurekaStatus::Unknown,
            replicated: false,
            origin: NodeId(1),
            cause: cause(Reason::Registered),
        })
    };
    let _: Result<_, _> = world.apply(register(&"a".repeat(5_000)));
    assert_eq!(world.registry.eureka_bases(), [], "what is refused makes no view");
    world.apply(register("ORDER")).unwrap();
    assert_eq!(world.registry.eureka_bases(), std::slice::from_ref(&base));
    let cause = cause(Reason::Deregistered);
    let (app, id) = (Arc::from("ORDER"), Arc::from("a"));
    world.ok(Op::EurekaCancel(EurekaCancel { base: base.clone(), app, id, cause }));
    // The empty service goes.
    for _ in 0..12 {
        world.pass(10_000);
    }
    assert_eq!(world.registry.eureka_bases(), []);
    assert!(!world.registry.has_eureka_view(&base));
    world.apply(register("PAY")).unwrap();
    let mut viewer = Viewer { base: base.clone(), ..Viewer::new() };
    assert_eq!(viewer.lines(&mut world), ["PAY/a UP"]);
    world.registry.eureka_release(&base);
    let changes = world.registry.eureka_changes(&base);
    assert_eq!((changes.whole, changes.apps.len()), (true, 1), "whoever reads it next gets everything");
}
