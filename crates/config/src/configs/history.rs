//! The history of all configs: what is kept, and what goes.

use super::{Configs, Entry, first_key, persist};
use crate::{
    At, Config, ConfigError, Effect, ExpireHistory, GrayName, HistoryOp, HistoryRow, Outcome, TakeOver,
    content::ContentKey, row,
};
use bytes::Bytes;
use muster_model::{ConfigKey, Revision, Table, Timestamp};
use std::collections::{BTreeMap, VecDeque};

/// What is remembered of a history entry; the rest is in its row.
#[derive(Clone, Debug)]
struct Mark {
    revision: Revision,
    content: Revision,
    time: Timestamp,
    op: HistoryOp,
    config_id: u64,
    gray: Option<GrayName>,
}

/// The history of one config, oldest first.
#[derive(Debug, Default)]
pub(super) struct History(VecDeque<Mark>);

impl History {
    pub(super) fn last(&self) -> Option<Revision> {
        self.0.back().map(|mark| mark.revision)
    }

    pub(super) fn load(&mut self, stored: &HistoryRow) {
        let place = self.0.partition_point(|mark| mark.revision < stored.revision);
        self.0.insert(place, Mark::of(stored));
    }

    fn refers_to(&self, content: Revision) -> bool {
        self.0.iter().any(|mark| mark.content == content)
    }
}

impl Mark {
    fn of(stored: &HistoryRow) -> Self {
        Self {
            revision: stored.revision,
            content: stored.content.revision,
            time: stored.since(),
            op: stored.op,
            config_id: stored.config_id,
            gray: stored.gray.as_ref().map(|gray| gray.name.clone()),
        }
    }
}

/// A history entry, without what only its row has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryRef {
    /// The config.
    pub key: ConfigKey,
    /// The entry's number (`nid`), unique in its config.
    pub revision: Revision,
    /// When its age began: when it was done, or taken over.
    pub time: Timestamp,
    /// What was done.
    pub op: HistoryOp,
    /// The gray version it was done to; `None` is the formal one.
    pub gray: Option<GrayName>,
}

impl HistoryRef {
    /// The key of its row in [`Table::ConfigHistory`].
    pub fn row_key(&self) -> Bytes {
        HistoryRow::row_key(&self.key, self.revision)
    }

    fn of(key: &ConfigKey, mark: &Mark) -> Self {
        Self {
            key: key.clone(),
            revision: mark.revision,
            time: mark.time,
            op: mark.op,
            gray: mark.gray.clone(),
        }
    }
}

impl Entry {
    /// Deletes a content row that nothing refers to any more.
    fn release(&self, key: &ConfigKey, content: Revision, effects: &mut Vec<Effect>) {
        let is_current = self.config.as_deref().is_some_and(|config| has_content(config, content));
        if !is_current && !self.history.refers_to(content) {
            effects.push(Effect::Persist(ContentKey { key: key.clone(), revision: content }.delete()));
        }
    }

    /// Takes the oldest history entry away.
    fn forget_oldest(
        &mut self,
        key: &ConfigKey,
        by_age: &mut BTreeMap<(Revision, ConfigKey), Timestamp>,
        effects: &mut Vec<Effect>,
    ) {
        if let Some(mark) = self.history.0.pop_front() {
            by_age.remove(&(mark.revision, key.clone()));
            effects.push(persist(Table::ConfigHistory, HistoryRow::row_key(key, mark.revision), None));
            self.release(key, mark.content, effects);
        }
    }
}

fn has_content(config: &Config, content: Revision) -> bool {
    config
        .formal()
        .into_iter()
        .chain(config.grays().map(|(_, _, variant)| variant))
        .any(|v| v.revision == content)
}

