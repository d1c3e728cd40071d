//! Configs as administrators look for them.

use crate::{FoundConfig, Node, NodeError};
use muster_config::{Config, VariantName};
use muster_model::{ConfigKey, Namespace};
use std::{collections::BTreeSet, sync::Arc};

impl Node {
    /// The configs of a namespace that are wanted, oldest first. It looks at each of them.
    pub fn find_configs(&self, namespace: &Namespace, wanted: impl Fn(&Config) -> bool) -> Vec<Arc<Config>> {
        let configs = self.configs.read();
        let mut found: Vec<_> =
            configs.in_namespace(namespace).filter(|config| wanted(config)).cloned().collect();
        drop(configs);
        found.sort_by_key(|config| config.id());
        found
    }

    /// The keys of configs by their numbers; unknown numbers are left out. It looks at all configs.
    pub fn configs_by_id(&self, ids: &[u64]) -> Vec<ConfigKey> {
        let wanted: BTreeSet<u64> = ids.iter().copied().collect();
        let configs = self.configs.read();
        configs
            .iter()
            .filter(|config| wanted.contains(&config.id()))
            .map(|config| config.key().clone())
            .collect()
    }

    /// How many configs a namespace has.
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
