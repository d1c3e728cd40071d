//! Which of our nodes tells Eureka peers of an instance: the one that owns it.

use crate::Node;
use muster_registry::{EurekaBase, EurekaOwner};
use std::sync::Arc;

/// Told of an instance, by view, application and id, that was renewed by a beat to another node.
pub type RenewalObserver = Arc<dyn Fn(&EurekaBase, &str, &str) + Send + Sync>;

impl Node {
    /// Whose an instance is; `None` if it is not there, or registered over Nacos.
    pub fn eureka_owner(&self, base: &EurekaBase, app: &str, id: &str) -> Option<EurekaOwner> {
        self.registry.lock().eureka_owner(base, app, id)
    }

    /// From now on this is told of renewals that came to other nodes, of what is owned here and came from no Eureka peer.
    /// It must not wait. The first one counts.
    pub fn observe_eureka_renewals(&self, observer: RenewalObserver) {
        if self.renewal_observer.set(observer).is_ok() {
            self.registry.lock().tell_eureka_renewals();
        }
    }

    pub(crate) fn eureka_renewed_elsewhere(&self, base: &EurekaBase, app: &str, id: &str) {
        if let Some(observer) = self.renewal_observer.get() {
            observer(base, app, id);
        }
    }
}
