//! Ensembles under random schedules, against what their clients know of themselves.

use super::{ensemble::Ensemble, *};
use proptest::prelude::*;

const CLIENTS: usize = 9;
const NODES: usize = 3;

/// A client, by what it knows itself.
#[derive(Clone, Debug, Default)]
struct Naive {
    /// Whether it lives and is registered.
    lives: bool,
    version: u32,
    /// The version that it deregistered: a node that did not hear of that may hear it any time later.
    removed: u32,
    /// Where it registered last; absent: at a node that may have lost it before it told anybody.
    registered_at: Option<usize>,
    /// A connection: where, and by which number.
    attached: Option<(usize, u64)>,
    /// Where it was shown and may not go from.
    seen: [bool; NODES],
    /// When it beat last.
    beat_ms: u64,
    beats: usize,
}

#[derive(Clone, Debug)]
enum Step {
    Register(usize, usize),
    Deregister(usize, usize),
    /// Goes without a word.
    Die(usize),
    Isolate(usize),
    Cut(usize, usize),
    Heal,
    Restart(usize, bool),
    Bandwidth(usize, usize),
    Pass(u64),
}

struct Schedule {
    ensemble: Ensemble,
    clients: Vec<Naive>,
    connections: u64,
    /// Whether clients beat at one node after the other, else each at one of its own.
    around: bool,
    /// Whether a client registers at another node than it beats at.
    apart: bool,
}

fn is_connection(client: usize) -> bool {
    client.is_multiple_of(3)
}

fn is_eureka(client: usize) -> bool {
    client % 3 == 2
}

fn place(client: usize) -> String {
    format!("10.0.0.{client}:80")
}

fn name(client: usize) -> &'static str {
    if is_eureka(client) { "app" } else { ["s", "t"][client % 2] }
}

fn version_of(line: &str) -> u32 {
    line.rsplit_once("v=").map_or(0, |(_, version)| version.parse().unwrap())
}

fn eureka_id(client: usize) -> String {
    format!("id{client}")
}

impl Schedule {
    fn new(around: bool, apart: bool, changes_max: usize) -> Self {
        let clients = vec![Naive::default(); CLIENTS];
        Self { ensemble: Ensemble::keeping(NODES, changes_max), clients, connections: 0, around, apart }
    }

    fn declared(&self, client: usize) -> EurekaInstance {
        let version = self.clients[client].version;
        EurekaInstance {
            ip_addr: format!("10.0.0.{client}").as_str().into(),
            port: EurekaPort { number: 80, enabled: true },
            lease: EurekaLease { renewal_secs: 5, duration_secs: 30 },
            metadata: Metadata::new([("v", version.to_string())]),
            ..eureka::declared("APP", &eureka_id(client), i64::from(version))
        }
    }

    fn register_op(&self, client: usize) -> Op {
        if is_eureka(client) {
            return eureka::eureka_register(self.declared(client));
        }
        let instances = vec![with(&place(client), &[("v", &self.clients[client].version.to_string())])];
        match self.clients[client].attached {
            Some((_, number)) => register(&connection(number), name(client), instances),
            None => register(&address(&place(client), Kind::Ephemeral), name(client), instances),
        }
    }

    fn register(&mut self, client: usize, at: usize) {
        self.close(client);
        let now_ms = self.ensemble.now_ms;
        let one = &mut self.clients[client];
        one.version += 1;
        (one.lives, one.beat_ms, one.registered_at) = (true, now_ms, Some(at));
        if is_connection(client) {
            self.connections += 1;
            one.attached = Some((at, self.connections));
        }
        let op = self.register_op(client);
        self.ensemble.apply(at, op).unwrap();
    }

    fn close(&mut self, client: usize) {
        self.clients[client].seen = [false; NODES];
        let Some((at, number)) = self.clients[client].attached.take() else { return };
        let close = Close { client: connection(number), cause: cause(Reason::ConnectionLost) };
        self.ensemble.apply(at, Op::Close(close)).unwrap();
    }

    fn deregister(&mut self, client: usize, at: usize) {
        let one = &mut self.clients[client];
        (one.lives, one.removed) = (false, one.version);
        self.close(client);
        if is_eureka(client) {
            let cancel = EurekaCancel {
                base: EurekaBase::default(),
                app: "APP".into(),
                id: eureka_id(client).as_str().into(),
                cause: cause(Reason::Deregistered),
            };
            self.ensemble.apply(at, Op::EurekaCancel(cancel)).unwrap();
        } else if !is_connection(client) {
            self.ensemble
                .apply(at, deregister(&address(&place(client), Kind::Ephemeral), name(client)))
                .unwrap();
        }
    }

    fn restart(&mut self, at: usize, with_checkpoint: bool) {
        self.ensemble.restart(at, with_checkpoint);
        for client in 0..CLIENTS {
            self.clients[client].seen[at] = false;
            self.clients[client].registered_at.take_if(|node| *node == at && !with_checkpoint);
            // Its clients find another node by and by.
            if self.clients[client].attached.is_some_and(|(node, _)| node == at) {
                (self.clients[client].attached, self.clients[client].seen) = (None, [false; NODES]);
                if self.clients[client].lives {
                    self.register(client, (at + client) % NODES);
                }
            }
        }
    }

