//! What is known of the peers, for operators.

use crate::Position;
use muster_model::{NodeId, Origin};
use std::collections::BTreeSet;

/// Where a node is in its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It does not know yet whether its peers have what it had before its start.
    #[default]
    Starting,
    /// It has put back what its peers did not know.
    Restored,
    /// It answers clients.
    Ready,
}

/// Where our link to a peer is: the one on which we follow it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LinkState {
    /// There is none.
    #[default]
    Down,
    /// It was asked for, and is not made yet.
    Connecting,
    /// There is one, and not everything that the peer had at its beginning was received.
    Syncing,
    /// Everything was, and each change comes when it happens.
    Live,
}

/// What is known of one peer. Counts are of this process.
#[derive(Clone, Debug, PartialEq)]
pub struct PeerStatus {
    /// Which node.
    pub node: NodeId,
    /// Where it is looked for.
    pub address: String,
    /// Our link to it.
    pub link: LinkState,
    /// Why there is none.
    pub trouble: Option<String>,
    /// Whether it has a link to us, on which it follows this node.
    pub follows: bool,
    /// Milliseconds since it was last heard, on either link; `None`: never.
    pub heard_ms: Option<u64>,
    /// Whether it has been silent for too long.
    pub silent: bool,
    /// Where it is in its start, as far as it said.
    pub standing: Standing,
    /// Its life, and its newest change, as it said last.
    pub theirs: Option<Position>,
    /// How far it is mirrored here.
    pub mirrored: Option<Position>,
    /// How far this node is mirrored there, as it said last.
    pub acknowledged: Option<Position>,
    /// The counts.
    pub counts: PeerCounts,
}

impl PeerStatus {
    /// How many of its changes are missing here; `None`: not known, or of another life.
    pub fn lag(&self) -> Option<u64> {
        let (theirs, ours) = (self.theirs?, self.mirrored?);
        (theirs.epoch == ours.epoch).then(|| theirs.sequence.saturating_sub(ours.sequence))
    }
}

/// What happened between this node and a peer since this node's start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PeerCounts {
    /// Links to it that were made.
    pub links: u64,
    /// Of these, those that went on where the one before ended.
    pub resumes: u64,
    /// Snapshots of it that were taken whole.
    pub resyncs: u64,
    /// Snapshots of some buckets that were taken, because they differed.
    pub repairs: u64,
    /// Digests that were compared.
    pub digests: u64,
    /// Of these, those that differed.
    pub mismatches: u64,
    /// Its operations that were applied.
    pub ops_received: u64,
    /// Bytes of frames with them.
    pub op_bytes_received: u64,
    /// Our operations that were sent to it.
    pub ops_sent: u64,
    /// Bytes of frames with them.
    pub op_bytes_sent: u64,
    /// Snapshots that were sent to it, whole or in part.
    pub snapshots_sent: u64,
    /// Bytes of renewals that were passed on to it.
    pub renewal_bytes_sent: u64,
    /// Bytes of renewals that it passed on.
    pub renewal_bytes_received: u64,
}

impl PeerCounts {
    /// Both together.
    #[must_use]
    pub fn plus(self, other: &Self) -> Self {
        Self {
            links: self.links + other.links,
            resumes: self.resumes + other.resumes,
            resyncs: self.resyncs + other.resyncs,
            repairs: self.repairs + other.repairs,
            digests: self.digests + other.digests,
            mismatches: self.mismatches + other.mismatches,
            ops_received: self.ops_received + other.ops_received,
            op_bytes_received: self.op_bytes_received + other.op_bytes_received,
            ops_sent: self.ops_sent + other.ops_sent,
            op_bytes_sent: self.op_bytes_sent + other.op_bytes_sent,
            snapshots_sent: self.snapshots_sent + other.snapshots_sent,
            renewal_bytes_sent: self.renewal_bytes_sent + other.renewal_bytes_sent,
            renewal_bytes_received: self.renewal_bytes_received + other.renewal_bytes_received,
        }
    }
}

/// What is known of all.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    /// This node in this life.
    pub origin: Origin,
    /// Its newest change.
    pub sequence: u64,
    /// Where it is in its start.
    pub standing: Standing,
    /// Who is heard, this node among them.
    pub reachable: BTreeSet<NodeId>,
    /// The other members, by their ids.
    pub peers: Vec<PeerStatus>,
}
