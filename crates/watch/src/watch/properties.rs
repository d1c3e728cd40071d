//! Random interleavings against a naive model that keeps every send and works out the rest anew each time.

use super::*;
use crate::{Policy, PushIds};
use proptest::prelude::*;
use std::collections::BTreeMap;

const WATCHERS: u64 = 3;
const KEYS: u8 = 3;

#[derive(Clone, Debug)]
enum Step {
    Watch(u64, u8),
    Unwatch(u64, u8),
    Reopen(u64),
    /// The state becomes newer, but its effect has not run yet.
    Bump(u8),
    /// The effect runs, perhaps for several changes at once.
    Notify(u8),
    Next(u64),
    /// Acknowledges one of the ids seen so far.
    Acknowledge(u64, prop::sample::Index),
    Advance(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let watcher = 0..WATCHERS;
    let key = 0..KEYS;
    prop_oneof![
        3 => (watcher.clone(), key.clone()).prop_map(|(w, k)| Step::Watch(w, k)),
        1 => (watcher.clone(), key.clone()).prop_map(|(w, k)| Step::Unwatch(w, k)),
        1 => watcher.clone().prop_map(Step::Reopen),
        4 => key.clone().prop_map(Step::Bump),
        4 => key.prop_map(Step::Notify),
        8 => watcher.clone().prop_map(Step::Next),
        5 => (watcher, any::<prop::sample::Index>()).prop_map(|(w, i)| Step::Acknowledge(w, i)),
        3 => prop_oneof![0..50_u64, 900..1_100_u64, 4_000..7_000_u64].prop_map(Step::Advance),
    ]
}

#[derive(Debug)]
struct Send {
    id: PushId,
    revision: u64,
    at: u64,
    attempt: u32,
    settled: bool,
}

/// One (watcher, key): everything that was sent, and the newest revision told by the effects or rendered.
#[derive(Debug, Default)]
struct Log {
    newest: u64,
    known: u64,
    first_push: bool,
    sends: Vec<Send>,
}

impl Log {
    fn outstanding(&self, now: u64, policy: &Policy) -> usize {
        let is_live = |send: &&Send| !send.settled && send.at + policy.acknowledge_timeout_ms > now;
        self.sends.iter().filter(is_live).count()
    }

    fn is_owed(&self, now: u64, policy: &Policy) -> bool {
        match self.sends.last() {
            None => self.first_push || self.newest > self.known,
            Some(last) if last.revision < self.newest => true,
            Some(last) => {
                let again_at = last.at + policy.acknowledge_timeout_ms + policy.retry_after(last.attempt);
                !last.settled && again_at <= now
            }
        }
    }

    fn is_due(&self, now: u64, policy: &Policy) -> bool {
        self.is_owed(now, policy) && self.outstanding(now, policy) < policy.outstanding_max
    }
}

struct World {
    policy: Policy,
    watch: Watch<u8, u64>,
    logs: BTreeMap<(u64, u8), Log>,
    truth: BTreeMap<u8, u64>,
    clock: u64,
    revisions: u64,
    seen: BTreeMap<u64, Vec<PushId>>,
    awake: BTreeSet<WatcherId>,
}

impl World {
    fn new(policy: Policy) -> Self {
        let mut watch = Watch::new();
        for watcher in 0..WATCHERS {
            watch.open(WatcherId(watcher), policy);
        }
        Self {
            policy,
            watch,
            logs: BTreeMap::new(),
            truth: BTreeMap::new(),
            clock: 0,
            revisions: 0,
            seen: BTreeMap::new(),
            awake: BTreeSet::new(),
        }
    }

    fn run(&mut self, step: Step) {
        match step {
            Step::Watch(w, k) => {
                let known = self.truth.get(&k).copied().unwrap_or(0);
                let watched = self.watch.watch(WatcherId(w), k, self.clock, Revision(known)).unwrap();
                let is_new = !self.logs.contains_key(&(w, k));
                assert_eq!(watched, if is_new { Watched::First } else { Watched::Again });
                if is_new {
                    let first_push = self.policy.push_on_watch;
                    self.logs.insert((w, k), Log { newest: known, known, first_push, sends: Vec::new() });
                    self.awake.insert(WatcherId(w));
                }
            }
            Step::Unwatch(w, k) => {
                assert_eq!(self.watch.unwatch(WatcherId(w), &k), self.logs.remove(&(w, k)).is_some());
            }
            Step::Reopen(w) => {
                self.watch.close(WatcherId(w));
                self.watch.open(WatcherId(w), self.policy);
                self.logs.retain(|(other, _), _| *other != w);
                self.seen.remove(&w);
            }
            Step::Bump(k) => {
                self.revisions += 1;
                self.truth.insert(k, self.revisions);
            }
            Step::Notify(k) => self.notify(k),
            Step::Next(w) => {
                self.pull(w);
            }
            Step::Acknowledge(w, index) => {
                let seen = self.seen.entry(w).or_default();
                if !seen.is_empty() {
                    let id = *index.get(seen);
                    self.acknowledge(w, id);
                }
            }
            Step::Advance(ms) => {
                self.clock += ms;
                let expired = self.watch.expire(Monotonic(self.clock));
                self.awake.extend(expired.wake);
            }
        }
        self.check();
    }

