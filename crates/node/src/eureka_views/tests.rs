//! Whoever applies deltas has what whoever fetches everything has.

mod ensemble;

use super::*;
use crate::eureka_delta::{CHANGES_MAX, KEPT_MS};
use muster_model::{
    Actor, Cause, ClientId, ClusterName, ConnectionId, DataCenter, EurekaAction, EurekaInstance, EurekaLease,
    EurekaPort, EurekaStatus, Host, Instance, Limits, Metadata, Monotonic, Namespace, NodeId, Reason,
    Selector, ServiceKey, ServiceName, Timestamp, Weight,
};
use muster_registry::{
    Deregister, EurekaCancel, EurekaMetadata, EurekaRegister, EurekaRenew, EurekaShown, Op, Override,
    OverrideChange, Register, StatusChange,
};
use proptest::prelude::*;
use std::collections::BTreeMap;

const APPS: [&str; 3] = ["ORDER", "PAY", "SHIP"];
const IDS: [&str; 4] = ["a", "b", "c", "d"];

struct World {
    registry: Mutex<Registry>,
    view: View,
    base: EurekaBase,
    now: Now,
    dirty: i64,
    /// Where there are other nodes: what is durable and in no log yet.
    proposed: Option<Vec<Op>>,
}

fn cause() -> Cause {
    Cause { actor: Actor::default(), reason: Reason::Registered }
}

fn declared(app: &str, id: &str, status: EurekaStatus, last_dirty: i64) -> EurekaInstance {
    EurekaInstance {
        app: app.into(),
        instance_id: Some(id.into()),
        host_name: "h".into(),
        // Some are at the address of a Nacos registration.
        ip_addr: format!("10.0.0.{}", id.as_bytes()[0] - 96).into(),
        sid: None,
        status,
        port: EurekaPort { number: 80, enabled: true },
        secure_port: EurekaPort { number: 443, enabled: false },
        country_id: 1,
        data_center: DataCenter::MyOwn,
        lease: EurekaLease { renewal_secs: 10, duration_secs: 30 },
        metadata: Metadata::default(),
        app_group: None,
        home_page_url: None,
        status_page_url: None,
        health_check_url: None,
        secure_health_check_url: None,
        vip_address: None,
        secure_vip_address: None,
        asg_name: None,
        last_dirty,
    }
}

impl World {
    fn new() -> Self {
        let now = Now { wall: Timestamp(1_700_000_000_000), mono: Monotonic(1_000) };
        let registry = Mutex::new(Registry::new(Limits::default()));
        registry.lock().set_self_preservation(false);
        Self { registry, view: View::new(now), base: EurekaBase::default(), now, dirty: 0, proposed: None }
    }

    fn apply(&mut self, op: Op) {
        match &mut self.proposed {
            Some(proposed) if op.is_durable() => proposed.push(op),
            Some(_) | None => self.apply_now(op),
        }
    }

    fn apply_now(&self, op: Op) {
        // Some are refused, which is nothing to anybody.
        let _: Result<_, _> = self.registry.lock().apply(op, self.now, &mut Vec::new());
    }

    fn register(&mut self, app: &str, id: &str, status: EurekaStatus) {
        self.dirty += 1;
        let instance = Arc::new(declared(app, id, status, self.dirty));
        let overridden = EurekaStatus::Unknown;
        let (base, replicated, origin, cause) = (self.base.clone(), false, NodeId(1), cause());
        let op = EurekaRegister { base, instance, overridden, replicated, origin, cause };
        self.apply(Op::EurekaRegister(op));
    }

    fn cancel(&mut self, app: &str, id: &str) {
        let (base, cause) = (self.base.clone(), cause());
        self.apply(Op::EurekaCancel(EurekaCancel { base, app: app.into(), id: id.into(), cause }));
    }

    fn pass(&mut self, ms: u64) {
        self.now.mono = self.now.mono.plus(ms);
        self.now.wall.0 += ms;
        self.registry.lock().expire(self.now, &mut Vec::new());
    }

