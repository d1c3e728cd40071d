//! Random ops against a model that is too simple to be wrong, and too slow to be used.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

const SERVICES: [&str; 3] = ["a", "b", "c"];

#[derive(Clone)]
struct NaivePublication {
    client: ClientId,
    service: &'static str,
    instances: Vec<Instance>,
    sequence: u64,
    last_beat: u64,
}

impl NaivePublication {
    fn has_beats(&self) -> bool {
        matches!(self.client, ClientId::Address(_, _, Kind::Ephemeral))
    }

    fn is_persistent(&self) -> bool {
        matches!(self.client, ClientId::Address(_, _, Kind::Persistent))
    }
}

#[derive(Clone)]
struct NaiveService {
    kind: Kind,
    explicit: bool,
    empty_since: Option<u64>,
}

#[derive(Default)]
struct Naive {
    publications: Vec<NaivePublication>,
    services: BTreeMap<&'static str, NaiveService>,
    overrides: BTreeMap<(&'static str, InstanceKey), Override>,
    sequence: u64,
}

impl Naive {
    fn position(&self, client: &ClientId, service: &str) -> Option<usize> {
        self.publications.iter().position(|p| p.client == *client && p.service == service)
    }

    /// Whether the registration is taken.
    fn register(
        &mut self,
        client: &ClientId,
        service: &'static str,
        instances: Vec<Instance>,
        now: u64,
    ) -> bool {
        let kind = match client {
            ClientId::Address(_, _, kind) => *kind,
            ClientId::Connection(_) | ClientId::Eureka(_) => Kind::Ephemeral,
        };
        if self.services.get(service).is_some_and(|known| known.kind != kind) {
            return false;
        }
        let old = self.position(client, service);
        if instances.is_empty() {
            if let Some(old) = old {
                self.publications.remove(old);
            }
            self.settle(now);
            return true;
        }
        if let Some(old) = old {
            self.publications.remove(old);
        }
        self.sequence += 1;
        let (client, sequence) = (client.clone(), self.sequence);
        self.publications.push(NaivePublication { client, service, instances, sequence, last_beat: now });
        let known = NaiveService { kind, explicit: false, empty_since: None };
        self.services.entry(service).or_insert(known).empty_since = None;
        true
    }

    /// Notes which services are empty since now.
    fn settle(&mut self, now: u64) {
        for (name, service) in &mut self.services {
            let is_empty = !self.publications.iter().any(|p| p.service == *name);
            if is_empty && service.empty_since.is_none() {
                service.empty_since = Some(now);
            }
        }
    }

    fn expire(&mut self, now: u64) {
        self.publications.retain_mut(|p| {
            if !p.has_beats() {
                return true;
            }
            let timing = Timing::of(&p.instances[0].metadata);
            if p.last_beat + timing.beat_timeout_ms <= now {
                p.instances[0].healthy = false;
            }
            p.last_beat + timing.delete_timeout_ms > now
        });
        self.settle(now);
        self.services.retain(|_, s| s.explicit || s.empty_since.is_none_or(|since| since + 60_000 > now));
    }

