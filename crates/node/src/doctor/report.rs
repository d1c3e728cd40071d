//! How a node is, in figures that can be compared with those of others.

use super::{
    marks::{MarkResult, Marked},
    mirrors::NamedMirror,
};
use crate::Node;
use muster_model::{NodeId, Origin, Timestamp};
use std::collections::BTreeMap;

/// What a node says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeReport {
    /// Which node.
    pub node: NodeId,
    /// Its version, with commit and stored format.
    pub version: String,
    /// Whether it answers clients.
    pub is_ready: bool,
    /// The last log entry it has applied.
    pub applied: u64,
    /// The last one it knows to be committed.
    pub committed: u64,
    /// Who leads, as far as it knows.
    pub leader: Option<NodeId>,
    /// The newest term it has heard of.
    pub term: u64,
    /// For how long it has heard no leader.
    pub without_leader_ms: Option<u64>,
    /// Its wall clock.
    pub wall: Timestamp,
    /// Free bytes where its data is, and all of them, if that can be told.
    pub disk: Option<DiskSpace>,
    /// When its certificate ends, if it has one.
    pub certificate_until: Option<Timestamp>,
    /// The publications it holds: its own, and those of each peer.
    pub mirrors: Vec<MirrorReport>,
    /// Of the mark that was asked about, if it was applied here.
    pub(crate) mark: Option<MarkResult>,
    /// Names that were asked for.
    pub(crate) names: Option<NamedMirror>,
}

impl Default for NodeReport {
    fn default() -> Self {
        Self {
            node: NodeId(0),
            version: String::new(),
            is_ready: false,
            applied: 0,
            committed: 0,
            leader: None,
            term: 0,
            without_leader_ms: None,
            wall: Timestamp(0),
            disk: None,
            certificate_until: None,
            mirrors: Vec::new(),
            mark: None,
            names: None,
        }
    }
}

impl PartialEq for MarkResult {
    fn eq(&self, other: &Self) -> bool {
        let digest = |result: &Self| match &result.marked {
            Marked::Done(digest) => Some(digest.clone()),
            Marked::Computing | Marked::Failed { .. } => None,
        };
        (self.id, self.index, digest(self)) == (other.id, other.index, digest(other))
    }
}

/// Room on a file system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiskSpace {
    /// Bytes that can still be written.
    pub free: u64,
    /// All bytes.
    pub total: u64,
}

/// What a node holds of one origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MirrorReport {
    /// Whose publications.
    pub origin: Origin,
    /// After which change.
    pub sequence: u64,
    /// How many.
    pub count: u64,
    /// What they come to.
    pub sum: u64,
    /// The same by bucket.
    pub buckets: Vec<u64>,
    /// How long ago the stream from there found that this mirror differed, and mended it.
    pub mended_ms_ago: Option<u64>,
}

/// When the streams found differences: the count seen last, and when it grew, milliseconds of the monotonic clock.
pub(crate) type Mended = BTreeMap<NodeId, (u64, Option<u64>)>;

impl Node {
    /// How this node is, with what came of a mark.
    pub(crate) fn report(&self, mark: u64) -> NodeReport {
        let standing = self.consensus().map(|consensus| consensus.standing()).unwrap_or_default();
        let facts = self.doctor.facts.get();
        NodeReport {
            node: self.id,
            version: facts.map(|facts| facts.version.to_owned()).unwrap_or_default(),
            is_ready: self.is_ready(),
            applied: standing.applied,
            committed: standing.committed,
            leader: standing.leader,
            term: standing.term,
            without_leader_ms: standing.without_leader_ms,
            wall: self.now().wall,
            disk: facts.and_then(|facts| facts.space()),
            certificate_until: facts.and_then(|facts| (facts.certificate_until)()),
            mirrors: self.mirror_reports(),
            mark: self.doctor.marks.result(mark),
            names: None,
        }
    }

    fn mirror_reports(&self) -> Vec<MirrorReport> {
        let Some(status) = self.mirror_status() else { return Vec::new() };
        let mended = self.doctor.mended.lock().clone();
        let now = self.now().mono.0;
        let registry = self.registry.lock();
        let mut origins: Vec<Origin> = registry.origin().into_iter().collect();
        origins.extend(status.peers.iter().filter_map(|peer| {
            let held = registry.held_sequence(peer.node)?;
            Some(Origin { node: peer.node, epoch: held.epoch })
        }));
        let report = |origin: Origin| {
            let digest = registry.digest(origin)?;
            let since = mended.get(&origin.node).and_then(|(_, at)| *at);
            Some(MirrorReport {
                origin,
                sequence: digest.sequence,
                count: digest.count,
                sum: digest.sum,
                buckets: digest.buckets.to_vec(),
                mended_ms_ago: since.map(|since| now.saturating_sub(since)),
            })
        };
        origins.into_iter().filter_map(report).collect()
    }

    /// Notices when a stream found a mirror different.
    pub(crate) fn watch_mending(&self) {
        let Some(status) = self.mirror_status() else { return };
        let now = self.now().mono.0;
        let mut mended = self.doctor.mended.lock();
        mended.retain(|node, _| status.peers.iter().any(|peer| peer.node == *node));
        for peer in &status.peers {
            let known = mended.entry(peer.node).or_default();
            if peer.counts.mismatches > known.0 {
                known.1 = Some(now);
            }
            known.0 = peer.counts.mismatches;
        }
    }
}
