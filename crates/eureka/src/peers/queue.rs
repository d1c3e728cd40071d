//! What one peer has yet to be told.

use crate::wire::BatchAction;
use muster_model::{EurekaInstance, Monotonic};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// Items of one batch at most (`MAX_BATCH_SIZE` of `PeerEurekaNode`).
pub(super) const BATCH_ITEMS_MAX: usize = 250;

/// How long heartbeats wait for company (`maxBatchingDelayMs`). Anything else goes at once.
const BATCH_DELAY_MS: u64 = 500;

/// An instance.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Key {
    /// The application, upper case.
    pub(super) app: Arc<str>,
    /// The instance id.
    pub(super) id: Arc<str>,
}

impl Key {
    /// The key of an instance.
    pub(super) fn of(instance: &EurekaInstance) -> Self {
        Self { app: instance.app.clone(), id: instance.id().clone() }
    }
}

/// Something a peer is to be told. What the instance looks like is read when it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Task {
    pub(super) key: Key,
    pub(super) action: BatchAction,
    /// When it first waited.
    since: Monotonic,
    /// From then on it is not worth sending.
    expires: Monotonic,
    /// Its place in the order.
    place: u64,
}

/// When there is something to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// At once.
    Now,
    /// Only heartbeats wait: at that moment.
    At(Monotonic),
    /// Nothing waits.
    Never,
}

/// The tasks of one peer, in the order in which they came. There is one of a kind for an instance: a newer one takes the
/// place of the older. Bounded: when it is full the oldest task is dropped, and the queue is *incomplete* until the peer's
/// registry has been compared with ours.
#[derive(Debug)]
pub(super) struct Queue {
    tasks: BTreeMap<u64, Task>,
    places: HashMap<Key, Vec<u64>>,
    /// Tasks that do not wait for company.
    urgent: usize,
    next: u64,
    limit: usize,
    is_incomplete: bool,
    dropped: u64,
}

