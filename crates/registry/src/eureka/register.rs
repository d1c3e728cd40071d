//! Registering over Eureka, and cancelling.

use crate::clients::ClientIndex;
use crate::{
    Effect, EurekaCancel, EurekaRegister, EurekaShown, LeaseKind, Outcome, Registry, RegistryError,
    eureka::{
        EurekaBase, EurekaEvent, Facet,
        derived::nacos_instance,
        facet::registered,
        index::{fold, service_text},
    },
    mirror::Claim,
    overrides::EUREKA_ID_BYTES_MAX,
    publish::Setting,
    registry::Report,
    services::ServiceIndex,
};
use muster_model::{
    ClientId, EurekaAction, EurekaInstance, EurekaStatus, Instance, Kind, Now, ServiceKey, ServiceName,
    Timing,
};
use std::sync::Arc;

/// Characters of all names, addresses and pages of an Eureka instance together.
const TEXTS_CHARS_MAX: usize = 32_768;

impl Registry {
    pub(crate) fn eureka_register(
        &mut self,
        register: EurekaRegister,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Result<Outcome, RegistryError> {
        let EurekaRegister { base, instance, overridden, replicated, origin, cause } = register;
        self.check_eureka(&instance)?;
        self.eureka_view(&base);
        let index = match self.eureka_service(&base, &instance) {
            Ok(index) => index,
            Err(error) => {
                self.eureka.drop_unused(&base);
                return Err(error);
            }
        };
        if let Some(outcome) = self.known_from_peer(index, &instance, replicated) {
            if overridden != EurekaStatus::Unknown {
                let mut report = Report::new(now, cause, effects);
                self.inherit_override(index, instance.id(), overridden, false, &mut report);
            }
            return Ok(outcome);
        }
        let old = self.facet(index, instance.id()).map(|facet| facet.shown.clone());
        let stamp = self.eureka.next_stamp();
        let shown = match &old {
            Some(old) => {
                // What a later change of the status said holds against a peer, and never against the client itself.
                let known = if replicated { old.last_dirty } else { old.instance.last_dirty };
                if instance.last_dirty < known {
                    registered(old.instance.clone(), Some(old), old.last_dirty, now.wall, stamp)
                } else {
                    let dirty = if replicated {
                        instance.last_dirty
                    } else {
                        instance.last_dirty.max(old.last_dirty)
                    };
                    registered(instance, Some(old), dirty, now.wall, stamp)
                }
            }
            None => {
                let dirty = instance.last_dirty;
                registered(instance, None, dirty, now.wall, stamp)
            }
        };
        let is_inherited = replicated && overridden != EurekaStatus::Unknown && overridden == shown.status;
        let shown = Arc::new(EurekaShown { inherited: is_inherited, ..shown });
        let (id, app) = (shown.id().clone(), shown.instance.app.clone());
        let mut report = Report::new(now, cause, effects);
        let client = self.clients.publish(&ClientId::Eureka(id.clone()), origin, index);
        let facet = Facet { client, shown: shown.clone(), from_peer: replicated };
        self.publish_facet(index, facet, &mut report);
        let timing = self.eureka_timing(&shown.instance, false);
        self.leases.grant((index, client), (&base.namespace, LeaseKind::Eureka), timing, now.mono);
        self.eureka.record_registered(EurekaEvent { at: now.wall, app, id: id.clone() });
        if overridden != EurekaStatus::Unknown {
            self.inherit_override(index, &id, overridden, false, &mut report);
        }
        Ok(Outcome::Done)
    }

    /// A peer sends a registration to each of our nodes: what another of them has already it keeps, and this is one more
    /// sign of life.
    fn known_from_peer(
        &mut self,
        index: ServiceIndex,
        instance: &EurekaInstance,
        replicated: bool,
    ) -> Option<Outcome> {
        let known = self.facet(index, instance.id()).filter(|_| replicated)?;
        let held = (index, known.client);
        if known.shown.last_dirty < instance.last_dirty || !self.is_kept_elsewhere(held) {
            return None;
        }
        self.pass_on(held);
        Some(Outcome::Unchanged)
    }

    /// Whether an instance is no larger than one may be: it is kept in lists of what changed and went, too.
    fn check_eureka(&self, instance: &EurekaInstance) -> Result<(), RegistryError> {
        if instance.id().len() > EUREKA_ID_BYTES_MAX {
            return Err(RegistryError::InstanceIdTooLong { max: EUREKA_ID_BYTES_MAX });
        }
        let (size, max) = (instance.labels_size(), self.limits.eureka_metadata_chars_max);
        if size > max {
            return Err(RegistryError::MetadataTooLarge { size, max });
        }
        let (size, max) = (instance.texts_size(), TEXTS_CHARS_MAX);
        if size > max { Err(RegistryError::EurekaTooLarge { size, max }) } else { Ok(()) }
    }

    pub(crate) fn eureka_cancel(
        &mut self,
        cancel: EurekaCancel,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Outcome {
        let EurekaCancel { base, app, id, cause } = cancel;
        let Some((index, facet)) = self.eureka_find(&base, &app, &id) else {
            return Outcome::UnknownInstance;
        };
        let client = facet.client;
        self.unpublish(index, client, &mut Report::new(now, cause, effects))
    }

    /// Where an instance is registered, and what of it.
    pub(crate) fn eureka_find(
        &self,
        base: &EurekaBase,
        app: &str,
        id: &str,
    ) -> Option<(ServiceIndex, &Facet)> {
        let mut services = self.eureka.services(base, app).iter();
        services.find_map(|index| Some((*index, self.facet(*index, id)?)))
    }

    pub(crate) fn facet(&self, index: ServiceIndex, id: &str) -> Option<&Facet> {
        self.services.get(index)?.facets.as_ref()?.get(id)
    }

    /// How long a registration is kept: until it is first renewed one duration, then two, of which the second is for
    /// those who may only be slow.
    pub(crate) fn eureka_timing(&self, instance: &EurekaInstance, renewed: bool) -> Timing {
        let duration = u64::from(instance.lease.duration_secs.max(1)) * 1_000;
        let removal = if renewed { 2 * duration } else { duration };
        Timing {
            beat_interval_ms: u64::from(instance.lease.renewal_secs.max(1)) * 1_000,
            beat_timeout_ms: if self.rules.compat_eviction { removal } else { duration },
            delete_timeout_ms: removal,
        }
    }

    /// The service that an application is: the one the instance is in already; else one of the name that the instance
    /// gives it; else the oldest whose name differs in case only; else a new one.
    fn eureka_service(
        &mut self,
        base: &EurekaBase,
        instance: &EurekaInstance,
    ) -> Result<ServiceIndex, RegistryError> {
        if let Some((index, _)) = self.eureka_find(base, &instance.app, instance.id()) {
            return Ok(index);
        }
        let app = fold(&instance.app);
        let vips = instance.vip_address.as_deref().unwrap_or_default().split(',');
        let named = vips.map(str::trim).find(|vip| !vip.is_empty() && fold(vip) == app);
        let name =
            |index: &ServiceIndex| self.services.get(*index).map(|service| service.key.name().as_str());
        let known = self.eureka.services(base, &instance.app);
        if let Some(index) = known.iter().find(|index| name(index) == named).or(known.first()) {
            return Ok(*index);
        }
        let name = match named.and_then(|vip| ServiceName::new(vip).ok()) {
            Some(name) => name,
            None => ServiceName::new(&service_text(&instance.app))?,
        };
        let key = ServiceKey::new(base.namespace.clone(), base.group.clone(), name);
        Ok(self.service_or_new(&key, Kind::Ephemeral))
    }

    /// Puts a facet in place, and the publication that Nacos clients see of it.
    pub(crate) fn publish_facet(&mut self, index: ServiceIndex, facet: Facet, report: &mut Report<'_>) {
        self.publish_facet_as(index, facet, None, report);
    }

    /// As [`Registry::publish_facet`], under an earlier incarnation if one is given.
    pub(crate) fn publish_facet_as(
        &mut self,
        index: ServiceIndex,
        facet: Facet,
        claim: Option<(u64, Claim)>,
        report: &mut Report<'_>,
    ) {
        let instances = self.nacos_instances(&facet.shown);
        let client = facet.client;
        let set = Setting { kind: Kind::Ephemeral, instances, facet: Some(facet), claim };
        self.set_publication(index, client, set, report);
    }

    /// Removes what a client registered over Eureka, beside its publication.
    pub(crate) fn remove_facet(&mut self, index: ServiceIndex, client: ClientIndex, now: Now) {
        let ClientId::Eureka(id) = &self.clients.get(client).id else { return };
        let Some(service) = self.services.get_mut(index) else { return };
        let Some(facets) = &mut service.facets else { return };
        let Some(facet) = facets.remove(id) else { return };
        if facets.is_empty() {
            service.facets = None;
        }
        let mut last = facet.shown;
        let shown = Arc::make_mut(&mut last);
        shown.action = EurekaAction::Deleted;
        shown.times.evicted = now.wall;
        shown.times.updated = now.wall;
        let app = last.instance.app.clone();
        self.eureka.record_cancelled(EurekaEvent { at: now.wall, app, id: id.clone() });
        if let Some(app) = &service.app {
            self.eureka.gone(app, last);
        }
    }

    /// What Nacos clients see of a facet: one instance, or none if they could not call it.
    pub(crate) fn nacos_instances(&mut self, shown: &EurekaShown) -> Arc<[Instance]> {
        let mut derived = nacos_instance(&shown.instance, self.rules.zone_as_cluster);
        if let Some(instance) = &mut derived {
            self.clusters.intern(&mut instance.cluster);
            instance.healthy &= !shown.lost;
        }
        derived.into_iter().collect()
    }
}
