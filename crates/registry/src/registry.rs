//! The registry: one owner of all state, one door to change it.

use crate::{
    Counts, Effect, EurekaRules, LatestRevision, NamespaceSpec, Op, Outcome, RegistryError, ServiceParts,
    ServiceSnapshot,
    clients::{ClientIndex, Clients},
    deadlines::Deadlines,
    eureka::{EurekaIndex, Facet},
    interned::Interned,
    leases::Leases,
    mirror::Mirror,
    op::kind_of,
    orphans::Orphans,
    overrides::{InstanceKey, Overrides, Provisional},
    parts::Published,
    services::{Service, ServiceIndex, Services},
};
use muster_model::{
    Cause, Change, HashMap, Instance, Kind, Limits, Monotonic, Namespace, Now, Revision, Selector,
    ServiceKey, Slots, Timestamp,
};
use std::{collections::BTreeMap, sync::Arc};

/// How long an implicit service stays after its last instance went, milliseconds.
const EMPTY_SERVICE_MS: u64 = 60_000;

/// All services, clients, overrides and namespaces of a node.
#[derive(Debug)]
pub struct Registry {
    pub(crate) limits: Limits,
    pub(crate) rules: EurekaRules,
    pub(crate) services: Services,
    pub(crate) clients: Clients,
    pub(crate) leases: Leases,
    /// Empty implicit services, by their place and birth.
    removals: Deadlines<(ServiceIndex, u64)>,
    /// By service, so that an instance and its service need not exist.
    pub(crate) overrides: HashMap<ServiceKey, Arc<Overrides>>,
    /// What is shown in place of `overrides`, where the log has not all of it yet.
    pub(crate) provisional: HashMap<ServiceKey, Provisional>,
    /// When the statuses were set that hold for Eureka registrations; only since this process started.
    pub(crate) statuses_set: HashMap<(ServiceKey, InstanceKey), Timestamp>,
    pub(crate) namespaces: BTreeMap<Namespace, NamespaceSpec>,
    pub(crate) clusters: Interned,
    pub(crate) eureka: EurekaIndex,
    revision: Revision,
    /// No `last_ref_time` of a service that is gone, or of a view of one that never was, is later.
    ref_time_floor: u64,
    pub(crate) orphans: Orphans,
    pub(crate) instances: usize,
    pub(crate) publications: usize,
    pub(crate) mirror: Mirror,
}

/// Where effects of one op go, with what they have in common.
pub(crate) struct Report<'a> {
    pub(crate) now: Now,
    pub(crate) cause: Arc<Cause>,
    pub(crate) effects: &'a mut Vec<Effect>,
}

impl<'a> Report<'a> {
    pub(crate) fn new(now: Now, cause: Cause, effects: &'a mut Vec<Effect>) -> Self {
        Self { now, cause: Arc::new(cause), effects }
    }

    pub(crate) fn changed(&mut self, service: &ServiceKey, revision: Revision) {
        let cause = self.cause.clone();
        self.effects.push(Effect::ServiceChanged { service: service.clone(), revision, cause });
    }

    /// A line of the flight recorder about one instance.
    pub(crate) fn record(
        &mut self,
        service: &ServiceKey,
        revision: Revision,
        instance: Arc<str>,
        what: &'static str,
    ) {
        self.effects.push(Effect::Recorded(Change {
            at: self.now.wall,
            service: service.clone(),
            instance,
            what,
            cause: Cause::clone(&self.cause),
            revision,
        }));
    }
}

/// `ip:port@cluster`.
pub(crate) fn label(instance: &Instance) -> Arc<str> {
    let (host, cluster) = (instance.host.as_str(), instance.cluster.as_str());
    let mut digits = [0; 5];
    let mut at = digits.len();
    let mut port = instance.port;
    loop {
        at -= 1;
        digits[at] = b'0' + (port % 10) as u8;
        port /= 10;
        if port == 0 {
            break;
        }
    }
    let port = std::str::from_utf8(&digits[at..]).expect("digits are ASCII");
    let mut text = String::with_capacity(host.len() + port.len() + cluster.len() + 2);
    for part in [host, ":", port, "@", cluster] {
        text.push_str(part);
    }
    Arc::from(text)
}

