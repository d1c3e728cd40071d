//! What is shown of a service: taken under the lock, put together outside of it.

use crate::{InstanceKey, LatestRevision, Override, Threshold, publish::by_address};
use muster_model::{Instance, Kind, Revision, ServiceKey, Slots};
use std::{cmp::Ordering, collections::BTreeMap, ops::Deref, sync::Arc};

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
    /// Derives the view: O(n log n) in the instances. Call it outside the registry's lock.
    ///
    /// Of several publications of one (cluster, address, port) the newest shows. Inside one publication equal
    /// instances show once, differing ones each (recording naming-batch-duplicates).
    pub fn build(self) -> ServiceSnapshot {
        let total = self.publications.iter().map(|publication| publication.instances.len()).sum();
        let mut order: Vec<(u32, u32)> = Vec::with_capacity(total);
        for (at, publication) in self.publications.iter().enumerate() {
            order.extend((0..publication.instances.len() as u32).map(|index| (at as u32, index)));
        }
        let published = |at: (u32, u32)| {
            let publication = &self.publications[at.0 as usize];
            (publication, &publication.instances[at.1 as usize])
        };
        order.sort_unstable_by(|a, b| {
            let ((a_of, a), (b_of, b)) = (published(*a), published(*b));
            by_address(a, b).then_with(|| b_of.sequence.cmp(&a_of.sequence)).then_with(|| by_content(a, b))
        });
        order.dedup_by(|later, kept| {
            let ((later_of, later), (kept_of, kept)) = (published(*later), published(*kept));
            by_address(later, kept).is_eq() && (later_of.sequence != kept_of.sequence || later == kept)
        });
        let hosts = order.into_iter().map(|at| {
            let (publication, instance) = published(at);
            let over = self.overrides.as_ref().and_then(|all| all.get(&InstanceKey::of(instance)));
            let (publication, index, kind) = match over {
                Some(over) => (Arc::from([over.over(instance)]), 0, publication.kind),
                None => (publication.instances.clone(), at.1, publication.kind),
            };
            ShownHost { publication, index, kind }
        });
        let mut hosts: Vec<ShownHost> = hosts.collect();
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
            slots: Slots::default(),
            latest: self.latest,
        }
    }
}

/// An order of instances at one address, so that equal ones are neighbours.
fn by_content(a: &Instance, b: &Instance) -> Ordering {
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
