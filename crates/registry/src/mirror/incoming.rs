//! What other nodes tell this one: their ops, taken in by the rules in [`super`].

use super::{
    MirrorError,
    claim::{Claim, OURS, OriginPlace, Rank, Standing, Version, is_older},
    origins::Entry,
    outgoing::Because,
    wire::{self, ClientRef, Key, Reader},
};
use crate::{
    DecodeError, Effect, EurekaBase, EurekaShown, Registry,
    brake::LeaseKey,
    checkpoint::FacetMessage,
    eureka::Facet,
    publish::record_difference,
    registry::Report,
    services::{Publication, ServiceIndex, Stamp},
    stored::malformed,
};
use bytes::Bytes;
use muster_model::{
    Actor, Cause, ClientId, GroupName, HashSet, Host, Instance, Kind, Namespace, Now, Origin, Reason,
    ServiceKey, ServiceName,
    mutation::{self, Mutation},
};
use prost::Message;
use std::sync::Arc;

/// Ops that are taken in under one lock, with what they have in common.
pub(crate) struct Batch<'a> {
    pub(crate) now: Now,
    pub(crate) effects: &'a mut Vec<Effect>,
    /// Whether this is a page of a snapshot: what is new in it is no news for the flight recorder.
    is_page: bool,
    /// Services of which something else is shown now.
    changed: HashSet<ServiceIndex>,
    order: Vec<ServiceIndex>,
    /// The service of the last op; the next one's often is the same.
    last: Option<ServiceKey>,
}

/// A publication as a peer describes it.
struct Described {
    service: ServiceKey,
    client: ClientId,
    version: Version,
    edit: u8,
    adopted: bool,
    content: Content,
    entry: Entry,
    reason: Reason,
}

/// The same as it was told, its content not yet read.
pub(crate) struct Told<'a> {
    reason: Reason,
    pub(crate) key: Key<'a>,
    pub(crate) entry: Entry,
    pub(crate) version: Version,
    edit: u8,
    flags: u8,
    reader: Reader<'a>,
}

impl<'a> Told<'a> {
    pub(crate) fn read(op: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(op);
        _ = reader.byte()?;
        let (reason, key) = (reader.reason()?, reader.key()?);
        let entry = wire::entry(key.bytes, reader.rest());
        let (version, edit, flags) = (reader.version()?, reader.byte()?, reader.byte()?);
        Ok(Self { reason, key, entry, version, edit, flags, reader })
    }
}

enum Content {
    Instances(Arc<[Instance]>),
    Facet { shown: Arc<EurekaShown>, from_peer: bool },
}

impl<'a> Batch<'a> {
    pub(crate) fn new(now: Now, effects: &'a mut Vec<Effect>, is_page: bool) -> Self {
        Self { now, effects, is_page, changed: HashSet::default(), order: Vec::new(), last: None }
    }

    fn cause(reason: Reason) -> Cause {
        Cause { actor: Actor::default(), reason }
    }

    pub(crate) fn report(&mut self, reason: Reason) -> Report<'_> {
        Report::new(self.now, Self::cause(reason), self.effects)
    }

    fn service(&mut self, key: &Key<'_>) -> Result<ServiceKey, DecodeError> {
        let last = self.last.take();
        if let Some(last) = &last
            && last.name().as_str() == key.name
            && last.group().as_str() == key.group
            && last.namespace().as_str() == key.namespace
        {
            self.last = Some(last.clone());
            return Ok(last.clone());
        }
        let name = |error: muster_model::NameError| malformed("op of a peer", error);
        let namespace = match &last {
            Some(last) if last.namespace().as_str() == key.namespace => last.namespace().clone(),
            Some(_) | None => Namespace::new(key.namespace).map_err(name)?,
        };
        let group = match &last {
            Some(last) if last.group().as_str() == key.group => last.group().clone(),
            Some(_) | None => GroupName::new(key.group).map_err(name)?,
        };
        let service = ServiceKey::new(namespace, group, ServiceName::new(key.name).map_err(name)?);
        self.last = Some(service.clone());
        Ok(service)
    }

    fn changed(&mut self, index: ServiceIndex) {
        if self.changed.insert(index) {
            self.order.push(index);
        }
    }

    /// One word a service that changed.
    pub(crate) fn finish(self, registry: &mut Registry) {
        let cause = Arc::new(Self::cause(Reason::Registered));
        for index in self.order {
            let Some(service) = registry.services.get(index) else { continue };
            let (service, revision) = (service.key.clone(), service.latest.get());
            self.effects.push(Effect::ServiceChanged { service, revision, cause: cause.clone() });
        }
        registry.tell_streams(self.effects);
    }
}

