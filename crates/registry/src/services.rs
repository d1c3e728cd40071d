//! The services' records, found by key and listed in order.

use crate::{
    ClusterSpec, LatestRevision, ServiceSpec,
    clients::ClientIndex,
    eureka::{AppRef, Facets},
    mirror::Claim,
    slab::{Index, Slab},
};
use muster_model::{
    ClusterName, GroupName, HashMap, Instance, Kind, Monotonic, Namespace, ServiceKey, ServiceName, Weight,
};
use std::{collections::BTreeMap, sync::Arc};

pub(crate) type ServiceIndex = Index<Box<Service>>;

/// A service: who publishes to it, and what is stored of it.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) key: ServiceKey,
    /// The kind that registrations must have. Durable state decides it where there is some.
    pub(crate) kind: Kind,
    /// Tells the record from one that had the same place before.
    pub(crate) born: u64,
    pub(crate) publications: HashMap<ClientIndex, Publication>,
    /// How many of the publications are persistent.
    pub(crate) persistent: u32,
    /// Instances in all publications.
    pub(crate) instances: usize,
    pub(crate) latest: LatestRevision,
    pub(crate) last_ref_time: u64,
    pub(crate) empty_since: Monotonic,
    /// Whether a deadline for removing the empty service is set.
    pub(crate) removal_due: bool,
    pub(crate) explicit: Option<Box<Explicit>>,
    /// What Eureka clients registered, beside their publications. Never empty.
    pub(crate) facets: Option<Box<Facets>>,
    /// Its place in the Eureka view of its base, once that is in use.
    pub(crate) app: Option<AppRef>,
}

/// What is stored of a service.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Explicit {
    pub(crate) spec: ServiceSpec,
    pub(crate) clusters: BTreeMap<ClusterName, ClusterSpec>,
}

impl Service {
    /// The kind that Nacos registrations must have; any if there are only others.
    pub(crate) fn nacos_kind(&self) -> Option<Kind> {
        let facets = self.facets.as_ref().map_or(0, |facets| facets.len());
        let is_free = self.explicit.is_none() && facets > 0 && facets == self.publications.len();
        (!is_free).then_some(self.kind)
    }

    /// Whether the service is of its kind by what is stored.
    pub(crate) fn stored_kind(&self) -> Option<Kind> {
        match &self.explicit {
            Some(explicit) => Some(explicit.spec.kind),
            None => (self.persistent > 0).then_some(Kind::Persistent),
        }
    }
}

/// What one client publishes to one service.
#[derive(Clone, Debug)]
pub(crate) struct Publication {
    pub(crate) stamp: Stamp,
    pub(crate) instances: Arc<[Instance]>,
    /// Whose it is; of no meaning for a persistent one.
    pub(crate) claim: Claim,
}

impl Publication {
    /// Whether a weight of it labels all instances of its application.
    pub(crate) fn is_weighed(&self) -> bool {
        self.instances.iter().any(|instance| instance.weight != Weight::default())
    }
}

/// The time of a publication's incarnation, which is its order among all, and its kind, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp(u64);

impl Stamp {
    pub(crate) fn new(sequence: u64, kind: Kind) -> Self {
        Self(sequence << 1 | u64::from(kind == Kind::Persistent))
    }

    pub(crate) fn sequence(self) -> u64 {
        self.0 >> 1
    }

    pub(crate) fn kind(self) -> Kind {
        if self.0 & 1 == 1 { Kind::Persistent } else { Kind::Ephemeral }
    }
}

type Names = BTreeMap<ServiceName, ServiceIndex>;

/// All services.
#[derive(Debug, Default)]
pub(crate) struct Services {
    slab: Slab<Box<Service>>,
    by_key: HashMap<ServiceKey, ServiceIndex>,
    order: BTreeMap<Namespace, BTreeMap<GroupName, Names>>,
    born: u64,
}

impl Services {
    pub(crate) fn find(&self, key: &ServiceKey) -> Option<ServiceIndex> {
        self.by_key.get(key).copied()
    }

    /// The namespaces that have services, sorted.
    pub(crate) fn namespaces(&self) -> impl Iterator<Item = &Namespace> {
        self.order.keys()
    }

    pub(crate) fn by_key(&self, key: &ServiceKey) -> Option<&Service> {
        self.slab.get(self.find(key)?).map(|service| &**service)
    }

    pub(crate) fn get(&self, index: ServiceIndex) -> Option<&Service> {
        self.slab.get(index).map(|service| &**service)
    }

    pub(crate) fn get_mut(&mut self, index: ServiceIndex) -> Option<&mut Service> {
        self.slab.get_mut(index).map(|service| &mut **service)
    }

    pub(crate) fn len(&self) -> usize {
        self.slab.len()
    }

    /// The places of all services.
    pub(crate) fn indices(&self) -> impl Iterator<Item = ServiceIndex> {
        self.by_key.values().copied()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Service> {
        self.slab.iter().map(|service| &**service)
    }

    /// Makes a record with names shared with those of other services.
    pub(crate) fn create(&mut self, key: &ServiceKey, kind: Kind, last_ref_time: u64) -> ServiceIndex {
        let namespace = match self.order.get_key_value(key.namespace()) {
            Some((shared, _)) => shared.clone(),
            None => key.namespace().clone(),
        };
        let groups = self.order.entry(namespace.clone()).or_default();
        let group = match groups.get_key_value(key.group()) {
            Some((shared, _)) => shared.clone(),
            None => key.group().clone(),
        };
        let names = groups.entry(group.clone()).or_default();
        let key = ServiceKey::new(namespace, group, key.name().clone());
        self.born += 1;
        let index = self.slab.insert(Box::new(Service {
            key: key.clone(),
            kind,
            born: self.born,
            publications: HashMap::default(),
            persistent: 0,
            instances: 0,
            latest: LatestRevision::default(),
            last_ref_time,
            empty_since: Monotonic(0),
            removal_due: false,
            explicit: None,
            facets: None,
            app: None,
        }));
        names.insert(key.name().clone(), index);
        self.by_key.insert(key, index);
        index
    }

    pub(crate) fn remove(&mut self, index: ServiceIndex) -> Option<Box<Service>> {
        let service = self.slab.remove(index)?;
        let key = &service.key;
        self.by_key.remove(key);
        if let Some(groups) = self.order.get_mut(key.namespace()) {
            if let Some(names) = groups.get_mut(key.group()) {
                names.remove(key.name());
                if names.is_empty() {
                    groups.remove(key.group());
                }
            }
            if groups.is_empty() {
                self.order.remove(key.namespace());
            }
        }
        Some(service)
    }

    /// The services of a group by name.
    pub(crate) fn group(&self, namespace: &Namespace, group: &GroupName) -> Option<&Names> {
        self.order.get(namespace)?.get(group)
    }

    /// The services of a namespace by group and name.
    pub(crate) fn in_namespace<'a>(
        &'a self,
        namespace: &Namespace,
    ) -> impl Iterator<Item = &'a Service> + use<'a> {
        self.order
            .get(namespace)
            .into_iter()
            .flat_map(BTreeMap::values)
            .flat_map(BTreeMap::values)
            .filter_map(|index| self.get(*index))
    }
}
