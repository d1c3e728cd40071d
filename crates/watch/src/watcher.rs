//! One watcher: its interests, the queue of those that are due, and its outstanding pushes.

use crate::{Policy, PushId, PushIds, interest::Interest};
use foldhash::fast::FixedState;
use muster_model::Revision;
use std::{
    collections::{BTreeMap, HashMap},
    hash::Hash,
};

/// A map whose order of iteration is the same in every run, for simulation.
pub(crate) type Map<K, V> = HashMap<K, V, FixedState>;

/// One watcher. The queue holds each due key once, in the order they fell due.
#[derive(Debug)]
pub(crate) struct Watcher<K, I> {
    pub(crate) policy: Policy,
    pub(crate) interests: Map<K, Interest<I>>,
    pub(crate) queue: BTreeMap<u64, K>,
    pub(crate) pushes: Map<PushId, K>,
    counter: u64,
}

impl<K: Clone + Eq + Hash, I> Watcher<K, I> {
    pub(crate) fn new(policy: Policy) -> Self {
        Self { policy, interests: Map::default(), queue: BTreeMap::new(), pushes: Map::default(), counter: 0 }
    }

    /// A number that this watcher did not use yet.
    pub(crate) fn number(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    /// The id for a push of a revision: the shared one, if the policy shares and no other key of this watcher
    /// uses it.
    pub(crate) fn id_for(&mut self, key: &K, revision: Revision) -> PushId {
        let shared = PushId::Revision(revision);
        let free = self.pushes.get(&shared).is_none_or(|other| other == key);
        if self.policy.ids == PushIds::Revision && revision > Revision(0) && free {
            shared
        } else {
            PushId::Sequence(self.number())
        }
    }

    /// Enters a key in the queue or takes it out, as it is due or not. True if it was entered now.
    pub(crate) fn requeue(&mut self, key: &K) -> bool {
        let Some(interest) = self.interests.get_mut(key) else { return false };
        match (interest.is_sendable(&self.policy), interest.queued) {
            (true, None) => {
                self.counter += 1;
                interest.queued = Some(self.counter);
                self.queue.insert(self.counter, key.clone());
                true
            }
            (false, Some(place)) => {
                interest.queued = None;
                self.queue.remove(&place);
                false
            }
            (true, Some(_)) | (false, None) => false,
        }
    }

    /// Forgets ids that can't be acknowledged any more.
    pub(crate) fn forget(&mut self, ids: &[PushId]) {
        for id in ids {
            self.pushes.remove(id);
        }
    }
}
