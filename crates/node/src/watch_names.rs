//! Fuzzy watches: patterns over the names of services and configs.

use crate::{NodeError, Watcher};
use muster_model::{ConfigKey, Namespace, ServiceKey};
use muster_watch::{FuzzyStart, Pattern, SyncKind};

impl Watcher {
    /// Watches a pattern of services, or synchronises one that is watched; `received` is what the client has.
    pub fn watch_service_names(
        &self,
        pattern: &Pattern,
        kind: SyncKind,
        received: Vec<ServiceKey>,
    ) -> Result<FuzzyStart, NodeError> {
        // The list of what exists and the watch must be one step: both locks, this order, nowhere else.
        let registry = self.node.registry.lock();
        let existing: Vec<ServiceKey> = match Namespace::new(pattern.namespace()) {
            Ok(namespace) => {
                registry.visible(&namespace).filter(|key| pattern.matches(*key)).cloned().collect()
            }
            // Not a name any namespace can have: nothing matches.
            Err(_) => Vec::new(),
        };
        let mut fuzzy = self.node.watchers.fuzzy_services.lock();
        self.open()?;
        let start = fuzzy.watch(self.id, pattern, kind, received, existing)?;
        drop(fuzzy);
        drop(registry);
        if start.wake {
            self.wake();
        }
        Ok(start)
    }

    /// Ends the watch of a pattern of services.
    pub fn unwatch_service_names(&self, pattern: &str) -> bool {
        self.node.watchers.fuzzy_services.lock().cancel(self.id, pattern)
    }

    /// Watches a pattern of configs, or synchronises one that is watched; `received` is what the client has.
    pub fn watch_config_names(
        &self,
        pattern: &Pattern,
        kind: SyncKind,
        received: Vec<ConfigKey>,
    ) -> Result<FuzzyStart, NodeError> {
        let configs = self.node.configs.read();
        let existing: Vec<ConfigKey> = match Namespace::new(pattern.namespace()) {
            Ok(namespace) => {
                let keys = configs.in_namespace(&namespace).map(|config| config.key());
                keys.filter(|key| pattern.matches(*key)).cloned().collect()
            }
            Err(_) => Vec::new(),
        };
        let mut fuzzy = self.node.watchers.fuzzy_configs.lock();
        self.open()?;
        let start = fuzzy.watch(self.id, pattern, kind, received, existing)?;
        drop(fuzzy);
        drop(configs);
        if start.wake {
            self.wake();
        }
        Ok(start)
    }

    /// Ends the watch of a pattern of configs.
    pub fn unwatch_config_names(&self, pattern: &str) -> bool {
        self.node.watchers.fuzzy_configs.lock().cancel(self.id, pattern)
    }
}
