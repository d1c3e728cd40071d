//! Who listens to which configs: gRPC clients and held requests alike.

use crate::Node;
use muster_model::{ConfigKey, Md5, Namespace};
use std::collections::BTreeMap;

impl Node {
    /// The addresses that listen to a config, with the digest of what each said to have; `None` is nothing. Of several
    /// listeners at one address one is shown.
    pub fn config_listeners(&self, key: &ConfigKey) -> BTreeMap<String, Option<Md5>> {
        let listening: Vec<_> = {
            let watch = self.watchers.configs.lock();
            watch.watchers_of(key).map(|(watcher, interest)| (watcher, interest.md5)).collect()
        };
        let addressed =
            listening.into_iter().filter_map(|(watcher, md5)| Some((self.watchers.address(watcher)?, md5)));
        addressed.collect()
    }

    /// What the listeners at an address listen to, in one namespace or in all, with the digest of what each said to
    /// have.
    pub fn configs_listened_by(
        &self,
        address: &str,
        namespace: Option<&Namespace>,
    ) -> BTreeMap<ConfigKey, Option<Md5>> {
        let watchers = self.watchers.at(address);
        let watch = self.watchers.configs.lock();
        let watched = watchers.into_iter().flat_map(|watcher| watch.watched_by(watcher));
        let wanted =
            watched.filter(|(key, _)| namespace.is_none_or(|namespace| key.namespace() == namespace));
        wanted.map(|(key, interest)| (key.clone(), interest.md5)).collect()
    }
}