    fn notify(&mut self, k: u8) {
        let Some(&revision) = self.truth.get(&k) else { return };
        let mut wake = Vec::new();
        self.watch.changed(&k, Revision(revision), &mut wake);
        self.awake.extend(wake);
        for (_, log) in self.logs.iter_mut().filter(|((_, key), _)| *key == k) {
            log.newest = log.newest.max(revision);
        }
    }

    fn pull(&mut self, w: u64) -> Option<PushId> {
        let Some(delivery) = self.watch.next(WatcherId(w), Monotonic(self.clock)) else {
            self.awake.remove(&WatcherId(w));
            return None;
        };
        let log = self.logs.get_mut(&(w, delivery.key)).expect("only what is watched is told");
        assert!(log.is_due(self.clock, &self.policy), "{delivery:?} was not due: {log:?}");
        assert_eq!(delivery.revision.0, log.newest);
        let last = log.sends.last();
        let attempt = last.filter(|last| last.revision == log.newest).map_or(1, |last| last.attempt + 1);
        assert_eq!(delivery.attempt, attempt);
        let truth = self.truth.get(&delivery.key).copied().unwrap_or(0);
        let id = self.watch.rendered(WatcherId(w), &delivery, Revision(truth)).expect("it is watched");
        if self.policy.ids == PushIds::Revision && truth > 0 {
            assert_eq!(id, PushId::Revision(Revision(truth)), "rendered bytes can be shared");
        }
        log.newest = truth;
        log.sends.push(Send { id, revision: truth, at: self.clock, attempt, settled: false });
        self.seen.entry(w).or_default().push(id);
        Some(id)
    }

    fn acknowledge(&mut self, w: u64, id: PushId) {
        if self.watch.acknowledge(WatcherId(w), id) {
            self.awake.insert(WatcherId(w));
        }
        for (_, log) in self.logs.iter_mut().filter(|((watcher, _), _)| *watcher == w) {
            if let Some(place) = log.sends.iter().rposition(|send| send.id == id) {
                log.sends[..=place].iter_mut().for_each(|send| send.settled = true);
            }
        }
    }

    fn check(&self) {
        for w in 0..WATCHERS {
            let open = &self.watch.watchers[&WatcherId(w)];
            let due: BTreeSet<u8> = (0..KEYS)
                .filter(|k| self.logs.get(&(w, *k)).is_some_and(|log| log.is_due(self.clock, &self.policy)))
                .collect();
            assert_eq!(open.queue.values().copied().collect::<BTreeSet<_>>(), due);
            assert_eq!(open.queue.len(), due.len(), "each key is queued once");
            assert!(due.is_empty() || self.awake.contains(&WatcherId(w)), "due, but never woken");
            for k in 0..KEYS {
                let outstanding = self.watch.outstanding(WatcherId(w), &k);
                let expected =
                    self.logs.get(&(w, k)).map_or(0, |log| log.outstanding(self.clock, &self.policy));
                assert_eq!(outstanding, expected);
                assert!(outstanding <= self.policy.outstanding_max);
            }
            let kept: usize = open.interests.values().map(|interest| interest.push_ids().count()).sum();
            assert_eq!(open.pushes.len(), kept);
            assert!(kept <= open.interests.len() * self.policy.outstanding_max);
        }
        assert!(self.watch.timers.len() <= self.logs.len());
    }

    /// Every effect runs, every watcher pulls and acknowledges: then everyone has the newest state of all.
    fn settle(&mut self) {
        (0..KEYS).for_each(|k| self.notify(k));
        for _ in 0..3 {
            for w in 0..WATCHERS {
                while let Some(id) = self.pull(w) {
                    self.acknowledge(w, id);
                }
            }
            self.run(Step::Advance(200_000));
        }
        for ((_, k), log) in &self.logs {
            let truth = self.truth.get(k).copied().unwrap_or(0);
            let told = log.sends.last().map(|send| (send.revision, send.settled));
            if log.first_push || truth > log.known {
                assert_eq!(told, Some((truth, true)));
            }
            assert_eq!(log.newest, truth, "a watcher that was told nothing knew the newest state");
        }
        assert_eq!(self.watch.next_deadline(), None);
        assert!(self.watch.watchers.values().all(|open| open.queue.is_empty() && open.pushes.is_empty()));
    }
}

fn agree(policy: Policy, steps: Vec<Step>) {
    let mut world = World::new(policy);
    for step in steps {
        world.run(step);
    }
    world.settle();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn naming_agrees_with_the_naive_model(steps in prop::collection::vec(step(), 1..150)) {
        agree(Policy::naming(100), steps);
    }

    #[test]
    fn config_agrees_with_the_naive_model(steps in prop::collection::vec(step(), 1..150)) {
        agree(Policy::config(100), steps);
    }

    #[test]
    fn one_outstanding_agrees_with_the_naive_model(steps in prop::collection::vec(step(), 1..150)) {
        agree(Policy { attempts_max: 0, ..Policy::datagram(100) }, steps);
    }
}