    fn snapshot(&self) -> Arc<EurekaSnapshot> {
        self.view.newest(&self.base, &self.registry, self.now)
    }

    fn delta(&self) -> EurekaDelta {
        self.view.delta(&self.base, &self.registry, self.now)
    }
}

type Seen = BTreeMap<(Arc<str>, Arc<str>), Arc<EurekaShown>>;

fn all(apps: &[Arc<EurekaApp>]) -> Seen {
    let shown = apps.iter().flat_map(|app| {
        assert!(!app.instances.is_empty(), "no application is empty");
        app.instances.iter().map(|shown| ((app.name.clone(), shown.id().clone()), shown.clone()))
    });
    shown.collect()
}

/// A client: it fetches everything when it must, else what changed.
#[derive(Default)]
struct Client {
    seen: Seen,
    has_fetched: bool,
}

impl Client {
    fn poll(&mut self, world: &World) {
        let delta = world.delta();
        if !self.has_fetched || !delta.complete {
            self.seen = all(&delta.snapshot.apps);
            self.has_fetched = true;
        }
        for (key, shown) in all(&delta.apps) {
            match shown.action {
                EurekaAction::Added | EurekaAction::Modified => self.seen.insert(key, shown),
                EurekaAction::Deleted => self.seen.remove(&key),
            };
        }
        assert_eq!(self.seen, all(&delta.snapshot.apps));
        let hash: BTreeMap<&str, usize> = self.seen.values().fold(BTreeMap::new(), |mut hash, shown| {
            *hash.entry(shown.status.as_str()).or_default() += 1;
            hash
        });
        let hash: String = hash.iter().map(|(status, count)| format!("{status}_{count}_")).collect();
        assert_eq!(hash, delta.snapshot.hashcode());
    }
}