impl Registry {
    /// Takes in ops of a peer, the last of which has the number `upto`. Those that are held already are passed over.
    pub fn apply_mirrored(
        &mut self,
        origin: Origin,
        ops: &[Bytes],
        upto: u64,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Result<(), MirrorError> {
        let place = self.mirror.origins.find(origin).filter(|place| *place != OURS);
        let place = place.ok_or(MirrorError::Gap { held: 0 })?;
        let known = self.mirror.origins.at(place);
        let held = known.sequence;
        let first = upto.checked_sub(ops.len() as u64).ok_or(MirrorError::Gap { held })?;
        if !known.complete || known.resync.is_some() || first > held {
            return Err(MirrorError::Gap { held });
        }
        let known = usize::try_from(held - first).unwrap_or(usize::MAX).min(ops.len());
        let mut batch = Batch::new(now, effects, false);
        let mut taken = Ok(());
        for op in &ops[known..] {
            let is_lost =
                mutation::is_on(Mutation::DropDelta) && self.mirror.origins.at_mut(place).sequence % 3 == 2;
            if !is_lost {
                taken = self.take_op(place, op, &mut batch);
            }
            if taken.is_err() {
                break;
            }
            self.mirror.origins.at_mut(place).sequence += 1;
        }
        batch.finish(self);
        Ok(taken?)
    }

    /// Takes in one op.
    pub(crate) fn take_op(
        &mut self,
        place: OriginPlace,
        op: &[u8],
        batch: &mut Batch<'_>,
    ) -> Result<(), DecodeError> {
        let mut reader = Reader::new(op);
        match reader.byte()? {
            wire::SET => self.take_set(place, op, batch),
            wire::ORPHAN => {
                let owner = reader.origin()?;
                self.take_orphan(Some(place), owner, reader.rest(), batch).map(|_| ())
            }
            wire::REMOVE => self.take_removal(place, reader, batch),
            wire::YIELD => self.take_yield(place, reader, batch),
            wire::HEALTH => self.take_health(place, reader, batch),
            wire::NO_HEALTH => self.take_no_health(place, reader, batch),
            _ => Err(malformed("op of a peer", "an unknown tag")),
        }
    }

    /// The client that an op names, and what it publishes to the service if that is held.
    pub(crate) fn find_publication(
        &mut self,
        key: &Key<'_>,
        batch: &mut Batch<'_>,
    ) -> Result<(ServiceKey, ClientId, Option<LeaseKey>), DecodeError> {
        let service = batch.service(key)?;
        let client = match key.client {
            ClientRef::Connection(home, number) => {
                let found = self.mirror.origins.connection(home, number);
                found.ok_or_else(|| malformed("op of a peer", "too many origins"))?
            }
            ClientRef::Address(host, port, kind) => {
                let host = Host::new(host).map_err(|error| malformed("op of a peer", error))?;
                ClientId::Address(host, port, kind)
            }
            ClientRef::Eureka(id) => ClientId::Eureka(id.into()),
        };
        let place = self.services.find(&service).zip(self.clients.find(&client));
        let held = place.filter(|place| self.claim_of(*place).is_some());
        Ok((service, client, held))
    }

    /// What a claim that is held is worth.
    pub(crate) fn rank_of(&self, claim: Claim, at: u64) -> Rank {
        let owner = self.mirror.origins.at(claim.owner);
        let standing = match owner.is_live() {
            false => Standing::Orphan,
            true => Standing::of_live(owner.origin.node.0, claim.adopted),
        };
        Rank { version: self.mirror.version(at, claim), standing }
    }

    fn take_set(&mut self, place: OriginPlace, op: &[u8], batch: &mut Batch<'_>) -> Result<(), DecodeError> {
        let told = Told::read(op)?;
        let (service, client, held) = self.find_publication(&told.key, batch)?;
        let was_beaten = self.take_beaten(place, told.entry.key).is_some();
        if !self.mirror.clock.see(told.version.incarnation.at, batch.now) {
            // It is in no digest here, so it is asked for again.
            self.mirror.figures.refused_ahead += 1;
            return Ok(());
        }
        let found = held.and_then(|held| Some((held, self.claim_at(held)?)));
        match found {
            Some((held, (claim, at))) if claim.owner == place => {
                if self.confirms(place, held, (claim, at), &told) {
                    return Ok(());
                }
                self.detach(held, Because::ItsOwner);
            }
            Some((held, (claim, at))) => {
                let is_here = matches!(&client, ClientId::Connection(id) if id.place() == 0);
                let (rank, held_rank) = (self.rank_told(place, &told), self.rank_of(claim, at));
                if rank < held_rank || (claim.owner == OURS && !claim.adopted && is_here) {
                    self.keep_beaten(place, told.entry, op);
                    if rank > held_rank {
                        self.own_anew(held, Reason::Registered, batch.now);
                    } else if held_rank.standing == Standing::Orphan {
                        // Whoever it falls to may have no more than this one has.
                        self.adopt(held, batch.now);
                    }
                    return Ok(());
                }
                let was_heard = claim.owner == OURS && self.was_heard(held, batch.now);
                self.give_up(held, claim, at, place, told.key.bytes, batch.now);
                self.put_told(place, told, service, client, batch)?;
                if was_heard {
                    // It may be long since its client was heard there.
                    self.pass_on(held);
                }
                return Ok(());
            }
            None => {
                let grave = self.mirror.graves.of(told.entry.key);
                if let Some(grave) = grave.filter(|grave| *grave >= told.version) {
                    self.keep_beaten(place, told.entry, op);
                    if !was_beaten && self.mirror.is_ours_to_bury(told.entry.key) {
                        let (at, reason) = (batch.now.wall, Reason::Deregistered);
                        self.mirror.send_removal(told.key.bytes, grave, false, at, reason);
                    }
                    return Ok(());
                }
            }
        }
        self.put_told(place, told, service, client, batch)
    }

    /// Whether the client of what is ours beat here lately.
    fn was_heard(&self, held: LeaseKey, now: Now) -> bool {
        let lease = self.leases.last_beat(held).zip(self.leases.timing(held));
        lease.is_some_and(|(beat, timing)| now.mono.since(beat) <= timing.beat_interval_ms)
    }

    /// What a claim that is told is worth.
    fn rank_told(&self, place: OriginPlace, told: &Told<'_>) -> Rank {
        let node = self.mirror.origins.at(place).origin.node.0;
        let standing = Standing::of_live(node, told.flags & wire::ADOPTED != 0);
        Rank { version: told.version, standing }
    }

    /// Whether an owner tells what is held of it, or what it was before.
    fn confirms(
        &mut self,
        place: OriginPlace,
        held: LeaseKey,
        (claim, at): (Claim, u64),
        told: &Told<'_>,
    ) -> bool {
        let generation = self.mirror.origins.at(place).generation;
        let (old, version) = (self.mirror.version(at, claim), told.version);
        // What was booked to it on the word of another has the edits of that one.
        let is_told = claim.generation == generation;
        let is_old = version < old || (is_told && version == old && is_older(told.edit, claim.edit));
        let confirms = is_old || self.entry_of(held) == Some(told.entry);
        if confirms && let Some(claim) = self.claim_mut(held) {
            claim.generation = generation;
        }
        confirms
    }

    /// Puts in place what an origin told, whatever there is.
    pub(crate) fn hold(
        &mut self,
        place: OriginPlace,
        op: &[u8],
        batch: &mut Batch<'_>,
    ) -> Result<(), DecodeError> {
        let told = Told::read(op)?;
        let (service, client, _) = self.find_publication(&told.key, batch)?;
        self.put_told(place, told, service, client, batch)
    }

    pub(crate) fn put_told(
        &mut self,
        place: OriginPlace,
        mut told: Told<'_>,
        service: ServiceKey,
        client: ClientId,
        batch: &mut Batch<'_>,
    ) -> Result<(), DecodeError> {
        let content = self.content(&mut told.reader, told.flags, &client)?;
        let Told { version, edit, flags, entry, reason, .. } = told;
        let adopted = flags & wire::ADOPTED != 0;
        let described = Described { service, client, version, edit, adopted, content, entry, reason };
        self.put_described(place, described, batch);
        Ok(())
    }

    /// A publication that is held gives way to what an origin tells: its own later state, or a better claim.
    fn give_up(&mut self, held: LeaseKey, claim: Claim, at: u64, to: OriginPlace, key: &[u8], now: Now) {
        let because = if claim.owner == to { Because::ItsOwner } else { Because::Displaced };
        self.detach(held, because);
        if claim.owner == OURS {
            let origin = self.mirror.origins.at(to).origin;
            let version = self.mirror.version(at, claim);
            self.mirror.send_yield(held, key, version, origin);
            self.leases.revoke(held, now.mono);
        }
    }

    fn content(
        &mut self,
        reader: &mut Reader<'_>,
        flags: u8,
        client: &ClientId,
    ) -> Result<Content, DecodeError> {
        if flags & wire::FACET != 0 {
            let size = reader.size()?;
            let message = FacetMessage::decode(reader.bytes(size)?);
            let kept = message.map_err(|error| malformed("op of a peer", error))?.read()?;
            if !matches!(client, ClientId::Eureka(id) if id == kept.shown.id()) {
                return Err(malformed("op of a peer", "another instance id"));
            }
            return Ok(Content::Facet { shown: kept.shown, from_peer: kept.from_peer });
        }
        let shared = match client {
            ClientId::Address(host, ..) => Some(host),
            ClientId::Connection(_) => None,
            ClientId::Eureka(_) => return Err(malformed("op of a peer", "no declaration")),
        };
        let count = reader.size()?;
        let clusters = &mut self.clusters;
        let mut read = || reader.instance(shared, |name| clusters.named(name));
        let instances: Arc<[Instance]> = match count {
            0 => return Err(malformed("op of a peer", "no instance")),
            1 => Arc::from([read()?]),
            _ => (0..count).map(|_| read()).collect::<Result<Vec<_>, _>>()?.into(),
        };
        if reader.is_at_end() {
            Ok(Content::Instances(instances))
        } else {
            Err(malformed("op of a peer", "too long"))
        }
    }

    /// Puts a publication of another origin in place.
    fn put_described(&mut self, place: OriginPlace, described: Described, batch: &mut Batch<'_>) {
        let Described { service: key, client: id, version, edit, adopted, content, entry, reason } =
            described;
        let is_facet = matches!(content, Content::Facet { .. });
        if is_facet {
            self.eureka_view(&EurekaBase::of(&key));
        }
        let index = self.service_or_new(&key, Kind::Ephemeral);
        let known = self.mirror.origins.at(place);
        let (node, generation) = (known.origin.node, known.generation);
        let client = self.clients.publish(&id, node, index);
        let (instances, facet_changed) = match content {
            Content::Instances(instances) => (instances, false),
            Content::Facet { shown, from_peer } => {
                let changed = self.put_facet(index, Facet { client, shown: shown.clone(), from_peer });
                (self.nacos_instances(&shown), changed)
            }
        };
        let by = self.mirror.origins.node_place(muster_model::NodeId(version.incarnation.node));
        let claim = Claim { owner: place, by, term: version.term, edit, generation, adopted };
        let stamp = Stamp::new(version.incarnation.at, Kind::Ephemeral);
        let publication = Publication { stamp, instances: instances.clone(), claim };
        let Some(service) = self.services.get_mut(index) else { return };
        if !is_facet && service.stored_kind().is_none() {
            service.kind = Kind::Ephemeral;
        }
        let old = self.insert(index, client, publication);
        let owner = self.mirror.origins.at_mut(place);
        owner.count += 1;
        owner.add(entry);
        self.mirror.figures.applied += 1;
        if !adopted && self.mirror.origins.at(place).is_live() {
            self.confirm_orphans_elsewhere(index, client, &instances, batch.now);
        }
        let old = old.map(|old| old.instances);
        if batch.is_page {
            // Not all that happened is in a snapshot.
            self.unsettle(index);
        }
        // Even where nothing else is shown of it, another publication of its address may be behind it now.
        let revision = self.touch(index, batch.now);
        if old.is_none() && self.services.get(index).is_some_and(|service| service.publications.len() == 1) {
            batch.effects.push(Effect::ServiceAppeared(key.clone()));
        }
        let is_same = !facet_changed && old.as_ref().is_some_and(|old| **old == *instances);
        if !is_same {
            batch.changed(index);
            if !batch.is_page {
                let old = old.as_deref().unwrap_or_default();
                record_difference(&mut batch.report(reason), &key, revision, old, &instances);
            }
        }
    }

    /// Puts a facet in place; whether that changes anything.
    fn put_facet(&mut self, index: ServiceIndex, mut facet: Facet) -> bool {
        let Some(service) = self.services.get_mut(index) else { return false };
        let facets = service.facets.get_or_insert_default();
        let id = facet.shown.id().clone();
        if let Some(old) = facets.get_mut(&id) {
            Arc::make_mut(&mut facet.shown).stamp = old.shown.stamp;
            if old.shown == facet.shown {
                old.from_peer = facet.from_peer;
                return false;
            }
        }
        Arc::make_mut(&mut facet.shown).stamp = self.eureka.next_stamp();
        facets.insert(id, facet);
        true
    }

    fn take_removal(
        &mut self,
        place: OriginPlace,
        mut reader: Reader<'_>,
        batch: &mut Batch<'_>,
    ) -> Result<(), DecodeError> {
        let reason = reader.reason()?;
        let key = reader.key()?;
        let version = reader.version()?;
        let is_weak = reader.byte()? & wire::WEAK != 0;
        let wall = reader.timestamp()?;
        let (_, client, held) = self.find_publication(&key, batch)?;
        let hash = wire::key_hash(key.bytes);
        self.take_beaten(place, hash);
        if !self.mirror.clock.see(version.incarnation.at, batch.now) {
            self.mirror.figures.refused_ahead += 1;
            return Ok(());
        }
        if reason != Reason::BeatMissed && !is_weak {
            self.mirror.graves.bury(hash, version, place, batch.now.mono);
        }
        let Some((held, (claim, at))) = held.and_then(|held| Some((held, self.claim_at(held)?))) else {
            return Ok(());
        };
        let rank = self.rank_of(claim, at);
        let is_gone = match version.cmp(&rank.version) {
            std::cmp::Ordering::Less => false,
            std::cmp::Ordering::Greater => true,
            // The adopter knows no more than that it heard nothing, the owner does.
            std::cmp::Ordering::Equal if claim.owner == place => true,
            std::cmp::Ordering::Equal if is_weak => rank.standing == Standing::Orphan,
            // Two may have kept it on where they did not hear of each other, and one of them heard nothing since.
            std::cmp::Ordering::Equal if reason == Reason::BeatMissed => {
                !matches!(rank.standing, Standing::Live(_))
            }
            std::cmp::Ordering::Equal => true,
        };
        if !is_gone {
            return Ok(());
        }
        let is_here = matches!(&client, ClientId::Connection(id) if id.place() == 0);
        if claim.owner == OURS && !claim.adopted && is_here {
            // The connection is open: what it registered holds.
            self.own_anew(held, Reason::Registered, batch.now);
            return Ok(());
        }
        if claim.owner == OURS {
            // Those who hold it of us may never hear of it from who removed it.
            self.detach(held, Because::ItsOwner);
            self.leases.revoke(held, batch.now.mono);
            self.mirror.send_removal(key.bytes, version, is_weak, wall, reason);
        } else {
            self.give_up(held, claim, at, place, key.bytes, batch.now);
        }
        if self.fall_back(held, Some((version, is_weak)), batch) {
            return Ok(());
        }
        let now = Now { wall, ..batch.now };
        let cause = Batch::cause(reason);
        self.take_away(held.0, held.1, &mut Report::new(now, cause, batch.effects));
        self.mirror.figures.applied += 1;
        Ok(())
    }

    fn take_yield(
        &mut self,
        place: OriginPlace,
        mut reader: Reader<'_>,
        batch: &mut Batch<'_>,
    ) -> Result<(), DecodeError> {
        let reason = reader.reason()?;
        let key = reader.key()?;
        let version = reader.version()?;
        let to = reader.origin()?;
        // In a snapshot: up to where that one told it.
        let upto = if reader.is_at_end() { None } else { Some(reader.number()?) };
        let (_, _, held) = self.find_publication(&key, batch)?;
        self.take_beaten(place, wire::key_hash(key.bytes));
        let Some((held, (claim, at))) = held.and_then(|held| Some((held, self.claim_at(held)?))) else {
            return Ok(());
        };
        if claim.owner != place || self.mirror.version(at, claim) > version {
            return Ok(());
        }
        self.detach(held, Because::ItsOwner);
        match self.mirror.origins.place(to).filter(|to| *to != place && *to != OURS) {
            Some(to) if self.told_since(to, key.bytes, version) && self.let_hold(held, to, batch) => {}
            Some(to) if upto.is_none_or(|upto| !self.knows(to, upto)) => {
                self.reassign(held, to, upto, batch.now);
            }
            // That one has it no more; or we had the better claim, and gave it up since; or nobody has.
            _ if self.fall_back(held, None, batch) => {}
            _ => {
                let mut report = batch.report(reason);
                self.take_away(held.0, held.1, &mut report);
            }
        }
        Ok(())
    }

    /// Books a publication to an origin that will tell of it, or has not yet told that it went: at the latest in the change of
    /// that number, if it is given.
    pub(crate) fn reassign(&mut self, held: LeaseKey, to: OriginPlace, upto: Option<u64>, now: Now) {
        // As not seen in the last snapshot: one more takes it away, if that origin does not have it after all.
        let generation = self.mirror.origins.at(to).generation.wrapping_sub(1);
        if let Some(claim) = self.claim_mut(held) {
            (claim.owner, claim.generation) = (to, generation);
        }
        let entry = self.entry_of(held);
        let owner = self.mirror.origins.at_mut(to);
        owner.count += 1;
        if let Some(entry) = entry {
            owner.add(entry);
        }
        if owner.resync.zip(upto).is_some_and(|(resync, upto)| resync < upto) {
            owner.expected.push(held);
        }
        if !owner.is_live() {
            self.plan_adoption(to, None, now.mono);
        }
    }
}
