//! Health that is set from outside: active checks and operators.

use crate::{
    Checker, ClusterSpec, Effect, Outcome, Registry, RegistryError, SetHealth,
    brake::LeaseKey,
    clients::ClientIndex,
    mirror::Because,
    registry::{Report, label},
    services::{Publication, Service, ServiceIndex},
};
use muster_model::{ClientId, Instance, Kind, Now, ServiceKey};
use std::sync::Arc;

/// A persistent instance and how to check it.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckTarget {
    /// The service.
    pub service: ServiceKey,
    /// The client, for [`SetHealth`].
    pub client: ClientId,
    /// The instance with its present health; a slice of one.
    pub instance: Arc<[Instance]>,
    /// How to check it.
    pub checker: Checker,
    /// The port to check.
    pub port: u16,
}

impl Registry {
    /// Every persistent instance, for the active checker; in no order that lasts.
    pub fn check_targets(&self) -> impl Iterator<Item = CheckTarget> {
        self.services.iter().filter(|service| service.persistent > 0).flat_map(|service| {
            let publications = service.publications.iter();
            publications.filter_map(|(client, publication)| self.target(service, *client, publication))
        })
    }

    /// One persistent instance, for the active checker; `None` if it is gone.
    pub fn check_target(&self, client: &ClientId, service: &ServiceKey) -> Option<CheckTarget> {
        let client = self.clients.find(client)?;
        let service = self.services.by_key(service)?;
        self.target(service, client, service.publications.get(&client)?)
    }

    fn target(
        &self,
        service: &Service,
        client: ClientIndex,
        publication: &Publication,
    ) -> Option<CheckTarget> {
        if publication.stamp.kind() == Kind::Ephemeral {
            return None;
        }
        let instance = publication.instances.first()?;
        let stored = service.explicit.as_ref().and_then(|explicit| explicit.clusters.get(&instance.cluster));
        let ClusterSpec { checker, check_port, use_instance_port, .. } = stored.cloned().unwrap_or_default();
        Some(CheckTarget {
            service: service.key.clone(),
            client: self.clients.get(client).id.clone(),
            instance: publication.instances.clone(),
            checker,
            port: if use_instance_port { instance.port } else { check_port },
        })
    }

    pub(crate) fn set_health(
        &mut self,
        set: SetHealth,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Result<Outcome, RegistryError> {
        let SetHealth { client: id, service: key, healthy, cause } = set;
        let found = self.services.find(&key).zip(self.clients.find(&id)).filter(|(service, client)| {
            let is_published = |service: &Service| service.publications.contains_key(client);
            matches!(id, ClientId::Address(..)) && self.services.get(*service).is_some_and(is_published)
        });
        let Some((service, client)) = found else { return Err(RegistryError::InstanceUnknown(key)) };
        let flipped = self.mark(service, client, healthy, &mut Report::new(now, cause, effects));
        if flipped && healthy {
            self.leases.recheck(service, client);
        }
        Ok(if flipped { Outcome::Done } else { Outcome::Unchanged })
    }

    /// Whether setting the health of a publication changes it.
    fn differs(&self, (index, client): LeaseKey, healthy: bool) -> bool {
        let Some(service) = self.services.get(index) else { return false };
        let Some(publication) = service.publications.get(&client) else { return false };
        publication.instances.iter().any(|instance| instance.healthy != healthy)
            || self.is_lost(service, client) == Some(healthy)
    }

    /// Sets the health of a publication's instances; whether that changed any.
    pub(crate) fn mark(
        &mut self,
        index: ServiceIndex,
        client: ClientIndex,
        healthy: bool,
        report: &mut Report<'_>,
    ) -> bool {
        let place = (index, client);
        if !self.differs(place, healthy) {
            return false;
        }
        if self.is_foreign(place) {
            self.own_anew(place, report.cause.reason, report.now);
        }
        self.detach(place, Because::ItsOwner);
        let was_shown = self.note_lost(index, client, !healthy, report.now);
        let Some(service) = self.services.get_mut(index) else { return false };
        let Some(publication) = service.publications.get_mut(&client) else { return false };
        let old = publication.instances.clone();
        if old.iter().all(|instance| instance.healthy == healthy) && !was_shown {
            self.attach_edited(place, report.cause.reason);
            return false;
        }
        publication.instances = old.iter().map(|instance| Instance { healthy, ..instance.clone() }).collect();
        match publication.stamp.kind() {
            Kind::Ephemeral => self.attach_edited(place, report.cause.reason),
            Kind::Persistent => {
                self.found_health(place, healthy, report.now);
                self.unsettle(index);
            }
        }
        let Some(service) = self.services.get(index) else { return false };
        let key = service.key.clone();
        let revision = self.touch(index, report.now);
        report.changed(&key, revision);
        let what = if healthy { "healthy" } else { "unhealthy" };
        for instance in old.iter().filter(|instance| instance.healthy != healthy) {
            report.record(&key, revision, label(instance), what);
        }
        true
    }
}
