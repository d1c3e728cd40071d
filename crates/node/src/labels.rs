//! What a consumer is like, for services that choose their instances by labels.
//!
//! Nacos asks a CMDB for the labels of an address. Here an address has those its own instances declare: a consumer
//! that registers itself, as applications do, says with its metadata what it is like.

use crate::{Node, ServiceView};
use muster_model::{HashMap, Host, Instance, Metadata, Monotonic, Namespace, Revision};
use parking_lot::Mutex;
use std::{collections::BTreeMap, sync::Arc};

/// A registry with more instances than this is looked through once in [`READ_EVERY_MS`] at most; until then labels may
/// be that old.
const SMALL: usize = 2_000;
/// See [`SMALL`].
const READ_EVERY_MS: u64 = 1_000;
/// Namespaces whose addresses are kept; beyond it they are looked up anew.
const NAMESPACES_MAX: usize = 64;

type Published = (Arc<[Instance]>, u32);

/// What is published at which address, of the namespaces where somebody asked.
#[derive(Debug, Default)]
pub(crate) struct Labels(Mutex<HashMap<Namespace, Kept>>);

#[derive(Clone, Debug)]
struct Kept {
    revision: Revision,
    read: Monotonic,
    by_host: Arc<HashMap<Host, Vec<Published>>>,
}

impl Node {
    /// The labels of an address, if a service chooses by them; `None` where it does not, or nothing is known of the
    /// address: then everything is shown.
    pub fn consumer_labels(&self, view: &ServiceView, address: &str) -> Option<Metadata> {
        let labels = view.selector.labels();
        if labels.is_empty() {
            return None;
        }
        let host = Host::new(address).ok()?;
        let kept = self.published_in(view.key.namespace());
        let published = kept.get(&host)?;
        let mut found: BTreeMap<&str, &str> = BTreeMap::new();
        for (instances, index) in published {
            let metadata = &instances[*index as usize].metadata;
            for (label, value) in labels.iter().filter_map(|label| Some((&**label, metadata.get(label)?))) {
                // Of values that differ the same one counts each time.
                let first = found.entry(label).or_insert(value);
                *first = (*first).min(value);
            }
        }
        Some(Metadata::new(found))
    }

    fn published_in(&self, namespace: &Namespace) -> Arc<HashMap<Host, Vec<Published>>> {
        let now = self.now().mono;
        let known = self.labels.0.lock().get(namespace).cloned();
        let registry = self.registry.lock();
        let revision = registry.revision();
        if let Some(kept) = known
            && (kept.revision == revision
                || (registry.counts().instances > SMALL && now.since(kept.read) < READ_EVERY_MS))
        {
            return kept.by_host;
        }
        let publications: Vec<Arc<[Instance]>> = registry.published(namespace).cloned().collect();
        drop(registry);
        let mut by_host: HashMap<Host, Vec<Published>> = HashMap::default();
        for instances in publications {
            for (index, instance) in instances.iter().enumerate() {
                let place = (instances.clone(), index as u32);
                by_host.entry(instance.host.clone()).or_default().push(place);
            }
        }
        let kept = Kept { revision, read: now, by_host: Arc::new(by_host) };
        let mut all = self.labels.0.lock();
        if all.len() >= NAMESPACES_MAX && !all.contains_key(namespace) {
            all.clear();
        }
        all.insert(namespace.clone(), kept.clone());
        kept.by_host
    }
}
