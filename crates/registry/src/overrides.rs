//! What operators lay over instances.

use crate::{
    Effect, Outcome, Registry, RegistryError,
    registry::{Report, label},
    rows,
};
use muster_model::{ClusterName, EurekaStatus, Host, Instance, Metadata, ServiceKey, Weight};
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
    /// The instance id, if it is for what registered over Eureka. Such an override is found by the id alone, so it
    /// stays when the instance comes back with another address, and two instances at one address have one each.
    pub eureka: Option<Arc<str>>,
}

impl InstanceKey {
    /// The key of whatever is at the address of an instance.
    pub fn of(instance: &Instance) -> Self {
        Self {
            cluster: instance.cluster.clone(),
            host: instance.host.clone(),
            port: instance.port,
            eureka: None,
        }
    }

    fn is_at(&self, other: &Self) -> bool {
        (&self.cluster, &self.host, self.port) == (&other.cluster, &other.host, other.port)
    }
}

/// What an operator laid over an instance: it wins over what the client registers, now and later.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Override {
    /// The weight, if set.
    pub weight: Option<Weight>,
    /// Enabled or not, if set.
    pub enabled: Option<bool>,
    /// The status, if set over Eureka.
    pub status: Option<EurekaStatus>,
    /// Keys laid over the registered metadata.
    pub metadata: Metadata,
}

/// The overrides of one service.
pub(crate) type Overrides = BTreeMap<InstanceKey, Override>;

/// A change of an override, decided when it is applied.
///
/// What an operator said last of taking calls or not holds, over whichever protocol: setting `enabled` ends an overridden
/// status, and the other way round, also where one is by address and the other by Eureka id.
#[derive(Clone, Debug, PartialEq)]
pub enum OverrideChange {
    /// Puts this in place of whatever there was.
    Replace(Override),
    /// Sets what is given and keeps the rest; metadata keys are added or replaced.
    Merge(Override),
    /// Sets what is given and keeps the rest; metadata, where it is given, takes the place of all of the override's.
    Patch {
        /// The weight.
        weight: Option<Weight>,
        /// Enabled or not.
        enabled: Option<bool>,
        /// The metadata.
        metadata: Option<Metadata>,
    },
    /// Removes metadata keys from the override; registered ones show again.
    RemoveKeys(Vec<Arc<str>>),
    /// Sets the status, or lets the client's own show again.
    Status(StatusChange),
    /// Removes the override.
    Clear,
}

/// A status set or lifted over Eureka.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatusChange {
    /// The status; none to let the client's own show.
    pub status: Option<EurekaStatus>,
    /// The `lastDirtyTimestamp` of the request: what is shown of the instance becomes no older.
    pub last_dirty: Option<i64>,
    /// What to show instead of a lifted status where the client's own is not known.
    pub fallback: Option<EurekaStatus>,
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
                    enabled: new.enabled.or(old.enabled.filter(|_| new.status.is_none())),
                    status: new.status.or(old.status.filter(|_| new.enabled.is_none())),
                    metadata: old.metadata.overlaid(&new.metadata),
                },
            }),
            Self::Patch { weight, enabled, metadata } => {
                let old = old.cloned().unwrap_or_default();
                Some(Override {
                    weight: weight.or(old.weight),
                    enabled: enabled.or(old.enabled),
                    status: old.status.filter(|_| enabled.is_none()),
                    metadata: metadata.clone().unwrap_or(old.metadata),
                })
            }
            Self::RemoveKeys(keys) => old.map(|old| Override {
                metadata: Metadata::new(
                    old.metadata.iter().filter(|(key, _)| !keys.iter().any(|removed| **removed == **key)),
                ),
                ..old.clone()
            }),
            Self::Status(StatusChange { status, .. }) => {
                let rest = old.cloned().unwrap_or_default();
                Some(Override { status: *status, enabled: None, ..rest }).filter(|new| !new.is_empty())
            }
            Self::Clear => None,
        }
    }

    /// Applies the change to the overrides of a service; whether it is one, and which other keys it changed.
    fn apply(&self, overrides: &mut Overrides, key: &InstanceKey) -> Option<Vec<InstanceKey>> {
        let old = overrides.get(key);
        let new = self.change(old);
        if old.is_none() && new.is_none() && !matches!(self, Self::Status(_)) {
            return None;
        }
        let is_new = old.is_some() || new.is_some();
        match new {
            Some(new) => overrides.insert(key.clone(), new),
            None => overrides.remove(key),
        };
        let others = self.supersede(overrides, key);
        (is_new || !others.is_empty()).then_some(others)
    }

    /// Ends what other overrides of the same instance said of taking calls; gives their keys.
    fn supersede(&self, overrides: &mut Overrides, key: &InstanceKey) -> Vec<InstanceKey> {
        let ends_enabled = key.eureka.is_some() && matches!(self, Self::Status(_));
        let enables = match self {
            Self::Replace(new) | Self::Merge(new) => new.enabled == Some(true),
            Self::Patch { enabled, .. } => *enabled == Some(true),
            Self::RemoveKeys(_) | Self::Status(_) | Self::Clear => false,
        };
        let ends_status = key.eureka.is_none() && enables;
        let is_superseded = |other: &InstanceKey, over: &Override| {
            other.is_at(key)
                && match other.eureka {
                    None => ends_enabled && (over.enabled.is_some() || over.status.is_some()),
                    Some(_) => ends_status && over.status.is_some(),
                }
        };
        let superseded = at_address(overrides, key).filter(|(other, over)| is_superseded(other, over));
        let superseded: Vec<_> = superseded.map(|(other, _)| other.clone()).collect();
        for other in &superseded {
            if let Some(over) = overrides.get_mut(other) {
                (over.enabled, over.status) = (None, None);
                if over.is_empty() {
                    overrides.remove(other);
                }
            }
        }
        superseded
    }
}