impl Queue {
    /// An empty queue for at most `limit` tasks.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            tasks: BTreeMap::new(),
            places: HashMap::new(),
            urgent: 0,
            next: 0,
            limit,
            is_incomplete: false,
            dropped: 0,
        }
    }

    /// Adds a task, which takes the place of those it makes needless. True if it is to be sent at once.
    pub(super) fn offer(&mut self, key: Key, action: BatchAction, now: Monotonic, keep_ms: u64) -> bool {
        let waiting = self.places.get(&key).cloned().unwrap_or_default();
        let mut since = now;
        for place in waiting {
            let older = &self.tasks[&place];
            if action == BatchAction::Heartbeat && older.action == BatchAction::Register {
                return false;
            }
            if replaces(action, older.action) {
                if older.action == action {
                    // A client that renews faster than batches go must not put off its own batch for ever.
                    since = older.since;
                }
                self.remove(place);
            }
        }
        if self.tasks.len() >= self.limit {
            self.drop_oldest();
        }
        let place = self.next;
        self.next += 1;
        let expires = Monotonic(now.0.saturating_add(keep_ms));
        self.insert(Task { key, action, since, expires, place });
        action != BatchAction::Heartbeat || self.tasks.len() >= BATCH_ITEMS_MAX
    }

    /// When there is something to send.
    pub(super) fn due(&self) -> Due {
        if self.urgent > 0 || self.tasks.len() >= BATCH_ITEMS_MAX {
            return Due::Now;
        }
        let oldest = self.tasks.values().map(|task| task.since).min();
        oldest.map_or(Due::Never, |since| Due::At(Monotonic(since.0 + BATCH_DELAY_MS)))
    }

    /// Takes the next tasks out, at most a batch of them; what has expired is dropped. After the answer, or without one,
    /// the caller gives back what must be sent again.
    pub(super) fn take(&mut self, now: Monotonic) -> Vec<Task> {
        let mut taken = Vec::new();
        while taken.len() < BATCH_ITEMS_MAX {
            let Some((&place, task)) = self.tasks.first_key_value() else { break };
            let is_expired = task.expires <= now;
            let task = self.remove(place);
            if !is_expired {
                taken.push(task);
            } else if task.action != BatchAction::Heartbeat {
                self.is_incomplete = true;
            }
        }
        taken
    }

    /// Puts tasks that were not delivered back where they were, save those that a newer task has made needless.
    pub(super) fn put_back(&mut self, tasks: Vec<Task>) {
        for task in tasks.into_iter().rev() {
            let newer = self.places.get(&task.key).map_or(&[][..], Vec::as_slice);
            let is_needless = newer.iter().any(|place| {
                let newer = self.tasks[place].action;
                let is_covered = newer == BatchAction::Register && task.action == BatchAction::Heartbeat;
                *place > task.place && (is_covered || replaces(newer, task.action))
            });
            if is_needless {
                continue;
            }
            if self.tasks.len() < self.limit {
                self.insert(task);
            } else {
                self.dropped += 1;
                self.is_incomplete = true;
            }
        }
    }

    /// Whether the peer may lack something that no waiting task tells.
    pub(super) fn is_incomplete(&self) -> bool {
        self.is_incomplete
    }

    /// The peer's registry is being compared with ours.
    pub(super) fn set_complete(&mut self) {
        self.is_incomplete = false;
    }

    /// Since when a cancellation of the instance waits, as the last of its tasks.
    pub(super) fn cancelled(&self, key: &Key) -> Option<Monotonic> {
        let last = &self.tasks[self.places.get(key)?.last()?];
        (last.action == BatchAction::Cancel).then_some(last.since)
    }

    /// Drops all tasks of an instance.
    pub(super) fn withdraw(&mut self, key: &Key) {
        for place in self.places.get(key).cloned().unwrap_or_default() {
            self.remove(place);
        }
    }

    /// The instances that tasks wait for.
    pub(super) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.places.keys()
    }

    /// How many tasks wait, and since when the oldest does.
    pub(super) fn backlog(&self) -> (usize, Option<Monotonic>) {
        (self.tasks.len(), self.tasks.values().next().map(|task| task.since))
    }

    /// How many tasks were dropped because the queue was full.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }

    fn insert(&mut self, task: Task) {
        let places = self.places.entry(task.key.clone()).or_default();
        let at = places.partition_point(|place| *place < task.place);
        places.insert(at, task.place);
        self.urgent += usize::from(task.action != BatchAction::Heartbeat);
        self.tasks.insert(task.place, task);
    }

    fn remove(&mut self, place: u64) -> Task {
        let task = self.tasks.remove(&place).expect("a place that is known holds a task");
        self.urgent -= usize::from(task.action != BatchAction::Heartbeat);
        let places = self.places.get_mut(&task.key).expect("a task that waits has its place noted");
        places.retain(|known| *known != place);
        if places.is_empty() {
            self.places.remove(&task.key);
        }
        task
    }

    fn drop_oldest(&mut self) {
        if let Some((&place, _)) = self.tasks.first_key_value() {
            self.remove(place);
            self.dropped += 1;
            self.is_incomplete = true;
        }
    }
}

/// Whether a task makes an older one for the same instance needless. What an override is, a status update and its
/// deletion say each by itself; a registration carries everything else; a cancellation ends it all.
fn replaces(newer: BatchAction, older: BatchAction) -> bool {
    match newer {
        BatchAction::Cancel => true,
        BatchAction::Register => matches!(older, BatchAction::Register | BatchAction::Heartbeat),
        BatchAction::Heartbeat => older == BatchAction::Heartbeat,
        BatchAction::StatusUpdate | BatchAction::DeleteStatusOverride => {
            matches!(older, BatchAction::StatusUpdate | BatchAction::DeleteStatusOverride)
        }
    }
}

#[cfg(test)]
mod tests;
