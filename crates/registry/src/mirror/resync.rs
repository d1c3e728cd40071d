//! Snapshots of peers: what is in them is marked, and what is not goes at the end.

use super::{HeldSequence, MirrorError, Presence, claim::OURS, incoming::Batch, outgoing::Because};
use crate::{Effect, Registry, brake::LeaseKey};
use bytes::Bytes;
use muster_model::{
    HashSet, NodeId, Now, Origin, Reason,
    mutation::{self, Mutation},
};

impl Registry {
    /// Up to where the ops of a node's present life are held here: what to tell it at the beginning of a stream. `None`:
    /// nothing to go on from, it must send a snapshot.
    pub fn held_sequence(&self, node: NodeId) -> Option<HeldSequence> {
        let mut known = self.mirror.origins.others().map(|(_, known)| known);
        let held = known.find(|known| {
            let is_whole = known.complete && known.resync.is_none();
            known.origin.node == node && known.is_live() && is_whole
        })?;
        Some(HeldSequence { epoch: held.origin.epoch, sequence: held.sequence })
    }

    /// Begins to take a snapshot of a peer, as of a sequence; begins anew if one was under way. Nothing is taken away
    /// before the end of it. The peer counts as heard, and an earlier life of its node as over.
    pub fn resync_begin(&mut self, origin: Origin, sequence: u64, now: Now, effects: &mut Vec<Effect>) {
        self.hear(origin, None, now);
        self.tell_streams(effects);
        let Some(place) = self.mirror.origins.find(origin).filter(|place| *place != OURS) else { return };
        let known = self.mirror.origins.at_mut(place);
        known.generation = known.generation.wrapping_add(1);
        known.resync = Some(sequence);
        known.expected.clear();
        self.forget_all_beaten(place);
    }

    /// Takes in a page of a peer's snapshot.
    pub fn resync_page(
        &mut self,
        origin: Origin,
        ops: &[Bytes],
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Result<(), MirrorError> {
        let place = self.mirror.origins.find(origin).filter(|place| *place != OURS);
        let place = place.filter(|place| self.mirror.origins.at(*place).resync.is_some());
        let place = place.ok_or(MirrorError::NoResync)?;
        if mutation::is_on(Mutation::ForgetResync) && self.mirror.origins.at(place).sequence > 0 {
            // It has something to go on with.
            return Ok(());
        }
        let mut batch = Batch::new(now, effects, true);
        let taken = ops.iter().try_for_each(|op| self.take_op(place, op, &mut batch));
        batch.finish(self);
        Ok(taken?)
    }

    /// Ends a snapshot: what was not in it goes. Its ops go on after the sequence given at the beginning.
    pub fn resync_end(
        &mut self,
        origin: Origin,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Result<(), MirrorError> {
        let place = self.mirror.origins.find(origin).filter(|place| *place != OURS);
        let place = place.ok_or(MirrorError::NoResync)?;
        let known = self.mirror.origins.at_mut(place);
        let sequence = known.resync.take().ok_or(MirrorError::NoResync)?;
        (known.sequence, known.complete) = (sequence, true);
        let generation = known.generation;
        let expected: HashSet<LeaseKey> = std::mem::take(&mut known.expected).into_iter().collect();
        let mut gone: Vec<LeaseKey> = Vec::new();
        let mut next = self.clients.at_or_behind(0);
        while let Some((client, found)) = next {
            let places = found.services().iter().map(|index| (*index, client));
            gone.extend(places.filter(|held| {
                let claim = self.claim_at(*held).filter(|_| !expected.contains(held));
                claim.is_some_and(|(claim, _)| claim.owner == place && claim.generation != generation)
            }));
            next = self.clients.at_or_behind(client.place() + 1);
        }
        if mutation::is_on(Mutation::ForgetResync) {
            gone.clear();
        }
        let mut batch = Batch::new(now, effects, true);
        for held in gone {
            self.detach(held, Because::ItsOwner);
            if !self.fall_back(held, None, &mut batch) {
                self.take_away(held.0, held.1, &mut batch.report(Reason::PeerLost));
            }
        }
        self.end_health_resync(place);
        batch.finish(self);
        debug_assert_eq!(self.mirror.origins.at(place).presence, Presence::Live);
        Ok(())
    }
}
