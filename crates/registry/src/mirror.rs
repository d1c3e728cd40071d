//! Ephemeral publications as they are held by several nodes: what goes out, what comes in, and who owns what.

mod api;

pub use api::{
    HeldSequence, MirrorChanges, MirrorDigest, MirrorError, MirrorFigures, SnapshotCursor, SnapshotPage,
};

use crate::{Effect, Registry};
use bytes::Bytes;
use muster_model::{NodeId, Now, Origin};

/// What a registry keeps for the other nodes.
#[derive(Debug, Default)]
pub(crate) struct Mirror {
    origin: Option<Origin>,
    figures: MirrorFigures,
}

impl Registry {
    /// Says which life of which node this registry is. From here on its changes are kept for other nodes; without it
    /// nothing is. Called once, before the first registration.
    pub fn set_identity(&mut self, origin: Origin) {
        self.mirror.origin = Some(origin);
    }

    /// Which life of which node this registry is, if it was said.
    pub fn origin(&self) -> Option<Origin> {
        self.mirror.origin
    }

    /// The number of the last op that went out.
    pub fn mirror_sequence(&self) -> u64 {
        0
    }

    /// The ops that went out after a number, no more bytes than asked for but one op at least. Ops are opaque to who
    /// carries them.
    pub fn changes(&self, after: u64, bytes_max: usize) -> MirrorChanges {
        let (_, _) = (after, bytes_max);
        MirrorChanges::Ops { ops: Vec::new(), upto: 0 }
    }

    /// A page of everything that this node owns, as ops for [`Registry::resync_page`]. The whole is good as of
    /// the sequence of the first page: go on with the [`Registry::changes`] after that one.
    pub fn snapshot_page(&self, from: SnapshotCursor, bytes_max: usize) -> SnapshotPage {
        let (_, _) = (from, bytes_max);
        SnapshotPage { sequence: 0, ops: Vec::new(), next: None }
    }

    /// The digest of what an origin owns, as it is held here: equal on its node and on a mirror that are at the same
    /// sequence. `None`: nothing is held of it, or a resync of it is under way.
    pub fn digest(&self, origin: Origin) -> Option<MirrorDigest> {
        (self.mirror.origin == Some(origin)).then(MirrorDigest::default)
    }

    /// Up to where the ops of a node's present life are held here: what to tell it at the beginning of a stream. `None`:
    /// nothing to go on from, it must send a snapshot.
    pub fn held_sequence(&self, node: NodeId) -> Option<HeldSequence> {
        let _ = node;
        None
    }

    /// Takes in ops of a peer, the last of which has the number `upto`. Those that are held already are passed over.
    pub fn apply_mirrored(
        &mut self,
        origin: Origin,
        ops: &[Bytes],
        upto: u64,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Result<(), MirrorError> {
        let (_, _, _, _, _) = (origin, ops, upto, now, effects);
        Err(MirrorError::Gap { held: 0 })
    }

    /// Begins to take a snapshot of a peer, as of a sequence; begins anew if one was under way. Nothing is taken away
    /// before the end of it.
    pub fn resync_begin(&mut self, origin: Origin, sequence: u64, now: Now, effects: &mut Vec<Effect>) {
        let (_, _, _, _) = (origin, sequence, now, effects);
    }

    /// Takes in a page of a peer's snapshot.
    pub fn resync_page(
        &mut self,
        origin: Origin,
        ops: &[Bytes],
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Result<(), MirrorError> {
        let (_, _, _, _) = (origin, ops, now, effects);
        Err(MirrorError::NoResync)
    }

    /// Ends a snapshot: what was not in it goes. Its ops go on after the sequence given at the beginning.
    pub fn resync_end(
        &mut self,
        origin: Origin,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Result<(), MirrorError> {
        let (_, _, _) = (origin, now, effects);
        Err(MirrorError::NoResync)
    }

    /// A peer has been silent for longer than `cluster.peer_silence`: what it owns is an orphan. `reachable` are the
    /// other peers that are heard.
    pub fn peer_silent(&mut self, node: NodeId, reachable: &[NodeId], now: Now, effects: &mut Vec<Effect>) {
        let (_, _, _, _) = (node, reachable, now, effects);
    }

    /// A peer is heard (again), in this life of its; what an earlier life of it owned is orphaned. `reachable` are all
    /// peers that are heard. Comes before anything is taken in of it.
    pub fn peer_returned(
        &mut self,
        origin: Origin,
        reachable: &[NodeId],
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        let (_, _, _, _) = (origin, reachable, now, effects);
    }

    /// Takes out the beats that came here for what a node owns, each client once, at most so many; give them to its
    /// [`Registry::apply_renewals`].
    pub fn renewals(&mut self, node: NodeId, max: usize) -> Vec<Bytes> {
        let (_, _) = (node, max);
        Vec::new()
    }

    /// Renews leases for beats that came to other nodes.
    pub fn apply_renewals(
        &mut self,
        renewals: &[Bytes],
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Result<(), MirrorError> {
        let (_, _, _) = (renewals, now, effects);
        Ok(())
    }

    /// Figures for operators.
    pub fn mirror_figures(&self) -> MirrorFigures {
        self.mirror.figures
    }
}
