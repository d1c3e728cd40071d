//! What other nodes owned, in a checkpoint: after a loss of power everywhere the first node that is back lists it, too.

use super::PageCursor;
use crate::{
    DecodeError, Effect, Registry,
    mirror::{Batch, OURS},
    stored::{seal, unseal},
};
use bytes::Bytes;
use muster_model::{Epoch, NodeId, Now, Origin, Reason};
use prost::Message;

/// A publication that another node owned, as a checkpoint keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignPublication {
    /// Who owned it.
    owner: Origin,
    /// The time of its incarnation.
    sequence: u64,
    /// As its owner told it.
    op: Bytes,
}

#[derive(Clone, PartialEq, Message)]
struct ForeignMessage {
    #[prost(uint64, tag = "1")]
    node: u64,
    #[prost(uint64, tag = "2")]
    boot: u64,
    #[prost(fixed64, tag = "3")]
    random: u64,
    #[prost(uint64, tag = "4")]
    sequence: u64,
    #[prost(bytes = "bytes", tag = "5")]
    op: Bytes,
}

impl ForeignPublication {
    /// Its bytes, in a format of our own that [`ForeignPublication::decode`] reads.
    pub fn encode(&self) -> Bytes {
        let Self { owner: Origin { node, epoch }, sequence, op } = self;
        let op = op.clone();
        seal(&ForeignMessage {
            node: node.0,
            boot: epoch.boot,
            random: epoch.random,
            sequence: *sequence,
            op,
        })
    }

    /// Reads what was encoded.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let message: ForeignMessage = unseal("publication of a peer", bytes)?;
        let ForeignMessage { node, boot, random, sequence, op } = message;
        Ok(Self { owner: Origin { node: NodeId(node), epoch: Epoch { boot, random } }, sequence, op })
    }

    /// Whose it was.
    pub fn owner(&self) -> Origin {
        self.owner
    }

    /// Its place among all publications: of two at one address the later one shows.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }
}

impl Registry {
    /// Publications that other nodes own, in pages as [`Registry::ephemeral_page`] gives them.
    pub fn foreign_page(
        &self,
        from: PageCursor,
        max: usize,
    ) -> (Vec<ForeignPublication>, Option<PageCursor>) {
        self.page_of_ephemeral(from, max, |service, client, _| {
            let (claim, sequence) = self.claim_at((service, client))?;
            if claim.owner == OURS {
                return None;
            }
            let mut op = Vec::new();
            self.write_set((service, client), Reason::Restored, &mut op)?;
            let owner = self.mirror.origins.at(claim.owner).origin;
            Some(ForeignPublication { owner, sequence, op: op.into() })
        })
    }

    /// Puts back what another node owned: as an orphan of that life of it, which its node takes back, if it does so too, and
    /// which is adopted after a while if not. Whether it was put back: not if somebody claims it, or its owner is heard.
    pub fn restore_foreign(
        &mut self,
        publication: &ForeignPublication,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Result<bool, DecodeError> {
        let ForeignPublication { owner, op, .. } = publication;
        if !self.mirror.is_on {
            return Ok(false);
        }
        let mut batch = Batch::new(now, effects, true);
        let taken = self.take_orphan(None, *owner, op, &mut batch);
        if let Ok(true) = taken {
            // Those who follow already know of no more than what was here before.
            self.mirror.send_orphan(*owner, op);
        }
        batch.finish(self);
        taken
    }
}