    fn shown(&self, service: &'static str) -> Vec<String> {
        let mut hosts: Vec<(InstanceKey, u64, Instance)> = Vec::new();
        for p in self.publications.iter().filter(|p| p.service == service) {
            for i in &p.instances {
                hosts.push((InstanceKey::of(i), p.sequence, i.clone()));
            }
        }
        let newest = |key: &InstanceKey| hosts.iter().filter(|h| h.0 == *key).map(|h| h.1).max();
        let shown = hosts.iter().filter(|(key, sequence, _)| newest(key) == Some(*sequence));
        let mut lines: Vec<String> = shown
            .map(|(key, _, i)| match self.overrides.get(&(service, key.clone())) {
                None => line(i),
                Some(over) => line(&Instance {
                    weight: over.weight.unwrap_or(i.weight),
                    metadata: Metadata::new(i.metadata.iter().chain(over.metadata.iter())),
                    ..i.clone()
                }),
            })
            .collect();
        lines.sort();
        lines
    }
}

#[derive(Clone, Debug)]
enum Step {
    Register(ClientId, &'static str, Vec<Instance>),
    Deregister(ClientId, &'static str),
    Close(ClientId),
    Beat(ClientId, &'static str, Option<Instance>),
    Health(ClientId, &'static str, bool),
    Override(&'static str, Instance, Option<Override>),
    Create(&'static str, Kind),
    Remove(&'static str),
    Pass(u64),
}

fn any_instance() -> impl Strategy<Value = Instance> {
    let timings = [
        Metadata::default(),
        Metadata::new([("a", "1")]),
        Metadata::new([("preserved.heart.beat.timeout", "6000"), ("preserved.ip.delete.timeout", "70000")]),
        Metadata::new([("preserved.heart.beat.timeout", "9000"), ("preserved.ip.delete.timeout", "7000")]),
    ];
    (0..3u8, 0..3u8, any::<bool>(), proptest::sample::select(timings.to_vec())).prop_map(
        |(host, cluster, healthy, metadata)| Instance {
            healthy,
            metadata,
            ..instance(&format!("10.0.0.{host}:80@{}", ["DEFAULT", "east", "west"][usize::from(cluster)]))
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    let name = || proptest::sample::select(SERVICES.to_vec());
    let connections = || (1..4u64).prop_map(connection);
    let addresses = || {
        (0..3u8, any::<bool>()).prop_map(|(host, ephemeral)| {
            let kind = if ephemeral { Kind::Ephemeral } else { Kind::Persistent };
            address(&format!("10.0.0.{host}:80"), kind)
        })
    };
    let clients = move || prop_oneof![connections(), addresses()];
    let at = |client: &ClientId, i: Instance| match client {
        ClientId::Address(host, ..) => Instance { host: host.clone(), ..i },
        ClientId::Connection(_) | ClientId::Eureka(_) => i,
    };
    prop_oneof![
        6 => (connections(), name(), proptest::collection::vec(any_instance(), 0..5))
            .prop_map(|(client, name, batch)| Step::Register(client, name, batch)),
        6 => (addresses(), name(), any_instance())
            .prop_map(move |(client, name, i)| Step::Register(client.clone(), name, vec![at(&client, i)])),
        3 => (clients(), name()).prop_map(|(client, name)| Step::Deregister(client, name)),
        1 => clients().prop_map(Step::Close),
        4 => (addresses(), name(), proptest::option::of(any_instance()))
            .prop_map(move |(client, name, i)| Step::Beat(client.clone(), name, i.map(|i| at(&client, i)))),
        2 => (addresses(), name(), any::<bool>())
            .prop_map(|(client, name, healthy)| Step::Health(client, name, healthy)),
        2 => (name(), any_instance(), proptest::option::of((0..5u8, "[ab]", "[xy]"))).prop_map(|(name, i, over)| {
            let over = over.map(|(weight, key, value)| Override {
                weight: Weight::new(weight.into()),
                enabled: None,
                status: None,
                metadata: Metadata::new([(key, value)]),
            });
            Step::Override(name, i, over)
        }),
        1 => (name(), any::<bool>()).prop_map(|(name, ephemeral)| {
            Step::Create(name, if ephemeral { Kind::Ephemeral } else { Kind::Persistent })
        }),
        1 => name().prop_map(Step::Remove),
        5 => (0..40_000u64).prop_map(Step::Pass),
    ]
}

/// Does a step on both; whether both did it.
fn run(world: &mut World, naive: &mut Naive, step: Step) {
    let now = world.now.mono.0;
    let operator = || cause(Reason::Operator);
    match step {
        Step::Register(client, name, instances) => {
            let op = register(&client, name, instances.clone());
            let checked = world.registry.check(&op).is_ok();
            assert_eq!(checked, naive.register(&client, name, instances, now));
            // A durable op that is refused before it is proposed never comes.
            if checked || !op.is_durable() {
                assert_eq!(world.apply(op).is_ok(), checked);
            } else {
                world.effects.clear();
            }
        }
        Step::Deregister(client, name) => {
            world.ok(deregister(&client, name));
            if let Some(at) = naive.position(&client, name) {
                naive.publications.remove(at);
            }
            naive.settle(now);
        }
        Step::Close(client) => {
            // Persistent publications are taken back one by one, through the log.
            if matches!(client, ClientId::Address(_, _, Kind::Persistent)) {
                return world.effects.clear();
            }
            world.ok(Op::Close(Close { client: client.clone(), cause: operator() }));
            naive.publications.retain(|p| p.client != client);
            naive.settle(now);
        }
        Step::Beat(client, name, full) => {
            let outcome = world.apply(beat(&client, name, full.clone()));
            let ephemeral = matches!(client, ClientId::Address(_, _, Kind::Ephemeral));
            match naive.position(&client, name).filter(|_| ephemeral) {
                Some(at) => {
                    naive.publications[at].last_beat = now;
                    naive.publications[at].instances[0].healthy = true;
                    assert!(matches!(outcome, Ok(Outcome::Renewed { .. })));
                }
                None => match full.filter(|_| ephemeral) {
                    Some(full) => assert_eq!(outcome.is_ok(), naive.register(&client, name, vec![full], now)),
                    None => assert_eq!(outcome, Ok(Outcome::UnknownInstance)),
                },
            }
        }
        Step::Health(client, name, healthy) => {
            let set =
                SetHealth { client: client.clone(), service: service(name), healthy, cause: operator() };
            let outcome = world.apply(Op::SetHealth(set));
            let at = naive.position(&client, name);
            assert_eq!(outcome.is_ok(), at.is_some());
            if let Some(at) = at {
                naive.publications[at].instances[0].healthy = healthy;
            }
        }
        Step::Override(..) | Step::Create(..) | Step::Remove(_) => run_as_operator(world, naive, step),
        Step::Pass(ms) => {
            world.pass(ms);
            naive.expire(world.now.mono.0);
            assert!(world.registry.next_deadline().is_none_or(|next| next > world.now.mono));
        }
    }
}

/// Does what operators do on both.
fn run_as_operator(world: &mut World, naive: &mut Naive, step: Step) {
    let now = world.now.mono.0;
    match step {
        Step::Override(name, i, over) => {
            let key = InstanceKey::of(&i);
            let change = over.clone().map_or(OverrideChange::Clear, OverrideChange::Replace);
            world.ok(Op::Override {
                service: service(name),
                instance: key.clone(),
                change,
                cause: cause(Reason::Operator),
            });
            match over {
                Some(over) => naive.overrides.insert((name, key), over),
                None => naive.overrides.remove(&(name, key)),
            };
        }
        Step::Create(name, kind) => {
            let op = Op::CreateService { service: service(name), spec: spec(kind) };
            assert_eq!(world.registry.check(&op).is_err(), naive.services.contains_key(name));
            world.effects.clear();
            if !naive.services.contains_key(name) {
                world.ok(op);
                let created = NaiveService { kind, explicit: true, empty_since: Some(now) };
                naive.services.insert(name, created);
            }
        }
        Step::Remove(name) => {
            let op = Op::RemoveService { service: service(name) };
            let is_removable = naive.services.get(name).is_some_and(|service| service.empty_since.is_some());
            assert_eq!(world.registry.check(&op).is_ok(), is_removable);
            world.effects.clear();
            if is_removable {
                world.ok(op);
                naive.services.remove(name);
            }
        }
        Step::Register(..)
        | Step::Deregister(..)
        | Step::Close(_)
        | Step::Beat(..)
        | Step::Health(..)
        | Step::Pass(_) => unreachable!("clients do that"),
    }
}

fn check_state(world: &World, naive: &Naive) {
    for name in SERVICES {
        let mut shown = world.shown(name);
        shown.sort();
        let mut wanted = naive.shown(name);
        wanted.dedup();
        assert_eq!(shown, wanted, "service {name}");
        let details = world.registry.details(&service(name));
        assert_eq!(details.map(|d| d.spec.kind), naive.services.get(name).map(|s| s.kind));
    }
    let mut clients: Vec<_> = naive.publications.iter().map(|p| p.client.to_string()).collect();
    clients.sort();
    clients.dedup();
    let counts = Counts {
        services: naive.services.len(),
        instances: naive.publications.iter().map(|p| p.instances.len()).sum(),
        clients: clients.len(),
        publications: naive.publications.len(),
    };
    assert_eq!(world.registry.counts(), counts);
    let persistent = naive.publications.iter().filter(|p| p.is_persistent()).count();
    assert_eq!(world.registry.check_targets().count(), persistent);
}

/// What was shown, how much is published and since which revision, by service.
type Before = Vec<(Vec<String>, usize, u64)>;

fn before(world: &World) -> Before {
    let look = |name| match world.registry.details(&service(name)) {
        Some(details) => (world.shown(name), details.publications, world.view(name).last_ref_time),
        None => (Vec::new(), 0, 0),
    };
    SERVICES.map(look).to_vec()
}

/// Whoever acts on the effects alone knows what became of each service.
fn check_effects(world: &World, before: &Before) {
    for (name, (shown, publications, last_ref_time)) in SERVICES.into_iter().zip(before) {
        let mut changed = None;
        let (mut appeared, mut vanished) = (0, 0);
        for effect in &world.effects {
            match effect {
                Effect::ServiceChanged { service, revision, .. } if service.name().as_str() == name => {
                    assert!(changed < Some(*revision), "revisions grow");
                    changed = Some(*revision);
                }
                Effect::ServiceAppeared(service) => appeared += i32::from(service.name().as_str() == name),
                Effect::ServiceVanished(service) => vanished += i32::from(service.name().as_str() == name),
                Effect::ServiceChanged { .. }
                | Effect::ServiceRemoved(_)
                | Effect::Recorded(_)
                | Effect::ProposeStatus { .. }
                | Effect::Brake(_)
                | Effect::EurekaRenewed { .. }
                | Effect::Mirrored
                | Effect::Persist(_) => {}
            }
        }
        let details = world.registry.details(&service(name));
        let now = details.map_or(0, |details| details.publications);
        assert_eq!(i32::from(now > 0) - i32::from(*publications > 0), appeared - vanished);
        if world.shown(name) != *shown {
            assert!(changed.is_some(), "{name} changed without a word");
        }
        if let (Some(revision), Some(parts)) = (changed, world.registry.parts(&service(name))) {
            let view = parts.build();
            assert_eq!(view.revision, revision);
            assert!(view.is_current() && view.last_ref_time > *last_ref_time);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn behaves_like_the_naive_model(steps in proptest::collection::vec(step(), 1..80)) {
        let (mut world, mut naive) = (World::new(), Naive::default());
        let mut rows = BTreeMap::new();
        for step in steps {
            let before = before(&world);
            run(&mut world, &mut naive, step);
            check_state(&world, &naive);
            check_effects(&world, &before);
            super::stored::write(&mut rows, world.rows());
        }
        super::stored::check_loaded(&world, &rows);
    }
}
