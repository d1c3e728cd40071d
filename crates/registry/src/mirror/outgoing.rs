//! What this node tells the others: the ring of ops, its digest, and snapshots.

use super::{
    Mirror, MirrorChanges, SnapshotCursor, SnapshotPage,
    claim::{Claim, OURS, OriginPlace, Version},
    origins::Entry,
    wire::{self, ClientRef},
};
use crate::{
    Registry,
    brake::LeaseKey,
    checkpoint::{FacetMessage, KeptFacet},
    clients::ClientIndex,
    op::kind_of,
    services::ServiceIndex,
};
use bytes::Bytes;
use muster_model::{ClientId, Incarnation, Kind, Now, Origin, Reason, ServiceKey, Timestamp};
use prost::Message;
use std::collections::VecDeque;

/// Bytes of ops that are kept for peers that were away.
const RING_BYTES: usize = 16 << 20;
/// Clients looked at for one page of a snapshot, so that the lock around it is short.
const PAGE_LOOKS: usize = 2_048;

/// The last ops that went out. The newest has the number that [`super::origins::Known`] has of us.
#[derive(Debug, Default)]
pub(crate) struct Ring {
    ops: VecDeque<Bytes>,
    bytes: usize,
    /// How many are kept.
    ops_max: usize,
}

impl Ring {
    pub(crate) fn of(ops_max: usize) -> Self {
        Self { ops_max, ..Self::default() }
    }

    fn push(&mut self, op: Bytes) {
        self.bytes += op.len();
        self.ops.push_back(op);
        while self.ops.len() > self.ops_max || (self.bytes > RING_BYTES && self.ops.len() > 1) {
            let Some(oldest) = self.ops.pop_front() else { break };
            self.bytes -= oldest.len();
        }
    }
}

/// The op of a removal.
pub(crate) fn removal(key: &[u8], version: Version, is_weak: bool, at: Timestamp, reason: Reason) -> Vec<u8> {
    let mut op = Vec::with_capacity(key.len() + 32);
    op.extend([wire::REMOVE, wire::reason(reason)]);
    op.extend_from_slice(key);
    wire::version(&mut op, version);
    op.push(if is_weak { wire::WEAK } else { 0 });
    wire::number(&mut op, at.0);
    op
}

/// The op of a publication that is another origin's.
pub(crate) fn yielded(key: &[u8], version: Version, to: Origin) -> Vec<u8> {
    let mut op = Vec::with_capacity(key.len() + 48);
    op.extend([wire::YIELD, wire::reason(Reason::PeerLost)]);
    op.extend_from_slice(key);
    wire::version(&mut op, version);
    wire::origin(&mut op, to);
    op
}

/// Why a publication leaves the books.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Because {
    /// Its owner says so.
    ItsOwner,
    /// Another has the better claim. What its owner tells of it stays in the digest until the owner knows, too.
    Displaced,
}

impl Mirror {
    /// Sends an op to all peers.
    pub(crate) fn send(&mut self, op: &[u8]) {
        self.origins.at_mut(OURS).sequence += 1;
        self.ring.push(Bytes::copy_from_slice(op));
        self.figures.sent += 1;
        self.has_sent = true;
    }