#[derive(Clone, Debug)]
enum Step {
    Register(usize, usize, EurekaStatus),
    Cancel(usize, usize),
    Renew(usize, usize),
    Metadata(usize, usize, u8),
    Status(usize, usize, Option<EurekaStatus>),
    Nacos(usize, u8, u8),
    Withdraw(usize, u8),
    Disable(usize, u8, bool),
    Protect(usize, bool),
    Pass(u64),
    Poll(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let (app, id) = (|| 0..APPS.len(), || 0..IDS.len());
    let status = || proptest::sample::select(EurekaStatus::ALL.to_vec());
    prop_oneof![
        6 => (app(), id(), status()).prop_map(|(app, id, status)| Step::Register(app, id, status)),
        3 => (app(), id()).prop_map(|(app, id)| Step::Cancel(app, id)),
        4 => (app(), id()).prop_map(|(app, id)| Step::Renew(app, id)),
        1 => (app(), id(), 0..3u8).prop_map(|(app, id, value)| Step::Metadata(app, id, value)),
        3 => (app(), id(), proptest::option::of(status()))
            .prop_map(|(app, id, status)| Step::Status(app, id, status)),
        3 => (app(), 1..4u8, 0..3u8).prop_map(|(app, host, weight)| Step::Nacos(app, host, weight)),
        2 => (app(), 1..4u8).prop_map(|(app, host)| Step::Withdraw(app, host)),
        2 => (app(), 1..4u8, any::<bool>()).prop_map(|(app, host, enabled)| Step::Disable(app, host, enabled)),
        1 => (app(), any::<bool>()).prop_map(|(app, on)| Step::Protect(app, on)),
        6 => (0..40_000u64).prop_map(Step::Pass),
        8 => (0..3usize).prop_map(Step::Poll),
    ]
}

fn nacos_service(app: usize) -> ServiceKey {
    let EurekaBase { namespace, group } = EurekaBase::default();
    ServiceKey::new(namespace, group, ServiceName::new(&APPS[app].to_lowercase()).unwrap())
}

fn host(number: u8) -> Host {
    Host::new(&format!("10.0.0.{number}")).unwrap()
}

fn run(world: &mut World, step: &Step) {
    let base = world.base.clone();
    match *step {
        Step::Register(app, id, status) => world.register(APPS[app], IDS[id], status),
        Step::Cancel(app, id) => world.cancel(APPS[app], IDS[id]),
        Step::Renew(app, id) => {
            let (app, id) = (APPS[app].into(), IDS[id].into());
            let (last_dirty, overridden) = (None, EurekaStatus::Unknown);
            let op = EurekaRenew { base, app, id, last_dirty, overridden, replicated: false, cause: cause() };
            world.apply(Op::EurekaRenew(op));
        }
        Step::Metadata(app, id, value) => {
            let (app, id) = (APPS[app].into(), IDS[id].into());
            let metadata = Metadata::new([("k", value.to_string())]);
            world.apply(Op::EurekaMetadata(EurekaMetadata { base, app, id, metadata, cause: cause() }));
        }
        Step::Status(app, id, status) => {
            let target = world.registry.lock().eureka_target(&base, APPS[app], IDS[id]);
            let Some((service, instance)) = target else { return };
            let change = OverrideChange::Status(StatusChange { status, ..StatusChange::default() });
            world.apply(Op::Override { service, instance, change, cause: cause() });
        }
        Step::Nacos(app, number, weight) => {
            let instance = Instance {
                host: host(number),
                port: 80,
                cluster: ClusterName::default(),
                weight: Weight::new(weight.into()).unwrap(),
                enabled: true,
                healthy: true,
                metadata: Metadata::default(),
            };
            let (client, service) = (ClientId::Connection(ConnectionId(number.into())), nacos_service(app));
            let (origin, instances) = (NodeId(1), vec![instance]);
            world.apply(Op::Register(Register { client, origin, service, instances, cause: cause() }));
        }
        Step::Withdraw(app, number) => {
            let (client, service) = (ClientId::Connection(ConnectionId(number.into())), nacos_service(app));
            world.apply(Op::Deregister(Deregister { client, service, cause: cause() }));
        }
        Step::Disable(app, number, enabled) => {
            let instance = muster_registry::InstanceKey {
                cluster: ClusterName::default(),
                host: host(number),
                port: 80,
                eureka: None,
            };
            let over = Override { enabled: Some(enabled), ..Override::default() };
            let (service, change) = (nacos_service(app), OverrideChange::Merge(over));
            world.apply(Op::Override { service, instance, change, cause: cause() });
        }
        Step::Protect(app, on) => {
            let spec = muster_registry::ServiceSpec {
                kind: muster_model::Kind::Ephemeral,
                protection: muster_registry::Threshold::new(if on { 0.6 } else { 0.0 }).unwrap(),
                metadata: Metadata::default(),
                selector: Selector::None,
            };
            world.apply(Op::UpdateService { service: nacos_service(app), spec });
        }
        Step::Pass(ms) => world.pass(ms),
        Step::Poll(_) => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_client_of_deltas_has_the_whole_view_after_each_poll(steps in proptest::collection::vec(step(), 1..120)) {
        let mut world = World::new();
        let mut clients: Vec<(Client, Monotonic)> = (0..3).map(|_| (Client::default(), world.now.mono)).collect();
        for step in &steps {
            run(&mut world, step);
            if let Step::Poll(client) = step {
                clients[*client].0.poll(&world);
                clients[*client].1 = world.now.mono;
            }
            for (client, last) in &mut clients {
                // Who is away for longer than changes are kept has to fetch everything.
                if world.now.mono.since(*last) >= KEPT_MS {
                    client.has_fetched = false;
                }
            }
        }
        for (client, _) in &mut clients {
            client.poll(&world);
        }
    }
}

#[test]
fn an_unchanged_view_is_the_same_allocation_and_a_renewal_is_no_change() {
    let mut world = World::new();
    world.register("ORDER", "a", EurekaStatus::Up);
    world.register("PAY", "b", EurekaStatus::Up);
    let first = world.snapshot();
    run(&mut world, &Step::Renew(0, 0));
    assert!(Arc::ptr_eq(&first, &world.snapshot()));
    world.register("PAY", "c", EurekaStatus::Down);
    let second = world.snapshot();
    assert!(second.revision > first.revision);
    assert!(Arc::ptr_eq(&first.apps[0], &second.apps[0]), "the other application did not change");
    assert!(Arc::ptr_eq(&first.apps[1].instances[0], &second.apps[1].instances[0]));
    assert_eq!((second.hashcode().as_str(), second.len()), ("DOWN_1_UP_2_", 3));
    assert_eq!(second.count(EurekaStatus::Up), 2);
    assert!(second.app("pay").is_some() && second.app("none").is_none());
}

#[test]
fn a_delta_keeps_changes_for_three_minutes() {
    let mut world = World::new();
    world.register("ORDER", "a", EurekaStatus::Up);
    world.register("PAY", "b", EurekaStatus::Up);
    let delta = world.delta();
    assert_eq!((all(&delta.apps).len(), delta.complete), (2, true));
    world.pass(10_000);
    world.cancel("PAY", "b");
    let gone = world.delta();
    let key = ("PAY".into(), "b".into());
    let deleted = all(&gone.apps)[&key].clone();
    assert_eq!((deleted.action, deleted.times.evicted), (EurekaAction::Deleted, world.now.wall));
    assert!(gone.number > delta.number);
    assert_eq!(gone.snapshot.hashcode(), "UP_1_");
    assert!(Arc::ptr_eq(&gone.apps[0], &delta.apps[0]));
    let same = world.delta();
    assert!(Arc::ptr_eq(&same.apps, &gone.apps) && same.number == gone.number);
    for _ in 0..17 {
        run(&mut world, &Step::Renew(0, 0));
        world.pass(10_000);
    }
    assert_eq!(all(&world.delta().apps).into_keys().collect::<Vec<_>>(), [key], "180 s after the first");
    world.pass(10_000);
    let empty = world.delta();
    assert!(empty.apps.is_empty() && empty.complete && empty.number > gone.number);
}

#[test]
fn what_came_and_went_unseen_is_told() {
    let mut world = World::new();
    world.register("ORDER", "a", EurekaStatus::Up);
    world.delta();
    world.register("PAY", "b", EurekaStatus::Up);
    world.cancel("PAY", "b");
    let shown = all(&world.delta().apps);
    assert_eq!(shown[&("PAY".into(), "b".into())].action, EurekaAction::Deleted);
}

#[test]
fn more_changes_than_there_is_room_for_are_a_gap_until_they_would_have_been_shown() {
    let mut world = World::new();
    let id = |number: usize| format!("i{number}");
    for number in 0..CHANGES_MAX {
        world.register("ORDER", &id(number), EurekaStatus::Up);
    }
    assert!(world.delta().complete, "all of them are in it");
    world.pass(10_000);
    world.register("PAY", "one", EurekaStatus::Up);
    let delta = world.delta();
    assert!(!delta.complete);
    assert_eq!(all(&delta.apps).len(), CHANGES_MAX);
    assert_eq!(delta.snapshot.len(), CHANGES_MAX + 1);
    for number in 0..CHANGES_MAX {
        world.cancel("ORDER", &id(number));
    }
    world.pass(169_999);
    assert!(!world.delta().complete, "the one that was dropped would show for a moment more");
    world.cancel("PAY", "one");
    world.pass(1);
    // Meanwhile others were dropped.
    assert!(!world.delta().complete);
    world.pass(180_000);
    assert!(world.delta().complete);
}

#[test]
fn what_came_and_went_unread_is_missed_only_beyond_what_a_delta_holds() {
    let mut world = World::new();
    world.register("PAY", "one", EurekaStatus::Up);
    assert!(world.delta().complete);
    for number in 0..CHANGES_MAX {
        world.register("ORDER", "i", EurekaStatus::Up);
        world.cancel("ORDER", "i");
        if number == 0 {
            assert_eq!(world.delta().apps.len(), 2);
        }
    }
    assert!(world.delta().complete, "the newest 65,536 are told");
    for _ in 0..=CHANGES_MAX {
        world.register("ORDER", "i", EurekaStatus::Up);
        world.cancel("ORDER", "i");
    }
    assert!(!world.delta().complete);
    world.pass(180_000);
    assert!(world.delta().complete);
}

fn named_base(number: usize) -> EurekaBase {
    EurekaBase { namespace: Namespace::new(&format!("n{number}")).unwrap(), ..EurekaBase::default() }
}

impl World {
    fn names(&self, views: &EurekaViews, base: &EurekaBase) -> Vec<Arc<str>> {
        let Some(view) = views.get(base, &self.registry, self.now) else { return Vec::new() };
        let snapshot = view.newest(base, &self.registry, self.now);
        snapshot.apps.iter().map(|app| app.name.clone()).collect()
    }
}

#[test]
fn views_of_nothing_are_dropped_and_names_made_up_make_none() {
    let (mut world, views) = (World::new(), EurekaViews::default());
    for number in 0..10 {
        world.base = named_base(number);
        world.register("ORDER", "a", EurekaStatus::Up);
        assert_eq!(world.names(&views, &world.base), ["ORDER".into()]);
        world.cancel("ORDER", "a");
        assert!(world.names(&views, &world.base).is_empty());
    }
    world.pass(30_000);
    world.base = named_base(10);
    world.register("ORDER", "a", EurekaStatus::Up);
    assert_eq!(world.names(&views, &world.base), ["ORDER".into()]);
    assert_eq!(views.views.read().len(), 11, "deltas still tell that the others went");
    // Until deltas tell of nothing, and the services are gone.
    world.pass(KEPT_MS);
    world.base = named_base(11);
    world.register("ORDER", "a", EurekaStatus::Up);
    for number in 0..10 {
        assert!(world.names(&views, &named_base(number)).is_empty());
    }
    assert_eq!(world.names(&views, &world.base), ["ORDER".into()]);
    assert!(world.names(&views, &named_base(99)).is_empty());
    let kept: Vec<_> = views.views.read().keys().cloned().collect();
    assert!(kept.len() <= 2 && kept.contains(&world.base), "{kept:?}");
    assert!(!world.registry.lock().has_eureka_view(&named_base(3)));
}

#[test]
fn more_views_than_there_is_room_for_are_built_anew_when_asked_for() {
    let (mut world, views) = (World::new(), EurekaViews::default());
    for number in 0..VIEWS_MAX + 20 {
        world.base = named_base(number);
        world.register("ORDER", "a", EurekaStatus::Up);
        assert_eq!(world.names(&views, &world.base), ["ORDER".into()]);
        // Asked for all the time: stays.
        world.names(&views, &named_base(0));
    }
    assert_eq!(views.views.read().len(), VIEWS_MAX);
    assert!(views.views.read().contains_key(&named_base(0)));
    assert!(!views.views.read().contains_key(&named_base(1)));
    world.base = named_base(1);
    world.register("PAY", "a", EurekaStatus::Up);
    assert_eq!(world.names(&views, &world.base), ["ORDER".into(), "PAY".into()]);
}

#[test]
fn a_view_that_was_not_read_for_long_is_taken_as_a_whole() {
    let mut world = World::new();
    world.register("GONE", "a", EurekaStatus::Up);
    assert_eq!(world.snapshot().len(), 1);
    world.cancel("GONE", "a");
    for number in 0..20_000 {
        world.register(&format!("APP{number}"), "a", EurekaStatus::Up);
    }
    let delta = world.delta();
    assert_eq!((delta.snapshot.len(), delta.snapshot.hashcode().as_str()), (20_000, "UP_20000_"));
    assert_eq!(all(&delta.apps)[&("GONE".into(), "a".into())].action, EurekaAction::Deleted);
    world.register("APP1", "b", EurekaStatus::Up);
    assert_eq!(world.snapshot().len(), 20_001);
}
