//! What nodes tell of publications that nobody owns.

use super::{
    claim::{OriginPlace, Standing},
    incoming::{Batch, Told},
    outgoing::Because,
    wire::{self, Reader},
};
use crate::{DecodeError, Registry, stored::malformed};
use muster_model::{Origin, Reason};

impl Registry {
    /// Takes in what another node owned that is gone, on the word of an origin that has it, or of none; whether it did. It is
    /// worth less than whatever else is known of it: its owner tells of it, if that is heard here, and whoever adopts it.
    pub(crate) fn take_orphan(
        &mut self,
        teller: Option<OriginPlace>,
        owner: Origin,
        op: &[u8],
        batch: &mut Batch<'_>,
    ) -> Result<bool, DecodeError> {
        if Reader::new(op).byte()? != wire::SET {
            return Err(malformed("orphan", "an unknown tag"));
        }
        let told = Told::read(op)?;
        let (service, client, held) = self.find_publication(&told.key, batch)?;
        let Some(place) = self.mirror.origins.place(owner) else { return Ok(false) };
        let found = held.and_then(|held| Some((held, self.claim_at(held)?)));
        // Who tells it does not own it any more.
        let was_tellers = found.is_some_and(|(_, (claim, at))| {
            Some(claim.owner) == teller && self.mirror.version(at, claim) <= told.version
        });
        if self.mirror.origins.at(place).is_live() {
            if let Some((held, _)) = found.filter(|_| was_tellers && !self.knows(place, 0)) {
                self.detach(held, Because::ItsOwner);
                self.reassign(held, place, None, batch.now);
            }
            return Ok(false);
        }
        let key = told.entry.key;
        if let Some(grave) = self.mirror.graves.of(key).filter(|grave| *grave >= told.version) {
            if self.mirror.is_ours_to_bury(key) {
                let (at, reason) = (batch.now.wall, Reason::Deregistered);
                self.mirror.send_removal(told.key.bytes, grave, false, at, reason);
            }
            return Ok(false);
        }
        if !self.mirror.clock.see(told.version.incarnation.at, batch.now) {
            self.mirror.figures.refused_ahead += 1;
            return Ok(false);
        }
        if let Some((held, (claim, at))) = found {
            let rank = self.rank_of(claim, at);
            let is_newer = rank.standing == Standing::Orphan && told.version > rank.version;
            if !is_newer && !was_tellers {
                return Ok(false);
            }
            self.detach(held, Because::ItsOwner);
        }
        self.put_told(place, told, service, client, batch)?;
        self.plan_late_adoption(place, batch.now.mono);
        Ok(true)
    }
}
