//! Reading services.

use crate::{Node, ServiceView};
use muster_model::{ClientId, GroupName, Namespace, ServiceKey};
use muster_registry::{
    ClientSummary, Counts, Page, PublicationSummary, Search, ServiceDetails, ServiceSummary,
};
use std::sync::Arc;

impl Node {
    /// A service as it is shown now; one that does not exist is an empty one.
    pub fn view(&self, service: &ServiceKey) -> Arc<ServiceView> {
        self.views.get(service, &self.registry, &*self.clock)
    }

    /// The services of a group, by name.
    pub fn list_services(
        &self,
        namespace: &Namespace,
        group: &GroupName,
        offset: usize,
        limit: usize,
    ) -> Page<ServiceKey> {
        self.registry.lock().list(namespace, group, offset, limit)
    }

    /// The services that pass a search.
    pub fn search_services(&self, search: Search<'_>) -> Page<ServiceSummary> {
        self.registry.lock().search(search)
    }

    /// A service's attributes.
    pub fn service_details(&self, service: &ServiceKey) -> Option<ServiceDetails> {
        self.registry.lock().details(service)
    }

    /// Who publishes what to a service.
    pub fn publishers(&self, service: &ServiceKey) -> Vec<PublicationSummary> {
        self.registry.lock().publishers(service)
    }

    /// What a client publishes.
    pub fn publications(&self, client: &ClientId) -> Vec<PublicationSummary> {
        self.registry.lock().publications(client)
    }

    /// The clients that publish something.
    pub fn publishing_clients(&self) -> Vec<ClientSummary> {
        self.registry.lock().clients().collect()
    }

    /// How much there is.
    pub fn registry_counts(&self) -> Counts {
        self.registry.lock().counts()
    }

    /// The namespaces that have services, created ones or not, sorted.
    pub fn service_namespaces(&self) -> Vec<Namespace> {
        self.registry.lock().service_namespaces().cloned().collect()
    }

    /// Bytes of rendered lists that are held.
    pub fn rendered_bytes(&self) -> usize {
        self.views.rendered_bytes()
    }
}
