//! What is shown of a service: taken under the lock, put together outside of it.

use crate::{
    EurekaShown, LatestRevision, Threshold, clients::ClientIndex, hosts::Hosts, overrides::Overrides,
    publish::by_address,
};
use muster_model::{Instance, Kind, Revision, Selector, ServiceKey, Slots};
use std::{cmp::Ordering, ops::Deref, sync::Arc};

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
    pub(crate) selector: Selector,
    pub(crate) publications: Vec<Published>,
    pub(crate) overrides: Option<Arc<Overrides>>,
}

/// One publication inside [`ServiceParts`].
#[derive(Clone, Debug)]
pub(crate) struct Published {
    /// The time of its incarnation: the newest publication of an address is the one that shows.
    pub(crate) sequence: u64,
    /// The node of its incarnation.
    pub(crate) node: u64,
    /// Counts what changed under that incarnation.
    pub(crate) edit: u8,
    pub(crate) kind: Kind,
    pub(crate) client: ClientIndex,
    pub(crate) instances: Arc<[Instance]>,
    /// What was registered over Eureka, if that is where it comes from.
    pub(crate) facet: Option<Arc<EurekaShown>>,
}

impl ServiceParts {
    /// Derives the view: O(n log n) in the instances. Call it outside the registry's lock.
    ///
    /// Of several publications of one (cluster, address, port) the newest Nacos one shows, or where there is none the
    /// Eureka one that changed last. Inside one publication equal instances show once, differing ones each (recording
    /// naming-batch-duplicates).
    pub fn build(self) -> ServiceSnapshot {
        let hosts = Hosts::of(&self);
        let mut hosts: Vec<ShownHost> = hosts.list.into_iter().map(|host| host.shown).collect();
        if self.overrides.is_some() {
            // Twins may have become equal.
            hosts.sort_by(|a, b| by_address(a, b).then_with(|| by_content(a, b)));
            hosts.dedup_by(|later, kept| **later == **kept);
        }
        ServiceSnapshot {
            hosts: hosts.into_boxed_slice(),
            key: self.key,
            kind: self.kind,
            revision: self.revision,
            last_ref_time: self.last_ref_time,
            protection: self.protection,
            selector: self.selector,
            slots: Slots::default(),
            latest: self.latest,
        }
    }
}

/// An order of instances at one address, so that equal ones are neighbours.
pub(crate) fn by_content(a: &Instance, b: &Instance) -> Ordering {
    a.weight
        .get()
        .total_cmp(&b.weight.get())
        .then_with(|| (a.enabled, a.healthy).cmp(&(b.enabled, b.healthy)))
        .then_with(|| a.metadata.iter().cmp(b.metadata.iter()))
}

/// One host of a snapshot: an instance as it is shown, overrides laid over. Reads as an [`Instance`].
#[derive(Clone, Debug)]
pub struct ShownHost {
    pub(crate) publication: Arc<[Instance]>,
    pub(crate) index: u32,
    pub(crate) kind: Kind,
    /// Whether the protection threshold may show it as healthy, and counts it.
    pub(crate) is_liftable: bool,
}

impl ShownHost {
    /// Whether its health is what its lease or its check says of it: no operator and no Eureka client said otherwise. Only
    /// these count for the protection threshold, and only these are shown as healthy by it.
    pub fn is_liftable(&self) -> bool {
        self.is_liftable
    }

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
    /// How it chooses among its hosts for the one who asks.
    pub selector: Selector,
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
