//! The health of persistent instances, as the node that checks them finds it.
//!
//! A finding has an owner and an incarnation like a publication, and the later one wins. It outlives its owner: a lost
//! checker changes nothing. The log knows nothing of it: when an instance is registered anew or taken back, the owner
//! drops its finding and says so; until then the others keep showing it, in whatever order the two come to them.

use super::{
    MirrorName,
    claim::{OURS, OriginPlace},
    incoming::Batch,
    named::path,
    origins::Entry,
    wire::{self, ClientRef, Reader},
};
use crate::{
    DecodeError, Registry,
    brake::LeaseKey,
    registry::{Report, label},
    stored::malformed,
};
use bytes::Bytes;
use muster_model::{ClientId, HashMap, Host, Incarnation, Instance, Kind, NodeId, Now, Reason, ServiceKey};

type Place = (ServiceKey, Host, u16);

/// In the state of a dropped finding: the instance is gone.
const GONE: u8 = 2;

#[derive(Clone, Copy, Debug)]
struct Finding {
    owner: OriginPlace,
    incarnation: Incarnation,
    healthy: bool,
    generation: u8,
    entry: Entry,
}

/// All findings.
#[derive(Debug, Default)]
pub(crate) struct Healths(HashMap<Place, Finding>);

fn key(service: &ServiceKey, host: &Host, port: u16) -> Vec<u8> {
    let mut key = Vec::with_capacity(96);
    wire::service(&mut key, service);
    wire::client(&mut key, ClientRef::Address(host.as_str(), port, Kind::Persistent));
    key
}

fn state(incarnation: Incarnation, healthy: bool) -> Vec<u8> {
    let mut state = Vec::with_capacity(16);
    wire::incarnation(&mut state, incarnation);
    state.push(healthy.into());
    state
}

fn op(tag: u8, key: &[u8], state: &[u8]) -> Vec<u8> {
    let mut op = Vec::with_capacity(2 + key.len() + state.len());
    op.extend([tag, wire::reason(Reason::HealthCheck)]);
    op.extend_from_slice(key);
    op.extend_from_slice(state);
    op
}

impl Healths {
    /// The ops of what is ours, by buckets of the hash: those of as many buckets as have so many bytes together, and the
    /// next bucket if there is one.
    pub(crate) fn page(&self, from: u32, bytes_max: usize) -> (Vec<Bytes>, Option<u32>) {
        let ours = self.0.iter().filter(|(_, finding)| finding.owner == OURS);
        let mut ours: Vec<_> = ours.filter(|(_, finding)| bucket(finding) >= from).collect();
        ours.sort_by_key(|(_, finding)| bucket(finding));
        let (mut ops, mut bytes) = (Vec::new(), 0);
        let mut last = None;
        for ((service, host, port), finding) in ours {
            let bucket = bucket(finding);
            if bytes >= bytes_max && last != Some(bucket) {
                return (ops, Some(bucket));
            }
            last = Some(bucket);
            let state = state(finding.incarnation, finding.healthy);
            let op = op(wire::HEALTH, &key(service, host, *port), &state);
            bytes += op.len();
            ops.push(Bytes::from(op));
        }
        (ops, None)
    }

    /// The findings of an origin that are meant, by name.
    pub(crate) fn names(&self, owner: OriginPlace, is_meant: &impl Fn(Entry) -> bool) -> Vec<MirrorName> {
        let of_owner = self.0.iter().filter(|(_, finding)| finding.owner == owner && is_meant(finding.entry));
        let named = of_owner.map(|((service, host, port), Finding { entry, .. })| {
            let name = format!("the health of instance {host}:{port} of {}", path(service));
            MirrorName { key: entry.key, hash: entry.hash, name }
        });
        named.collect()
    }
}

#[cfg(test)]
impl Healths {
    pub(crate) fn sums(&self) -> Vec<(OriginPlace, u64)> {
        self.0.values().map(|finding| (finding.owner, finding.entry.hash)).collect()
    }
}

fn bucket(finding: &Finding) -> u32 {
    (finding.entry.key & 0xFFFF) as u32
}