impl Configs {
    /// Adds history entries of one config, then takes its oldest ones away if there are too many. All are added
    /// first: a content that one of them needs must not be released with an older entry.
    pub(super) fn record(
        &mut self,
        key: &ConfigKey,
        added: &[HistoryRow],
        entries_max: u32,
        effects: &mut Vec<Effect>,
    ) {
        let entry = self.entries.entry(key.clone()).or_default();
        for stored in added {
            entry.history.0.push_back(Mark::of(stored));
            self.by_age.insert((stored.revision, key.clone()), stored.since());
            let row_key = HistoryRow::row_key(key, stored.revision);
            effects.push(persist(Table::ConfigHistory, row_key, Some(row::encode_history(stored))));
        }
        let kept = usize::try_from(entries_max.max(1)).unwrap_or(usize::MAX);
        while entry.history.0.len() > kept {
            entry.forget_oldest(key, &mut self.by_age, effects);
        }
    }

    /// Adds an entry of another server's history, with its content. It comes before what is done here: where the config
    /// exists it is refused.
    pub(super) fn take_over(
        &mut self,
        past: &TakeOver,
        at: At,
        effects: &mut Vec<Effect>,
    ) -> Result<Outcome, ConfigError> {
        let key = self.shared(&past.key);
        if self.get(&key).is_some() {
            return Err(ConfigError::Exists);
        }
        let revision = self.entries.entry(key.clone()).or_default().revision(at);
        let content = ContentKey { key: key.clone(), revision };
        effects.push(Effect::Persist(content.put(past.content.bytes())));
        let stored = past.row(key.clone(), revision, at.time);
        self.record(&key, &[stored], past.bounds.history_entries_max, effects);
        Ok(Outcome::Done)
    }

    pub(super) fn expire_history(&mut self, expire: ExpireHistory, effects: &mut Vec<Effect>) -> Outcome {
        let mut removed = 0;
        let mut more = false;
        while let Some(((_, key), _)) =
            self.by_age.first_key_value().filter(|(_, time)| **time < expire.before)
        {
            if removed >= expire.entries_max {
                more = true;
                break;
            }
            let key = key.clone();
            let entry = self.entries.get_mut(&key).expect("a history entry is of an entry");
            // The oldest of all is the oldest of its config: times and revisions grow alike.
            entry.forget_oldest(&key, &mut self.by_age, effects);
            removed += 1;
            if entry.config.is_none() && entry.history.0.is_empty() {
                self.entries.remove(&key);
            }
        }
        Outcome::HistoryExpired { removed, more }
    }

    /// The history of a config, newest first; it outlives the config.
    pub fn history<'a>(&'a self, key: &ConfigKey) -> impl ExactSizeIterator<Item = HistoryRef> + use<'a> {
        let marks = self.entries.get(key).map(|entry| &entry.history.0);
        let key = key.clone();
        static NONE: VecDeque<Mark> = VecDeque::new();
        marks.unwrap_or(&NONE).iter().rev().map(move |mark| HistoryRef::of(&key, mark))
    }

    /// One entry of a config's history, by its number.
    pub fn history_entry(&self, key: &ConfigKey, revision: Revision) -> Option<HistoryRef> {
        let marks = &self.entries.get(key)?.history.0;
        let place = marks.binary_search_by_key(&revision, |mark| mark.revision).ok()?;
        Some(HistoryRef::of(key, &marks[place]))
    }

    /// The newest entry of what was done to the formal version of a config while it had this number
    /// ([`Config::id`](crate::Config::id)); it may have been removed since.
    pub fn last_of(&self, key: &ConfigKey, config_id: u64) -> Option<HistoryRef> {
        let marks = &self.entries.get(key)?.history.0;
        let mark = marks.iter().rev().find(|mark| mark.config_id == config_id)?;
        Some(HistoryRef::of(key, mark))
    }

    /// Whether some config has a history entry of this number.
    pub fn has_history(&self, revision: Revision) -> bool {
        self.by_age.range((revision, first_key())..).next().is_some_and(|((found, _), _)| *found == revision)
    }

    /// The age of the oldest history entry of all: whether it is time to expire.
    pub fn oldest_history(&self) -> Option<Timestamp> {
        self.by_age.first_key_value().map(|(_, time)| *time)
    }

    /// History entries of all configs.
    pub fn history_count(&self) -> usize {
        self.by_age.len()
    }
}
