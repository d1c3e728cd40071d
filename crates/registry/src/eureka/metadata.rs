//! Metadata set over Eureka.

use crate::{
    Effect, EurekaMetadata, LeaseKind, Outcome, Registry, RegistryError,
    eureka::{Facet, facet::registered},
    registry::Report,
};
use muster_model::{EurekaInstance, Now};
use std::sync::Arc;

impl Registry {
    /// Adds or replaces metadata, as a registration of the same moment: under a fresh lease, with the old
    /// `lastDirtyTimestamp` (recording metadata-update). The client's next registration replaces it.
    pub(crate) fn eureka_metadata(
        &mut self,
        change: EurekaMetadata,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Result<Outcome, RegistryError> {
        let EurekaMetadata { base, app, id, metadata, cause } = change;
        let Some((index, facet)) = self.eureka_find(&base, &app, &id) else {
            return Ok(Outcome::UnknownInstance);
        };
        let (client, from_peer, old) = (facet.client, facet.from_peer, facet.shown.clone());
        let metadata = old.instance.metadata.overlaid(&metadata);
        let instance = Arc::new(EurekaInstance { metadata, ..EurekaInstance::clone(&old.instance) });
        let (size, max) = (instance.labels_size(), self.limits.eureka_metadata_chars_max);
        if size > max {
            return Err(RegistryError::MetadataTooLarge { size, max });
        }
        let stamp = self.eureka.next_stamp();
        let mut shown = registered(instance, Some(&old), old.last_dirty, now.wall, stamp);
        shown.inherited = old.inherited;
        let timing = self.eureka_timing(&shown.instance, false);
        let facet = Facet { client, shown: Arc::new(shown), from_peer };
        self.publish_facet(index, facet, &mut Report::new(now, cause, effects));
        self.leases.grant((index, client), (&base.namespace, LeaseKind::Eureka), timing, now.mono);
        Ok(Outcome::Done)
    }
}
