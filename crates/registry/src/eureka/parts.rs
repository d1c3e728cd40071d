//! What is shown of an application: taken under the lock, put together outside of it.

use crate::{
    EurekaApp, EurekaBase, EurekaShown, Registry, ServiceParts,
    eureka::{
        born::{derived_id, eureka_instance},
        weights::{Labels, Weighed},
    },
    hosts::{Hosts, Laid, MergedHost},
    mirror::COUNTER_BITS,
    parts::Published,
    services::Service,
};
use muster_model::{
    ClientId, EurekaAction, EurekaInstance, EurekaStatus, EurekaTimes, HashSet, Instance, Kind, Timestamp,
    Weight,
};
use std::{collections::BTreeMap, sync::Arc};

/// Everything an application is derived from, at one revision: reference counts only, so that taking it under the
/// registry's lock is quick.
#[derive(Clone, Debug)]
pub struct EurekaParts {
    key: Arc<str>,
    name: Arc<str>,
    from: From,
    /// See [`EurekaParts::is_unsettled`].
    is_unsettled: bool,
}

#[derive(Clone, Debug)]
enum From {
    /// Nothing but Eureka registrations that are shown as they are, sorted by id.
    Facets(Vec<Arc<EurekaShown>>),
    Services(Vec<ServicePart>),
}

#[derive(Clone, Debug)]
struct ServicePart {
    parts: ServiceParts,
    /// Whether what registered over Nacos is kept from Eureka clients.
    hidden: bool,
    /// The Nacos publications that beats keep.
    beats: HashSet<u32>,
}

/// One instance on its way into the view.
struct Candidate<'a> {
    instance: Instanced<'a>,
    status: EurekaStatus,
    overridden: EurekaStatus,
    weight: Weight,
    /// Metadata that an operator laid over it.
    laid: Option<&'a muster_model::Metadata>,
}

/// Where it comes from.
enum Instanced<'a> {
    Facet(&'a Arc<EurekaShown>),
    Host { host: &'a MergedHost<'a>, service: &'a ServicePart, beats: bool },
}

impl EurekaParts {
    /// Whether an instance that does not differ since the view was last taken may have differed meanwhile, so that a client
    /// that asked another node then has to be told of it.
    pub fn is_unsettled(&self) -> bool {
        self.is_unsettled
    }

    pub(crate) fn unsettled(self, is_unsettled: bool) -> Self {
        Self { is_unsettled, ..self }
    }

    /// Derives what is shown; `None` if that is no instance. Call it outside the registry's lock.
    ///
    /// What did not change since `previous` is the same allocation again.
    pub fn build(self, previous: Option<&EurekaApp>) -> Option<EurekaApp> {
        let Self { key, name, from, .. } = self;
        let instances: Box<[Arc<EurekaShown>]> = match from {
            From::Facets(facets) => facets.into_iter().map(|facet| unchanged(facet, previous)).collect(),
            From::Services(services) => {
                let hosts: Vec<Hosts<'_>> =
                    services.iter().map(|service| Hosts::of(&service.parts)).collect();
                let mut candidates = BTreeMap::new();
                for (service, hosts) in services.iter().zip(&hosts) {
                    add_facets(&mut candidates, service, hosts);
                }
                for (service, hosts) in services.iter().zip(&hosts) {
                    add_hosts(&mut candidates, service, hosts);
                }
                let labels = Labels::of(candidates.values().map(|candidate| Weighed {
                    weight: candidate.weight,
                    takes_calls: candidate.status != EurekaStatus::OutOfService,
                }));
                let shown = candidates.into_iter().map(|(id, candidate)| {
                    let previous = previous.and_then(|app| app.instance(&id));
                    candidate.shown(&name, &labels, previous)
                });
                shown.collect()
            }
        };
        (!instances.is_empty()).then_some(EurekaApp { key, name, instances })
    }
}

/// A facet that is shown as it is; the state it has since its surroundings let it be so.
fn unchanged(facet: Arc<EurekaShown>, previous: Option<&EurekaApp>) -> Arc<EurekaShown> {
    let Some(previous) = previous.and_then(|app| app.instance(facet.id())) else { return facet };
    if Arc::ptr_eq(previous, &facet) || previous.stamp != facet.stamp || previous.derived {
        return facet;
    }
    let (status, overridden) = (facet.status, facet.overridden);
    let candidate = Candidate {
        instance: Instanced::Facet(&facet),
        status,
        overridden,
        weight: facet.weight,
        laid: None,
    };
    candidate.shown_facet(&facet, &Labels::none(), Some(previous))
}

/// Adds what registered over Eureka.
fn add_facets<'a>(
    into: &mut BTreeMap<Arc<str>, Candidate<'a>>,
    service: &'a ServicePart,
    hosts: &'a Hosts<'a>,
) {
    for (number, published) in service.parts.publications.iter().enumerate() {
        let Some(facet) = &published.facet else { continue };
        let sibling = hosts.sibling(number as u32);
        let address = sibling.map(|host| host.registered).or(published.instances.first());
        let laid = hosts.overlay.over(address, std::iter::once(facet));
        let weight = match sibling {
            Some(sibling) => sibling.registered.weight,
            None => facet.weight,
        };
        let over = laid.over();
        let weight = over.and_then(|over| over.weight).unwrap_or(weight);
        let (status, overridden) = facet_status(facet, sibling, &laid, weight, hosts.is_protected);
        let laid = over.map(|over| &over.metadata).filter(|metadata| !metadata.is_empty());
        let candidate = Candidate { instance: Instanced::Facet(facet), status, overridden, weight, laid };
        into.insert(facet.id().clone(), candidate);
    }
}

