//! Lists for clients and administrators.

use crate::{Registry, ServiceDetails, ServiceSpec, Threshold, clients::Client, services::Service};
use muster_model::{ClientId, GroupName, Instance, Kind, Metadata, Namespace, NodeId, Selector, ServiceKey};
use std::{collections::BTreeMap, sync::Arc};

/// How much there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Services, empty ones too.
    pub services: usize,
    /// Instances in all publications.
    pub instances: usize,
    /// Clients that publish something.
    pub clients: usize,
    /// Publications.
    pub publications: usize,
}

/// A part of a sorted list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// How many there are in all.
    pub count: usize,
    /// The items asked for.
    pub items: Vec<T>,
}

/// Which services to list, sorted by group and name.
#[derive(Clone, Copy, Debug)]
pub struct Search<'a> {
    /// The namespace.
    pub namespace: &'a Namespace,
    /// One group only.
    pub group: Option<&'a GroupName>,
    /// A part of the group's name, empty for all.
    pub group_contains: &'a str,
    /// A part of the service's name, empty for all.
    pub name_contains: &'a str,
    /// Leaves services without instances out.
    pub with_instances: bool,
    /// How many to skip.
    pub offset: usize,
    /// How many to give at most.
    pub limit: usize,
}

/// A service in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceSummary {
    /// The service.
    pub key: ServiceKey,
    /// Its kind.
    pub kind: Kind,
    /// Publications.
    pub publications: usize,
}

/// A client in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientSummary {
    /// The client.
    pub client: ClientId,
    /// The node that took its registrations.
    pub origin: NodeId,
    /// How many services it publishes to.
    pub publications: usize,
}

/// What one client publishes to one service.
#[derive(Clone, Debug, PartialEq)]
pub struct PublicationSummary {
    /// The client.
    pub client: ClientId,
    /// The node that took the registration.
    pub origin: NodeId,
    /// The service.
    pub service: ServiceKey,
    /// Its instances, without overrides.
    pub instances: Arc<[Instance]>,
}

impl Client {
    fn publishes(&self, service: &Service, instances: Arc<[Instance]>) -> PublicationSummary {
        let (client, origin, service) = (self.id.clone(), self.origin, service.key.clone());
        PublicationSummary { client, origin, service, instances }
    }
}

impl Registry {
    /// The services of one group, sorted by name; empty ones too.
    pub fn list(
        &self,
        namespace: &Namespace,
        group: &GroupName,
        offset: usize,
        limit: usize,
    ) -> Page<ServiceKey> {
        let Some(names) = self.services.group(namespace, group) else {
            return Page { count: 0, items: Vec::new() };
        };
        let services = names.values().filter_map(|index| self.services.get(*index));
        let items = services.skip(offset).take(limit).map(|service| service.key.clone()).collect();
        Page { count: names.len(), items }
    }

    /// The namespaces that have services, created ones or not, sorted.
    pub fn service_namespaces(&self) -> impl Iterator<Item = &Namespace> {
        self.services.namespaces()
    }

    /// The services that pass a search; it looks at every service of the namespace.
    pub fn search(&self, search: Search<'_>) -> Page<ServiceSummary> {
        let mut page = Page { count: 0, items: Vec::new() };
        for service in self.services.in_namespace(search.namespace) {
            let key = &service.key;
            let is_wanted = search.group.is_none_or(|group| group == key.group())
                && key.group().as_str().contains(search.group_contains)
                && key.name().as_str().contains(search.name_contains)
                && !(search.with_instances && service.publications.is_empty());
            if !is_wanted {
                continue;
            }
            if page.count >= search.offset && page.items.len() < search.limit {
                let publications = service.publications.len();
                page.items.push(ServiceSummary { key: key.clone(), kind: service.kind, publications });
            }
            page.count += 1;
        }
        page
    }

    /// The services of a namespace that have instances, sorted by group and name, for fuzzy watches.
    pub fn visible<'a>(&'a self, namespace: &Namespace) -> impl Iterator<Item = &'a ServiceKey> + use<'a> {
        let services = self.services.in_namespace(namespace);
        services.filter(|service| !service.publications.is_empty()).map(|service| &service.key)
    }

    /// What is published in a namespace, without overrides; in no order that lasts.
    pub fn published<'a>(
        &'a self,
        namespace: &Namespace,
    ) -> impl Iterator<Item = &'a Arc<[Instance]>> + use<'a> {
        let services = self.services.in_namespace(namespace);
        services.flat_map(|service| service.publications.values().map(|publication| &publication.instances))
    }

    /// Whether a service has instances, so that fuzzy watches show it.
    pub fn is_visible(&self, service: &ServiceKey) -> bool {
        self.services.by_key(service).is_some_and(|service| !service.publications.is_empty())
    }

    /// A service's attributes.
    pub fn details(&self, service: &ServiceKey) -> Option<ServiceDetails> {
        let service = self.services.by_key(service)?;
        let (spec, clusters) = match &service.explicit {
            Some(explicit) => (explicit.spec.clone(), explicit.clusters.clone()),
            None => {
                let spec = ServiceSpec {
                    kind: service.kind,
                    protection: Threshold::default(),
                    metadata: Metadata::default(),
                    selector: Selector::None,
                };
                (spec, BTreeMap::new())
            }
        };
        Some(ServiceDetails {
            key: service.key.clone(),
            spec,
            explicit: service.explicit.is_some(),
            clusters,
            publications: service.publications.len(),
            instances: service.instances,
        })
    }

    /// Who publishes what to a service, oldest publication first.
    pub fn publishers(&self, service: &ServiceKey) -> Vec<PublicationSummary> {
        let Some(service) = self.services.by_key(service) else { return Vec::new() };
        let mut publications: Vec<_> = service.publications.iter().collect();
        publications.sort_unstable_by_key(|(_, publication)| publication.stamp.sequence());
        let summary = |(client, publication): (&_, &crate::services::Publication)| {
            self.clients.get(*client).publishes(service, publication.instances.clone())
        };
        publications.into_iter().map(summary).collect()
    }

    /// What a client publishes; empty if it publishes nothing.
    pub fn publications(&self, client: &ClientId) -> Vec<PublicationSummary> {
        let Some(index) = self.clients.find(client) else { return Vec::new() };
        let client = self.clients.get(index);
        let services = client.services().iter().filter_map(|service| self.services.get(*service));
        let summaries = services.filter_map(|service| {
            let publication = service.publications.get(&index)?;
            Some(client.publishes(service, publication.instances.clone()))
        });
        summaries.collect()
    }

    /// The clients that publish something, in no order that lasts.
    pub fn clients(&self) -> impl Iterator<Item = ClientSummary> {
        self.clients.iter().map(|client| ClientSummary {
            client: client.id.clone(),
            origin: client.origin,
            publications: client.services().len(),
        })
    }
}
