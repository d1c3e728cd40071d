//! Publishing and taking it back.

use crate::{
    Close, Deregister, Effect, LeaseKind, Outcome, Register, Registry, RegistryError,
    clients::ClientIndex,
    eureka::Facet,
    mirror::{Because, Claim},
    op::kind_of,
    registry::{Report, label},
    rows,
    services::{Publication, ServiceIndex, Stamp},
};
use muster_model::{ClientId, Instance, Kind, Metadata, Now, Revision, ServiceKey, Timing};
use std::{cmp::Ordering, sync::Arc};

/// What [`Registry::set_publication`] sets.
pub(crate) struct Setting {
    pub(crate) kind: Kind,
    pub(crate) instances: Arc<[Instance]>,
    /// What was declared, if that was over Eureka.
    pub(crate) facet: Option<Facet>,
    /// The time of an earlier incarnation and the claim under it; absent: a registration of now.
    pub(crate) claim: Option<(u64, Claim)>,
}

impl Registry {
    pub(crate) fn register(
        &mut self,
        register: Register,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Result<Outcome, RegistryError> {
        self.register_as(register, None, now, effects)
    }

    /// As [`Registry::register`], under an earlier incarnation if one is given.
    pub(crate) fn register_as(
        &mut self,
        register: Register,
        claim: Option<(u64, Claim)>,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Result<Outcome, RegistryError> {
        match kind_of(&register.client) {
            Kind::Ephemeral => self.check_register(&register, Kind::Ephemeral)?,
            Kind::Persistent => {
                check_address(&register)?;
                let stored = self.services.by_key(&register.service).and_then(|found| found.stored_kind());
                check_kind(&register.service, stored, Kind::Persistent)?;
            }
        }
        if register.instances.is_empty() {
            let Register { client, service, cause, .. } = register;
            return Ok(self.deregister(Deregister { client, service, cause }, now, effects));
        }
        self.publish(register, claim, now, effects);
        Ok(Outcome::Done)
    }

    /// Whether a registration is refused by what this node knows.
    pub(crate) fn check_register(&self, register: &Register, kind: Kind) -> Result<(), RegistryError> {
        check_address(register)?;
        let count = register.instances.len();
        if count > self.limits.batch_instances_max {
            return Err(RegistryError::BatchTooLarge { count, max: self.limits.batch_instances_max });
        }
        for instance in &register.instances {
            self.check_metadata(&instance.metadata)?;
            Timing::of(&instance.metadata).checked()?;
        }
        let index = self.services.find(&register.service);
        let known = index.and_then(|index| self.services.get(index));
        check_kind(&register.service, known.and_then(|service| service.nacos_kind()), kind)?;
        let max = self.limits.publications_per_client_max;
        if let Some(client) = self.clients.find(&register.client) {
            let services = self.clients.get(client).services();
            let again = index.is_some_and(|index| services.binary_search(&index).is_ok());
            if services.len() >= max && !again {
                return Err(RegistryError::TooManyPublications { max });
            }
        } else if max == 0 {
            return Err(RegistryError::TooManyPublications { max });
        }
        Ok(())
    }

    pub(crate) fn check_metadata(&self, metadata: &Metadata) -> Result<(), RegistryError> {
        let (size, max) = (metadata.size(), self.limits.metadata_chars_max);
        if size > max { Err(RegistryError::MetadataTooLarge { size, max }) } else { Ok(()) }
    }

    /// Sets a publication that was found to be in order.
    pub(crate) fn publish(
        &mut self,
        register: Register,
        claim: Option<(u64, Claim)>,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        let Register { client: id, origin, service: key, mut instances, cause } = register;
        let kind = kind_of(&id);
        if kind == Kind::Persistent {
            let registered = instances.first().map(|instance| instance.healthy);
            let shown = self.health_of_registration(&key, &id, registered);
            instances.iter_mut().for_each(|instance| instance.healthy = shown.unwrap_or(instance.healthy));
        }
        let index = self.service_or_new(&key, kind);
        let client = self.clients.publish(&id, origin, index);
        for instance in &mut instances {
            self.clusters.intern(&mut instance.cluster);
            if let ClientId::Address(host, ..) = &self.clients.get(client).id {
                instance.host = host.clone();
            }
        }
        let instances: Arc<[Instance]> = instances.into();
        if let ClientId::Address(_, _, Kind::Ephemeral) = &id {
            let timing = Timing::of(&instances[0].metadata);
            self.leases.grant((index, client), (key.namespace(), LeaseKind::Beat), timing, now.mono);
        }
        if let Some(service) = self.services.get_mut(index) {
            // An ephemeral registration has this kind already, or was refused; a durable one decides the kind.
            service.kind = kind;
            if kind == Kind::Persistent {
                effects.push(Effect::Persist(rows::put_instance(&service.key, origin, &instances[0])));
            }
        }
        let set = Setting { kind, instances, facet: None, claim };
        self.set_publication(index, client, set, &mut Report::new(now, cause, effects));
    }

    /// Puts a publication of this node in place of what the client published to the service before.
    pub(crate) fn set_publication(
        &mut self,
        index: ServiceIndex,
        client: ClientIndex,
        set: Setting,
        report: &mut Report<'_>,
    ) {
        let Setting { kind, instances, facet, claim } = set;
        self.detach((index, client), Because::Displaced);
        let (at, claim) = match claim {
            Some((at, claim)) => (at, claim),
            None => (self.mirror.clock.next(report.now), Claim::default()),
        };
        let publication = Publication { stamp: Stamp::new(at, kind), instances: instances.clone(), claim };
        if let (Some(facet), Some(service)) = (facet, self.services.get_mut(index)) {
            service.facets.get_or_insert_default().insert(facet.shown.id().clone(), facet);
        }
        let old = self.insert(index, client, publication);
        self.attach((index, client), report.cause.reason);
        let Some(service) = self.services.get(index) else { return };
        let appeared = old.is_none() && service.publications.len() == 1;
        let key = service.key.clone();
        self.confirm_orphans(index, client, &instances, report.now);
        let revision = self.touch(index, report.now);
        report.changed(&key, revision);
        if appeared {
            report.effects.push(Effect::ServiceAppeared(key.clone()));
        }
        let old = old.as_ref().map_or(&[][..], |old| &old.instances);
        record_difference(report, &key, revision, old, &instances);
    }

    /// Puts a publication in place, and counts it.
    pub(crate) fn insert(
        &mut self,
        index: ServiceIndex,
        client: ClientIndex,
        publication: Publication,
    ) -> Option<Publication> {
        let service = self.services.get_mut(index)?;
        let (kind, count) = (publication.stamp.kind(), publication.instances.len());
        let is_weighed = publication.is_weighed();
        let old = service.publications.insert(client, publication);
        let is_weighed = is_weighed || old.as_ref().is_some_and(Publication::is_weighed);
        let replaced = old.as_ref().map_or(0, |old| old.instances.len());
        service.instances = service.instances + count - replaced;
        self.instances = self.instances + count - replaced;
        if old.is_none() {
            self.publications += 1;
            service.persistent += u32::from(kind == Kind::Persistent);
        }
        if is_weighed {
            self.unsettle(index);
        }
        old
    }

    pub(crate) fn deregister(
        &mut self,
        deregister: Deregister,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Outcome {
        let Deregister { client, service, cause } = deregister;
        let (Some(index), Some(client)) = (self.services.find(&service), self.clients.find(&client)) else {
            return Outcome::Unchanged;
        };
        self.unpublish(index, client, &mut Report::new(now, cause, effects))
    }

    pub(crate) fn close(&mut self, close: Close, now: Now, effects: &mut Vec<Effect>) -> Outcome {
        let Some(client) = self.clients.find(&close.client) else { return Outcome::Unchanged };
        let services = self.clients.get(client).services().to_vec();
        let mut report = Report::new(now, close.cause, effects);
        for index in services {
            self.unpublish(index, client, &mut report);
        }
        Outcome::Done
    }

    /// Removes one publication; after the client's last one its index is void.
    pub(crate) fn unpublish(
        &mut self,
        index: ServiceIndex,
        client: ClientIndex,
        report: &mut Report<'_>,
    ) -> Outcome {
        self.depart((index, client), report.cause.reason, report.now);
        self.take_away(index, client, report)
    }

    /// As [`Registry::unpublish`], where the other nodes know already.
    pub(crate) fn take_away(
        &mut self,
        index: ServiceIndex,
        client: ClientIndex,
        report: &mut Report<'_>,
    ) -> Outcome {
        self.yield_to((index, client), report.now);
        let Some(service) = self.services.get_mut(index) else { return Outcome::Unchanged };
        let Some(old) = service.publications.remove(&client) else { return Outcome::Unchanged };
        let kind = old.stamp.kind();
        let is_weighed = old.is_weighed();
        service.instances -= old.instances.len();
        service.persistent -= u32::from(kind == Kind::Persistent);
        if service.publications.is_empty() {
            service.publications.shrink_to_fit();
        }
        let vanished = service.publications.is_empty();
        let key = service.key.clone();
        self.instances -= old.instances.len();
        self.publications -= 1;
        self.remove_facet(index, client, report.now);
        self.leases.revoke((index, client), report.now.mono);
        let id = self.clients.get(client).id.clone();
        self.clients.unpublish(client, index);

        if is_weighed {
            self.unsettle(index);
        }
        let revision = self.touch(index, report.now);
        report.changed(&key, revision);
        if vanished {
            report.effects.push(Effect::ServiceVanished(key.clone()));
            self.service_emptied(index, report.now);
        }
        if kind == Kind::Persistent {
            self.health_of_registration(&key, &id, None);
            report.effects.push(Effect::Persist(rows::delete_instance(&key, &old.instances[0])));
        }
        record_difference(report, &key, revision, &old.instances, &[]);
        Outcome::Done
    }
}

/// A client known by its address publishes one instance, there. Or none, to take it back.
fn check_address(register: &Register) -> Result<(), RegistryError> {
    let (host, port) = match &register.client {
        ClientId::Connection(_) => return Ok(()),
        ClientId::Address(host, port, _) => (host, port),
        ClientId::Eureka(_) => return Err(RegistryError::NotItsAddress),
    };
    match &register.instances[..] {
        [] => Ok(()),
        [instance] if instance.host == *host && instance.port == *port => Ok(()),
        _ => Err(RegistryError::NotItsAddress),
    }
}

fn check_kind(service: &ServiceKey, known: Option<Kind>, kind: Kind) -> Result<(), RegistryError> {
    match known {
        Some(known) if known != kind => {
            Err(RegistryError::KindClash { service: service.clone(), kind: known })
        }
        _ => Ok(()),
    }
}

/// Cluster, address and port: what makes two instances of one publication the same one, changed.
pub(crate) fn by_address(a: &Instance, b: &Instance) -> Ordering {
    a.cluster
        .shared()
        .cmp(b.cluster.shared())
        .then_with(|| a.host.cmp(&b.host))
        .then_with(|| a.port.cmp(&b.port))
}

/// Records what became of each instance when `old` was replaced by `new`; what stayed as it was is no line.
pub(crate) fn record_difference(
    report: &mut Report<'_>,
    service: &ServiceKey,
    revision: Revision,
    old: &[Instance],
    new: &[Instance],
) {
    if old == new {
        return;
    }
    let sorted = |instances: &'_ [Instance]| -> Vec<u32> {
        let mut order: Vec<u32> = (0..instances.len() as u32).collect();
        order.sort_by(|a, b| by_address(&instances[*a as usize], &instances[*b as usize]));
        order
    };
    let (old_order, new_order) = (sorted(old), sorted(new));
    let mut olds = old_order.iter().map(|at| &old[*at as usize]).peekable();
    let mut news = new_order.iter().map(|at| &new[*at as usize]).peekable();
    loop {
        let order = match (olds.peek(), news.peek()) {
            (Some(old), Some(new)) => by_address(old, new),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return,
        };
        let before = if order.is_le() { olds.next() } else { None };
        let after = if order.is_ge() { news.next() } else { None };
        let (instance, what) = match (before, after) {
            (Some(before), None) => (before, "removed"),
            (None, Some(after)) => (after, "added"),
            (Some(before), Some(after)) if before != after => (after, "updated"),
            _ => continue,
        };
        report.record(service, revision, label(instance), what);
    }
}
