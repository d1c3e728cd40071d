//! What groups and namespaces may hold, and how much they do.
//!
//! As in Nacos a config of the namespace `public` counts for its group, every other for its namespace. A capacity
//! that was set for `public` itself holds besides.

use crate::{
    Config, ConfigError, LoadError, Publish, QuotaOf,
    row::{damaged, decode, encode},
};
use bytes::{BufMut, Bytes, BytesMut};
use muster_model::{ConfigKey, GroupName, Namespace, Revision, Row, Table};
use prost::Message;
use std::collections::BTreeMap;

/// Whose capacity it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CapacityOf {
    /// A group of the namespace `public`.
    Group(GroupName),
    /// A namespace.
    Namespace(Namespace),
}

impl CapacityOf {
    /// The key of its row in [`Table::ConfigCapacity`]: a letter for the kind, then the name.
    pub(crate) fn row_key(&self) -> Bytes {
        let (kind, name) = match self {
            Self::Group(group) => (b'g', group.as_str()),
            Self::Namespace(namespace) => (b'n', namespace.as_str()),
        };
        let mut key = BytesMut::with_capacity(1 + name.len());
        key.put_u8(kind);
        key.put_slice(name.as_bytes());
        key.freeze()
    }

    pub(crate) fn parse(key: &[u8]) -> Result<Self, LoadError> {
        let what = "config capacity key";
        let (kind, name) = key.split_first().ok_or_else(|| damaged(what, "empty"))?;
        let name = std::str::from_utf8(name).map_err(|error| damaged(what, error))?;
        match kind {
            b'g' => GroupName::new(name).map(Self::Group).map_err(|error| damaged(what, error)),
            b'n' => Namespace::new(name).map(Self::Namespace).map_err(|error| damaged(what, error)),
            other => Err(damaged(what, format!("unknown kind {other}"))),
        }
    }
}

/// What an operator sets; `None` keeps what there is. 0 is the default of the settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CapacityChange {
    /// Configs.
    pub configs_max: Option<u32>,
    /// Bytes of one content.
    pub content_bytes_max: Option<u32>,
    /// Parts of one aggregated config. Kept and shown: aggregation is gone since Nacos 2.2.
    pub aggregated_max: Option<u32>,
    /// Bytes of such a part. Kept and shown.
    pub aggregated_bytes_max: Option<u32>,
}

/// What was set; `None` is the default of the settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capacity {
    /// A number of its own; 0 if nothing was set yet.
    pub id: u64,
    /// Configs.
    pub configs_max: Option<u32>,
    /// Bytes of one content.
    pub content_bytes_max: Option<u32>,
    /// Parts of one aggregated config.
    pub aggregated_max: Option<u32>,
    /// Bytes of such a part.
    pub aggregated_bytes_max: Option<u32>,
}

/// What may be held where nothing was set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotaDefaults {
    /// Configs of all namespaces together (100,000).
    pub configs_max: u32,
    /// Configs of a group of `public` (200).
    pub group_configs_max: u32,
    /// Configs of another namespace (200).
    pub namespace_configs_max: u32,
    /// Bytes of one content (102,400).
    pub content_bytes_max: u32,
}

