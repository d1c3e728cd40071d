//! Watchers of patterns over names: which keys come and go.

mod message;
mod queue;
#[cfg(test)]
mod tests;

pub use message::{FuzzyDelivery, FuzzyMessage, FuzzyPolicy, FuzzyPush, Presence, SyncKind};

use crate::{FuzzyKey, Pattern, WatcherId, watcher::Map};
use muster_model::Monotonic;
use queue::Queue;
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::Arc,
};

/// Why a fuzzy watch was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FuzzyError {
    /// The server watches as many distinct patterns as it may (Nacos: 50310 `fuzzy watch pattern over limit`).
    #[error("at most {max} distinct patterns may be watched")]
    TooManyPatterns {
        /// The limit.
        max: usize,
    },
}

/// A fuzzy watch that was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FuzzyStart {
    /// More keys match than are listed (Nacos: 50311); the watch is kept.
    pub truncated: bool,
    /// The watcher has something to ask for now.
    pub wake: bool,
}

/// What one pattern means, and to whom.
#[derive(Debug)]
struct Watched {
    pattern: Pattern,
    watchers: BTreeSet<WatcherId>,
}

/// One watcher: its patterns by their text, and its messages.
#[derive(Debug)]
struct Member<K> {
    patterns: BTreeMap<Arc<str>, Pattern>,
    queue: Queue<K>,
}

/// Who watches which patterns; one for services, one for configs. It does not know what exists: the caller lists
/// it at a watch, and reports what comes and goes.
#[derive(Debug)]
pub struct Fuzzy<K> {
    policy: FuzzyPolicy,
    patterns: BTreeMap<Arc<str>, Watched>,
    members: Map<WatcherId, Member<K>>,
    timers: BTreeSet<(Monotonic, WatcherId)>,
    dropped: u64,
}

impl<K: FuzzyKey> Fuzzy<K> {
    /// Without watchers.
    pub fn new(policy: FuzzyPolicy) -> Self {
        Self {
            policy,
            patterns: BTreeMap::new(),
            members: Map::default(),
            timers: BTreeSet::new(),
            dropped: 0,
        }
    }

    /// Begins to watch a pattern, or synchronises one that the watcher watches already (clients do so every 3
    /// minutes). The watcher is told in batches how what it has (`received`) differs from what there is; if it is
    /// initialising, a finish follows when all batches are settled.
    ///
    /// `existing` are all keys that exist (those that do not match are skipped). It must be read while this is
    /// locked, hence an iterator: what comes or goes between reading and watching would be lost.
    pub fn watch(
        &mut self,
        watcher: WatcherId,
        pattern: &Pattern,
        kind: SyncKind,
        received: impl IntoIterator<Item = K>,
        existing: impl IntoIterator<Item = K>,
    ) -> Result<FuzzyStart, FuzzyError> {
        let text = pattern.text();
        if !self.patterns.contains_key(text) && self.patterns.len() >= self.policy.patterns_max {
            return Err(FuzzyError::TooManyPatterns { max: self.policy.patterns_max });
        }
        let (changes, truncated) = difference(pattern, received, existing, self.policy.matches_max);
        self.patterns
            .entry(text.clone())
            .or_insert_with(|| Watched { pattern: pattern.clone(), watchers: BTreeSet::new() })
            .watchers
            .insert(watcher);
        let member = self
            .members
            .entry(watcher)
            .or_insert_with(|| Member { patterns: BTreeMap::new(), queue: Queue::new() });
        member.patterns.insert(text.clone(), pattern.clone());
        let was_idle = !member.queue.has_next(&self.policy);
        member.queue.synchronise(text, kind, &changes, self.policy.batch_max);
        let wake = was_idle && member.queue.has_next(&self.policy);
        self.refresh(watcher);
        Ok(FuzzyStart { truncated, wake })
    }

    /// Ends the watch of a pattern by its text. False if there was none.
    pub fn cancel(&mut self, watcher: WatcherId, text: &str) -> bool {
        let Some(member) = self.members.get_mut(&watcher) else { return false };
        let Some((text, _)) = member.patterns.remove_entry(text) else { return false };
        leave(&mut self.patterns, watcher, &text);
        if member.patterns.is_empty() {
            self.close(watcher);
            return true;
        }
        member.queue.forget(&text);
        let Member { patterns, queue } = member;
        queue.retain_notices(|key| patterns.values().any(|pattern| pattern.matches(key)));
        self.refresh(watcher);
        true
    }

    /// Ends all a watcher watches; its patterns free their places at once.
    pub fn close(&mut self, watcher: WatcherId) {
        let Some(member) = self.members.remove(&watcher) else { return };
        for text in member.patterns.keys() {
            leave(&mut self.patterns, watcher, text);
        }
        if let Some(at) = member.queue.timer {
            self.timers.remove(&(at, watcher));
        }
    }

