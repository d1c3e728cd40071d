//! The messages of one fuzzy watcher.

use super::message::{FuzzyDelivery, FuzzyMessage, FuzzyPolicy, FuzzyPush, Presence, SyncKind};
use muster_model::Monotonic;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Where a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// To be sent.
    Waiting,
    /// Sent; late at this moment.
    Sent(Monotonic),
    /// Not acknowledged in time; to be sent again at this moment.
    Pausing(Monotonic),
}

#[derive(Debug)]
struct Item<K> {
    message: FuzzyMessage<K>,
    attempt: u32,
    state: State,
}

/// The messages of one watcher, numbered in the order they came up. Notices are held back while a batch of a
/// synchronisation is unsettled: a batch that is repeated after a notice would undo it.
#[derive(Debug)]
pub(super) struct Queue<K> {
    items: BTreeMap<u64, Item<K>>,
    waiting_syncs: BTreeSet<u64>,
    waiting_notices: BTreeSet<u64>,
    /// The one message about a key that came or went.
    notices: BTreeMap<K, u64>,
    /// Unsettled batches of each pattern.
    batches: BTreeMap<Arc<str>, usize>,
    sent: usize,
    counter: u64,
    /// The moment this is entered under in the timers.
    pub(super) timer: Option<Monotonic>,
    /// Moments at which a message is late or due again.
    moments: BTreeSet<(Monotonic, u64)>,
}

impl<K: Clone + Ord> Queue<K> {
    pub(super) fn new() -> Self {
        Self {
            items: BTreeMap::new(),
            waiting_syncs: BTreeSet::new(),
            waiting_notices: BTreeSet::new(),
            notices: BTreeMap::new(),
            batches: BTreeMap::new(),
            sent: 0,
            counter: 0,
            timer: None,
            moments: BTreeSet::new(),
        }
    }

    /// Begins a synchronisation of a pattern, instead of one that runs.
    pub(super) fn synchronise(
        &mut self,
        pattern: &Arc<str>,
        kind: SyncKind,
        changes: &[(K, Presence)],
        batch_max: usize,
    ) {
        self.forget(pattern);
        let chunks = changes.chunks(batch_max.max(1));
        let batches = chunks.len();
        for (place, chunk) in chunks.enumerate() {
            let message = FuzzyMessage::Sync {
                pattern: pattern.clone(),
                kind,
                changes: chunk.into(),
                batch: place + 1,
                batches,
            };
            self.enqueue(message);
        }
        if batches > 0 {
            self.batches.insert(pattern.clone(), batches);
        } else if kind == SyncKind::Initial {
            self.enqueue(FuzzyMessage::Finished { pattern: pattern.clone() });
        }
    }

    /// Drops what was to be said about a pattern's list.
    pub(super) fn forget(&mut self, dropped: &Arc<str>) {
        self.batches.remove(dropped);
        let numbers: Vec<u64> = self
            .items
            .iter()
            .filter(|(_, item)| match &item.message {
                FuzzyMessage::Sync { pattern, .. } | FuzzyMessage::Finished { pattern } => pattern == dropped,
                FuzzyMessage::Changed { .. } => false,
            })
            .map(|(number, _)| *number)
            .collect();
        for number in numbers {
            self.take(number);
        }
    }

    /// Drops the notices about keys that are not meant any more.
    pub(super) fn retain_notices(&mut self, is_meant: impl Fn(&K) -> bool) {
        let gone: Vec<u64> =
            self.notices.iter().filter(|(key, _)| !is_meant(key)).map(|(_, number)| *number).collect();
        for number in gone {
            self.take(number);
        }
    }

    /// A key came or went: replaces what was to be said about it, or was said and not acknowledged. Gives the
    /// number of older notices dropped because there were too many.
    pub(super) fn notify(&mut self, key: K, presence: Presence, notices_max: usize) -> u64 {
        if let Some(&older) = self.notices.get(&key) {
            self.take(older);
        }
        let mut dropped = 0;
        while self.notices.len() >= notices_max.max(1) {
            let Some(&oldest) = self.notices.values().min() else { break };
            self.take(oldest);
            dropped += 1;
        }
        let number = self.enqueue(FuzzyMessage::Changed { key: key.clone(), presence });
        self.notices.insert(key, number);
        dropped
    }

    pub(super) fn has_next(&self, policy: &FuzzyPolicy) -> bool {
        self.sent < policy.outstanding_max.max(1) && self.first_waiting().is_some()
    }