impl Registry {
    /// An empty registry, with Eureka's rules as they are by default.
    pub fn new(limits: Limits) -> Self {
        Self::with_rules(limits, EurekaRules::default())
    }

    /// An empty registry.
    pub fn with_rules(limits: Limits, rules: EurekaRules) -> Self {
        Self {
            mirror: Mirror::new(limits.mirror_changes_max),
            limits,
            rules,
            services: Services::default(),
            clients: Clients::default(),
            leases: Leases::default(),
            removals: Deadlines::default(),
            overrides: HashMap::default(),
            provisional: HashMap::default(),
            statuses_set: HashMap::default(),
            namespaces: BTreeMap::new(),
            clusters: Interned::default(),
            eureka: EurekaIndex::default(),
            revision: Revision(0),
            ref_time_floor: 0,
            orphans: Orphans::default(),
            instances: 0,
            publications: 0,
        }
    }

    /// Forgets everything durable, before it is loaded anew. What is ephemeral stays, and its leases: no log gives it
    /// back. The numbers go on: no revision and no `last_ref_time` comes twice, and no view made before passes for current.
    pub fn clear_durable(&mut self, now: Now) {
        self.overrides.clear();
        self.statuses_set.clear();
        let provisional: Vec<ServiceKey> = self.provisional.keys().cloned().collect();
        provisional.iter().for_each(|service| self.merge_provisional(service));
        self.namespaces.clear();
        let services: Vec<ServiceIndex> = self.services.indices().collect();
        for index in services {
            self.touch(index, now);
            let Some(service) = self.services.get_mut(index) else { continue };
            service.explicit = None;
            let publications = service.publications.iter();
            let persistent =
                publications.filter(|(_, publication)| publication.stamp.kind() == Kind::Persistent);
            let persistent: Vec<_> = persistent.map(|(client, _)| *client).collect();
            persistent.into_iter().for_each(|client| self.drop_publication(index, client));
            match self.services.get_mut(index) {
                Some(service) if !service.publications.is_empty() => service.kind = Kind::Ephemeral,
                // Whoever keeps something by its key compares revisions.
                Some(_) | None => self.forget_service(index, &mut Vec::new()),
            }
        }
    }

    /// Makes one change; what follows from it is appended to `effects`. A refused op changes nothing and
    /// has no effects.
    ///
    /// Limits and clashes of ephemeral ops are decided here. A durable op is decided by durable state alone,
    /// without the limits, which are settings and may differ at the next start: ask [`Registry::check`]
    /// before it is proposed.
    pub fn apply(&mut self, op: Op, now: Now, effects: &mut Vec<Effect>) -> Result<Outcome, RegistryError> {
        let outcome = self.apply_op(op, now, effects);
        self.tell_streams(effects);
        outcome
    }

    fn apply_op(&mut self, op: Op, now: Now, effects: &mut Vec<Effect>) -> Result<Outcome, RegistryError> {
        match op {
            Op::Register(register) => self.register(register, now, effects),
            Op::Deregister(deregister) => Ok(self.deregister(deregister, now, effects)),
            Op::Beat(beat) => self.beat(beat, now, effects),
            Op::Close(close) => Ok(self.close(close, now, effects)),
            Op::SetHealth(set) => self.set_health(set, now, effects),
            Op::ReleaseBrake { namespace, kind, cause } => {
                Ok(self.release_brake(&namespace, kind, Report::new(now, cause, effects)))
            }
            Op::EurekaRegister(register) => self.eureka_register(register, now, effects),
            Op::EurekaRenew(renew) => Ok(self.eureka_renew(renew, now, effects)),
            Op::EurekaStatus(change) => self.eureka_status(change, now, effects),
            Op::EurekaCancel(cancel) => Ok(self.eureka_cancel(cancel, now, effects)),
            Op::EurekaMetadata(change) => self.eureka_metadata(change, now, effects),
            Op::Override { service, instance, change, cause } => {
                Ok(self.change_override(&service, instance, &change, Report::new(now, cause, effects)))
            }
            Op::CreateService { service, spec } => self.create_service(&service, spec, now, effects),
            Op::UpdateService { service, spec } => Ok(self.update_service(&service, spec, now, effects)),
            Op::UpdateCluster { service, cluster, spec, kind } => {
                Ok(self.update_cluster(&service, cluster, spec, kind, now, effects))
            }
            Op::RemoveService { service } => self.remove_service(&service, now, effects),
            Op::CreateNamespace { id, spec } => self.create_namespace(id, spec, effects),
            Op::UpdateNamespace { id, spec } => self.update_namespace(id, spec, effects),
            Op::RemoveNamespace { id } => self.remove_namespace(&id, effects),
        }
    }

