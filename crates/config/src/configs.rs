//! The state machine over all configs.

mod history;
mod publish;
mod remove;
#[cfg(test)]
mod tests;

pub use history::HistoryRef;

use crate::{At, Config, ConfigError, Effect, HistoryRow, LoadError, Op, Outcome, VariantName, row};
use bytes::Bytes;
use history::History;
use muster_model::{ConfigKey, DataId, GroupName, Namespace, Revision, Row, Table, Timestamp};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// One key: the config, while it exists, and what is remembered of it.
#[derive(Debug, Default)]
struct Entry {
    config: Option<Arc<Config>>,
    history: History,
}

impl Entry {
    /// The revision for an op: the one given, or the next one of this config. It follows from what is stored.
    fn revision(&self, at: At) -> Revision {
        let config = self.config.as_ref().map_or(Revision(0), |config| config.revision);
        let last = config.max(self.history.last().unwrap_or_default());
        at.revision.max(Revision(last.0 + 1))
    }
}

/// All configs, ordered by namespace, group and data id. Only [`apply`](Self::apply) changes them.
#[derive(Debug, Default)]
pub struct Configs {
    entries: BTreeMap<ConfigKey, Entry>,
    /// Every history entry by age.
    by_age: BTreeSet<(Timestamp, ConfigKey, Revision)>,
    config_count: usize,
}

impl Configs {
    /// Without configs.
    pub fn new() -> Self {
        Self::default()
    }

    /// Applies an op in its place of the log. Where it is refused nothing is changed and no effect is given.
    pub fn apply(&mut self, op: Op, at: At, effects: &mut Vec<Effect>) -> Result<Outcome, ConfigError> {
        match op {
            Op::Publish(publish) => self.publish(*publish, at, effects),
            Op::Remove(remove) => Ok(self.remove(remove, at, effects)),
            Op::ExpireHistory(expire) => Ok(self.expire_history(expire, effects)),
        }
    }

    /// Takes in a stored row of [`Table::Config`] or [`Table::ConfigHistory`], in any order, before the first op.
    pub fn load(&mut self, table: Table, key: &[u8], value: Bytes) -> Result<(), LoadError> {
        if table == Table::Config {
            let mut config = row::decode_config(key, value)?;
            config.key = self.shared(&config.key);
            let entry = self.entries.entry(config.key.clone()).or_default();
            if entry.config.replace(Arc::new(config)).is_none() {
                self.config_count += 1;
            }
        } else if table == Table::ConfigHistory {
            let stored = HistoryRow::decode(key, value)?;
            let key = self.shared(stored.key());
            self.by_age.insert((stored.time, key.clone(), stored.revision));
            self.entries.entry(key).or_default().history.load(&stored);
        } else {
            return Err(LoadError::WrongTable(table));
        }
        Ok(())
    }

    /// The same key, with the texts that are in memory already: of its entry, or of its neighbour.
    fn shared(&self, key: &ConfigKey) -> ConfigKey {
        match self.entries.range(..=key).next_back() {
            Some((known, _)) if known == key => known.clone(),
            Some((known, _)) if known.namespace() == key.namespace() => {
                let group = if known.group() == key.group() { known.group() } else { key.group() };
                ConfigKey::new(known.namespace().clone(), group.clone(), key.data_id().clone())
            }
            Some(_) | None => key.clone(),
        }
    }

    /// A config as it is now.
    pub fn get(&self, key: &ConfigKey) -> Option<&Arc<Config>> {
        self.entries.get(key)?.config.as_ref()
    }

    /// How many configs there are.
    pub fn len(&self) -> usize {
        self.config_count
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.config_count == 0
    }

    /// All configs, in order of their keys.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Arc<Config>> {
        self.entries.values().filter_map(|entry| entry.config.as_ref())
    }

    /// The configs of a namespace, in order of group and data id.
    pub fn in_namespace(&self, namespace: &Namespace) -> impl Iterator<Item = &Arc<Config>> {
        // "-" is the first of all names that groups and data ids may have.
        let group = GroupName::new("-").expect("it is a group's name");
        let data_id = DataId::new("-").expect("it is a data id");
        let first = ConfigKey::new(namespace.clone(), group, data_id);
        let namespace = namespace.clone();
        self.entries
            .range(first..)
            .take_while(move |(key, _)| *key.namespace() == namespace)
            .filter_map(|(_, entry)| entry.config.as_ref())
    }

    /// How many configs a namespace has.
    pub fn count_in(&self, namespace: &Namespace) -> usize {
        self.in_namespace(namespace).count()
    }
}

/// The effect of a row that is written or deleted.
fn persist(table: Table, key: Bytes, value: Option<Bytes>) -> Effect {
    Effect::Persist(Row { table, key, value })
}

/// Stores a config as it is now, or deletes its row.
fn persist_config(key: &ConfigKey, config: Option<&Config>) -> Effect {
    persist(Table::Config, row::config_key(key), config.map(row::encode_config))
}

fn changed(key: &ConfigKey, revision: Revision, touched: Vec<VariantName>, visible: bool) -> Effect {
    Effect::Changed { key: key.clone(), revision, touched, visible }
}