    pub(super) fn next(&mut self, now: Monotonic, policy: &FuzzyPolicy) -> Option<FuzzyDelivery<K>> {
        if self.sent >= policy.outstanding_max.max(1) {
            return None;
        }
        let number = self.first_waiting()?;
        self.set(number, State::Sent(now.plus(policy.acknowledge_timeout_ms)));
        let item = self.items.get_mut(&number)?;
        item.attempt = item.attempt.saturating_add(1);
        Some(FuzzyDelivery { push: FuzzyPush(number), message: item.message.clone(), attempt: item.attempt })
    }

    /// A message arrived, or is given up. One that was never sent can't have arrived.
    pub(super) fn settle(&mut self, push: FuzzyPush) {
        if self.items.get(&push.0).is_none_or(|item| item.attempt == 0) {
            return;
        }
        let Some(FuzzyMessage::Sync { pattern, kind, .. }) = self.take(push.0) else { return };
        let Some(left) = self.batches.get_mut(&pattern) else { return };
        *left = left.saturating_sub(1);
        if *left == 0 {
            self.batches.remove(&pattern);
            if kind == SyncKind::Initial {
                self.enqueue(FuzzyMessage::Finished { pattern });
            }
        }
    }

    /// A negative answer is a time-out that need not be waited for.
    pub(super) fn reject(&mut self, push: FuzzyPush, now: Monotonic) {
        if self.items.get(&push.0).is_some_and(|item| matches!(item.state, State::Sent(_))) {
            self.set(push.0, State::Sent(now));
        }
    }

    pub(super) fn expire(&mut self, now: Monotonic, policy: &FuzzyPolicy) {
        while let Some(&(at, number)) = self.moments.first().filter(|(at, _)| *at <= now) {
            let item = self.items.get(&number).expect("every moment is that of a message");
            match item.state {
                State::Sent(_) if policy.attempts_max > 0 && item.attempt >= policy.attempts_max => {
                    self.settle(FuzzyPush(number));
                }
                State::Sent(_) => {
                    let again_at = at.plus(policy.retry_after(item.attempt));
                    self.set(number, State::Pausing(again_at));
                }
                State::Pausing(_) | State::Waiting => self.set(number, State::Waiting),
            }
        }
    }

    pub(super) fn deadline(&self) -> Option<Monotonic> {
        self.moments.first().map(|(at, _)| *at)
    }

    /// Messages kept, sent and unsent.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    fn first_waiting(&self) -> Option<u64> {
        let notice = || self.waiting_notices.first().filter(|_| self.batches.is_empty());
        self.waiting_syncs.first().or_else(notice).copied()
    }

    fn enqueue(&mut self, message: FuzzyMessage<K>) -> u64 {
        self.counter += 1;
        let number = self.counter;
        self.waiting(&message).insert(number);
        self.items.insert(number, Item { message, attempt: 0, state: State::Waiting });
        number
    }

    fn waiting(&mut self, message: &FuzzyMessage<K>) -> &mut BTreeSet<u64> {
        match message {
            FuzzyMessage::Sync { .. } | FuzzyMessage::Finished { .. } => &mut self.waiting_syncs,
            FuzzyMessage::Changed { .. } => &mut self.waiting_notices,
        }
    }

    /// Takes a message out of everything that knows it.
    fn take(&mut self, number: u64) -> Option<FuzzyMessage<K>> {
        self.set(number, State::Waiting);
        let item = self.items.remove(&number)?;
        self.waiting(&item.message).remove(&number);
        if let FuzzyMessage::Changed { key, .. } = &item.message {
            self.notices.remove(key);
        }
        Some(item.message)
    }

    /// Changes where a message stands, and the counts and orders that follow from it.
    fn set(&mut self, number: u64, state: State) {
        let Some(item) = self.items.get_mut(&number) else { return };
        let old = std::mem::replace(&mut item.state, state);
        let waiting = match item.message {
            FuzzyMessage::Sync { .. } | FuzzyMessage::Finished { .. } => &mut self.waiting_syncs,
            FuzzyMessage::Changed { .. } => &mut self.waiting_notices,
        };
        match old {
            State::Waiting => {
                waiting.remove(&number);
            }
            State::Sent(at) => {
                self.sent -= 1;
                self.moments.remove(&(at, number));
            }
            State::Pausing(at) => {
                self.moments.remove(&(at, number));
            }
        }
        match state {
            State::Waiting => {
                waiting.insert(number);
            }
            State::Sent(at) => {
                self.sent += 1;
                self.moments.insert((at, number));
            }
            State::Pausing(at) => {
                self.moments.insert((at, number));
            }
        }
    }
}