/// The status to show of a facet, and the operator's: the operator's is first, then what the clients declared, then the
/// lease, which is kept if that of either protocol is.
fn facet_status(
    facet: &EurekaShown,
    sibling: Option<&MergedHost<'_>>,
    laid: &Laid<'_>,
    weight: Weight,
    is_protected: bool,
) -> (EurekaStatus, EurekaStatus) {
    if let Some(status) = laid.status() {
        return (status, status);
    }
    let declared = facet.instance.status;
    let is_out =
        declared == EurekaStatus::OutOfService || sibling.is_some_and(|host| !host.registered.enabled);
    let is_kept = !facet.lost || is_protected || sibling.is_some_and(|host| host.registered.healthy);
    let status = match declared {
        _ if is_out && laid.enabled() != Some(true) => EurekaStatus::OutOfService,
        EurekaStatus::Up | EurekaStatus::OutOfService if weight.get() == 0.0 => EurekaStatus::OutOfService,
        EurekaStatus::Up | EurekaStatus::OutOfService if is_kept => EurekaStatus::Up,
        EurekaStatus::Up | EurekaStatus::OutOfService => EurekaStatus::Down,
        EurekaStatus::Down | EurekaStatus::Starting | EurekaStatus::Unknown => declared,
    };
    (status, EurekaStatus::Unknown)
}

/// Adds what registered over Nacos alone.
fn add_hosts<'a>(
    into: &mut BTreeMap<Arc<str>, Candidate<'a>>,
    service: &'a ServicePart,
    hosts: &'a Hosts<'a>,
) {
    if service.hidden {
        return;
    }
    for (at, host) in hosts.list.iter().enumerate() {
        if !host.is_nacos || hosts.has_facet(at) {
            continue;
        }
        let shown: &Instance = &host.shown;
        let overridden = host.laid.status();
        let status = match overridden {
            Some(status) => status,
            None if !shown.enabled || shown.weight.get() == 0.0 => EurekaStatus::OutOfService,
            None if shown.healthy || hosts.is_protected => EurekaStatus::Up,
            None => EurekaStatus::Down,
        };
        let id: Arc<str> = Arc::from(derived_id(host.registered, service.parts.key.name()));
        // Twins of one publication have one id: the first shows. An Eureka registration of that id goes before.
        into.entry(id).or_insert_with(|| Candidate {
            weight: shown.weight,
            status,
            overridden: overridden.unwrap_or(EurekaStatus::Unknown),
            laid: None,
            instance: Instanced::Host { host, service, beats: service.beats.contains(&host.number) },
        });
    }
}