    pub(crate) fn client_ref<'a>(&self, client: &'a ClientId) -> ClientRef<'a> {
        match client {
            ClientId::Connection(id) => {
                ClientRef::Connection(self.origins.at(id.place()).origin, id.number())
            }
            ClientId::Address(host, port, kind) => ClientRef::Address(host.as_str(), *port, *kind),
            ClientId::Eureka(id) => ClientRef::Eureka(id),
        }
    }

    fn key(&self, out: &mut Vec<u8>, service: &ServiceKey, client: &ClientId) {
        wire::service(out, service);
        wire::client(out, self.client_ref(client));
    }

    /// Tells the others that a publication went.
    pub(crate) fn send_removal(
        &mut self,
        key: &[u8],
        version: Version,
        is_weak: bool,
        at: Timestamp,
        reason: Reason,
    ) {
        self.send(&removal(key, version, is_weak, at, reason));
    }

    /// Tells the others of what a gone origin owned.
    pub(crate) fn send_orphan(&mut self, owner: Origin, op: &[u8]) {
        let mut orphan = Vec::with_capacity(op.len() + 32);
        wire::orphan(&mut orphan, owner);
        orphan.extend_from_slice(op);
        self.send(&orphan);
    }

    /// Whether whoever still tells of what was removed is to hear of that from us. Else it does from who told us: what is
    /// there in its place comes from there, too, and before the removal.
    pub(crate) fn is_ours_to_bury(&self, key: u64) -> bool {
        let by = self.graves.told_by(key);
        by.is_some_and(|by| by == OURS || !self.origins.at(by).is_live())
    }

    /// Tells the others that another origin has the better claim to what was ours.
    pub(crate) fn send_yield(&mut self, held: LeaseKey, key: &[u8], version: Version, to: Origin) {
        self.yields.remember(held);
        self.send(&yielded(key, version, to));
        self.figures.yielded += 1;
    }

    pub(crate) fn version(&self, at: u64, claim: Claim) -> Version {
        let incarnation = Incarnation { at, node: self.origins.node(claim.by).0 };
        Version { incarnation, term: claim.term }
    }
}

impl Registry {
    /// A publication's op: the tag, the key, the state. Gives where the key and the state end; nothing if there is no such
    /// publication, or it is persistent.
    pub(crate) fn write_set(
        &self,
        (index, client): LeaseKey,
        reason: Reason,
        out: &mut Vec<u8>,
    ) -> Option<(usize, usize)> {
        let service = self.services.get(index)?;
        let publication = service.publications.get(&client)?;
        if publication.stamp.kind() == Kind::Persistent {
            return None;
        }
        let id = &self.clients.get(client).id;
        out.push(wire::SET);
        out.push(wire::reason(reason));
        self.mirror.key(out, &service.key, id);
        let key_end = out.len();
        let claim = publication.claim;
        wire::version(out, self.mirror.version(publication.stamp.sequence(), claim));
        out.push(claim.edit);
        let adopted = if claim.adopted { wire::ADOPTED } else { 0 };
        match id {
            ClientId::Eureka(eureka) => {
                let facet = service.facets.as_ref()?.get(eureka)?;
                out.push(adopted | wire::FACET);
                let kept =
                    KeptFacet { shown: facet.shown.clone(), renewed: false, from_peer: facet.from_peer };
                let message = FacetMessage::from(&kept);
                wire::number(out, message.encoded_len() as u64);
                message.encode(out).expect("a vector grows as needed");
            }
            ClientId::Connection(_) | ClientId::Address(..) => {
                out.push(adopted);
                wire::instances(out, &publication.instances, self.mirror.client_ref(id));
            }
        }
        Some((key_end, out.len()))
    }

    /// What a snapshot has of a publication: ours as it is, and an orphan with who owned it, because nobody else may tell of
    /// that. What another node owns that is heard, it tells itself.
    fn write_shown(&self, held: LeaseKey, out: &mut Vec<u8>) -> bool {
        let Some(claim) = self.claim_of(held) else { return false };
        if claim.owner != OURS {
            let owner = self.mirror.origins.at(claim.owner);
            if owner.is_live() {
                return false;
            }
            wire::orphan(out, owner.origin);
        }
        self.write_set(held, Reason::Registered, out).is_some()
    }

    /// What a publication adds to the digest of its owner.
    pub(crate) fn entry_of(&mut self, place: LeaseKey) -> Option<Entry> {
        let mut bytes = std::mem::take(&mut self.mirror.scratch);
        bytes.clear();
        let ends = self.write_set(place, Reason::Registered, &mut bytes);
        let entry = ends.map(|(key, end)| wire::entry(&bytes[2..key], &bytes[key..end]));
        self.mirror.scratch = bytes;
        entry
    }

    /// The key of a publication, in bytes that mean the same on all nodes.
    pub(crate) fn key_of(&self, (index, client): LeaseKey) -> Option<Vec<u8>> {
        let mut key = Vec::with_capacity(96);
        let service = &self.services.get(index)?.key;
        self.mirror.key(&mut key, service, &self.clients.get(client).id);
        Some(key)
    }

