//! Behaviour of fuzzy watches.

use super::*;
use muster_model::{GroupName, Limits, Namespace, ServiceKey, ServiceName};
use proptest::prelude::*;

const A: WatcherId = WatcherId(1);
const B: WatcherId = WatcherId(2);

fn key(name: &str) -> ServiceKey {
    ServiceKey::new(Namespace::default(), GroupName::new("g").unwrap(), ServiceName::new(name).unwrap())
}

fn keys(count: usize) -> Vec<ServiceKey> {
    (0..count).map(|number| key(&format!("s{number:04}"))).collect()
}

fn pattern(text: &str) -> Pattern {
    Pattern::parse(text).unwrap()
}

fn all() -> Pattern {
    pattern("public>>g>>*")
}

fn ms(at: u64) -> Monotonic {
    Monotonic(at)
}

fn naming() -> Fuzzy<ServiceKey> {
    Fuzzy::new(FuzzyPolicy::naming(&Limits::default()))
}

fn next(fuzzy: &mut Fuzzy<ServiceKey>, at: u64) -> Option<FuzzyMessage<ServiceKey>> {
    fuzzy.next(A, ms(at)).map(|delivery| delivery.message)
}

/// Pulls and acknowledges until there is nothing more.
fn drain(fuzzy: &mut Fuzzy<ServiceKey>, watcher: WatcherId) -> Vec<FuzzyMessage<ServiceKey>> {
    let mut messages = Vec::new();
    while let Some(delivery) = fuzzy.next(watcher, ms(0)) {
        fuzzy.acknowledge(watcher, delivery.push);
        messages.push(delivery.message);
    }
    messages
}

fn finished() -> FuzzyMessage<ServiceKey> {
    FuzzyMessage::Finished { pattern: "public>>g>>*".into() }
}

#[test]
fn without_matches_the_finish_comes_at_once() {
    let mut fuzzy = naming();
    let start = fuzzy.watch(A, &all(), SyncKind::Initial, [], []).unwrap();
    assert_eq!(start, FuzzyStart { truncated: false, wake: true });
    assert_eq!(drain(&mut fuzzy, A), [finished()]);
}

#[test]
fn the_list_comes_in_batches_and_the_finish_when_all_are_acknowledged() {
    let mut fuzzy = naming();
    fuzzy.watch(A, &all(), SyncKind::Initial, [], keys(25)).unwrap();
    let mut pushes = Vec::new();
    for batch in 1..=3 {
        let delivery = fuzzy.next(A, ms(0)).unwrap();
        let FuzzyMessage::Sync { changes, batch: number, batches, kind, .. } = delivery.message else {
            panic!("not a batch");
        };
        assert_eq!((number, batches, kind), (batch, 3, SyncKind::Initial));
        assert_eq!(changes.len(), if batch == 3 { 5 } else { 10 });
        assert!(changes.iter().all(|(_, presence)| *presence == Presence::Present));
        pushes.push(delivery.push);
    }
    assert_eq!(next(&mut fuzzy, 0), None, "no finish yet");
    fuzzy.acknowledge(A, pushes[2]);
    fuzzy.acknowledge(A, pushes[0]);
    assert_eq!(next(&mut fuzzy, 0), None);
    assert!(fuzzy.acknowledge(A, pushes[1]), "the order does not matter");
    assert_eq!(next(&mut fuzzy, 0), Some(finished()));
}

#[test]
fn a_comparison_tells_the_difference_and_has_no_finish() {
    let mut fuzzy = naming();
    let (had, exist) = ([key("a"), key("b"), key("gone")], [key("a"), key("b"), key("new")]);
    fuzzy.watch(A, &all(), SyncKind::Difference, had, exist).unwrap();
    let expected = [(key("new"), Presence::Present), (key("gone"), Presence::Absent)];
    let messages = drain(&mut fuzzy, A);
    assert!(matches!(&messages[..], [FuzzyMessage::Sync { changes, kind: SyncKind::Difference, .. }]
        if **changes == expected));
    let start = fuzzy.watch(A, &all(), SyncKind::Difference, [key("a")], [key("a")]).unwrap();
    assert!(!start.wake);
}

