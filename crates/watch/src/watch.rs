//! Watchers of keys.

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

use crate::{
    Delivery, Expired, Policy, PushId, PushIds, WatcherId,
    interest::{Interest, Lapse},
    watcher::{Map, Watcher},
};
use muster_model::{Monotonic, Revision};
use std::{collections::BTreeSet, hash::Hash};

/// Why a watch was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WatchError {
    /// The watcher is not open (any more).
    #[error("watcher is not open")]
    UnknownWatcher,
    /// The watcher watches as many keys as its policy allows.
    #[error("a watcher may watch at most {max} keys")]
    TooManyKeys {
        /// The limit.
        max: usize,
    },
}

/// What [`Watch::watch`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watched {
    /// The watcher did not watch the key before. If its policy pushes on watch, it has something to ask for now:
    /// wake it.
    First,
    /// It did; what it wants back was replaced, and nothing is pushed for that.
    Again,
}

/// Who watches what. `K` is what is watched, `I` what a watcher wants back with each delivery (how it wants to be
/// told: the clusters it subscribed with, the spelling of the namespace).
///
/// Waking is told once: whoever is woken asks [`next`](Self::next) until there is nothing, or asks again when its
/// transport can take more. A lock around this is never held over an await or while rendering. All work is
/// O(log n) a watcher told.
#[derive(Debug)]
pub struct Watch<K, I> {
    watchers: Map<WatcherId, Watcher<K, I>>,
    keys: Map<K, BTreeSet<WatcherId>>,
    timers: BTreeSet<(Monotonic, WatcherId, K)>,
}

impl<K, I> Default for Watch<K, I> {
    fn default() -> Self {
        Self { watchers: Map::default(), keys: Map::default(), timers: BTreeSet::new() }
    }
}

impl<K: Clone + Eq + Hash + Ord, I: Clone> Watch<K, I> {
    /// Without watchers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Opens a watcher. One that is open stays as it is.
    pub fn open(&mut self, watcher: WatcherId, policy: Policy) {
        self.watchers.entry(watcher).or_insert_with(|| Watcher::new(policy));
    }

    /// Closes a watcher and ends all it watches. False if it was not open.
    pub fn close(&mut self, watcher: WatcherId) -> bool {
        let Some(closed) = self.watchers.remove(&watcher) else { return false };
        for (key, interest) in closed.interests {
            if let Some(at) = interest.timer {
                self.timers.remove(&(at, watcher, key.clone()));
            }
            self.leave(watcher, &key);
        }
        true
    }

    /// Begins to watch a key, or replaces what the watcher wants back for it.
    ///
    /// `known` is a revision of the key read before or after this call, 0 if there is none: changes up to it are
    /// not told. One read before is safe: what happened since is told, perhaps once too often. Watch first, then
    /// read the state for the answer: so no change is lost between.
    pub fn watch(
        &mut self,
        watcher: WatcherId,
        key: K,
        wanted: I,
        known: Revision,
    ) -> Result<Watched, WatchError> {
        let Some(open) = self.watchers.get_mut(&watcher) else { return Err(WatchError::UnknownWatcher) };
        if let Some(interest) = open.interests.get_mut(&key) {
            interest.wanted = wanted;
            return Ok(Watched::Again);
        }
        if open.interests.len() >= open.policy.keys_max {
            return Err(WatchError::TooManyKeys { max: open.policy.keys_max });
        }
        open.interests.insert(key.clone(), Interest::new(wanted, known, open.policy.push_on_watch));
        self.keys.entry(key.clone()).or_default().insert(watcher);
        self.refresh(watcher, &key);
        Ok(Watched::First)
    }

    /// Ends a watch: nothing is told any more, and late acknowledgements are nobody's. False if there was none.
    pub fn unwatch(&mut self, watcher: WatcherId, key: &K) -> bool {
        let Some(open) = self.watchers.get_mut(&watcher) else { return false };
        let Some(interest) = open.interests.remove(key) else { return false };
        if let Some(place) = interest.queued {
            open.queue.remove(&place);
        }
        for id in interest.push_ids() {
            open.pushes.remove(&id);
        }
        if let Some(at) = interest.timer {
            self.timers.remove(&(at, watcher, key.clone()));
        }
        self.leave(watcher, key);
        true
    }