    /// Takes a publication out of the books before it changes or goes.
    pub(crate) fn detach(&mut self, place: LeaseKey, because: Because) {
        if !self.mirror.is_on {
            return;
        }
        let Some(claim) = self.claim_of(place) else { return };
        let mut bytes = std::mem::take(&mut self.mirror.scratch);
        bytes.clear();
        if let Some((key, end)) = self.write_set(place, Reason::Registered, &mut bytes) {
            let entry = wire::entry(&bytes[2..key], &bytes[key..end]);
            let owner = self.mirror.origins.at_mut(claim.owner);
            owner.count -= 1;
            owner.subtract(entry);
            let is_told = owner.is_live() && claim.generation == owner.generation;
            if because == Because::Displaced && claim.owner != OURS && is_told {
                // Its owner counts it until it hears of this. What the snapshot under way has not confirmed it may not.
                self.keep_beaten(claim.owner, entry, &bytes);
            }
        }
        self.mirror.scratch = bytes;
    }

    /// Enters a publication of ours in the books, as it is now, and tells the others.
    pub(crate) fn attach(&mut self, place: LeaseKey, reason: Reason) {
        if !self.mirror.is_on {
            return;
        }
        let mut bytes = std::mem::take(&mut self.mirror.scratch);
        bytes.clear();
        if let Some((key, end)) = self.write_set(place, reason, &mut bytes) {
            let ours = self.mirror.origins.at_mut(OURS);
            ours.add(wire::entry(&bytes[2..key], &bytes[key..end]));
            ours.count += 1;
            self.mirror.send(&bytes);
        }
        self.mirror.scratch = bytes;
    }

    /// As [`Registry::attach`], for a publication that is as it was but for what changed under its incarnation.
    pub(crate) fn attach_edited(&mut self, place: LeaseKey, reason: Reason) {
        if let Some(claim) = self.claim_mut(place) {
            claim.edit = claim.edit.wrapping_add(1);
        }
        self.attach(place, reason);
    }

    pub(crate) fn claim_of(&self, (index, client): LeaseKey) -> Option<Claim> {
        Some(self.services.get(index)?.publications.get(&client)?.claim)
    }

    pub(crate) fn claim_mut(&mut self, (index, client): LeaseKey) -> Option<&mut Claim> {
        Some(&mut self.services.get_mut(index)?.publications.get_mut(&client)?.claim)
    }

    /// Whether a publication is ephemeral and another node's.
    pub(crate) fn is_foreign(&self, place: LeaseKey) -> bool {
        self.claim_of(place).is_some_and(|claim| claim.owner != OURS)
    }

    /// The ops that went out after a number, no more bytes than asked for but one op at least. Ops are opaque to who
    /// carries them.
    pub fn changes(&self, after: u64, bytes_max: usize) -> MirrorChanges {
        let (last, ops) = (self.mirror_sequence(), &self.mirror.ring.ops);
        let first = last - ops.len() as u64;
        if after < first || after > last {
            return MirrorChanges::TooOld;
        }
        let mut bytes = 0;
        let wanted = ops.range((after - first) as usize..).take_while(|op| {
            let is_first = bytes == 0;
            bytes += op.len();
            is_first || bytes <= bytes_max
        });
        let ops: Vec<Bytes> = wanted.cloned().collect();
        MirrorChanges::Ops { upto: after + ops.len() as u64, ops }
    }