impl Default for QuotaDefaults {
    fn default() -> Self {
        Self {
            configs_max: 100_000,
            group_configs_max: 200,
            namespace_configs_max: 200,
            content_bytes_max: 102_400,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct QuotaMessage {
    #[prost(uint32, tag = "1")]
    configs_max: u32,
    #[prost(uint32, tag = "2")]
    group_configs_max: u32,
    #[prost(uint32, tag = "3")]
    namespace_configs_max: u32,
    #[prost(uint32, tag = "4")]
    content_bytes_max: u32,
}

impl From<QuotaDefaults> for QuotaMessage {
    fn from(quota: QuotaDefaults) -> Self {
        let QuotaDefaults { configs_max, group_configs_max, namespace_configs_max, content_bytes_max } =
            quota;
        Self { configs_max, group_configs_max, namespace_configs_max, content_bytes_max }
    }
}

impl From<QuotaMessage> for QuotaDefaults {
    fn from(message: QuotaMessage) -> Self {
        let QuotaMessage { configs_max, group_configs_max, namespace_configs_max, content_bytes_max } =
            message;
        Self { configs_max, group_configs_max, namespace_configs_max, content_bytes_max }
    }
}

/// A change as an op carries it, and a capacity as its row does.
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct CapacityMessage {
    #[prost(uint64, tag = "1")]
    id: u64,
    #[prost(uint32, optional, tag = "2")]
    configs_max: Option<u32>,
    #[prost(uint32, optional, tag = "3")]
    content_bytes_max: Option<u32>,
    #[prost(uint32, optional, tag = "4")]
    aggregated_max: Option<u32>,
    #[prost(uint32, optional, tag = "5")]
    aggregated_bytes_max: Option<u32>,
}

impl CapacityMessage {
    pub(crate) fn of(id: u64, change: CapacityChange) -> Self {
        let CapacityChange { configs_max, content_bytes_max, aggregated_max, aggregated_bytes_max } = change;
        Self { id, configs_max, content_bytes_max, aggregated_max, aggregated_bytes_max }
    }

    pub(crate) fn change(self) -> CapacityChange {
        CapacityChange {
            configs_max: self.configs_max,
            content_bytes_max: self.content_bytes_max,
            aggregated_max: self.aggregated_max,
            aggregated_bytes_max: self.aggregated_bytes_max,
        }
    }
}

/// What was set, and how many formal versions there are.
#[derive(Debug, Default)]
pub(crate) struct Capacities {
    set: BTreeMap<CapacityOf, Capacity>,
    total: usize,
    namespaces: BTreeMap<Namespace, usize>,
    /// Of `public`.
    groups: BTreeMap<GroupName, usize>,
}

impl Capacities {
    /// Keeps count of a config that is now another, or gone.
    pub(crate) fn count(&mut self, key: &ConfigKey, old: Option<&Config>, new: Option<&Config>) {
        let has = |config: Option<&Config>| config.is_some_and(|config| config.formal().is_some());
        match (has(old), has(new)) {
            (false, true) => {
                self.total += 1;
                *self.namespaces.entry(key.namespace().clone()).or_default() += 1;
                if key.namespace().as_str() == Namespace::PUBLIC {
                    *self.groups.entry(key.group().clone()).or_default() += 1;
                }
            }
            (true, false) => {
                self.total -= 1;
                take_one(&mut self.namespaces, key.namespace());
                if key.namespace().as_str() == Namespace::PUBLIC {
                    take_one(&mut self.groups, key.group());
                }
            }
            (true, true) | (false, false) => {}
        }
    }

    pub(crate) fn count_in(&self, namespace: &Namespace) -> usize {
        self.namespaces.get(namespace).copied().unwrap_or_default()
    }

    pub(crate) fn get(&self, of: &CapacityOf) -> (Capacity, usize) {
        let used = match of {
            CapacityOf::Group(group) => self.groups.get(group).copied().unwrap_or_default(),
            CapacityOf::Namespace(namespace) => self.count_in(namespace),
        };
        (self.set.get(of).copied().unwrap_or_default(), used)
    }

    /// Sets what a change names, and gives the row.
    pub(crate) fn set(&mut self, of: CapacityOf, change: CapacityChange, revision: Revision) -> Row {
        let key = of.row_key();
        let capacity =
            self.set.entry(of).or_insert_with(|| Capacity { id: revision.0, ..Default::default() });
        let places = [
            (&mut capacity.configs_max, change.configs_max),
            (&mut capacity.content_bytes_max, change.content_bytes_max),
            (&mut capacity.aggregated_max, change.aggregated_max),
            (&mut capacity.aggregated_bytes_max, change.aggregated_bytes_max),
        ];
        for (place, value) in places {
            *place = value.map_or(*place, |value| (value > 0).then_some(value));
        }
        let Capacity { id, configs_max, content_bytes_max, aggregated_max, aggregated_bytes_max } = *capacity;
        let value =
            CapacityMessage { id, configs_max, content_bytes_max, aggregated_max, aggregated_bytes_max };
        Row { table: Table::ConfigCapacity, key, value: Some(encode(&value)) }
    }

    pub(crate) fn load(&mut self, key: &[u8], value: Bytes) -> Result<(), LoadError> {
        let message: CapacityMessage = decode("config capacity", value)?;
        let CapacityMessage { id, configs_max, content_bytes_max, aggregated_max, aggregated_bytes_max } =
            message;
        let capacity = Capacity { id, configs_max, content_bytes_max, aggregated_max, aggregated_bytes_max };
        self.set.insert(CapacityOf::parse(key)?, capacity);
        Ok(())
    }

    /// Whether a formal publication finds room; gray versions are not counted, as in Nacos.
    pub(crate) fn admit(&self, publish: &Publish, is_new: bool) -> Result<(), ConfigError> {
        let Some(defaults) = publish.quota.filter(|_| publish.gray.is_none()) else { return Ok(()) };
        let key = &publish.key;
        let namespace = CapacityOf::Namespace(key.namespace().clone());
        let is_public = key.namespace().as_str() == Namespace::PUBLIC;
        let mut scopes = Vec::with_capacity(2);
        if is_public {
            let group = CapacityOf::Group(key.group().clone());
            scopes.push((group, QuotaOf::Group, Some(defaults.group_configs_max)));
            scopes.push((namespace, QuotaOf::Namespace, None));
        } else {
            scopes.push((namespace, QuotaOf::Namespace, Some(defaults.namespace_configs_max)));
        }
        let size = publish.content.bytes().len();
        let is_over = |used: usize, max: u32| used > usize::try_from(max).unwrap_or(usize::MAX);
        if is_new && is_over(self.total + 1, defaults.configs_max) {
            return Err(ConfigError::QuotaReached { of: QuotaOf::Everything, max: defaults.configs_max });
        }
        for (scope, of, default) in scopes {
            let (capacity, used) = self.get(&scope);
            let content_max =
                capacity.content_bytes_max.or_else(|| default.map(|_| defaults.content_bytes_max));
            if let Some(max) = content_max.filter(|max| is_over(size, *max)) {
                return Err(ConfigError::ContentOverQuota { max });
            }
            let configs_max = capacity.configs_max.or(default);
            if let Some(max) = configs_max.filter(|max| is_new && is_over(used + 1, *max)) {
                return Err(ConfigError::QuotaReached { of, max });
            }
        }
        Ok(())
    }
}

/// One less; names without any are forgotten.
fn take_one<K: Ord>(counts: &mut BTreeMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}
