//! What was given to other origins lately: a snapshot says whose it is, so that nobody takes away what its new owner has
//! not told them yet.

use super::{OURS, OriginPlace, outgoing::yielded, wire};
use crate::{Registry, brake::LeaseKey};
use bytes::Bytes;
use std::collections::VecDeque;

/// Yields remembered at most; the newest are.
const YIELDS_MAX: usize = 65_536;

/// What it was that was given up, oldest first. A place may have become that of something else: whose that is is true, too.
#[derive(Debug, Default)]
pub(crate) struct Yields {
    given: VecDeque<LeaseKey>,
    /// How many were forgotten; begins anew after the highest number.
    forgotten: u32,
}

impl Yields {
    pub(crate) fn remember(&mut self, held: LeaseKey) {
        if self.given.len() >= YIELDS_MAX {
            self.given.pop_front();
            self.forgotten = self.forgotten.wrapping_add(1);
        }
        self.given.push_back(held);
    }

    /// Those from a number on, with their numbers; 0 is before all.
    fn from(&self, number: u32) -> impl Iterator<Item = (u32, LeaseKey)> {
        let skipped = number.wrapping_sub(self.forgotten) as usize;
        let skipped = if number == 0 || skipped > self.given.len() { 0 } else { skipped };
        let numbered = self.given.iter().enumerate().skip(skipped);
        numbered.map(|(place, held)| (self.forgotten.wrapping_add(place as u32), *held))
    }
}

impl Registry {
    /// A part of a snapshot: what was ours once, and who has it now, as far as that is heard. It begins at a number, and gives
    /// that of the next one if there was no room for it.
    pub(crate) fn yields_page(&self, from: u32, bytes_max: usize) -> (Vec<Bytes>, Option<u32>) {
        let (mut ops, mut bytes) = (Vec::new(), 0);
        for (number, held) in self.mirror.yields.from(from) {
            if bytes >= bytes_max && !ops.is_empty() {
                return (ops, Some(number));
            }
            if let Some(op) = self.whose(held) {
                bytes += op.len();
                ops.push(Bytes::from(op));
            }
        }
        (ops, None)
    }

    /// Whose a publication is, if it is that of another origin that is heard, and up to which of its changes that is known.
    fn whose(&self, held: LeaseKey) -> Option<Vec<u8>> {
        let (claim, at) = self.claim_at(held)?;
        let owner = self.mirror.origins.at(claim.owner);
        if claim.owner == OURS || !owner.is_live() {
            return None;
        }
        // What others said of it, or what a snapshot has that is under way, it may have told after that.
        let is_told = owner.complete && owner.resync.is_none() && claim.generation == owner.generation;
        let upto = if is_told { owner.sequence } else { u64::MAX };
        let mut op = yielded(&self.key_of(held)?, self.mirror.version(at, claim), owner.origin);
        wire::number(&mut op, upto);
        Some(op)
    }

    /// Whether all is known here that an origin told up to a number.
    pub(crate) fn knows(&self, place: OriginPlace, upto: u64) -> bool {
        let known = self.mirror.origins.at(place);
        known.is_live() && known.complete && known.resync.is_none() && known.sequence >= upto
    }
}
