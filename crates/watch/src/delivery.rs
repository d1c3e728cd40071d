//! What a watcher gets when it asks.

use muster_model::Revision;
use std::{fmt, str::FromStr};

/// A watcher: a connection, a held request, a UDP subscriber. Chosen by the caller, unique among the watchers of
/// one [`Watch`](crate::Watch) or [`Fuzzy`](crate::Fuzzy) while it is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WatcherId(pub u64);

/// Identifies a push among the outstanding ones of its watcher; a wire's request id is its text (`r17`, `s3`),
/// and an acknowledgement is parsed back from that.
///
/// For [`PushIds::Revision`](crate::PushIds::Revision) it follows from the revision of the pushed state, so that
/// bytes rendered once with `PushId::Revision(revision)` may be sent to every watcher of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PushId {
    /// The revision that was pushed: shared by all watchers of the key.
    Revision(Revision),
    /// A number of this watcher's own.
    Sequence(u64),
}

impl fmt::Display for PushId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Revision(revision) => write!(f, "r{revision}"),
            Self::Sequence(number) => write!(f, "s{number}"),
        }
    }
}

/// A text that is no [`PushId`]: it acknowledges nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the id of a push")]
pub struct NotAPushId;

impl FromStr for PushId {
    type Err = NotAPushId;

    fn from_str(text: &str) -> Result<Self, NotAPushId> {
        let number = |digits: &str| digits.parse().map_err(|_| NotAPushId);
        match text.split_at_checked(1) {
            Some(("r", digits)) => Ok(Self::Revision(Revision(number(digits)?))),
            Some(("s", digits)) => Ok(Self::Sequence(number(digits)?)),
            _ => Err(NotAPushId),
        }
    }
}

/// Something to tell a watcher: look the key up, render its state as it is now, and send that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery<K, I> {
    /// What changed.
    pub key: K,
    /// What the watcher gave when it began to watch: how it wants to be told.
    pub interest: I,
    /// The newest revision this crate knows of; 0 if it was never told one. If what is rendered is newer, say so
    /// with [`Watch::rendered`](crate::Watch::rendered).
    pub revision: Revision,
    /// Identifies the push in its acknowledgement.
    pub push: PushId,
    /// 1 for the first try of this state, more for a redelivery.
    pub attempt: u32,
}

/// What [`Watch::expire`](crate::Watch::expire) found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expired<K> {
    /// Watchers that have something to ask for now, each once.
    pub wake: Vec<WatcherId>,
    /// States that were not acknowledged in as many tries as the policy has; their watches stay.
    pub given_up: Vec<(WatcherId, K)>,
}
