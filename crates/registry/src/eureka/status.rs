//! The status that operators, and peers in their name, set over Eureka.

use crate::{
    Effect, EurekaBase, EurekaStatusChange, InstanceKey, Outcome, Registry, RegistryError, StatusChange,
    brake::LeaseKey,
    eureka::{
        born::derived_id,
        facet::{status_of, takes_calls},
    },
    mirror::Because,
    registry::Report,
    services::ServiceIndex,
};
use muster_model::{
    ClusterName, EurekaAction, EurekaInstance, EurekaStatus, Host, Instance, Now, Reason, ServiceKey,
    Timestamp,
};
use std::sync::Arc;

impl Registry {
    /// What to override to change the status of an instance: its service and its key there. `None` if the view has no
    /// such instance. An instance that registered over Nacos is meant by the id it is shown under.
    pub fn eureka_target(&self, base: &EurekaBase, app: &str, id: &str) -> Option<(ServiceKey, InstanceKey)> {
        if let Some((index, _)) = self.eureka_find(base, app, id) {
            return Some((self.services.get(index)?.key.clone(), self.facet_key(index, id)));
        }
        let services = self.eureka.services(base, app).iter().filter_map(|index| self.services.get(*index));
        for service in services {
            let publications = service.publications.values();
            let is_meant = |instance: &&Instance| derived_id(instance, service.key.name()) == id;
            if let Some(found) = publications.flat_map(|one| one.instances.iter()).find(is_meant) {
                return Some((service.key.clone(), InstanceKey::of(found)));
            }
        }
        None
    }

    /// The status of an Eureka registration by its own declaration, lease and override, and the override: what is shown,
    /// unless a Nacos registration of the same address says otherwise. Costs no look at other instances.
    pub fn eureka_standing(
        &self,
        base: &EurekaBase,
        app: &str,
        id: &str,
    ) -> Option<(EurekaStatus, Option<EurekaStatus>)> {
        let (index, facet) = self.eureka_find(base, app, id)?;
        let service = &self.services.get(index)?.key;
        let known = self.overrides_of(service).and_then(|all| all.get(&self.facet_key(index, id))?.status);
        Some((known.unwrap_or(facet.shown.status), known))
    }

    /// The key of an Eureka registration's override: that of the one it has, wherever it was then, or a new one.
    pub(crate) fn facet_key(&self, index: ServiceIndex, id: &str) -> InstanceKey {
        let service = self.services.get(index);
        let overrides = service.and_then(|service| self.overrides_of(&service.key));
        let known = overrides.and_then(|all| all.keys().find(|key| key.eureka.as_deref() == Some(id)));
        if let Some(known) = known {
            return known.clone();
        }
        let facet = self.facet(index, id);
        let publication =
            service.zip(facet).and_then(|(service, facet)| service.publications.get(&facet.client));
        let eureka = Some(Arc::from(id));
        match publication.and_then(|publication| publication.instances.first()) {
            Some(instance) => InstanceKey { eureka, ..InstanceKey::of(instance) },
            None => {
                let host = Host::new("").expect("a host may be empty");
                InstanceKey { cluster: ClusterName::default(), host, port: 0, eureka }
            }
        }
    }

    /// Sets or lifts a status at once.
    pub(crate) fn eureka_status(
        &mut self,
        change: EurekaStatusChange,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Result<Outcome, RegistryError> {
        let EurekaStatusChange { service, instance, change, cause } = change;
        self.change_provisionally(&service, instance, change, &mut Report::new(now, cause, effects))
    }

    /// Makes an override of what a registration or a peer says of one: at once here, and in the log by and by. One that
    /// is known stays, unless it is to be replaced.
    pub(crate) fn inherit_override(
        &mut self,
        index: ServiceIndex,
        id: &str,
        status: EurekaStatus,
        replace: bool,
        report: &mut Report<'_>,
    ) {
        let Some(service) = self.services.get(index).map(|service| service.key.clone()) else { return };
        let key = self.facet_key(index, id);
        let known = self.overrides_of(&service).and_then(|all| all.get(&key)?.status);
        if known.is_some_and(|known| !replace || known == status) {
            return;
        }
        let change = StatusChange { status: Some(status), ..StatusChange::default() };
        // Refused if too many wait: who sent it sends it with the next registration or renewal, too.
        let _: Result<_, _> = self.change_provisionally(&service, key, change, report);
    }

    /// Notes at an Eureka registration that its status was changed by others.
    pub(crate) fn note_status(
        &mut self,
        service: &ServiceKey,
        key: &InstanceKey,
        change: StatusChange,
        now: Now,
    ) {
        let Some(id) = &key.eureka else { return };
        let place = (service.clone(), key.clone());
        match change.status {
            Some(_) => self.statuses_set.insert(place, now.wall),
            None => self.statuses_set.remove(&place),
        };
        let Some(index) = self.services.find(service) else { return };
        let Some(held) = self.facet(index, id).map(|facet| (index, facet.client)) else { return };
        if self.is_foreign(held) {
            // Its owner notes it, and tells.
            return;
        }
        self.detach(held, Because::ItsOwner);
        self.note_status_of(held, id, change, now);
        self.attach_edited(held, Reason::Operator);
    }

    fn note_status_of(&mut self, held: LeaseKey, id: &str, change: StatusChange, now: Now) {
        let Some(service) = self.services.get_mut(held.0) else { return };
        let Some(facet) = service.facets.as_mut().and_then(|facets| facets.get_mut(id)) else { return };
        let shown = Arc::make_mut(&mut facet.shown);
        shown.stamp = self.eureka.next_stamp();
        shown.action = EurekaAction::Modified;
        shown.times.updated = now.wall;
        shown.last_dirty = shown.last_dirty.max(change.last_dirty.unwrap_or(i64::MIN));
        if change.status == Some(EurekaStatus::Up) && shown.times.service_up == Timestamp(0) {
            shown.times.service_up = now.wall;
        }
        if shown.inherited && change.status.is_none() {
            shown.inherited = false;
            let declared = change.fallback.unwrap_or(EurekaStatus::Unknown);
            let client = facet.client;
            let mut instance = EurekaInstance::clone(&shown.instance);
            instance.status = declared;
            shown.instance = Arc::new(instance);
            shown.status = status_of(declared, shown.lost);
            let is_up = takes_calls(declared) && !shown.lost;
            if let Some(publication) = service.publications.get_mut(&client) {
                let published = publication.instances.iter().map(|instance| Instance {
                    enabled: declared != EurekaStatus::OutOfService,
                    healthy: is_up,
                    ..instance.clone()
                });
                publication.instances = published.collect();
            }
        }
    }
}
