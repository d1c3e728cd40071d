//! What is shown of a service: taken under the lock, put together outside of it.

use crate::{InstanceKey, LatestRevision, Override, Threshold};
use muster_model::{Instance, Kind, Revision, ServiceKey, Slots};
use std::{collections::BTreeMap, ops::Deref, sync::Arc};

/// Everything a view is derived from, at one revision: reference counts only, so that taking it under the
/// registry's lock is quick.
#[derive(Clone, Debug)]
pub struct ServiceParts {
    pub(crate) key: ServiceKey,
    pub(crate) kind: Kind,
    pub(crate) revision: Revision,
    pub(crate) last_ref_time: u64,
    pub(crate) latest: LatestRevision,
    pub(crate) protection: Option<Threshold>,
    pub(crate) publications: Vec<Published>,
    pub(crate) overrides: Option<Arc<BTreeMap<InstanceKey, Override>>>,
}

/// One publication inside [`ServiceParts`].
#[derive(Clone, Debug)]
pub(crate) struct Published {
    pub(crate) sequence: u64,
    pub(crate) kind: Kind,
    pub(crate) instances: Arc<[Instance]>,
}

impl ServiceParts {
    /// Derives the view: O(n log n) in the hosts. Call it outside the registry's lock.
    pub fn build(self) -> ServiceSnapshot {
        unimplemented!()
    }
}

/// One host of a snapshot: an instance as it is shown, overrides laid over. Reads as an [`Instance`].
#[derive(Clone, Debug)]
pub struct ShownHost {
    pub(crate) publication: Arc<[Instance]>,
    pub(crate) index: u32,
    pub(crate) kind: Kind,
}

impl ShownHost {
    /// Whether its publication is ephemeral.
    pub fn is_ephemeral(&self) -> bool {
        self.kind == Kind::Ephemeral
    }
}

impl Deref for ShownHost {
    type Target = Instance;

    fn deref(&self) -> &Instance {
        &self.publication[self.index as usize]
    }
}

/// A service as it is shown, at one revision.
#[derive(Debug)]
pub struct ServiceSnapshot {
    /// The service.
    pub key: ServiceKey,
    /// Its kind.
    pub kind: Kind,
    /// The revision the view is of.
    pub revision: Revision,
    /// Milliseconds since 1970, growing with every change of this service: clients drop what is not newer.
    pub last_ref_time: u64,
    /// The protection threshold; `None` if the service has no stored attributes, when it never applies.
    pub protection: Option<Threshold>,
    /// All hosts, disabled ones too, sorted by cluster, address and port.
    pub hosts: Box<[ShownHost]>,
    /// Rendered bytes of the unfiltered view.
    pub slots: Slots,
    pub(crate) latest: LatestRevision,
}

impl ServiceSnapshot {
    /// Whether nothing changed since.
    pub fn is_current(&self) -> bool {
        self.latest.get() == self.revision
    }
}