/// The overrides of an address, whoever registered it: they are next to each other.
fn at_address<'a>(
    overrides: &'a Overrides,
    key: &'a InstanceKey,
) -> impl Iterator<Item = (&'a InstanceKey, &'a Override)> {
    let first = InstanceKey { eureka: None, ..key.clone() };
    overrides.range(first..).take_while(|(other, _)| other.is_at(key))
}

impl Override {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Status changes that are not in the log yet, and the overrides with them: what a peer or a registration brought is
/// shown at once and waits for nobody.
#[derive(Debug, Default)]
pub(crate) struct Provisional {
    changes: BTreeMap<InstanceKey, StatusChange>,
    /// Those for which an operator's change is on its way through the log: that one is newer, and ends them.
    superseded: BTreeSet<InstanceKey>,
    merged: Arc<Overrides>,
}

/// Bytes of the id of an Eureka instance: if it has an override they are in the key of its row.
pub(crate) const EUREKA_ID_BYTES_MAX: usize = 4_096;
/// Status changes that were made without the log and wait to be in it, at most, in all services; beyond it they are
/// refused.
pub(crate) const PROVISIONAL_MAX: usize = 10_000;

impl Registry {
    /// The override at the address of an instance, if an operator made one.
    pub fn override_of(&self, service: &ServiceKey, instance: &Instance) -> Option<&Override> {
        // Most registries have none, and this is asked for each instance of a list.
        self.overrides_of(service)?.get(&InstanceKey::of(instance))
    }

    /// The overrides of a service as they are shown.
    pub(crate) fn overrides_of(&self, service: &ServiceKey) -> Option<&Arc<Overrides>> {
        if self.overrides.is_empty() && self.provisional.is_empty() {
            return None;
        }
        match self.provisional.get(service) {
            Some(provisional) => Some(&provisional.merged),
            None => self.overrides.get(service),
        }
    }

