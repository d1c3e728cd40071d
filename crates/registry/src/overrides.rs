//! What operators lay over instances.

use crate::{
    Effect, Outcome, Registry, RegistryError,
    registry::{Report, label},
    rows,
};
use muster_model::{ClusterName, Host, Instance, Metadata, ServiceKey, Weight};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// The instance an override is for, whoever publishes it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceKey {
    /// The cluster.
    pub cluster: ClusterName,
    /// The address.
    pub host: Host,
    /// The port.
    pub port: u16,
}

impl InstanceKey {
    /// The key of an instance.
    pub fn of(instance: &Instance) -> Self {
        Self { cluster: instance.cluster.clone(), host: instance.host.clone(), port: instance.port }
    }
}

/// What an operator laid over an instance: it wins over what the client registers, now and later.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Override {
    /// The weight, if set.
    pub weight: Option<Weight>,
    /// Enabled or not, if set.
    pub enabled: Option<bool>,
    /// Keys laid over the registered metadata.
    pub metadata: Metadata,
}

impl Override {
    /// The instance as it is shown.
    pub(crate) fn over(&self, instance: &Instance) -> Instance {
        Instance {
            weight: self.weight.unwrap_or(instance.weight),
            enabled: self.enabled.unwrap_or(instance.enabled),
            metadata: instance.metadata.overlaid(&self.metadata),
            ..instance.clone()
        }
    }
}

/// A change of an override, decided when it is applied.
#[derive(Clone, Debug, PartialEq)]
pub enum OverrideChange {
    /// Puts this in place of whatever there was.
    Replace(Override),
    /// Sets what is given and keeps the rest; metadata keys are added or replaced.
    Merge(Override),
    /// Removes metadata keys from the override; registered ones show again.
    RemoveKeys(Vec<Arc<str>>),
    /// Removes the override.
    Clear,
}

impl OverrideChange {
    /// What becomes of an override.
    fn change(&self, old: Option<&Override>) -> Option<Override> {
        match self {
            Self::Replace(new) => Some(new.clone()),
            Self::Merge(new) => Some(match old {
                None => new.clone(),
                Some(old) => Override {
                    weight: new.weight.or(old.weight),
                    enabled: new.enabled.or(old.enabled),
                    metadata: old.metadata.overlaid(&new.metadata),
                },
            }),
            Self::RemoveKeys(keys) => old.map(|old| Override {
                metadata: Metadata::new(
                    old.metadata.iter().filter(|(key, _)| !keys.iter().any(|removed| **removed == **key)),
                ),
                ..old.clone()
            }),
            Self::Clear => None,
        }
    }
}

impl Registry {
    /// The override of an instance, if an operator made one.
    pub fn override_of(&self, service: &ServiceKey, instance: &Instance) -> Option<&Override> {
        // Most registries have none, and this is asked for each instance of a list.
        if self.overrides.is_empty() {
            return None;
        }
        self.overrides.get(service)?.get(&InstanceKey::of(instance))
    }

    /// Overrides whose instance is not registered now, sorted, for the leader to clear when they have been
    /// so for a while (60 s in Nacos).
    pub fn orphaned_overrides(&self) -> Vec<(ServiceKey, InstanceKey)> {
        let mut orphans = Vec::new();
        for (service, overrides) in &self.overrides {
            let registered: BTreeSet<InstanceKey> = match self.services.by_key(service) {
                Some(found) => {
                    let publications = found.publications.values();
                    publications
                        .flat_map(|publication| publication.instances.iter().map(InstanceKey::of))
                        .collect()
                }
                None => BTreeSet::new(),
            };
            let missing = overrides.keys().filter(|instance| !registered.contains(instance));
            orphans.extend(missing.map(|instance| (service.clone(), instance.clone())));
        }
        orphans.sort();
        orphans
    }

    pub(crate) fn check_override(
        &self,
        service: &ServiceKey,
        instance: &InstanceKey,
        change: &OverrideChange,
    ) -> Result<(), RegistryError> {
        let old = self.overrides.get(service).and_then(|overrides| overrides.get(instance));
        change.change(old).map_or(Ok(()), |new| self.check_metadata(&new.metadata))
    }

    pub(crate) fn change_override(
        &mut self,
        service: &ServiceKey,
        mut instance: InstanceKey,
        change: &OverrideChange,
        mut report: Report<'_>,
    ) -> Outcome {
        let old = self.overrides.get(service).and_then(|overrides| overrides.get(&instance));
        let new = change.change(old);
        if old.is_none() && new.is_none() {
            return Outcome::Unchanged;
        }
        self.clusters.intern(&mut instance.cluster);
        report.effects.push(Effect::Persist(rows::put_override(service, &instance, new.as_ref())));
        self.lay_over(service, &instance, new);
        if let Some(index) = self.services.find(service) {
            let revision = self.touch(index, report.now);
            report.changed(service, revision);
            let InstanceKey { cluster, host, port } = instance;
            let (weight, metadata) = (Weight::default(), Metadata::default());
            let shown = Instance { host, port, cluster, weight, enabled: true, healthy: true, metadata };
            report.record(service, revision, label(&shown), "updated");
        }
        Outcome::Done
    }

    /// Keeps an override, or drops it.
    pub(crate) fn lay_over(&mut self, service: &ServiceKey, instance: &InstanceKey, new: Option<Override>) {
        let overrides = self.overrides.entry(service.clone()).or_default();
        let map: &mut BTreeMap<_, _> = Arc::make_mut(overrides);
        match new {
            Some(new) => map.insert(instance.clone(), new),
            None => map.remove(instance),
        };
        if map.is_empty() {
            self.overrides.remove(service);
        }
    }
}
