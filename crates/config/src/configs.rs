//! The state machine over all configs.

mod describe;
mod history;
mod publish;
mod remove;
#[cfg(test)]
mod tests;

pub use history::HistoryRef;

use crate::{
    At, Capacity, CapacityOf, Config, ConfigError, Effect, HistoryRow, LoadError, Op, Outcome, VariantName,
    capacity::Capacities, row,
};
use bytes::Bytes;
use history::History;
use muster_model::{ConfigKey, DataId, GroupName, Namespace, Revision, Row, Table, Timestamp};
use std::{collections::BTreeMap, ops::Bound, sync::Arc};

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
    /// Every history entry by age: its number grows with the time.
    by_age: BTreeMap<(Revision, ConfigKey), Timestamp>,
    /// The configs by their numbers.
    ids: BTreeMap<u64, ConfigKey>,
    config_count: usize,
    capacities: Capacities,
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
            Op::Describe(describe) => self.describe(describe, at, effects),
            Op::TakeOver(past) => self.take_over(&past, at, effects),
            Op::SetCapacity(of, change) => {
                effects.push(Effect::Persist(self.capacities.set(of, change, at.revision)));
                Ok(Outcome::Done)
            }
        }
    }

    /// Takes in a stored row of [`Table::Config`], [`Table::ConfigHistory`] or [`Table::ConfigCapacity`], in any order,
    /// before the first op.
    pub fn load(&mut self, table: Table, key: &[u8], value: Bytes) -> Result<(), LoadError> {
        if table == Table::Config {
            let mut config = row::decode_config(key, value)?;
            config.key = self.shared(&config.key);
            let entry = self.entries.entry(config.key.clone()).or_default();
            let config = Arc::new(config);
            if entry.config.replace(config.clone()).is_none() {
                self.config_count += 1;
                self.ids.insert(config.id, config.key.clone());
                self.capacities.count(&config.key, None, Some(&config));
            }
        } else if table == Table::ConfigHistory {
            let stored = HistoryRow::decode(key, value)?;
            let key = self.shared(stored.key());
            self.by_age.insert((stored.revision, key.clone()), stored.since());
            self.entries.entry(key).or_default().history.load(&stored);
        } else if table == Table::ConfigCapacity {
            self.capacities.load(key, value)?;
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
        let first = first_of(namespace.clone());
        let namespace = namespace.clone();
        self.entries
            .range(first..)
            .take_while(move |(key, _)| *key.namespace() == namespace)
            .filter_map(|(_, entry)| entry.config.as_ref())
    }

    /// At most `count` of the entries of a namespace that come after a key, in order: the configs among them, and the
    /// last key looked at, from which to go on; `None` if there are no more. So a long search lets go of the lock in
    /// between.
    pub fn some_of<'a>(
        &'a self,
        namespace: &Namespace,
        after: Option<&ConfigKey>,
        count: usize,
        mut take: impl FnMut(&'a ConfigKey, &'a Arc<Config>),
    ) -> Option<ConfigKey> {
        let first = first_of(namespace.clone());
        let from = after.map_or(Bound::Included(&first), Bound::Excluded);
        for (place, (key, entry)) in self.entries.range((from, Bound::Unbounded)).enumerate() {
            if key.namespace() != namespace {
                return None;
            }
            if let Some(config) = &entry.config {
                take(key, config);
            }
            if place + 1 >= count {
                return Some(key.clone());
            }
        }
        None
    }

    /// The config that has a number.
    pub fn by_id(&self, id: u64) -> Option<&Arc<Config>> {
        self.get(self.ids.get(&id)?)
    }

    /// How many configs with a formal version a namespace has.
    pub fn count_in(&self, namespace: &Namespace) -> usize {
        self.capacities.count_in(namespace)
    }

    /// What a group or namespace may hold as far as an operator said so, and how many configs it has.
    pub fn capacity(&self, of: &CapacityOf) -> (Capacity, usize) {
        self.capacities.get(of)
    }
}

/// The first key that a namespace may have.
fn first_of(namespace: Namespace) -> ConfigKey {
    // "-" is the first of all names that groups and data ids may have.
    let group = GroupName::new("-").expect("it is a group's name");
    ConfigKey::new(namespace, group, DataId::new("-").expect("it is a data id"))
}

/// The first of all keys.
fn first_key() -> ConfigKey {
    first_of(Namespace::new("-").expect("it is a namespace"))
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
