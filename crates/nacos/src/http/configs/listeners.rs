//! Who listens to what.

use super::PublishNames;
use crate::http::{Http, call::Call, trouble::Trouble};
use muster_model::{ConfigKey, Md5, Namespace};
use muster_nacos_wire::{
    grpc::push::group_key,
    http::{Refusal, check_filter},
};
use std::collections::BTreeMap;

/// The digest of what a listener has, "" for nothing.
fn shown(md5: Option<Md5>) -> String {
    md5.map(|md5| md5.to_string()).unwrap_or_default()
}

impl Http {
    /// The addresses that listen to a config.
    pub(crate) fn listeners_of(&self, key: &ConfigKey) -> BTreeMap<String, String> {
        let listeners = self.node.config_listeners(key);
        listeners.into_iter().map(|(address, md5)| (address, shown(md5))).collect()
    }

    /// What an address listens to: in the namespace that is named, or with `all` everywhere. `name` writes the key of
    /// a config.
    pub(crate) fn listened_by(
        &self,
        call: &Call,
        names: PublishNames,
        missing: fn(&'static str) -> Refusal,
        name: fn(&ConfigKey) -> String,
    ) -> Result<BTreeMap<String, String>, Trouble> {
        check_filter(&call.parameters, self.metadata_chars_max())?;
        let ip = call.parameters.get("ip").ok_or_else(|| missing("ip"))?;
        let namespace = names.namespace(&call.parameters)?;
        let namespace = (!call.parameters.flag(&["all"], false)).then_some(&namespace);
        let listened = self.node.configs_listened_by(ip.trim(), namespace);
        Ok(listened.into_iter().map(|(key, md5)| (name(&key), shown(md5))).collect())
    }
}

/// `dataId+group+namespace`, escaped, as v3 has it.
pub(crate) fn full_name(key: &ConfigKey) -> String {
    group_key(key.data_id().as_str(), key.group().as_str(), key.namespace().as_str())
}

/// The same, without the namespace where it is `public`, as v1 has it.
pub(crate) fn short_name(key: &ConfigKey) -> String {
    let full = full_name(key);
    match key.namespace().as_str() {
        Namespace::PUBLIC => full.rsplit_once('+').map_or(full.clone(), |(name, _)| name.to_owned()),
        _ => full,
    }
}
