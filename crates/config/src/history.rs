//! What was done to a config.

use crate::{Author, Bounds, Content, ContentKey, Details, FieldError, Gray, LoadError, Publish, row, text};
use bytes::Bytes;
use muster_model::{ConfigKey, ConfigType, Limits, Md5, Revision, Timestamp};

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HistoryOp {
    /// `I`: a variant was published that did not exist. The entry has the new content.
    Insert,
    /// `U`: a variant was replaced. The entry has the content before.
    Update,
    /// `D`: a variant was removed. The entry has the removed content.
    Delete,
}

impl HistoryOp {
    /// Every op, in the order of their stored numbers.
    pub const ALL: [Self; 3] = [Self::Insert, Self::Update, Self::Delete];

    /// The letter of Nacos (which some of its answers pad with blanks to ten characters).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Insert => "I",
            Self::Update => "U",
            Self::Delete => "D",
        }
    }
}

/// A history entry as it is stored. What describes a content (digest, type, tags, …) is of the content the entry
/// has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryRow {
    /// Where the content is; its key is the config. The row is there as long as this entry.
    pub content: ContentKey,
    /// The entry's number (`nid`), unique in its config.
    pub revision: Revision,
    /// The number of the config whose formal version it was done to; 0 in entries of gray versions, and in those of
    /// before this was kept.
    pub config_id: u64,
    /// What was done.
    pub op: HistoryOp,
    /// When.
    pub time: Timestamp,
    /// When it came here, if it was done on another server and taken over: its age counts from then.
    pub taken_over: Option<Timestamp>,
    /// By whom.
    pub author: Author,
    /// The gray version it was done to; `None` is the formal one.
    pub gray: Option<Gray>,
    /// The digest of the content.
    pub md5: Md5,
    /// Its type.
    pub kind: ConfigType,
    /// Its application.
    pub app_name: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// What was written about it.
    pub details: Details,
    /// Its cipher key.
    pub encrypted_data_key: String,
    /// Who had published that content.
    pub published_by: Author,
}

impl HistoryRow {
    /// The key of an entry in [`Table::ConfigHistory`](muster_model::Table::ConfigHistory).
    pub fn row_key(key: &ConfigKey, revision: Revision) -> Bytes {
        row::revision_key(key, revision)
    }

    /// Reads a row of [`Table::ConfigHistory`](muster_model::Table::ConfigHistory).
    pub fn decode(key: &[u8], value: Bytes) -> Result<Self, LoadError> {
        row::decode_history(key, value)
    }

    /// The config.
    pub fn key(&self) -> &ConfigKey {
        &self.content.key
    }

    /// When its age begins to count.
    pub(crate) fn since(&self) -> Timestamp {
        self.taken_over.unwrap_or(self.time)
    }

    /// The publication that brings back what the entry has: `content` is what its content row holds
    /// ([`ContentKey::content_of`]).
    pub fn rollback(&self, content: Bytes, author: Author, bounds: Bounds) -> Publish {
        Publish {
            gray: self.gray.clone(),
            kind: self.kind,
            app_name: Some(self.app_name.clone()),
            tags: Some(self.tags.clone()),
            details: self.details.clone(),
            encrypted_data_key: self.encrypted_data_key.clone(),
            ..Publish::new(self.key().clone(), Content::trusted(content, self.md5), author, bounds)
        }
    }
}

/// Takes over what was done to a config on another server, as the newest entry of its history: before the config itself
/// is published, and oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakeOver {
    /// The config.
    pub key: ConfigKey,
    /// What was done.
    pub op: HistoryOp,
    /// When it was done there.
    pub time: Timestamp,
    /// By whom.
    pub author: Author,
    /// The gray version it was done to; `None` is the formal one.
    pub gray: Option<Gray>,
    /// The content the entry has, see [`HistoryOp`].
    pub content: Content,
    /// Its type.
    pub kind: ConfigType,
    /// Its application.
    pub app_name: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// What was written about it.
    pub details: Details,
    /// Its cipher key.
    pub encrypted_data_key: String,
    /// Who had published that content.
    pub published_by: Author,
    /// Bounds to decide by.
    pub bounds: Bounds,
}

impl TakeOver {
    /// Refuses what is too long. To be called before proposing: applying does not check it again.
    pub fn check(&self, limits: &Limits) -> Result<(), FieldError> {
        if self.content.bytes().len() > limits.content_bytes_max {
            return Err(FieldError::ContentTooLong { max: limits.content_bytes_max });
        }
        text::check_length("appName", &self.app_name, 128)?;
        text::check_length("encryptedDataKey", &self.encrypted_data_key, 1_024)?;
        self.author.check()?;
        self.published_by.check()
    }

    /// The entry at its place in the history.
    pub(crate) fn row(&self, key: ConfigKey, revision: Revision, taken_over: Timestamp) -> HistoryRow {
        HistoryRow {
            content: ContentKey { key, revision },
            revision,
            config_id: 0,
            op: self.op,
            time: self.time,
            taken_over: Some(taken_over),
            author: self.author.clone(),
            gray: self.gray.clone(),
            md5: self.content.md5(),
            kind: self.kind,
            app_name: self.app_name.clone(),
            tags: self.tags.clone(),
            details: self.details.clone(),
            encrypted_data_key: self.encrypted_data_key.clone(),
            published_by: self.published_by.clone(),
        }
    }
}
