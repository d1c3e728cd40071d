//! Who tells Eureka peers of an instance.

use crate::{EurekaBase, Registry, mirror::OURS};

/// Whose an instance is that registered over Eureka.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EurekaOwner {
    /// Whether this node owns it; on a node that stands alone it owns all.
    pub is_here: bool,
    /// Whether an Eureka peer told of it, so that no peer is to be told.
    pub from_peer: bool,
    /// Whether there may be other owners.
    pub is_mirrored: bool,
}

impl Registry {
    /// Whose an instance is; `None` if it is not there, or registered over Nacos.
    pub fn eureka_owner(&self, base: &EurekaBase, app: &str, id: &str) -> Option<EurekaOwner> {
        let (index, facet) = self.eureka_find(base, app, id)?;
        let is_here = self.owner_of(index, facet.client) == OURS;
        Some(EurekaOwner { is_here, from_peer: facet.from_peer, is_mirrored: self.mirror.is_on })
    }
}