#[test]
fn a_batch_that_is_not_acknowledged_is_repeated() {
    let mut fuzzy = naming();
    fuzzy.watch(A, &all(), SyncKind::Initial, [], keys(1)).unwrap();
    let first = fuzzy.next(A, ms(0)).unwrap();
    assert_eq!(fuzzy.next_deadline(), Some(ms(5_000)));
    assert!(fuzzy.expire(ms(5_000)).is_empty());
    assert_eq!(fuzzy.next_deadline(), Some(ms(6_000)));
    assert_eq!(fuzzy.expire(ms(6_000)), [A]);
    let again = fuzzy.next(A, ms(6_000)).unwrap();
    assert_eq!((again.push, &again.message, again.attempt), (first.push, &first.message, 2));
    fuzzy.reject(A, again.push, ms(6_100));
    assert!(fuzzy.expire(ms(7_099)).is_empty());
    assert_eq!(fuzzy.expire(ms(7_100)), [A]);
}

#[test]
fn a_watcher_that_never_acknowledges_is_given_up_in_the_end() {
    let mut fuzzy = naming();
    fuzzy.watch(A, &all(), SyncKind::Initial, [], []).unwrap();
    let mut tries = 0;
    while fuzzy.next(A, fuzzy.next_deadline().unwrap_or_default()).is_some() {
        tries += 1;
        while let Some(at) = fuzzy.next_deadline() {
            if !fuzzy.expire(at).is_empty() {
                break;
            }
        }
    }
    assert_eq!((tries, fuzzy.next_deadline()), (50, None));
}

#[test]
fn comings_and_goings_are_told_to_those_whose_pattern_matches() {
    let mut fuzzy = naming();
    for text in ["public>>g>>order*", "public>>*>>*service"] {
        fuzzy.watch(A, &pattern(text), SyncKind::Initial, [], []).unwrap();
    }
    fuzzy.watch(B, &pattern("public>>h>>*"), SyncKind::Initial, [], []).unwrap();
    drain(&mut fuzzy, A);
    drain(&mut fuzzy, B);
    let mut wake = Vec::new();
    fuzzy.changed(&key("order-service"), Presence::Present, &mut wake);
    assert_eq!(wake, [A]);
    let expected = FuzzyMessage::Changed { key: key("order-service"), presence: Presence::Present };
    assert_eq!(drain(&mut fuzzy, A), [expected], "once, though two patterns match");
    assert_eq!(drain(&mut fuzzy, B), []);
}

#[test]
fn notices_coalesce_and_wait_for_the_list() {
    let mut fuzzy = naming();
    fuzzy.watch(A, &all(), SyncKind::Initial, [], keys(1)).unwrap();
    let mut wake = Vec::new();
    fuzzy.changed(&key("s0000"), Presence::Absent, &mut wake);
    let batch = fuzzy.next(A, ms(0)).unwrap();
    assert_eq!(next(&mut fuzzy, 0), None, "a batch that is repeated after the notice would undo it");
    fuzzy.changed(&key("x"), Presence::Present, &mut wake);
    fuzzy.changed(&key("x"), Presence::Absent, &mut wake);
    fuzzy.acknowledge(A, batch.push);
    let changed = |name: &str| FuzzyMessage::Changed { key: key(name), presence: Presence::Absent };
    assert_eq!(drain(&mut fuzzy, A), [finished(), changed("s0000"), changed("x")]);
    assert!(wake.is_empty(), "it had something to ask for all the time");
}

#[test]
fn a_newer_notice_supersedes_one_that_is_not_acknowledged() {
    let mut fuzzy = naming();
    fuzzy.watch(A, &all(), SyncKind::Initial, [], []).unwrap();
    drain(&mut fuzzy, A);
    let mut wake = Vec::new();
    fuzzy.changed(&key("x"), Presence::Present, &mut wake);
    fuzzy.next(A, ms(0)).unwrap();
    fuzzy.changed(&key("x"), Presence::Absent, &mut wake);
    assert_eq!(wake, [A, A]);
    assert_eq!(drain(&mut fuzzy, A), [FuzzyMessage::Changed { key: key("x"), presence: Presence::Absent }]);
    assert_eq!(fuzzy.next_deadline(), None, "the older one is not repeated");
}