    /// Overrides whose instance is not registered now, sorted, for the leader to clear when they have been
    /// so for a while (60 s in Nacos).
    pub fn orphaned_overrides(&self) -> Vec<(ServiceKey, InstanceKey)> {
        let mut orphans = Vec::new();
        for (service, overrides) in &self.overrides {
            let found = self.services.by_key(service);
            let publications = found.into_iter().flat_map(|found| found.publications.values());
            let registered: BTreeSet<InstanceKey> = publications
                .flat_map(|publication| publication.instances.iter().map(InstanceKey::of))
                .collect();
            let is_registered = |key: &InstanceKey| match &key.eureka {
                None => registered.contains(key),
                Some(id) => {
                    found.and_then(|found| found.facets.as_ref()).is_some_and(|all| all.contains_key(id))
                }
            };
            let missing = overrides.keys().filter(|key| !is_registered(key));
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
        if instance.eureka.as_ref().is_some_and(|id| id.len() > EUREKA_ID_BYTES_MAX) {
            return Err(RegistryError::InstanceIdTooLong { max: EUREKA_ID_BYTES_MAX });
        }
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
        self.clusters.intern(&mut instance.cluster);
        let old = self.overrides.get(service);
        let mut changed = old.map_or_else(Overrides::default, |old| Overrides::clone(old));
        // Ops of the log depend on what came through the log alone.
        let applied = change.apply(&mut changed, &instance);
        let outcome = if applied.is_some() { Outcome::Done } else { Outcome::Unchanged };
        // What a peer said after this was proposed is newer, and comes through the log later.
        let is_outdated = self.is_outdated(service, &instance, change);
        let provisional = if is_outdated { None } else { self.end_provisional(service, &instance) };
        if let Some(mut keys) = applied.clone() {
            keys.push(instance.clone());
            for key in &keys {
                if changed.get(key).is_none_or(|over| over.status.is_none()) {
                    self.statuses_set.remove(&(service.clone(), key.clone()));
                }
                report.effects.push(Effect::Persist(rows::put_override(service, key, changed.get(key))));
            }
            match changed.is_empty() {
                true => self.overrides.remove(service),
                false => self.overrides.insert(service.clone(), Arc::new(changed)),
            };
        }
        self.merge_provisional(service);
        if applied.is_none() && provisional.is_none() {
            return outcome;
        }
        // A change that was made before it came through the log is noted already.
        if let OverrideChange::Status(status) = change
            && !is_outdated
            && provisional != Some(*status)
        {
            self.note_status(service, &instance, *status, report.now);
        }
        self.tell_override(service, instance, &mut report);
        outcome
    }

    /// Shows a change of the status at once, and has it proposed; refused if too many wait for that.
    pub(crate) fn change_provisionally(
        &mut self,
        service: &ServiceKey,
        instance: InstanceKey,
        change: StatusChange,
        report: &mut Report<'_>,
    ) -> Result<Outcome, RegistryError> {
        let status = OverrideChange::Status(change);
        let shown = self.overrides_of(service);
        let mut here: Overrides = shown.map_or_else(Overrides::default, |shown| {
            at_address(shown, &instance).map(|(key, over)| (key.clone(), over.clone())).collect()
        });
        if status.apply(&mut here, &instance).is_none() {
            return Ok(Outcome::Unchanged);
        }
        let waits = self.provisional.get(service).is_some_and(|one| one.changes.contains_key(&instance));
        let count: usize = self.provisional.values().map(|provisional| provisional.changes.len()).sum();
        if count >= PROVISIONAL_MAX && !waits {
            return Err(RegistryError::TooManyWait { max: PROVISIONAL_MAX });
        }
        let base = self.overrides.get(service);
        let provisional = self.provisional.entry(service.clone()).or_insert_with(|| Provisional {
            merged: base.cloned().unwrap_or_default(),
            ..Provisional::default()
        });
        provisional.changes.insert(instance.clone(), change);
        provisional.superseded.remove(&instance);
        // On top of the others: a status says all that an earlier one said.
        status.apply(Arc::make_mut(&mut provisional.merged), &instance);
        report.effects.push(Effect::ProposeStatus {
            service: service.clone(),
            instance: instance.clone(),
            change,
            cause: report.cause.clone(),
        });
        self.note_status(service, &instance, change, report.now);
        self.tell_override(service, instance, report);
        Ok(Outcome::Done)
    }

    /// An operator changes the status of an instance, through the log: what a peer said before shows until then.
    pub fn supersede_provisional(&mut self, service: &ServiceKey, instance: &InstanceKey) {
        if let Some(provisional) = self.provisional.get_mut(service)
            && provisional.changes.contains_key(instance)
        {
            provisional.superseded.insert(instance.clone());
        }
    }

    /// Whether a change that came through the log is older than one that is on its way there.
    fn is_outdated(&self, service: &ServiceKey, instance: &InstanceKey, change: &OverrideChange) -> bool {
        let OverrideChange::Status(status) = change else { return false };
        self.provisional.get(service).is_some_and(|provisional| {
            let newer = provisional.changes.get(instance).is_some_and(|newer| newer != status);
            newer && !provisional.superseded.contains(instance)
        })
    }

    fn end_provisional(&mut self, service: &ServiceKey, instance: &InstanceKey) -> Option<StatusChange> {
        let provisional = self.provisional.get_mut(service)?;
        provisional.superseded.remove(instance);
        provisional.changes.remove(instance)
    }

    /// Puts together again what is shown in place of the overrides of a service.
    pub(crate) fn merge_provisional(&mut self, service: &ServiceKey) {
        let Some(provisional) = self.provisional.get_mut(service) else { return };
        if provisional.changes.is_empty() {
            self.provisional.remove(service);
            return;
        }
        let mut merged =
            self.overrides.get(service).map_or_else(Overrides::default, |all| Overrides::clone(all));
        for (key, change) in &provisional.changes {
            OverrideChange::Status(*change).apply(&mut merged, key);
        }
        provisional.merged = Arc::new(merged);
    }

    fn tell_override(&mut self, service: &ServiceKey, instance: InstanceKey, report: &mut Report<'_>) {
        let Some(index) = self.services.find(service) else { return };
        self.unsettle(index);
        let revision = self.touch(index, report.now);
        report.changed(service, revision);
        let InstanceKey { cluster, host, port, .. } = instance;
        let (weight, metadata) = (Weight::default(), Metadata::default());
        let shown = Instance { host, port, cluster, weight, enabled: true, healthy: true, metadata };
        report.record(service, revision, label(&shown), "updated");
    }

    /// Takes in a stored override.
    pub(crate) fn lay_over(&mut self, service: &ServiceKey, instance: InstanceKey, new: Override) {
        let overrides = self.overrides.entry(service.clone()).or_default();
        Arc::make_mut(overrides).insert(instance, new);
        self.merge_provisional(service);
    }
}
