//! Who tells Eureka peers of an instance.

use crate::{EurekaBase, Registry, mirror::OURS};
use muster_model::Timestamp;

/// Whose an instance is that registered over Eureka.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EurekaOwner {
    /// Whether this node owns it; on a node that stands alone it owns all.
    pub is_here: bool,
    /// Whether an Eureka peer told of it, so that no peer is to be told.
    pub from_peer: bool,
    /// Whether there may be other owners.
    pub is_mirrored: bool,
    /// When its status was overridden, by the clock of the node that wrote it to the log; `None` if it is not, or was
    /// before this process started.
    pub overridden: Option<Timestamp>,
}

impl Registry {
    /// Whose an instance is; `None` if it is not there, or registered over Nacos.
    pub fn eureka_owner(&self, base: &EurekaBase, app: &str, id: &str) -> Option<EurekaOwner> {
        let (index, facet) = self.eureka_find(base, app, id)?;
        let is_here = self.owner_of(index, facet.client) == OURS;
        let service = self.services.get(index).filter(|_| !self.statuses_set.is_empty());
        let overridden = service.and_then(|service| {
            self.statuses_set.get(&(service.key.clone(), self.facet_key(index, id))).copied()
        });
        let (from_peer, is_mirrored) = (facet.from_peer, self.mirror.is_on);
        Some(EurekaOwner { is_here, from_peer, is_mirrored, overridden })
    }
}