    /// A key has a newer state. Appends the watchers that have something to ask for now and had not before; a
    /// watcher with too many pushes outstanding is not among them, it gets the newest state later.
    pub fn changed(&mut self, key: &K, revision: Revision, wake: &mut Vec<WatcherId>) {
        let Self { watchers, keys, timers } = self;
        for &watcher in keys.get(key).into_iter().flatten() {
            let Some(open) = watchers.get_mut(&watcher) else { continue };
            let Some(interest) = open.interests.get_mut(key) else { continue };
            interest.changed(revision);
            let was_idle = open.queue.is_empty();
            if refresh(open, watcher, key, timers) && was_idle {
                wake.push(watcher);
            }
        }
    }

    /// The next thing to tell a watcher, the longest due first; `None` if there is nothing. To be called when the
    /// transport can take a message; the time to acknowledge runs from here.
    pub fn next(&mut self, watcher: WatcherId, now: Monotonic) -> Option<Delivery<K, I>> {
        let open = self.watchers.get_mut(&watcher)?;
        let (_, key) = open.queue.pop_first()?;
        let interest = open.interests.get_mut(&key).expect("a queued key is watched");
        interest.queued = None;
        let (revision, late_id) = (interest.newest(), interest.late_id());
        let push = late_id.unwrap_or_else(|| open.id_for(&key, revision));
        let policy = open.policy;
        let mut dropped = Vec::new();
        let interest = open.interests.get_mut(&key).expect("a queued key is watched");
        interest.hand_out(push, now, &policy, &mut dropped);
        let (wanted, attempt) = (interest.wanted.clone(), interest.attempt());
        open.forget(&dropped);
        if policy.acknowledged {
            open.pushes.insert(push, key.clone());
        }
        self.refresh(watcher, &key);
        Some(Delivery { key, interest: wanted, revision, push, attempt })
    }

    /// Whether [`next`](Self::next) has something for a watcher.
    pub fn has_next(&self, watcher: WatcherId) -> bool {
        self.watchers.get(&watcher).is_some_and(|open| !open.queue.is_empty())
    }

    /// Says that what was rendered for a delivery has another revision than [`Delivery::revision`]. Gives the id
    /// to send it under, or `None` if the push is no longer wanted: then send nothing. Changes up to that
    /// revision are not told again.
    pub fn rendered(
        &mut self,
        watcher: WatcherId,
        delivery: &Delivery<K, I>,
        revision: Revision,
    ) -> Option<PushId> {
        let open = self.watchers.get_mut(&watcher)?;
        let key = &delivery.key;
        if open.policy.acknowledged && open.pushes.get(&delivery.push) != Some(key) {
            return None;
        }
        let id = match (open.policy.ids, open.pushes.get(&PushId::Revision(revision))) {
            (PushIds::Revision, None) if revision > delivery.revision => PushId::Revision(revision),
            (PushIds::Revision | PushIds::Sequence, _) => delivery.push,
        };
        let interest = open.interests.get_mut(key)?;
        interest.rendered(delivery.push, revision, id);
        if id != delivery.push {
            open.pushes.remove(&delivery.push);
            open.pushes.insert(id, key.clone());
        }
        self.refresh(watcher, &delivery.key);
        Some(id)
    }

    /// When a push was handed out whose acknowledgement is awaited; `None` if there is none, or it is late already.
    pub fn sent_at(&self, watcher: WatcherId, push: PushId) -> Option<Monotonic> {
        let open = self.watchers.get(&watcher)?;
        let late_at = open.interests.get(open.pushes.get(&push)?)?.late_at(push)?;
        Some(Monotonic(late_at.0.saturating_sub(open.policy.acknowledge_timeout_ms)))
    }

    /// A push was acknowledged; older pushes of the same key are settled with it. True if the watcher has
    /// something to ask for now and had not before. An id that is not outstanding changes nothing.
    pub fn acknowledge(&mut self, watcher: WatcherId, push: PushId) -> bool {
        let Some(open) = self.watchers.get_mut(&watcher) else { return false };
        let Some(key) = open.pushes.get(&push).cloned() else { return false };
        let mut dropped = Vec::new();
        if let Some(interest) = open.interests.get_mut(&key) {
            interest.acknowledge(push, &mut dropped);
        }
        open.forget(&dropped);
        let was_idle = open.queue.is_empty();
        self.refresh(watcher, &key) && was_idle
    }