impl Candidate<'_> {
    /// The instance as it is shown; the previous one if nothing changed.
    fn shown(self, app: &Arc<str>, labels: &Labels, previous: Option<&Arc<EurekaShown>>) -> Arc<EurekaShown> {
        match &self.instance {
            Instanced::Facet(facet) => self.shown_facet(facet, labels, previous),
            Instanced::Host { host, service, beats } => {
                let name = service.parts.key.name();
                let mut instance = eureka_instance(app, name, &host.shown, *beats);
                labels.put(&mut instance.metadata, self.weight);
                let published = &service.parts.publications[host.number as usize];
                self.shown_host(instance, published, previous)
            }
        }
    }

    fn shown_facet(
        &self,
        facet: &Arc<EurekaShown>,
        labels: &Labels,
        previous: Option<&Arc<EurekaShown>>,
    ) -> Arc<EurekaShown> {
        let mut instance = facet.instance.clone();
        if self.laid.is_some() || labels.is_needed() {
            let mut metadata = instance.metadata.clone();
            if let Some(laid) = self.laid {
                metadata = metadata.overlaid(laid);
            }
            labels.put(&mut metadata, self.weight);
            if metadata != instance.metadata {
                instance = Arc::new(EurekaInstance { metadata, ..EurekaInstance::clone(&instance) });
            }
        }
        let same_facet = previous.filter(|previous| previous.stamp == facet.stamp && !previous.derived);
        if let Some(previous) = same_facet
            && (previous.status, previous.overridden) == (self.status, self.overridden)
            && (Arc::ptr_eq(&previous.instance, &instance) || previous.instance == instance)
        {
            return previous.clone();
        }
        let is_as_declared = Arc::ptr_eq(&instance, &facet.instance)
            && (facet.status, facet.overridden) == (self.status, self.overridden);
        if is_as_declared && same_facet.is_none() {
            return facet.clone();
        }
        let mut shown = EurekaShown::clone(facet);
        (shown.instance, shown.status, shown.overridden) = (instance, self.status, self.overridden);
        if same_facet.is_some() {
            // It changed by what is around it. When that was differs from node to node.
            shown.action = EurekaAction::Modified;
        }
        Arc::new(shown)
    }

    /// What registered over Nacos has its times from its registration, and a millisecond more for each change of it: every
    /// node shows the same, whenever it heard of that.
    fn shown_host(
        &self,
        mut instance: EurekaInstance,
        published: &Published,
        previous: Option<&Arc<EurekaShown>>,
    ) -> Arc<EurekaShown> {
        let previous = previous.filter(|previous| previous.derived);
        let edits = u64::from(published.edit);
        // No two states of a registration have the same.
        let stamp = published.sequence.rotate_left(u8::BITS) ^ edits;
        let registered = Timestamp(published.sequence >> COUNTER_BITS);
        let changed = Timestamp(registered.0 + edits);
        instance.status = self.status;
        instance.last_dirty = i64::try_from(changed.0).unwrap_or(i64::MAX);
        if let Some(previous) = previous
            && (previous.stamp, previous.overridden) == (stamp, self.overridden)
            && *previous.instance == instance
        {
            return previous.clone();
        }
        let is_up = self.status == EurekaStatus::Up;
        Arc::new(EurekaShown {
            status: self.status,
            overridden: self.overridden,
            action: if previous.is_some() { EurekaAction::Modified } else { EurekaAction::Added },
            times: EurekaTimes {
                registered,
                renewed: changed,
                evicted: Timestamp(0),
                service_up: if is_up { registered } else { Timestamp(0) },
                updated: changed,
            },
            last_dirty: instance.last_dirty,
            derived: true,
            stamp,
            lost: false,
            inherited: false,
            weight: self.weight,
            instance: Arc::new(instance),
        })
    }
}

impl Registry {
    /// What to build an application from, by its folded name; `None` if there is none of it.
    pub(crate) fn eureka_parts(&self, base: &EurekaBase, folded: &Arc<str>) -> Option<EurekaParts> {
        let services =
            self.eureka.services(base, folded).iter().filter_map(|index| self.services.get(*index));
        let services: Vec<&Service> = services.collect();
        let facets = services.iter().filter_map(|service| service.facets.as_ref()?.values().next());
        let name = facets.map(|facet| facet.shown.instance.app.clone()).next();
        let (key, name) = (folded.clone(), name.unwrap_or_else(|| folded.clone()));
        let from = match services[..] {
            [] => return None,
            [one] if self.is_as_declared(one) => {
                let facets = one.facets.iter().flat_map(|facets| facets.values());
                From::Facets(facets.map(|facet| facet.shown.clone()).collect())
            }
            _ => From::Services(services.into_iter().map(|service| self.service_part(service)).collect()),
        };
        Some(EurekaParts { key, name, from, is_unsettled: false })
    }

    /// Whether nothing but what its Eureka clients declared decides what is shown of a service.
    fn is_as_declared(&self, service: &Service) -> bool {
        let Some(facets) = &service.facets else { return false };
        let is_protected =
            service.explicit.as_ref().is_some_and(|explicit| explicit.spec.protection.get() > 0.0);
        facets.len() == service.publications.len()
            && !is_protected
            && self.overrides_of(&service.key).is_none()
            && facets.values().all(|facet| facet.shown.weight == Weight::default())
    }

    fn service_part(&self, service: &Service) -> ServicePart {
        let parts = self.parts_of(service);
        let is_beaten = |client: &ClientId| matches!(client, ClientId::Address(_, _, Kind::Ephemeral));
        let beats = parts.publications.iter().enumerate();
        let beats = beats.filter(|(_, published)| is_beaten(&self.clients.get(published.client).id));
        ServicePart {
            beats: beats.map(|(number, _)| number as u32).collect(),
            hidden: self.rules.hides(service.key.name().as_str()),
            parts,
        }
    }
}