    /// Whether an op would be refused, by what `apply` looks at and by what only this node knows: limits,
    /// ephemeral instances, implicit services. Call it before a durable op is proposed.
    pub fn check(&self, op: &Op) -> Result<(), RegistryError> {
        match op {
            Op::Register(register) => self.check_register(register, kind_of(&register.client)),
            Op::Deregister(_)
            | Op::Beat(_)
            | Op::Close(_)
            | Op::SetHealth(_)
            | Op::ReleaseBrake { .. }
            | Op::EurekaRegister(_)
            | Op::EurekaRenew(_)
            | Op::EurekaStatus(_)
            | Op::EurekaCancel(_)
            | Op::EurekaMetadata(_) => Ok(()),
            Op::Override { service, instance, change, .. } => self.check_override(service, instance, change),
            Op::CreateService { service, spec } => self.check_create_service(service, spec),
            Op::UpdateService { service, spec } => self.check_update_service(service, &spec.metadata),
            Op::UpdateCluster { service, spec, .. } => self.check_update_service(service, &spec.metadata),
            Op::RemoveService { service } => self.check_remove_service(service),
            Op::CreateNamespace { id, .. } => self.check_namespace_free(id),
            Op::UpdateNamespace { id, .. } | Op::RemoveNamespace { id } => self.check_namespace_known(id),
        }
    }

    /// Does what is due: leases that ran out, restored publications that nobody confirmed, implicit services empty for 60 s.
    pub fn expire(&mut self, now: Now, effects: &mut Vec<Effect>) {
        self.expire_leases(now, effects);
        self.expire_orphans(now, effects);
        self.expire_services(now, effects);
    }

    /// As [`Registry::expire`], and what lost its lease stays: health checks are switched off.
    pub fn expire_services(&mut self, now: Now, effects: &mut Vec<Effect>) {
        self.adopt_due(now, effects);
        self.yield_confirmed(now);
        self.tell_streams(effects);
        while let Some((_, (index, born))) = self.removals.pop_due(now.mono) {
            let Some(service) = self.services.get_mut(index).filter(|service| service.born == born) else {
                continue;
            };
            service.removal_due = false;
            if !service.publications.is_empty() || service.explicit.is_some() {
                continue;
            }
            if service.empty_since.plus(EMPTY_SERVICE_MS) <= now.mono {
                self.forget_service(index, effects);
            } else {
                self.expect_removal(index);
            }
        }
    }

    /// When to call [`Registry::expire`] next; at that time there may be nothing to do after all.
    pub fn next_deadline(&self) -> Option<Monotonic> {
        let leases = [self.leases.next_deadline(), self.orphans.next_deadline()];
        let deadlines = leases.into_iter().chain([self.removals.next(), self.next_adoption()]);
        deadlines.flatten().min()
    }

    /// What to build a view of a service from; `None` if it does not exist.
    pub fn parts(&self, service: &ServiceKey) -> Option<ServiceParts> {
        self.services.by_key(service).map(|found| self.parts_of(found))
    }