    /// A key came or went. Appends the watchers that have something to ask for now and had not before.
    pub fn changed(&mut self, key: &K, presence: Presence, wake: &mut Vec<WatcherId>) {
        let matching = self.patterns.values().filter(|watched| watched.pattern.matches(key));
        let told: BTreeSet<WatcherId> =
            matching.flat_map(|watched| watched.watchers.iter().copied()).collect();
        for watcher in told {
            let Some(member) = self.members.get_mut(&watcher) else { continue };
            let was_idle = !member.queue.has_next(&self.policy);
            self.dropped += member.queue.notify(key.clone(), presence, self.policy.notices_max);
            if was_idle && member.queue.has_next(&self.policy) {
                wake.push(watcher);
            }
            self.refresh(watcher);
        }
    }

    /// The next thing to tell a watcher. To be called when the transport can take a message.
    pub fn next(&mut self, watcher: WatcherId, now: Monotonic) -> Option<FuzzyDelivery<K>> {
        let delivery = self.members.get_mut(&watcher)?.queue.next(now, &self.policy);
        self.refresh(watcher);
        delivery
    }

    /// Whether [`next`](Self::next) has something for a watcher.
    pub fn has_next(&self, watcher: WatcherId) -> bool {
        self.members.get(&watcher).is_some_and(|member| member.queue.has_next(&self.policy))
    }

    /// A message was acknowledged. True if the watcher has something to ask for now.
    pub fn acknowledge(&mut self, watcher: WatcherId, push: FuzzyPush) -> bool {
        let Some(member) = self.members.get_mut(&watcher) else { return false };
        member.queue.settle(push);
        let wake = member.queue.has_next(&self.policy);
        self.refresh(watcher);
        wake
    }

    /// A message was answered with a failure: it is redelivered after its pause, as after a time-out.
    pub fn reject(&mut self, watcher: WatcherId, push: FuzzyPush, now: Monotonic) {
        if let Some(member) = self.members.get_mut(&watcher) {
            member.queue.reject(push, now);
            self.refresh(watcher);
        }
    }

    /// Time has passed. Gives the watchers that have something to ask for now and had not before.
    pub fn expire(&mut self, now: Monotonic) -> Vec<WatcherId> {
        let mut wake = Vec::new();
        while self.timers.first().is_some_and(|(at, _)| *at <= now) {
            let Some((_, watcher)) = self.timers.pop_first() else { break };
            let Some(member) = self.members.get_mut(&watcher) else { continue };
            member.queue.timer = None;
            let was_idle = !member.queue.has_next(&self.policy);
            member.queue.expire(now, &self.policy);
            if was_idle && member.queue.has_next(&self.policy) {
                wake.push(watcher);
            }
            self.refresh(watcher);
        }
        wake
    }

    /// When [`expire`](Self::expire) has something to do next.
    pub fn next_deadline(&self) -> Option<Monotonic> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// Distinct patterns that are watched.
    pub fn pattern_count(&self) -> usize {
        self.patterns.len()
    }

    /// Notices dropped so far because a watcher had too many of them unsent.
    pub fn dropped_count(&self) -> u64 {
        self.dropped
    }

    /// Brings the timers in line with a queue that was changed.
    fn refresh(&mut self, watcher: WatcherId) {
        let Some(member) = self.members.get_mut(&watcher) else { return };
        let deadline = member.queue.deadline();
        if deadline == member.queue.timer {
            return;
        }
        if let Some(at) = member.queue.timer {
            self.timers.remove(&(at, watcher));
        }
        if let Some(at) = deadline {
            self.timers.insert((at, watcher));
        }
        member.queue.timer = deadline;
    }
}

fn leave(patterns: &mut BTreeMap<Arc<str>, Watched>, watcher: WatcherId, text: &Arc<str>) {
    if let Some(watched) = patterns.get_mut(text) {
        watched.watchers.remove(&watcher);
        if watched.watchers.is_empty() {
            patterns.remove(text);
        }
    }
}

/// What a client lacks of what exists, and what it has that does not; and whether more matched than are listed.
fn difference<K: FuzzyKey>(
    pattern: &Pattern,
    received: impl IntoIterator<Item = K>,
    existing: impl IntoIterator<Item = K>,
    matches_max: usize,
) -> (Vec<(K, Presence)>, bool) {
    let mut had: HashSet<K, foldhash::fast::FixedState> = HashSet::default();
    had.extend(received.into_iter().filter(|key| pattern.matches(key)));
    let (mut changes, mut matched) = (Vec::new(), 0_usize);
    for key in existing.into_iter().filter(|key| pattern.matches(key)) {
        matched += 1;
        if !had.remove(&key) && matched <= matches_max {
            changes.push((key, Presence::Present));
        }
    }
    let mut gone: Vec<K> = had.into_iter().collect();
    gone.sort_unstable();
    changes.extend(gone.into_iter().map(|key| (key, Presence::Absent)));
    (changes, matched > matches_max)
}
