//! Services that are stored: created, changed and removed by request.

use crate::{
    ClusterSpec, Effect, Outcome, Registry, RegistryError, ServiceSpec, Threshold, rows,
    services::{Explicit, ServiceIndex},
};
use muster_model::{ClusterName, Kind, Metadata, Now, Selector, ServiceKey};
use std::collections::BTreeMap;

// A change of attributes gives the service a new revision, so that views are built anew, and no
// `ServiceChanged`: Nacos pushes none for it (nacos-grpc.md 4.7).

impl Registry {
    pub(crate) fn check_create_service(
        &self,
        service: &ServiceKey,
        spec: &ServiceSpec,
    ) -> Result<(), RegistryError> {
        self.check_metadata(&spec.metadata)?;
        match self.services.find(service) {
            Some(_) => Err(RegistryError::ServiceExists(service.clone())),
            None => Ok(()),
        }
    }

    pub(crate) fn check_update_service(
        &self,
        service: &ServiceKey,
        metadata: &Metadata,
    ) -> Result<(), RegistryError> {
        self.check_metadata(metadata)?;
        match self.services.find(service) {
            Some(_) => Ok(()),
            None => Err(RegistryError::ServiceUnknown(service.clone())),
        }
    }

    pub(crate) fn check_remove_service(&self, service: &ServiceKey) -> Result<(), RegistryError> {
        let found = self.services.by_key(service);
        let found = found.ok_or_else(|| RegistryError::ServiceUnknown(service.clone()))?;
        match found.publications.is_empty() {
            true => Ok(()),
            false => Err(RegistryError::ServiceNotEmpty(service.clone())),
        }
    }

    pub(crate) fn create_service(
        &mut self,
        key: &ServiceKey,
        spec: ServiceSpec,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Result<Outcome, RegistryError> {
        if self.services.by_key(key).is_some_and(|service| service.stored_kind().is_some()) {
            return Err(RegistryError::ServiceExists(key.clone()));
        }
        let index = self.service_or_new(key, spec.kind);
        let explicit = Explicit { spec, clusters: BTreeMap::new() };
        effects.push(Effect::Persist(rows::put_service(key, &explicit)));
        self.make_explicit(index, explicit, now);
        Ok(Outcome::Done)
    }

    pub(crate) fn update_service(
        &mut self,
        key: &ServiceKey,
        spec: ServiceSpec,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Outcome {
        let (index, old) = self.explicit_or_default(key, spec.kind);
        let spec = ServiceSpec { kind: old.spec.kind, ..spec };
        let explicit = Explicit { spec, ..old };
        effects.push(Effect::Persist(rows::put_service(key, &explicit)));
        self.make_explicit(index, explicit, now);
        Outcome::Done
    }

    pub(crate) fn update_cluster(
        &mut self,
        key: &ServiceKey,
        mut cluster: ClusterName,
        spec: ClusterSpec,
        kind: Kind,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Outcome {
        self.clusters.intern(&mut cluster);
        let (index, mut explicit) = self.explicit_or_default(key, kind);
        explicit.clusters.insert(cluster, spec);
        effects.push(Effect::Persist(rows::put_service(key, &explicit)));
        self.make_explicit(index, explicit, now);
        Outcome::Done
    }

    pub(crate) fn remove_service(
        &mut self,
        key: &ServiceKey,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Result<Outcome, RegistryError> {
        let index = self.services.find(key);
        let found = index.and_then(|index| Some((index, self.services.get_mut(index)?)));
        // An implicit service is known where its instances were, and results are alike everywhere.
        let Some((index, service)) = found else { return Ok(Outcome::Unchanged) };
        if service.persistent > 0 {
            return Err(RegistryError::ServiceNotEmpty(key.clone()));
        }
        let was_stored = service.explicit.take().is_some();
        if was_stored {
            effects.push(Effect::Persist(rows::delete_service(key)));
        }
        if service.publications.is_empty() {
            self.forget_service(index, effects);
        } else {
            // Ephemeral instances came between the check and the log: they keep the service, implicitly.
            service.kind = Kind::Ephemeral;
            self.unsettle(index);
            self.touch(index, now);
        }
        Ok(if was_stored { Outcome::Done } else { Outcome::Unchanged })
    }

    /// Takes in what is stored of a service.
    pub(crate) fn make_explicit(&mut self, index: ServiceIndex, explicit: Explicit, now: Now) {
        if let Some(service) = self.services.get_mut(index) {
            service.kind = explicit.spec.kind;
            service.explicit = Some(Box::new(explicit));
        }
        self.unsettle(index);
        self.touch(index, now);
    }

    /// What is stored of a service, or what would be; its kind is `kind` where nothing stored says it.
    fn explicit_or_default(&mut self, key: &ServiceKey, kind: Kind) -> (ServiceIndex, Explicit) {
        let index = self.service_or_new(key, kind);
        let service = self.services.get(index).expect("found or made a line ago");
        let explicit = match &service.explicit {
            Some(explicit) => Explicit::clone(explicit),
            None => {
                let spec = ServiceSpec {
                    kind: service.stored_kind().unwrap_or(kind),
                    protection: Threshold::default(),
                    metadata: Metadata::default(),
                    selector: Selector::None,
                };
                Explicit { spec, clusters: BTreeMap::new() }
            }
        };
        (index, explicit)
    }
}