    /// A page of everything that this node owns, as ops for [`Registry::resync_page`]. The whole is good as of
    /// the sequence of the first page: go on with the [`Registry::changes`] after that one.
    pub fn snapshot_page(&self, from: SnapshotCursor, bytes_max: usize) -> SnapshotPage {
        let mut page = SnapshotPage { sequence: self.mirror_sequence(), ops: Vec::new(), next: None };
        let (mut at, mut bytes) = (from, 0);
        for _ in 0..PAGE_LOOKS {
            if at.part > 0 {
                let left = bytes_max.saturating_sub(bytes);
                let (ops, next) = match at.part {
                    1 => self.mirror.healths.page(at.place, left),
                    2 => self.unknown_removals(at.place, left),
                    _ => self.yields_page(at.place, left),
                };
                page.ops.extend(ops);
                let part = at.part + 1;
                let after = (part <= 3).then_some(SnapshotCursor { part, ..SnapshotCursor::default() });
                page.next = next.map(|place| SnapshotCursor { place, ..at }).or(after);
                return page;
            }
            match self.clients.at_or_behind(at.place) {
                None => at = SnapshotCursor { part: 1, ..SnapshotCursor::default() },
                Some((client, _)) => {
                    let service = if client.place() == at.place { at.service } else { 0 };
                    at = SnapshotCursor { place: client.place(), service, ..at };
                    if let Some(service) = self.page_of(client, at.service, &mut bytes, bytes_max, &mut page)
                    {
                        at.service = service;
                        break;
                    }
                    at = SnapshotCursor { place: at.place + 1, service: 0, ..at };
                }
            }
        }
        page.next = Some(at);
        page
    }

    /// Adds what a client publishes by us to the services from a place on; gives the first for which there was no room.
    fn page_of(
        &self,
        client: ClientIndex,
        from: u32,
        bytes: &mut usize,
        bytes_max: usize,
        page: &mut SnapshotPage,
    ) -> Option<u32> {
        let found = self.clients.get(client);
        if kind_of(&found.id) == Kind::Persistent {
            return None;
        }
        let mut op = Vec::new();
        for index in found.services().iter().filter(|index| index.place() >= from) {
            if *bytes >= bytes_max {
                return Some(index.place());
            }
            op.clear();
            if self.write_shown((*index, client), &mut op) {
                *bytes += op.len();
                page.ops.push(Bytes::copy_from_slice(&op));
            }
        }
        None
    }

    /// Tells the others that a publication goes, before it does. Whoever takes it away is its owner from now on.
    pub(crate) fn depart(&mut self, place: LeaseKey, reason: Reason, now: Now) {
        if !self.mirror.is_on {
            return;
        }
        let Some((mut claim, at)) = self.claim_at(place) else { return };
        let Some(key) = self.key_of(place) else { return };
        self.detach(place, Because::Displaced);
        let mut at = at;
        // An adopter that loses patience knows no more than that it heard nothing; the owner may.
        let is_weak = claim.adopted && matches!(reason, Reason::BeatMissed | Reason::NotConfirmed);
        if claim.owner != OURS || (claim.adopted && !is_weak) {
            at = self.mirror.clock.next(now);
            claim = Claim::default();
        }
        let version = self.mirror.version(at, claim);
        // Who heard nothing lately does not bury what others may hear.
        if reason != Reason::BeatMissed && !is_weak {
            self.mirror.graves.bury(wire::key_hash(&key), version, OURS, now.mono);
        }
        self.mirror.send_removal(&key, version, is_weak, now.wall, reason);
    }

    /// Whether a publication of an incarnation was removed here lately.
    pub(crate) fn is_buried(&self, service: &ServiceKey, client: &ClientId, version: Version) -> bool {
        let mut key = Vec::with_capacity(96);
        self.mirror.key(&mut key, service, client);
        self.mirror.graves.of(wire::key_hash(&key)).is_some_and(|grave| grave >= version)
    }

    /// The claim to an ephemeral publication, and the time of its incarnation.
    pub(crate) fn claim_at(&self, (index, client): LeaseKey) -> Option<(Claim, u64)> {
        let publication = self.services.get(index)?.publications.get(&client)?;
        let is_ephemeral = publication.stamp.kind() == Kind::Ephemeral;
        is_ephemeral.then_some((publication.claim, publication.stamp.sequence()))
    }

    /// Whose a publication is, if the others are told of it at all.
    pub(crate) fn owner_of(&self, index: ServiceIndex, client: ClientIndex) -> OriginPlace {
        self.claim_of((index, client)).map_or(OURS, |claim| claim.owner)
    }
}
