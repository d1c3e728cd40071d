//! One watcher's interest in one key: what it was told and what is still owed to it.

use crate::{Policy, PushId};
use muster_model::{Monotonic, Revision};

/// A push that was handed out.
#[derive(Clone, Copy, Debug)]
struct Sent {
    id: PushId,
    revision: Revision,
    /// When its acknowledgement is late; `None` once it is. A late push no longer counts as outstanding, but its
    /// acknowledgement is still welcome.
    late_at: Option<Monotonic>,
}

/// The state machine of one (watcher, key). Pushes are in the order they were handed out; at most
/// `outstanding_max` are not late, and only the newest may be late.
#[derive(Debug)]
pub(crate) struct Interest<I> {
    /// What the watcher gave.
    pub(crate) wanted: I,
    /// The place in the watcher's queue, while it is in it.
    pub(crate) queued: Option<u64>,
    /// The moment this is entered under in the timers.
    pub(crate) timer: Option<Monotonic>,
    newest: Revision,
    /// A push is to be made: of a newer state, after the first watch, or again.
    owed: bool,
    /// Tries of the newest state.
    attempt: u32,
    retry_at: Option<Monotonic>,
    sent: Vec<Sent>,
}

/// What became of a late push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lapse {
    /// Nothing to say.
    Fine,
    /// Its tries are used up.
    GivenUp,
}

impl<I> Interest<I> {
    pub(crate) fn new(wanted: I, known: Revision, owed: bool) -> Self {
        Self {
            wanted,
            queued: None,
            timer: None,
            newest: known,
            owed,
            attempt: 0,
            retry_at: None,
            sent: Vec::new(),
        }
    }

    /// A newer state exists.
    pub(crate) fn changed(&mut self, revision: Revision) {
        if revision <= self.newest {
            return;
        }
        self.newest = revision;
        self.owed = true;
        self.attempt = 0;
        self.retry_at = None;
    }

    /// When the acknowledgement of a push is late; `None` once it is.
    pub(crate) fn late_at(&self, id: PushId) -> Option<Monotonic> {
        self.sent.iter().find(|sent| sent.id == id)?.late_at
    }

    /// Whether a push may be handed out now.
    pub(crate) fn is_sendable(&self, policy: &Policy) -> bool {
        self.owed && self.outstanding() < policy.outstanding_max.max(1)
    }

    /// Pushes that wait for their acknowledgement.
    pub(crate) fn outstanding(&self) -> usize {
        self.sent.iter().filter(|sent| sent.late_at.is_some()).count()
    }

    /// The newest known revision.
    pub(crate) fn newest(&self) -> Revision {
        self.newest
    }

    /// Tries of the newest state, the one just handed out included.
    pub(crate) fn attempt(&self) -> u32 {
        self.attempt
    }

    /// The id of a late push of the same state, which a redelivery repeats.
    pub(crate) fn late_id(&self) -> Option<PushId> {
        self.sent
            .last()
            .filter(|sent| sent.late_at.is_none() && sent.revision == self.newest)
            .map(|sent| sent.id)
    }

    /// Hands out the newest state under an id. Ids that can't be acknowledged any more go to `dropped`.
    pub(crate) fn hand_out(
        &mut self,
        id: PushId,
        now: Monotonic,
        policy: &Policy,
        dropped: &mut Vec<PushId>,
    ) {
        self.owed = false;
        self.retry_at = None;
        self.attempt = self.attempt.saturating_add(1);
        if let Some(late) = self.sent.pop_if(|sent| sent.late_at.is_none())
            && late.id != id
        {
            dropped.push(late.id);
        }
        if policy.acknowledged {
            let late_at = Some(now.plus(policy.acknowledge_timeout_ms));
            self.sent.push(Sent { id, revision: self.newest, late_at });
        }
    }

    /// What was rendered for a push is newer than what was known when it was handed out.
    pub(crate) fn rendered(&mut self, id: PushId, revision: Revision, new_id: PushId) {
        let Some(sent) = self.sent.iter_mut().find(|sent| sent.id == id) else { return };
        sent.revision = sent.revision.max(revision);
        sent.id = new_id;
        if revision > self.newest {
            self.newest = revision;
        }
        if revision >= self.newest {
            self.owed = false;
            self.retry_at = None;
        }
    }

    /// An acknowledgement: it settles its push and all older ones, whose ids go to `dropped`.
    pub(crate) fn acknowledge(&mut self, id: PushId, dropped: &mut Vec<PushId>) {
        let Some(place) = self.sent.iter().position(|sent| sent.id == id) else { return };
        let revision = self.sent[place].revision;
        dropped.extend(self.sent.drain(..=place).map(|sent| sent.id));
        if self.sent.is_empty() {
            // Most interests are quiet most of the time: their room is given back.
            self.sent = Vec::new();
        }
        if revision >= self.newest {
            self.owed = false;
            self.retry_at = None;
        }
    }

    /// A negative answer is a time-out that need not be waited for.
    pub(crate) fn reject(&mut self, id: PushId, now: Monotonic) {
        if let Some(sent) = self.sent.iter_mut().find(|sent| sent.id == id)
            && sent.late_at.is_some()
        {
            sent.late_at = Some(now);
        }
    }

    /// Time has passed: late pushes free their place, the newest one is due again after its pause.
    pub(crate) fn expire(&mut self, now: Monotonic, policy: &Policy, dropped: &mut Vec<PushId>) -> Lapse {
        let mut lapse = Lapse::Fine;
        while let Some(place) = self.sent.iter().position(|sent| sent.late_at.is_some_and(|at| at <= now)) {
            let newer_exists =
                place + 1 < self.sent.len() || self.owed || self.sent[place].revision < self.newest;
            if newer_exists {
                dropped.push(self.sent.remove(place).id);
            } else if policy.attempts_max > 0 && self.attempt >= policy.attempts_max {
                dropped.push(self.sent.remove(place).id);
                lapse = Lapse::GivenUp;
            } else {
                let late_at = self.sent[place].late_at.take().unwrap_or(now);
                self.retry_at = Some(late_at.plus(policy.retry_after(self.attempt)));
            }
        }
        if self.retry_at.is_some_and(|at| at <= now) {
            self.retry_at = None;
            self.owed = true;
        }
        lapse
    }

    /// When [`expire`](Self::expire) has something to do.
    pub(crate) fn deadline(&self) -> Option<Monotonic> {
        self.sent.iter().filter_map(|sent| sent.late_at).chain(self.retry_at).min()
    }

    /// The ids of all pushes that may still be acknowledged.
    pub(crate) fn push_ids(&self) -> impl Iterator<Item = PushId> {
        self.sent.iter().map(|sent| sent.id)
    }
}
