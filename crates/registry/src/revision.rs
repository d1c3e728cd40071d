//! A service's newest revision, readable without the registry's lock.

use muster_model::Revision;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// The newest revision of one service, shared with every snapshot made of it. The registry alone writes it,
/// under its lock; a reader compares it with the revision of the view it holds. When the service is removed
/// it is raised once more, so no view of a service that is gone passes for current.
#[derive(Clone, Debug, Default)]
pub struct LatestRevision(Arc<AtomicU64>);

impl LatestRevision {
    /// The newest revision.
    pub fn get(&self) -> Revision {
        Revision(self.0.load(Ordering::Acquire))
    }

    pub(crate) fn set(&self, revision: Revision) {
        self.0.store(revision.0, Ordering::Release);
    }
}