    /// A push was answered with a failure: it is redelivered after its pause, as after a time-out.
    pub fn reject(&mut self, watcher: WatcherId, push: PushId, now: Monotonic) {
        let Some(open) = self.watchers.get_mut(&watcher) else { return };
        let Some(key) = open.pushes.get(&push).cloned() else { return };
        if let Some(interest) = open.interests.get_mut(&key) {
            interest.reject(push, now);
        }
        self.refresh(watcher, &key);
    }

    /// Time has passed: pushes that were not acknowledged in time free their place or are due again.
    pub fn expire(&mut self, now: Monotonic) -> Expired<K> {
        let mut expired = Expired { wake: Vec::new(), given_up: Vec::new() };
        while self.timers.first().is_some_and(|(at, ..)| *at <= now) {
            let Some((_, watcher, key)) = self.timers.pop_first() else { break };
            let Some(open) = self.watchers.get_mut(&watcher) else { continue };
            let Some(interest) = open.interests.get_mut(&key) else { continue };
            interest.timer = None;
            let mut dropped = Vec::new();
            if interest.expire(now, &open.policy, &mut dropped) == Lapse::GivenUp {
                expired.given_up.push((watcher, key.clone()));
            }
            open.forget(&dropped);
            let was_idle = open.queue.is_empty();
            if self.refresh(watcher, &key) && was_idle {
                expired.wake.push(watcher);
            }
        }
        expired
    }

    /// When [`expire`](Self::expire) has something to do next.
    pub fn next_deadline(&self) -> Option<Monotonic> {
        self.timers.first().map(|(at, ..)| *at)
    }

    /// What a watcher wants back for a key; `None` if it does not watch it.
    pub fn interest(&self, watcher: WatcherId, key: &K) -> Option<&I> {
        Some(&self.watchers.get(&watcher)?.interests.get(key)?.wanted)
    }

    /// What a watcher watches, in no order.
    pub fn watched_by(&self, watcher: WatcherId) -> impl Iterator<Item = (&K, &I)> {
        self.watchers
            .get(&watcher)
            .into_iter()
            .flat_map(|open| open.interests.iter().map(|(key, interest)| (key, &interest.wanted)))
    }

    /// The keys that someone watches, in no order.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.keys.keys()
    }

    /// Who watches a key.
    pub fn watchers_of(&self, key: &K) -> impl Iterator<Item = (WatcherId, &I)> {
        self.keys.get(key).into_iter().flatten().filter_map(move |&watcher| {
            let interest = self.watchers.get(&watcher)?.interests.get(key)?;
            Some((watcher, &interest.wanted))
        })
    }

    /// Pushes of a key that a watcher has not acknowledged in time yet.
    pub fn outstanding(&self, watcher: WatcherId, key: &K) -> usize {
        self.watchers.get(&watcher).and_then(|open| open.interests.get(key)).map_or(0, Interest::outstanding)
    }

    /// Open watchers.
    pub fn watcher_count(&self) -> usize {
        self.watchers.len()
    }

    /// Interests of all watchers together.
    pub fn interest_count(&self) -> usize {
        self.watchers.values().map(|open| open.interests.len()).sum()
    }

    /// Keys that someone watches.
    pub fn key_count(&self) -> usize {
        self.keys.len()
    }

    fn leave(&mut self, watcher: WatcherId, key: &K) {
        if let Some(watchers) = self.keys.get_mut(key) {
            watchers.remove(&watcher);
            if watchers.is_empty() {
                self.keys.remove(key);
            }
        }
    }

    fn refresh(&mut self, watcher: WatcherId, key: &K) -> bool {
        match self.watchers.get_mut(&watcher) {
            Some(open) => refresh(open, watcher, key, &mut self.timers),
            None => false,
        }
    }
}

/// Brings queue and timers in line with an interest that was changed. True if it entered the queue.
fn refresh<K: Clone + Eq + Hash + Ord, I>(
    open: &mut Watcher<K, I>,
    watcher: WatcherId,
    key: &K,
    timers: &mut BTreeSet<(Monotonic, WatcherId, K)>,
) -> bool {
    if let Some(interest) = open.interests.get_mut(key) {
        let deadline = interest.deadline();
        if deadline != interest.timer {
            if let Some(at) = interest.timer {
                timers.remove(&(at, watcher, key.clone()));
            }
            if let Some(at) = deadline {
                timers.insert((at, watcher, key.clone()));
            }
            interest.timer = deadline;
        }
    }
    open.requeue(key)
}
