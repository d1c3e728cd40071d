//! What the stored rows say, read from a copy of a dead node's state file: contents, digests and history must agree.

use crate::oracle::{ConfigState, Known, Past};
use bytes::Bytes;
use muster_config::{Configs, ContentKey, HistoryRow};
use muster_model::{ConfigKey, DataId, GroupName, Md5, Namespace, Table};
use muster_storage::state::{SqliteStore, StateStore};
use std::{collections::BTreeMap, fs, path::Path};

/// Everything stored about configs.
pub(crate) struct Stored {
    configs: Configs,
    contents: BTreeMap<Bytes, Md5>,
    history: BTreeMap<ConfigKey, Vec<HistoryRow>>,
    /// Rows of other tables, as text that is good for searching.
    services: Vec<String>,
}

impl Stored {
    /// Copies and reads the state of a directory nobody uses. What belongs to no config or no history entry, or is
    /// missing for one, is a failure.
    pub(crate) fn read(dir: &Path) -> Self {
        let copy = tempfile::tempdir().unwrap();
        for name in ["state.db", "state.db-wal"] {
            if dir.join(name).exists() {
                fs::copy(dir.join(name), copy.path().join(name)).unwrap();
            }
        }
        let store = SqliteStore::open(&copy.path().join("state.db")).unwrap();
        let rows = |table| store.scan(table, &[], usize::MAX >> 1).unwrap();
        let mut configs = Configs::new();
        for (key, value) in rows(Table::Config) {
            configs.load(Table::Config, &key, value).unwrap();
        }
        let mut history: BTreeMap<ConfigKey, Vec<HistoryRow>> = BTreeMap::new();
        for (key, value) in rows(Table::ConfigHistory) {
            configs.load(Table::ConfigHistory, &key, value.clone()).unwrap();
            let row = HistoryRow::decode(&key, value).unwrap();
            history.entry(row.key().clone()).or_default().push(row);
        }
        history.values_mut().for_each(|rows| rows.sort_by_key(|row| row.revision));
        let digest = |value| Md5::of(&ContentKey::content_of(value).unwrap());
        let contents =
            rows(Table::ConfigContent).into_iter().map(|(key, value)| (key, digest(value))).collect();
        let text = |(key, value): (Bytes, Bytes)| {
            format!("{} {}", String::from_utf8_lossy(&key), String::from_utf8_lossy(&value))
        };
        let services = rows(Table::Service).into_iter().map(text).collect();
        let stored = Self { configs, contents, history, services };
        stored.check_contents();
        stored
    }

    /// Each content that a version or the history refers to is there, is the right one, and no other is.
    fn check_contents(&self) {
        let versions = self.configs.iter().flat_map(|config| {
            let variants = config.formal().into_iter().chain(config.grays().map(|(.., variant)| variant));
            variants.map(|variant| (config.content_of(variant), variant.md5)).collect::<Vec<_>>()
        });
        let past = self.history.values().flatten().map(|row| (row.content.clone(), row.md5));
        let wanted: BTreeMap<Bytes, Md5> =
            versions.chain(past).map(|(content, md5)| (content.row_key(), md5)).collect();
        for (key, md5) in &wanted {
            assert_eq!(self.contents.get(key), Some(md5), "content {:?}", String::from_utf8_lossy(key));
        }
        let left: Vec<_> = self.contents.keys().filter(|key| !wanted.contains_key(*key)).collect();
        assert!(left.is_empty(), "contents of nobody: {left:?}");
    }

    /// A config is, whole, what was acknowledged or what was under way.
    pub(crate) fn check(&self, data_id: &str, group: &str, known: &Known<ConfigState>) {
        let key = ConfigKey::new(
            Namespace::default(),
            GroupName::new(group).unwrap(),
            DataId::new(data_id).unwrap(),
        );
        let found = self.state(&key);
        let mut known = known.clone();
        known.settle(data_id, &found, |state| is_stored(state, &found));
    }

    fn state(&self, key: &ConfigKey) -> Found {
        let config = self.configs.get(key);
        let mut found = Found::default();
        if let Some(config) = config {
            let formal = config.formal().map(|variant| (String::new(), variant.md5));
            let grays = config.grays().map(|(name, _, variant)| (name.as_str().to_owned(), variant.md5));
            found.versions = formal.into_iter().chain(grays).collect();
            found.kind = config.formal().map(|variant| variant.kind.as_str().to_owned()).unwrap_or_default();
            found.about = config.details().description.clone().unwrap_or_default();
            found.tags = config.tags().to_vec();
        }
        let gray = |row: &HistoryRow| row.gray.as_ref().map(|gray| gray.name.as_str().to_owned());
        let past = |row: &HistoryRow| (row.op.as_str(), gray(row).unwrap_or_default(), row.md5);
        found.history = self.history.get(key).into_iter().flatten().map(past).collect();
        found
    }

    /// Whether a service with a text in its metadata is stored.
    pub(crate) fn has_service(&self, name: &str, label: &str) -> bool {
        self.services.iter().any(|row| row.contains(name) && row.contains(label))
    }
}

#[derive(Debug, Default)]
struct Found {
    versions: BTreeMap<String, Md5>,
    kind: String,
    about: String,
    tags: Vec<String>,
    history: Vec<Past>,
}

fn is_stored(state: &ConfigState, found: &Found) -> bool {
    let versions: BTreeMap<String, Md5> =
        state.variants.iter().map(|(name, content)| (name.clone(), Md5::of(content.as_bytes()))).collect();
    let about_is_right = if state.variants.contains_key("") {
        found.kind == state.kind && found.about == state.about && found.tags == [state.about.clone()]
    } else {
        found.kind.is_empty()
    };
    versions == found.versions && about_is_right && state.history == found.history
}