#[test]
fn the_server_watches_twenty_patterns_that_go_with_their_watchers() {
    let mut fuzzy = naming();
    for number in 0..20 {
        fuzzy.watch(A, &pattern(&format!("public>>g>>p{number}*")), SyncKind::Initial, [], []).unwrap();
    }
    let more = pattern("public>>g>>p20*");
    let refused = Err(FuzzyError::TooManyPatterns { max: 20 });
    assert_eq!(fuzzy.watch(A, &more, SyncKind::Initial, [], []), refused);
    assert_eq!(fuzzy.watch(B, &more, SyncKind::Initial, [], []), refused);
    fuzzy.watch(B, &pattern("public>>g>>p0*"), SyncKind::Initial, [], []).unwrap();
    fuzzy.close(A);
    assert_eq!(fuzzy.pattern_count(), 1, "the pattern that B watches too stays");
    fuzzy.watch(A, &more, SyncKind::Initial, [], []).unwrap();
    assert!(fuzzy.cancel(B, "public>>g>>p0*"));
    assert!(!fuzzy.cancel(B, "public>>g>>p0*"));
    assert_eq!(fuzzy.pattern_count(), 1);
}

#[test]
fn a_list_of_more_than_five_hundred_is_truncated() {
    let mut fuzzy = naming();
    let start = fuzzy.watch(A, &all(), SyncKind::Initial, [], keys(501)).unwrap();
    assert!(start.truncated);
    let listed: usize = drain(&mut fuzzy, A)
        .iter()
        .map(|message| match message {
            FuzzyMessage::Sync { changes, .. } => changes.len(),
            FuzzyMessage::Finished { .. } | FuzzyMessage::Changed { .. } => 0,
        })
        .sum();
    assert_eq!(listed, 500);
    let start = fuzzy.watch(A, &all(), SyncKind::Difference, keys(501), keys(501)).unwrap();
    assert!(start.truncated);
    assert_eq!(drain(&mut fuzzy, A), [], "what the client has beyond the limit is not taken from it");
}

#[test]
fn cancelling_drops_what_was_to_be_said() {
    let mut fuzzy = naming();
    fuzzy.watch(A, &all(), SyncKind::Initial, [], keys(30)).unwrap();
    fuzzy.watch(A, &pattern("public>>g>>t*"), SyncKind::Initial, [], []).unwrap();
    let mut wake = Vec::new();
    fuzzy.changed(&key("x"), Presence::Present, &mut wake);
    fuzzy.changed(&key("t"), Presence::Present, &mut wake);
    fuzzy.next(A, ms(0)).unwrap();
    assert!(fuzzy.cancel(A, "public>>g>>*"));
    let expected = FuzzyMessage::Changed { key: key("t"), presence: Presence::Present };
    assert_eq!(drain(&mut fuzzy, A), [FuzzyMessage::Finished { pattern: "public>>g>>t*".into() }, expected]);
    assert_eq!(fuzzy.next_deadline(), None);
}

#[test]
fn a_slow_watcher_has_bounded_memory() {
    let mut fuzzy = Fuzzy::new(FuzzyPolicy { notices_max: 5, ..FuzzyPolicy::naming(&Limits::default()) });
    fuzzy.watch(A, &all(), SyncKind::Initial, [], []).unwrap();
    drain(&mut fuzzy, A);
    let mut wake = Vec::new();
    for round in 0..100 {
        for key in keys(10) {
            let presence = if round % 2 == 0 { Presence::Present } else { Presence::Absent };
            fuzzy.changed(&key, presence, &mut wake);
            assert!(fuzzy.members[&A].queue.len() <= 5);
        }
    }
    assert_eq!(wake, [A]);
    assert_eq!(fuzzy.dropped_count(), 995);
    assert_eq!(drain(&mut fuzzy, A).len(), 5);
}

