//! What the carrier of mirror streams sees.

use crate::DecodeError;
use bytes::Bytes;
use muster_model::Epoch;

/// Digest buckets an origin.
pub(crate) const BUCKETS: usize = 256;

/// Ops that went out after some sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MirrorChanges {
    /// These, each with a number of its own.
    Ops {
        /// The ops, in order.
        ops: Vec<Bytes>,
        /// The number of the last one; as asked, if there are none.
        upto: u64,
    },
    /// They are not kept any more, or never were: send a snapshot.
    TooOld,
}

/// Where the next page of [`Registry::snapshot_page`](crate::Registry::snapshot_page) begins; the default is the
/// beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SnapshotCursor {
    pub(crate) part: u8,
    /// The client.
    pub(crate) place: u32,
    /// The first of its services.
    pub(crate) service: u32,
}

/// A page of what a node owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotPage {
    /// The sequence when the page was taken.
    pub sequence: u64,
    /// What is owned, an op each.
    pub ops: Vec<Bytes>,
    /// Where the next page begins; `None`: this was the last.
    pub next: Option<SnapshotCursor>,
}

/// A digest of what one origin owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MirrorDigest {
    /// The sequence it is of.
    pub sequence: u64,
    /// How many publications and findings of checks are in it.
    pub count: u64,
    /// The sum of all their hashes.
    pub sum: u64,
    /// The sums of the hashes by the lowest eight bits of their keys' hashes.
    pub buckets: Box<[u64; BUCKETS]>,
}

impl Default for MirrorDigest {
    fn default() -> Self {
        Self { sequence: 0, count: 0, sum: 0, buckets: Box::new([0; BUCKETS]) }
    }
}

/// Up to where the ops of one life of a node are held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldSequence {
    /// The life.
    pub epoch: Epoch,
    /// The number of the last op.
    pub sequence: u64,
}

/// What came of a peer can't be taken in.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum MirrorError {
    /// There are ops between what is held and these, or this life of the peer is unknown: ask for a snapshot.
    #[error("ops of a peer do not follow on {held}")]
    Gap {
        /// The last one held.
        held: u64,
    },
    /// No snapshot of this life of the peer was begun.
    #[error("a page of a snapshot that was not begun")]
    NoResync,
    /// It is not what this version writes.
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

/// Figures of what is mirrored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MirrorFigures {
    /// Ops that went out.
    pub sent: u64,
    /// Ops that came in and changed something.
    pub applied: u64,
    /// Ops that came in and lost to something newer.
    pub beaten: u64,
    /// Ops whose time is more than ten seconds ahead of ours.
    pub refused_ahead: u64,
    /// Publications of other nodes that were adopted.
    pub adopted: u64,
    /// Own publications that gave way to those of other nodes.
    pub yielded: u64,
    /// Beats that came here for what other nodes own.
    pub passed_on: u64,
    /// Publications held that other nodes own.
    pub foreign: u64,
    /// Of these, those whose owner is gone.
    pub orphans: u64,
}
