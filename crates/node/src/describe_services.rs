//! Services with their attributes and all their instances, as administrators look through them.

use crate::Node;
use muster_model::ServiceKey;
use muster_registry::{Page, Search, ServiceDetails, ServiceSnapshot};

/// A service at one moment.
#[derive(Debug)]
pub struct ServiceDescription {
    /// Its attributes.
    pub details: ServiceDetails,
    /// Its hosts, disabled ones too.
    pub shown: ServiceSnapshot,
}

impl Node {
    /// A service; `None` if there is none. Unlike [`Node::view`] it keeps nothing, so that looking through all
    /// services does not fill memory with views nobody else reads.
    pub fn describe_service(&self, service: &ServiceKey) -> Option<ServiceDescription> {
        let (details, parts) = {
            let registry = self.registry.lock();
            (registry.details(service)?, registry.parts(service)?)
        };
        Some(ServiceDescription { details, shown: parts.build() })
    }

    /// The services that pass a search, a page of them. Each is as of a moment of its own; one that goes meanwhile is
    /// counted and not described.
    pub fn describe_services(&self, search: Search<'_>) -> Page<ServiceDescription> {
        let Page { count, items } = self.search_services(search);
        Page { count, items: items.iter().filter_map(|found| self.describe_service(&found.key)).collect() }
    }
}