    fn beat(&mut self, client: usize) {
        let beats = self.clients[client].beats;
        let at = if self.around { (client + beats) % NODES } else { client % NODES };
        (self.clients[client].beats, self.clients[client].beat_ms) = (beats + 1, self.ensemble.now_ms);
        let dirty = i64::from(self.clients[client].version);
        let op = match is_eureka(client) {
            true => eureka::renewal("APP", &eureka_id(client), Some(dirty), false),
            false => beat(&address(&place(client), Kind::Ephemeral), name(client), None),
        };
        if self.ensemble.apply(at, op).unwrap() == Outcome::UnknownInstance {
            let op = self.register_op(client);
            self.ensemble.apply(at, op).unwrap();
        }
    }

    fn pass(&mut self, ms: u64) {
        for _ in 0..ms.div_ceil(250) {
            for client in (0..CLIENTS).filter(|client| !is_connection(*client)) {
                if self.clients[client].lives && self.ensemble.now_ms >= self.clients[client].beat_ms + 5_000
                {
                    self.beat(client);
                }
            }
            self.ensemble.pass(250);
            self.check();
        }
    }

    fn shows(&self, at: usize, client: usize) -> Option<String> {
        let place = place(client);
        self.ensemble.shown(at, name(client)).into_iter().find(|line| line.starts_with(&format!("{place}@")))
    }

    fn living(&self) -> Vec<usize> {
        (0..CLIENTS).filter(|client| self.clients[*client].lives).collect()
    }

    /// What holds at every moment.
    fn check(&mut self) {
        for client in self.living() {
            if let Some((at, _)) = self.clients[client].attached {
                let shown = self.shows(at, client).unwrap_or_default();
                let version = format!("v={}", self.clients[client].version);
                assert!(shown.contains(&version), "{client} is connected to {at}: {shown} {version}");
            } else if self.around {
                for at in 0..NODES {
                    let shown = self.shows(at, client);
                    let shows = shown.is_some_and(|line| version_of(&line) > self.clients[client].removed);
                    assert!(
                        shows || !self.clients[client].seen[at],
                        "{client} beats everywhere and went from {at}: {:#?}",
                        self.ensemble.members[at].registry.told()
                    );
                    self.clients[client].seen[at] = shows;
                }
            }
        }
    }

    fn run(&mut self, step: Step) {
        match step {
            Step::Register(client, at) => {
                // A registration that only one node knows, and where no beat comes, is lost like its lease.
                let is_apart = self.around || self.apart || is_connection(client);
                self.register(client, if is_apart { at } else { client % NODES });
            }
            Step::Deregister(client, at) => self.deregister(client, at),
            Step::Die(client) => {
                self.clients[client].lives = false;
                self.close(client);
            }
            Step::Isolate(at) => {
                for other in (0..NODES).filter(|other| *other != at) {
                    self.ensemble.cut(at, other, true);
                    self.ensemble.cut(other, at, true);
                }
            }
            Step::Cut(one, other) => {
                // A link that carries one way only carries nothing for long.
                self.ensemble.cut(one, other, true);
                self.ensemble.cut(other, one, true);
            }
            Step::Heal => self.ensemble.heal(),
            Step::Restart(at, with_checkpoint) => self.restart(at, with_checkpoint),
            Step::Bandwidth(bytes, messages) => {
                (self.ensemble.bytes, self.ensemble.messages) = (bytes, messages);
            }
            Step::Pass(ms) => return self.pass(ms),
        }
        self.pass(250);
    }

    /// All is mended: soon all tell the same, and every living client is in it; after a while nothing else is.
    fn settle(&mut self) {
        self.ensemble.heal();
        (self.ensemble.bytes, self.ensemble.messages) = (100_000, 8);
        self.ensemble.converge();
        self.pass(6_000);
        self.ensemble.converge();
        for _ in 0..400 {
            self.pass(250);
            for client in self.living() {
                let version = match self.clients[client].registered_at {
                    Some(_) => format!("v={}", self.clients[client].version),
                    None => "v=".to_owned(),
                };
                for at in 0..NODES {
                    let shown = self.shows(at, client).unwrap_or_default();
                    let all = self.ensemble.members[at].registry.told();
                    assert!(shown.contains(&version), "{client} lives: {shown} {version} at {at}: {all:#?}");
                    assert!(!shown.contains("unhealthy"), "{client} is heard: {shown} at {at}: {all:#?}");
                }
            }
        }
        self.ensemble.converge();
        for client in (0..CLIENTS).filter(|client| !self.clients[*client].lives) {
            for at in 0..NODES {
                assert_eq!(self.shows(at, client), None, "{client} is gone, and stays at {at}");
            }
        }
        let eureka: Vec<_> = (0..NODES).map(|at| self.eureka_view(at)).collect();
        assert!(eureka.iter().all(|one| *one == eureka[0]), "{eureka:#?}");
    }