#[derive(Clone, Debug)]
enum Step {
    Flip(usize),
    Rewatch(bool),
    Pull { acknowledged: bool },
    Acknowledge(prop::sample::Index),
    Advance(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..8_usize).prop_map(Step::Flip),
        1 => any::<bool>().prop_map(Step::Rewatch),
        6 => any::<bool>().prop_map(|acknowledged| Step::Pull { acknowledged }),
        2 => any::<prop::sample::Index>().prop_map(Step::Acknowledge),
        2 => prop_oneof![0..2_000_u64, 4_000..8_000_u64].prop_map(Step::Advance),
    ]
}

/// A client that believes what it is told, and what there really is.
struct World {
    fuzzy: Fuzzy<ServiceKey>,
    exist: BTreeSet<ServiceKey>,
    believed: BTreeSet<ServiceKey>,
    unacknowledged: Vec<FuzzyPush>,
    clock: u64,
}

impl World {
    fn new() -> Self {
        let policy = FuzzyPolicy { batch_max: 2, ..FuzzyPolicy::naming(&Limits::default()) };
        let mut world = Self {
            fuzzy: Fuzzy::new(policy),
            exist: keys(3).into_iter().collect(),
            believed: BTreeSet::new(),
            unacknowledged: Vec::new(),
            clock: 0,
        };
        world.run(Step::Rewatch(true));
        world
    }

    fn hear(&mut self, key: ServiceKey, presence: Presence) {
        match presence {
            Presence::Present => self.believed.insert(key),
            Presence::Absent => self.believed.remove(&key),
        };
    }

    fn pull(&mut self) -> Option<FuzzyPush> {
        let delivery = self.fuzzy.next(A, ms(self.clock))?;
        match delivery.message {
            FuzzyMessage::Sync { changes, .. } => {
                changes.iter().for_each(|(key, presence)| self.hear(key.clone(), *presence));
            }
            FuzzyMessage::Finished { .. } => {}
            FuzzyMessage::Changed { key, presence } => self.hear(key, presence),
        }
        Some(delivery.push)
    }

    fn run(&mut self, step: Step) {
        match step {
            Step::Flip(number) => {
                let key = keys(8).swap_remove(number);
                let presence = if self.exist.remove(&key) { Presence::Absent } else { Presence::Present };
                if presence == Presence::Present {
                    self.exist.insert(key.clone());
                }
                self.fuzzy.changed(&key, presence, &mut Vec::new());
            }
            Step::Rewatch(initial) => {
                let kind = if initial { SyncKind::Initial } else { SyncKind::Difference };
                self.fuzzy.watch(A, &all(), kind, self.believed.clone(), self.exist.clone()).unwrap();
            }
            Step::Pull { acknowledged } => {
                let Some(push) = self.pull() else { return };
                if acknowledged {
                    self.fuzzy.acknowledge(A, push);
                } else {
                    self.unacknowledged.push(push);
                }
            }
            Step::Acknowledge(index) => {
                if !self.unacknowledged.is_empty() {
                    let push = self.unacknowledged.swap_remove(index.index(self.unacknowledged.len()));
                    self.fuzzy.acknowledge(A, push);
                }
            }
            Step::Advance(by) => {
                self.clock += by;
                self.fuzzy.expire(ms(self.clock));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_client_believes_what_is_true_in_the_end(steps in prop::collection::vec(step(), 1..120)) {
        let mut world = World::new();
        for step in steps {
            world.run(step);
        }
        for _ in 0..4 {
            while let Some(push) = world.pull() {
                world.fuzzy.acknowledge(A, push);
            }
            world.run(Step::Advance(10_000));
        }
        prop_assert_eq!(&world.believed, &world.exist);
        prop_assert_eq!(world.fuzzy.next_deadline(), None);
        prop_assert_eq!(world.fuzzy.members[&A].queue.len(), 0);
    }
}
