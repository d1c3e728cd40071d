//! Configs as administrators look for them.

use crate::{FoundConfig, Node, NodeError};
use bytes::Bytes;
use muster_config::{Config, ContentKey, VariantName};
use muster_model::{ConfigKey, Namespace};
use std::{collections::BTreeSet, sync::Arc};

impl Node {
    /// The configs with these numbers, by number; unknown ones are left out.
    pub fn configs_by_id(&self, ids: &[u64]) -> Vec<Arc<Config>> {
        let wanted: BTreeSet<u64> = ids.iter().copied().collect();
        let configs = self.configs.read();
        wanted.into_iter().filter_map(|id| configs.by_id(id)).cloned().collect()
    }

    /// Has contents read from the store again.
    pub fn drop_cached_contents(&self) {
        self.contents.drop_cached();
    }

    /// Whether a namespace was created, or is `public`, which always is.
    pub fn has_namespace(&self, namespace: &Namespace) -> bool {
        namespace.as_str() == Namespace::PUBLIC
            || self.registry.lock().namespaces().any(|(id, _)| id == namespace)
    }

    /// A content that a config had when it was looked up; `None` if it is gone since. It is not kept in memory.
    pub fn content_of(&self, content: &ContentKey) -> Result<Option<Bytes>, NodeError> {
        Ok(self.contents.pass(content, &*self.state)?)
    }

    /// How many configs with a formal version a namespace has.
    pub fn config_count_in(&self, namespace: &Namespace) -> usize {
        self.configs.read().count_in(namespace)
    }

    /// A variant of a config by its name, with its content.
    pub fn config_variant(
        &self,
        key: &ConfigKey,
        name: &VariantName,
    ) -> Result<Option<FoundConfig>, NodeError> {
        self.find_config(key, |config| config.select_variant(name))
    }
}
