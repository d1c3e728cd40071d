//! What the mirror asks of whoever holds the publications.

use crate::{BUCKETS, Buckets};
use bytes::Bytes;
use muster_model::{Epoch, NodeId, Origin};
use std::collections::BTreeSet;

/// How far one life of a node is known: all its changes up to this sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Which life.
    pub epoch: Epoch,
    /// The last change that is known; 0 before the first.
    pub sequence: u64,
}

/// What has changed since a sequence.
#[derive(Clone, Debug, PartialEq)]
pub enum Changes {
    /// These operations, in order.
    Ops {
        /// None, if nothing changed.
        ops: Vec<Bytes>,
        /// The sequence of the last of them; without any, the one that was asked about.
        upto: u64,
        /// The sequence of the newest change there is: greater than `upto` if not all fitted.
        newest: u64,
        /// If it was asked for and `upto` is `newest`: the digest of exactly that state.
        digest: Option<Box<Digest>>,
    },
    /// They are not kept that long, or never were: a snapshot is needed.
    TooOld,
}

/// A snapshot that is being taken: this node's publications in some buckets, page by page. What changes between two pages
/// may be missing, or there in its newer form; [`Replica::changes`] since before the first page makes up for both.
pub trait Snapshot: Send {
    /// The next page: operations that publish anew, up to about so many bytes, or none; `None`: there is no more.
    fn next_page(&mut self, bytes_max: usize) -> Option<Vec<Bytes>>;
}

/// What came of a peer can't be taken in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There are changes between what is held and these: a snapshot is needed.
    #[error("there are changes in between")]
    Gap,
    /// It does not read, or makes no sense.
    #[error("{0}")]
    Unreadable(String),
}

/// What one origin's publications come to: sums of hashes, so that the order does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    /// After which change.
    pub sequence: u64,
    /// The sum over all of them.
    pub sum: u64,
    /// The sum over each bucket.
    pub buckets: [u64; BUCKETS],
}

/// Holds this node's publications and mirrors of its peers': the registry. Every call is short (the caller pages) and none
/// waits; what follows from a change, such as pushes, is done by the replica.
///
/// All calls about one origin come in order, from one task at a time.
pub trait Replica: Send + Sync + 'static {
    /// This node in this life.
    fn origin(&self) -> Origin;

    /// The sequence of the newest change of our own.
    fn sequence(&self) -> u64;

    /// Our own changes behind a sequence, up to about so many bytes, at least one if there is any.
    fn changes(&self, after: u64, bytes_max: usize, with_digest: bool) -> Changes;

    /// Our own digest now.
    fn digest(&self) -> Digest;

    /// Begins to take a snapshot of our own publications in these buckets.
    fn snapshot(&self, buckets: &Buckets) -> Box<dyn Snapshot>;

    /// Whether snapshots of some buckets can be taken and given; else they are always of all.
    fn mends_buckets(&self) -> bool {
        true
    }

    /// How far the newest life of a peer is mirrored; `None`: nothing of it is, or its first snapshot is not complete.
    fn mirrored(&self, node: NodeId) -> Option<Position>;

    /// What our mirror of an origin comes to; `None`: there is no complete one.
    fn mirrored_digest(&self, origin: Origin) -> Option<Digest>;

    /// Changes of an origin, in order. Once they are taken its mirror is at `upto`. An operation may come again, and one
    /// that is older than what a snapshot gave, which counts then.
    fn apply(&self, origin: Origin, ops: &[Bytes], upto: u64) -> Result<(), Refused>;

    /// A snapshot of an origin as of a sequence begins: what will not be in it is gone, in these buckets. One that was not
    /// ended before ends without effect on what it did not name.
    fn resync_begin(&self, origin: Origin, sequence: u64, buckets: &Buckets);

    /// A page of it.
    fn resync_page(&self, origin: Origin, ops: &[Bytes]) -> Result<(), Refused>;

    /// It is complete: what was not named is removed, and the mirror is at the sequence given at the beginning.
    fn resync_end(&self, origin: Origin) -> Result<(), Refused>;

    /// A peer was silent for too long, or was removed: what it left is adopted by those who are reachable from here and
    /// have it, this node among them; also what others left before that had fallen to this peer.
    fn peer_silent(&self, node: NodeId, heirs: &BTreeSet<NodeId>);

    /// A peer speaks, in this life: with the same epoch as before it owns what it owned. What it left in earlier lives is
    /// adopted by the others that are reachable from here and have it. Comes with each new link, also if nothing changed.
    fn peer_returned(&self, origin: Origin, heirs: &BTreeSet<NodeId>);

    /// Whether what a peer left is being adopted here: a starting peer waits for that, as part of what this node has.
    fn is_adopting(&self) -> bool {
        false
    }

    /// Renewals that clients of a peer sent to this node, taken out to be passed on, at most so many; several may be in
    /// one piece. None when none waits.
    fn renewals(&self, node: NodeId, max: usize) -> Vec<Bytes>;

    /// Renewals of our own clients that a peer passed on.
    fn apply_renewals(&self, from: NodeId, renewals: &[Bytes]);
}