    pub(crate) fn parts_of(&self, found: &Service) -> ServiceParts {
        let facets = found.facets.iter().flat_map(|facets| facets.values());
        let facets: HashMap<ClientIndex, &Facet> = facets.map(|facet| (facet.client, facet)).collect();
        let publications = found.publications.iter().map(|(client, publication)| Published {
            sequence: publication.stamp.sequence(),
            node: self.mirror.origins.node(publication.claim.by).0,
            edit: publication.claim.edit,
            kind: publication.stamp.kind(),
            client: *client,
            instances: publication.instances.clone(),
            facet: if facets.is_empty() { None } else { facets.get(client).map(|one| one.shown.clone()) },
        });
        ServiceParts {
            key: found.key.clone(),
            kind: found.kind,
            revision: found.latest.get(),
            last_ref_time: found.last_ref_time,
            latest: found.latest.clone(),
            protection: found.explicit.as_ref().map(|explicit| explicit.spec.protection),
            selector: found
                .explicit
                .as_ref()
                .map_or(Selector::None, |explicit| explicit.spec.selector.clone()),
            publications: publications.collect(),
            overrides: self.overrides_of(&found.key).cloned(),
        }
    }

    /// The view of a service that does not exist: empty, revision 0, never current, so not to be cached.
    /// Should the service come to be, its `last_ref_time` will be later than this one's.
    pub fn absent(&mut self, service: &ServiceKey, now: Now) -> ServiceSnapshot {
        self.ref_time_floor = self.ref_time_floor.max(now.wall.0);
        let latest = LatestRevision::default();
        latest.set(Revision(u64::MAX));
        ServiceSnapshot {
            key: service.clone(),
            kind: Kind::Ephemeral,
            revision: Revision(0),
            last_ref_time: self.ref_time_floor,
            protection: None,
            selector: Selector::None,
            hosts: Box::default(),
            slots: Slots::default(),
            latest,
        }
    }

    /// The revision of the last change.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// How much there is.
    pub fn counts(&self) -> Counts {
        Counts {
            services: self.services.len(),
            instances: self.instances,
            clients: self.clients.len(),
            publications: self.publications,
        }
    }

    /// The record of a service, made if there is none.
    pub(crate) fn service_or_new(&mut self, key: &ServiceKey, kind: Kind) -> ServiceIndex {
        match self.services.find(key) {
            Some(index) => index,
            None => {
                let index = self.services.create(key, kind, self.ref_time_floor);
                self.index_for_eureka(index);
                index
            }
        }
    }

    /// Gives a service a new revision: what is shown of it may differ.
    pub(crate) fn touch(&mut self, index: ServiceIndex, now: Now) -> Revision {
        self.revision.0 += 1;
        if let Some(service) = self.services.get_mut(index) {
            service.latest.set(self.revision);
            service.last_ref_time = now.wall.0.max(service.last_ref_time + 1);
            if let Some(app) = &service.app {
                self.eureka.changed(app, self.revision);
            }
        }
        self.revision
    }

    /// Notes that instances of a service, too, may have looked otherwise for a moment that did not change.
    pub(crate) fn unsettle(&mut self, index: ServiceIndex) {
        if let Some(app) = self.services.get(index).and_then(|service| service.app.as_ref()) {
            self.eureka.unsettle(app);
        }
    }

    /// Notes that a service lost its last publication.
    pub(crate) fn service_emptied(&mut self, index: ServiceIndex, now: Now) {
        if let Some(service) = self.services.get_mut(index) {
            service.empty_since = now.mono;
        }
        self.expect_removal(index);
    }

    fn expect_removal(&mut self, index: ServiceIndex) {
        let Some(service) = self.services.get_mut(index) else { return };
        if service.explicit.is_none() && !service.removal_due {
            service.removal_due = true;
            self.removals.push(service.empty_since.plus(EMPTY_SERVICE_MS), (index, service.born));
            let services = &self.services;
            self.removals.retain(services.len(), |_, (index, born)| {
                services.get(*index).is_some_and(|service| service.born == *born)
            });
        }
    }

    /// Drops the record of a service without publications.
    pub(crate) fn forget_service(&mut self, index: ServiceIndex, effects: &mut Vec<Effect>) {
        let Some(service) = self.services.remove(index) else { return };
        self.revision.0 += 1;
        service.latest.set(self.revision);
        if let Some(app) = &service.app {
            self.eureka.remove(app, index, self.revision);
        }
        self.ref_time_floor = self.ref_time_floor.max(service.last_ref_time);
        effects.push(Effect::ServiceRemoved(service.key));
    }
}
