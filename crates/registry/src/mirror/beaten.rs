//! Claims that do not hold because there are better ones, and that their owners still tell of.

use super::{
    claim::{OriginPlace, Rank, Standing, Version},
    clock::COUNTER_BITS,
    incoming::{Batch, Told},
    origins::Entry,
    outgoing::removal,
    wire::{self, Reader},
};
use crate::{DecodeError, Registry, brake::LeaseKey};
use bytes::Bytes;
use muster_model::{Reason, Timestamp};

/// One of them: what was told, and its hash.
#[derive(Debug)]
pub(crate) struct Beaten {
    pub(crate) hash: u64,
    op: Box<[u8]>,
}

impl Beaten {
    /// What was told.
    pub(crate) fn op(&self) -> &[u8] {
        &self.op
    }
}

impl Registry {
    /// What an origin told of a publication is not to be counted as beaten any more, if it was.
    pub(crate) fn take_beaten(&mut self, place: OriginPlace, key: u64) -> Option<Box<[u8]>> {
        let beaten = self.mirror.beaten.remove(&(place, key))?;
        self.mirror.origins.at_mut(place).subtract(Entry { key, hash: beaten.hash });
        Some(beaten.op)
    }

    /// Counts what an origin tells of a publication, though it does not hold here.
    pub(crate) fn keep_beaten(&mut self, place: OriginPlace, entry: Entry, op: &[u8]) {
        self.mirror.beaten.insert((place, entry.key), Beaten { hash: entry.hash, op: op.into() });
        self.mirror.origins.at_mut(place).add(entry);
        self.mirror.figures.beaten += 1;
    }

    /// What an origin tells of all is not to be counted any more.
    pub(crate) fn forget_all_beaten(&mut self, place: OriginPlace) {
        let (beaten, origins) = (&mut self.mirror.beaten, &mut self.mirror.origins);
        beaten.retain(|(of, key), beaten| {
            if *of == place {
                origins.at_mut(place).subtract(Entry { key: *key, hash: beaten.hash });
            }
            *of != place
        });
    }

    /// Removals that origins do not know, by what they tell: part of a snapshot, because they were told before it. Those
    /// of as many places as have so many bytes together, and the next place if there is one.
    pub(crate) fn unknown_removals(&self, from: u32, bytes_max: usize) -> (Vec<Bytes>, Option<u32>) {
        let mut all: Vec<(u32, u64, &Beaten)> = Vec::new();
        for ((_, key), beaten) in &self.mirror.beaten {
            let place = (key >> 32) as u32;
            if place >= from && self.mirror.is_ours_to_bury(*key) {
                all.push((place, *key, beaten));
            }
        }
        all.sort_by_key(|(_, key, _)| *key);
        let (mut ops, mut bytes, mut last) = (Vec::new(), 0, None);
        for (place, key, beaten) in all {
            if bytes >= bytes_max && last != Some(place) {
                return (ops, Some(place));
            }
            last = Some(place);
            if let Some(op) = self.removal_of(key, beaten) {
                bytes += op.len();
                ops.push(Bytes::from(op));
            }
        }
        (ops, None)
    }

    /// The removal that beats what was told.
    fn removal_of(&self, key: u64, beaten: &Beaten) -> Option<Vec<u8>> {
        let grave = self.mirror.graves.of(key)?;
        let told = Told::read(&beaten.op).ok()?;
        let (at, reason) = (Timestamp(grave.incarnation.at >> COUNTER_BITS), Reason::Deregistered);
        Some(removal(told.key.bytes, grave, false, at, reason))
    }

    /// An origin is gone that told of removals: whoever still tells of what it removed hears it from us.
    pub(crate) fn bury_for(&mut self, gone: OriginPlace) {
        let mirror = &self.mirror;
        let is_unknown = |key: &u64| mirror.graves.told_by(*key) == Some(gone);
        let mut unknown: Vec<_> = mirror.beaten.iter().filter(|((_, key), _)| is_unknown(key)).collect();
        unknown.sort_by_key(|(key, _)| **key);
        let ops: Vec<_> =
            unknown.into_iter().filter_map(|((_, key), one)| self.removal_of(*key, one)).collect();
        ops.iter().for_each(|op| self.mirror.send(op));
    }

    /// The best claim of those that were beaten, of an origin that is heard.
    fn best_beaten(&self, key: u64) -> Option<(OriginPlace, Version)> {
        let grave = self.mirror.graves.of(key);
        let heard = self.mirror.origins.others().filter(|(_, known)| known.is_live());
        let claims = heard.filter_map(|(place, known)| {
            let beaten = self.mirror.beaten.get(&(place, key))?;
            let (version, adopted) = header(&beaten.op).ok()?;
            let node = known.origin.node.0;
            let standing = Standing::of_live(node, adopted);
            grave.is_none_or(|grave| version > grave).then_some((Rank { version, standing }, place))
        });
        claims.max().map(|(rank, place)| (place, rank.version))
    }

    /// Lets the best of the beaten claims hold, in place of one that is out of the books already; whether there is one.
    /// A removal counts against those that are no higher; a weak one only against lower ones.
    pub(crate) fn fall_back(
        &mut self,
        held: LeaseKey,
        removed: Option<(Version, bool)>,
        batch: &mut Batch<'_>,
    ) -> bool {
        let Some((place, version)) = self.heir(held) else { return false };
        let is_removed = removed.is_some_and(|(removed, is_weak)| match is_weak {
            true => version < removed,
            false => version <= removed,
        });
        !is_removed && self.let_hold(held, place, batch)
    }

    /// Whether what was beaten of an origin is no older than a version.
    pub(crate) fn told_since(&self, place: OriginPlace, key: &[u8], version: Version) -> bool {
        let told = self.mirror.beaten.get(&(place, wire::key_hash(key)));
        told.is_some_and(|told| header(&told.op).is_ok_and(|(told, _)| told >= version))
    }

    /// Whose claim would hold, if the one that does went.
    pub(crate) fn heir(&self, held: LeaseKey) -> Option<(OriginPlace, Version)> {
        if self.mirror.beaten.is_empty() {
            return None;
        }
        self.best_beaten(wire::key_hash(&self.key_of(held)?))
    }

    /// Lets what an origin told hold, if that was beaten, in place of what is out of the books already; whether it was.
    pub(crate) fn let_hold(&mut self, held: LeaseKey, place: OriginPlace, batch: &mut Batch<'_>) -> bool {
        let key = self.key_of(held).filter(|_| !self.mirror.beaten.is_empty());
        let Some(key) = key.map(|key| wire::key_hash(&key)) else { return false };
        let Some(op) = self.take_beaten(place, key) else { return false };
        // It was read once already.
        self.hold(place, &op, batch).is_ok()
    }
}

/// The version of a publication that was told, and whether it is adopted.
fn header(op: &[u8]) -> Result<(Version, bool), DecodeError> {
    let mut reader = Reader::new(op);
    _ = (reader.byte()?, reader.reason()?, reader.key()?);
    let version = reader.version()?;
    _ = reader.byte()?;
    Ok((version, reader.byte()? & wire::ADOPTED != 0))
}