impl Registry {
    fn place_of(&self, (index, client): LeaseKey) -> Option<Place> {
        let service = self.services.get(index)?.key.clone();
        match &self.clients.get(client).id {
            ClientId::Address(host, port, Kind::Persistent) => Some((service, host.clone(), *port)),
            ClientId::Address(..) | ClientId::Connection(_) | ClientId::Eureka(_) => None,
        }
    }

    /// Takes a finding out of the digest of its owner, unless that has to hear of it first.
    fn detach_finding(&mut self, place: &Place, to: OriginPlace) {
        let Some(old) = self.mirror.healths.0.remove(place) else { return };
        let owner = self.mirror.origins.at_mut(old.owner);
        if old.owner != OURS && old.owner != to && owner.is_live() {
            owner.subtract(old.entry);
            self.keep_beaten(old.owner, old.entry, &[]);
        } else {
            owner.subtract(old.entry);
        }
    }

    /// A check here changed the health of a persistent instance.
    pub(crate) fn found_health(&mut self, held: LeaseKey, healthy: bool, now: Now) {
        let Some(place) = self.place_of(held).filter(|_| self.mirror.is_on) else { return };
        self.own_finding(place, healthy, now);
    }

    /// Findings of a node that is gone go on as ours, where they are ours to take: its next life has none of them.
    pub(crate) fn adopt_findings(&mut self, of: OriginPlace, is_ours: impl Fn(&[u8]) -> bool, now: Now) {
        let all = self.mirror.healths.0.iter().filter(|(_, finding)| finding.owner == of);
        let ours = all.filter(|((service, host, port), _)| is_ours(&key(service, host, *port)));
        let mut ours: Vec<(Place, Finding)> = ours.map(|(place, found)| (place.clone(), *found)).collect();
        // One order on all runs, whatever that of the map.
        ours.sort_by_key(|(_, finding)| finding.entry.key);
        for (place, finding) in ours {
            self.own_finding(place, finding.healthy, now);
        }
    }

    fn own_finding(&mut self, place: Place, healthy: bool, now: Now) {
        self.detach_finding(&place, OURS);
        let incarnation = Incarnation { at: self.mirror.clock.next(now), node: self.own_node().0 };
        let (key, state) = (key(&place.0, &place.1, place.2), state(incarnation, healthy));
        let entry = wire::entry(&key, &state);
        let finding = Finding { owner: OURS, incarnation, healthy, generation: 0, entry };
        self.mirror.healths.0.insert(place, finding);
        self.mirror.origins.at_mut(OURS).add(entry);
        self.mirror.send(&op(wire::HEALTH, &key, &state));
    }

    /// A persistent instance is registered anew, or taken back: a finding of ours is dropped, that of another holds on.
    /// Call it before the publication goes or changes, with the health it is registered with. Gives the health to show.
    pub(crate) fn health_of_registration(
        &mut self,
        service: &ServiceKey,
        client: &ClientId,
        registered: Option<bool>,
    ) -> Option<bool> {
        let ClientId::Address(host, port, Kind::Persistent) = client else { return registered };
        if self.mirror.healths.0.is_empty() {
            return registered;
        }
        let place = (service.clone(), host.clone(), *port);
        let Some(finding) = self.mirror.healths.0.get(&place).copied() else { return registered };
        if finding.owner != OURS {
            if registered.is_none() && !self.mirror.origins.at(finding.owner).is_live() {
                self.detach_finding(&place, OURS);
            }
            return registered.map(|_| finding.healthy);
        }
        self.detach_finding(&place, OURS);
        let state = [registered.map_or(GONE, u8::from)];
        self.mirror.send(&op(wire::NO_HEALTH, &key(service, host, *port), &state));
        registered
    }

