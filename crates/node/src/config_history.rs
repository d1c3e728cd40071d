//! What was done to a config.

use crate::{ConfigPage, Node, NodeError, PageRequest};
use bytes::Bytes;
use muster_config::{Author, ConfigError, ContentKey, HistoryOp, HistoryRow, Outcome};
use muster_model::{ConfigKey, Revision, Table};
use muster_storage::state::StateError;

/// A history entry with the content it has.
#[derive(Clone, Debug)]
pub struct HistoryItem {
    /// The entry.
    pub entry: HistoryRow,
    /// UTF-8, as published.
    pub content: Bytes,
}

/// What looking for one entry came to.
#[derive(Clone, Debug)]
pub enum HistoryFound {
    /// It is there.
    Entry(Box<HistoryItem>),
    /// It is there, of another config.
    OfAnother,
    /// There is none.
    Nothing,
}

/// An entry and what followed: what was there before, and what after.
#[derive(Clone, Debug)]
pub struct HistoryChange {
    /// The entry itself.
    pub item: HistoryItem,
    /// Before; `None` if it was created.
    pub before: Option<HistoryItem>,
    /// After; `None` if it was removed.
    pub after: Option<Bytes>,
}

impl Node {
    /// A page of the history of a config, newest first; it outlives the config.
    pub fn config_history(
        &self,
        key: &ConfigKey,
        page: PageRequest,
    ) -> Result<ConfigPage<HistoryRow>, NodeError> {
        self.ready()?;
        let (total, wanted) = {
            let configs = self.configs.read();
            let entries = configs.history(key);
            let total = entries.len();
            let range = page.range(total);
            (total, entries.skip(range.start).take(range.len()).collect::<Vec<_>>())
        };
        let mut items = Vec::with_capacity(wanted.len());
        for entry in wanted {
            // What the history lost meanwhile is left out.
            items.extend(self.history_row(entry.row_key())?);
        }
        Ok(ConfigPage { total, items })
    }

    /// An entry by its number.
    pub fn history_entry(&self, key: &ConfigKey, number: u64) -> Result<HistoryFound, NodeError> {
        self.ready()?;
        let (found, is_known) = {
            let configs = self.configs.read();
            let found = configs.history_entry(key, Revision(number));
            let is_known = found.is_some() || configs.has_history(Revision(number));
            (found, is_known)
        };
        match found {
            Some(entry) => self.history_found(entry.row_key()),
            None if is_known => Ok(HistoryFound::OfAnother),
            None => Ok(HistoryFound::Nothing),
        }
    }

    /// The newest entry of what was done to the formal version of the config that has, or had, this number.
    pub fn last_history_of(&self, key: &ConfigKey, config_id: u64) -> Result<HistoryFound, NodeError> {
        self.ready()?;
        let (found, is_known) = {
            let configs = self.configs.read();
            (configs.last_of(key, config_id), configs.by_id(config_id).is_some())
        };
        match found {
            Some(entry) => self.history_found(entry.row_key()),
            None if is_known => Ok(HistoryFound::OfAnother),
            None => Ok(HistoryFound::Nothing),
        }
    }

    /// What an entry changed: its own content is what was before (what was created, for a first one), and what was
    /// after is what the next entry of the same variant had before, or what there is now.
    pub fn history_change(&self, item: HistoryItem) -> Result<HistoryChange, NodeError> {
        let entry = &item.entry;
        let name = entry.gray.as_ref().map(|gray| gray.name.clone());
        let after = match entry.op {
            HistoryOp::Insert => Some(item.content.clone()),
            HistoryOp::Delete => None,
            HistoryOp::Update => {
                let (next, now) = {
                    let configs = self.configs.read();
                    let newer =
                        configs.history(entry.key()).take_while(|other| other.revision > entry.revision);
                    let next = newer.filter(|other| other.gray == name).last();
                    let now = configs.get(entry.key()).and_then(|config| {
                        let variant = match &name {
                            Some(gray) => config.gray(gray.as_str()).map(|(_, variant)| variant),
                            None => config.formal(),
                        };
                        variant.map(|variant| config.content_of(variant))
                    });
                    (next, now)
                };
                match (next, now) {
                    (Some(next), _) => match self.history_row(next.row_key())? {
                        Some(row) => self.contents.pass(&row.content, &*self.state)?,
                        None => None,
                    },
                    (None, Some(now)) => self.contents.pass(&now, &*self.state)?,
                    (None, None) => None,
                }
            }
        };
        let before = (entry.op != HistoryOp::Insert).then(|| item.clone());
        Ok(HistoryChange { item, before, after })
    }

    /// Brings back what an entry of the history has: what was before an update or a removal; for a first publication
    /// that content again.
    pub async fn roll_back_config(
        &self,
        key: &ConfigKey,
        number: u64,
        author: Author,
    ) -> Result<Outcome, NodeError> {
        match self.history_entry(key, number)? {
            HistoryFound::Entry(item) => {
                let publish = item.entry.rollback(item.content, author, self.config_bounds());
                self.publish_config(publish).await
            }
            HistoryFound::OfAnother | HistoryFound::Nothing => Err(ConfigError::NotFound.into()),
        }
    }

    fn history_found(&self, row_key: Bytes) -> Result<HistoryFound, NodeError> {
        let Some(entry) = self.history_row(row_key)? else { return Ok(HistoryFound::Nothing) };
        let content: &ContentKey = &entry.content;
        let Some(content) = self.contents.pass(content, &*self.state)? else {
            return Ok(HistoryFound::Nothing);
        };
        Ok(HistoryFound::Entry(Box::new(HistoryItem { entry, content })))
    }

    fn history_row(&self, row_key: Bytes) -> Result<Option<HistoryRow>, NodeError> {
        let value = self.contents.row(Table::ConfigHistory, row_key.clone(), &*self.state)?;
        let decode = |value| {
            HistoryRow::decode(&row_key, value).map_err(|error| StateError::Damaged(error.to_string()))
        };
        Ok(value.map(decode).transpose()?)
    }
}
