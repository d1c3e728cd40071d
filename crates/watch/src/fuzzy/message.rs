//! What fuzzy watchers are told, and how.

use crate::NotAPushId;
use muster_model::Limits;
use std::{fmt, str::FromStr, sync::Arc};

/// How the fuzzy watchers of one kind of key are told. Times are milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FuzzyPolicy {
    /// Keys in one batch of a synchronisation (10 services, 20 configs).
    pub batch_max: usize,
    /// Distinct patterns of all watchers together.
    pub patterns_max: usize,
    /// Keys a synchronisation lists; further ones are left out and the watch is reported as truncated.
    pub matches_max: usize,
    /// Messages one watcher may have unacknowledged.
    pub outstanding_max: usize,
    /// Unsent notices one watcher may have, each of another key; beyond it the oldest is dropped and counted, and
    /// repaired by the client's next synchronisation (every 3 minutes).
    pub notices_max: usize,
    /// How long an acknowledgement is waited for.
    pub acknowledge_timeout_ms: u64,
    /// Wait before a redelivery, after the time-out.
    pub retry_pause_ms: u64,
    /// What the wait grows by with each try.
    pub retry_step_ms: u64,
    /// Tries after which a message counts as settled. 0 is without end.
    pub attempts_max: u32,
}

impl FuzzyPolicy {
    /// For services.
    pub fn naming(limits: &Limits) -> Self {
        Self {
            batch_max: 10,
            patterns_max: limits.fuzzy_patterns_max,
            matches_max: limits.fuzzy_matches_max,
            outstanding_max: 4,
            notices_max: limits.fuzzy_patterns_max.saturating_mul(limits.fuzzy_matches_max),
            acknowledge_timeout_ms: 5_000,
            retry_pause_ms: 1_000,
            retry_step_ms: 0,
            attempts_max: 50,
        }
    }

    /// For configs.
    pub fn config(limits: &Limits) -> Self {
        Self {
            batch_max: 20,
            acknowledge_timeout_ms: 3_000,
            retry_pause_ms: 0,
            retry_step_ms: 2_000,
            ..Self::naming(limits)
        }
    }

    pub(super) fn retry_after(&self, attempt: u32) -> u64 {
        self.retry_pause_ms.saturating_add(self.retry_step_ms.saturating_mul(u64::from(attempt)))
    }
}

/// Identifies a message among the outstanding ones of its watcher; a wire's request id is its text (`f12`). It
/// stays the same in redeliveries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FuzzyPush(pub u64);

impl fmt::Display for FuzzyPush {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "f{}", self.0)
    }
}

impl FromStr for FuzzyPush {
    type Err = NotAPushId;

    fn from_str(text: &str) -> Result<Self, NotAPushId> {
        let digits = text.strip_prefix('f').ok_or(NotAPushId)?;
        digits.parse().map(Self).map_err(|_| NotAPushId)
    }
}

/// Whether a key is there: a service has an instance, a config exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It is: `ADD_SERVICE`, `ADD_CONFIG`.
    Present,
    /// It is not (any more): `DELETE_SERVICE`, `DELETE_CONFIG`.
    Absent,
}

/// Why a list is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncKind {
    /// The watch is new (`FUZZY_WATCH_INIT_NOTIFY`); a finish follows when every batch is settled.
    Initial,
    /// The client compares what it has (`FUZZY_WATCH_DIFF_SYNC_NOTIFY`); no finish follows.
    Difference,
}

/// One message to a fuzzy watcher.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FuzzyMessage<K> {
    /// A part of the difference between what the client has and what there is.
    Sync {
        /// The pattern as the client wrote it.
        pattern: Arc<str>,
        /// Why.
        kind: SyncKind,
        /// The keys of this batch.
        changes: Arc<[(K, Presence)]>,
        /// Number of this batch, from 1.
        batch: usize,
        /// How many batches there are.
        batches: usize,
    },
    /// All initial batches of a pattern are settled (`FINISH_FUZZY_WATCH_INIT_NOTIFY`).
    Finished {
        /// The pattern as the client wrote it.
        pattern: Arc<str>,
    },
    /// A key that one of the watcher's patterns matches came or went (`FUZZY_WATCH_RESOURCE_CHANGED`).
    Changed {
        /// The key.
        key: K,
        /// What became of it.
        presence: Presence,
    },
}

/// Something to tell a fuzzy watcher.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FuzzyDelivery<K> {
    /// Identifies the message in its acknowledgement.
    pub push: FuzzyPush,
    /// What to say.
    pub message: FuzzyMessage<K>,
    /// 1 for the first try.
    pub attempt: u32,
}