    pub(crate) fn take_health(
        &mut self,
        from: OriginPlace,
        mut reader: Reader<'_>,
        batch: &mut Batch<'_>,
    ) -> Result<(), DecodeError> {
        _ = reader.reason()?;
        let key = reader.key()?;
        let entry = wire::entry(key.bytes, reader.rest());
        let incarnation = reader.incarnation()?;
        let healthy = reader.byte()? == 1;
        let (service, client, held) = self.find_publication(&key, batch)?;
        let ClientId::Address(host, port, Kind::Persistent) = client else {
            return Err(malformed("op of a peer", "health of what is not persistent"));
        };
        self.take_beaten(from, entry.key);
        if !self.mirror.clock.see(incarnation.at, batch.now) {
            self.mirror.figures.refused_ahead += 1;
            return Ok(());
        }
        let place = (service, host, port);
        let generation = self.mirror.origins.at(from).generation;
        if let Some(known) = self.mirror.healths.0.get_mut(&place) {
            if known.owner == from && known.incarnation >= incarnation {
                known.generation = generation;
                return Ok(());
            }
            if known.incarnation > incarnation {
                self.keep_beaten(from, entry, &[]);
                return Ok(());
            }
        }
        if self.mirror.healths.0.get(&place).is_some_and(|known| known.owner == OURS) {
            // Ours does not count any more: the others are told, or they would miss it in our digest.
            self.mirror.send(&op(wire::NO_HEALTH, key.bytes, &[healthy.into()]));
        }
        self.detach_finding(&place, from);
        let finding = Finding { owner: from, incarnation, healthy, generation, entry };
        self.mirror.healths.0.insert(place, finding);
        self.mirror.origins.at_mut(from).add(entry);
        if let Some(held) = held {
            self.show_health(held, healthy, &mut batch.report(Reason::HealthCheck));
        }
        Ok(())
    }

    pub(crate) fn take_no_health(
        &mut self,
        from: OriginPlace,
        mut reader: Reader<'_>,
        batch: &mut Batch<'_>,
    ) -> Result<(), DecodeError> {
        _ = reader.reason()?;
        let key = reader.key()?;
        let healthy = reader.byte()?;
        let (service, client, held) = self.find_publication(&key, batch)?;
        self.take_beaten(from, wire::key_hash(key.bytes));
        let ClientId::Address(host, port, Kind::Persistent) = client else { return Ok(()) };
        let place = (service, host, port);
        if self.mirror.healths.0.get(&place).is_some_and(|known| known.owner == from) {
            self.detach_finding(&place, from);
            if let Some(held) = held.filter(|_| healthy != GONE) {
                self.show_health(held, healthy == 1, &mut batch.report(Reason::Registered));
            }
        }
        Ok(())
    }

    /// Shows a health of a persistent instance that this node did not find itself.
    fn show_health(&mut self, (index, client): LeaseKey, healthy: bool, report: &mut Report<'_>) {
        let Some(service) = self.services.get_mut(index) else { return };
        let Some(publication) = service.publications.get_mut(&client) else { return };
        if publication.instances.iter().all(|instance| instance.healthy == healthy) {
            return;
        }
        let old = publication.instances.clone();
        publication.instances = old.iter().map(|instance| Instance { healthy, ..instance.clone() }).collect();
        let key = service.key.clone();
        self.unsettle(index);
        let revision = self.touch(index, report.now);
        report.changed(&key, revision);
        let what = if healthy { "healthy" } else { "unhealthy" };
        old.iter().for_each(|instance| report.record(&key, revision, label(instance), what));
    }

    /// Forgets findings that a peer's snapshot did not mention; what was found stays as it is.
    pub(crate) fn end_health_resync(&mut self, from: OriginPlace) {
        let generation = self.mirror.origins.at(from).generation;
        let all = self.mirror.healths.0.iter();
        let gone = all.filter(|(_, finding)| finding.owner == from && finding.generation != generation);
        let gone: Vec<Place> = gone.map(|(place, _)| place.clone()).collect();
        gone.iter().for_each(|place| self.detach_finding(place, from));
    }

    /// The node whose check last decided on the health of a persistent instance; `None` if none did.
    pub fn health_owner(&self, service: &ServiceKey, client: &ClientId) -> Option<NodeId> {
        let ClientId::Address(host, port, Kind::Persistent) = client else { return None };
        let finding = self.mirror.healths.0.get(&(service.clone(), host.clone(), *port))?;
        Some(self.mirror.origins.at(finding.owner).origin.node)
    }
}