    /// What Eureka clients are shown of what registered over Eureka.
    fn eureka_view(&mut self, at: usize) -> Vec<EurekaShown> {
        let base = EurekaBase::default();
        let registry = &mut self.ensemble.members[at].registry;
        registry.eureka_release(&base);
        let changes = registry.eureka_changes(&base);
        let mut apps: Vec<_> = changes.apps.into_iter().filter_map(|(_, parts)| parts?.build(None)).collect();
        apps.sort_by(|a, b| a.key.cmp(&b.key));
        let instances = apps.iter().flat_map(|app| app.instances.iter());
        let declared = instances.filter(|shown| !shown.derived);
        declared.map(|shown| EurekaShown { stamp: 0, ..EurekaShown::clone(shown) }).collect()
    }
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..CLIENTS, 0..NODES).prop_map(|(client, at)| Step::Register(client, at)),
        2 => (0..CLIENTS, 0..NODES).prop_map(|(client, at)| Step::Deregister(client, at)),
        1 => (0..CLIENTS).prop_map(Step::Die),
        2 => (0..NODES).prop_map(Step::Isolate),
        2 => (0..NODES, 0..NODES).prop_map(|(one, other)| Step::Cut(one, other)),
        3 => Just(Step::Heal),
        1 => (0..NODES, any::<bool>()).prop_map(|(at, with)| Step::Restart(at, with)),
        1 => (50..2_000usize, 1..5usize).prop_map(|(bytes, messages)| Step::Bandwidth(bytes, messages)),
        4 => (250..6_000u64).prop_map(Step::Pass),
        1 => (6_000..45_000u64).prop_map(Step::Pass),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 16, max_shrink_time: 60_000, ..ProptestConfig::default() })]

    #[test]
    fn ensembles_come_to_what_their_clients_know(
        around in any::<bool>(),
        changes_max in prop_oneof![Just(1usize), Just(3), Just(1_000)],
        steps in proptest::collection::vec(step(), 1..40),
    ) {
        let mut schedule = Schedule::new(around, false, changes_max);
        steps.into_iter().for_each(|step| schedule.run(step));
        schedule.settle();
    }
}

#[test]
fn schedules_that_failed_once() {
    use Step::{Bandwidth, Cut, Deregister, Isolate, Pass, Register, Restart};
    let a_removal_that_was_told_before_the_snapshot =
        vec![Register(5, 1), Isolate(0), Pass(4_251), Register(0, 0), Deregister(5, 0)];
    let a_removal_that_an_adopter_alone_hears_of = vec![
        Register(6, 1),
        Isolate(1),
        Deregister(6, 0),
        Isolate(0),
        Register(0, 0),
        Register(0, 0),
        Pass(5_001),
        Register(8, 2),
        Pass(5_677),
        Isolate(2),
        Register(3, 2),
        Isolate(0),
    ];
    let a_client_that_beat_where_its_last_registration_was_unknown = vec![
        Register(1, 0),
        Isolate(0),
        Register(1, 0),
        Register(2, 0),
        Deregister(2, 0),
        Restart(2, false),
        Register(2, 0),
        Register(2, 0),
        Pass(18_751),
        Pass(1_251),
        Register(2, 0),
        Pass(2_752),
    ];
    let a_removal_by_one_of_two_that_kept_it_on =
        vec![Register(8, 1), Isolate(0), Isolate(1), Pass(19_251), Deregister(8, 0)];
    let old_ops_of_who_is_yielded_to = vec![Register(5, 2), Register(5, 0), Isolate(1), Register(5, 2)];
    let a_removal_and_a_registration_in_two_halves = vec![
        Register(5, 1),
        Register(0, 0),
        Register(0, 0),
        Cut(1, 2),
        Deregister(5, 1),
        Isolate(1),
        Register(5, 1),
        Pass(2_501),
    ];
    let what_a_snapshot_under_way_has_not_confirmed = vec![
        Register(0, 0),
        Register(2, 0),
        Register(0, 0),
        Register(0, 0),
        Register(0, 2),
        Restart(2, true),
        Bandwidth(50, 2),
        Cut(0, 2),
    ];
    for steps in [
        a_removal_and_a_registration_in_two_halves,
        what_a_snapshot_under_way_has_not_confirmed,
        old_ops_of_who_is_yielded_to,
        a_removal_by_one_of_two_that_kept_it_on,
        a_removal_that_was_told_before_the_snapshot,
        a_removal_that_an_adopter_alone_hears_of,
        a_client_that_beat_where_its_last_registration_was_unknown,
    ] {
        for around in [false, true] {
            for changes_max in [1, 1_000] {
                let mut schedule = Schedule::new(around, true, changes_max);
                steps.iter().for_each(|step| schedule.run(step.clone()));
                schedule.settle();
            }
        }
    }
}
