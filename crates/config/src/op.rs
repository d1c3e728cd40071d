//! What can be done to configs.

use crate::{CapacityChange, CapacityOf, Content, Details, FieldError, Gray, QuotaDefaults, TakeOver, text};
use muster_model::{ConfigKey, ConfigType, Limits, Revision, Timestamp};
use std::collections::HashSet;

/// The place of an op in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At {
    /// Unique for each op and growing: of the log index and the op's place in its entry. Should it not grow, the
    /// config's own last revision + 1 is taken, the same on every node; the outcome says which it was.
    pub revision: Revision,
    /// The time the entry carries; never before that of an earlier entry.
    pub time: Timestamp,
}

/// Settings of the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How long a history entry is kept, milliseconds (30 days).
    pub history_retention_ms: u64,
    /// History entries kept of one config (100); the oldest go first. At least 1.
    pub history_entries_max: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { history_retention_ms: 30 * 24 * 3_600 * 1_000, history_entries_max: 100 }
    }
}

impl Settings {
    /// The bounds to carry in an op.
    pub fn bounds(&self, limits: &Limits) -> Bounds {
        Bounds {
            gray_versions_max: u32::try_from(limits.gray_versions_max).unwrap_or(u32::MAX),
            history_entries_max: self.history_entries_max.max(1),
        }
    }
}

/// Bounds that are decided when an op is applied. They travel in the op, because every node must decide alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Gray versions of one config.
    pub gray_versions_max: u32,
    /// History entries of one config.
    pub history_entries_max: u32,
}

/// Who made a change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Author {
    /// The user (`src_user`), if known.
    pub user: Option<String>,
    /// The address the request came from (`src_ip`).
    pub ip: String,
}

/// What must hold of the variant that is published, for the publication to happen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Condition {
    /// Nothing.
    #[default]
    None,
    /// If it exists, its digest is this text (`casMd5`). As in Nacos, it is created if it does not exist.
    Md5(String),
    /// It does not exist.
    Absent,
}

/// Publishes a config, or a gray version of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publish {
    /// The config.
    pub key: ConfigKey,
    /// The new content.
    pub content: Content,
    /// What must hold.
    pub condition: Condition,
    /// The gray version to publish; `None` is the formal one.
    pub gray: Option<Gray>,
    /// The declared type; a publication that names none makes it text.
    pub kind: ConfigType,
    /// The application it belongs to; `None` keeps what there is.
    pub app_name: Option<String>,
    /// Tags to find it by; `None` keeps what there is.
    pub tags: Option<Vec<String>>,
    /// Description, use, effect and schema; what is absent here is cleared, as in Nacos.
    pub details: Details,
    /// The cipher key of an encrypted content, passed through; "" if there is none.
    pub encrypted_data_key: String,
    /// Who publishes.
    pub author: Author,
    /// Bounds to decide by.
    pub bounds: Bounds,
    /// What groups and namespaces may hold unless an operator said otherwise; `None` does not limit them.
    pub quota: Option<QuotaDefaults>,
}

impl Publish {
    /// A formal publication with nothing but its content.
    pub fn new(key: ConfigKey, content: Content, author: Author, bounds: Bounds) -> Self {
        Self {
            key,
            content,
            condition: Condition::None,
            gray: None,
            kind: ConfigType::Text,
            app_name: None,
            tags: None,
            details: Details::default(),
            encrypted_data_key: String::new(),
            author,
            bounds,
            quota: None,
        }
    }

    /// The tags of a comma-separated list (`config_tags`), each once, in order; blanks are none.
    pub fn tags_of(list: &str) -> Vec<String> {
        // Nobody has looked at the length of the list yet: it may have a million.
        let mut seen = HashSet::new();
        let tags = list.split(',').map(str::trim).filter(|tag| !tag.is_empty());
        tags.filter(|tag| seen.insert(*tag)).map(str::to_owned).collect()
    }

    /// Refuses what is too long. To be called before proposing: applying does not check it again.
    pub fn check(&self, limits: &Limits) -> Result<(), FieldError> {
        if self.content.bytes().len() > limits.content_bytes_max {
            return Err(FieldError::ContentTooLong { max: limits.content_bytes_max });
        }
        check_tags(self.tags.as_deref())?;
        let details = &self.details;
        let texts = [
            ("desc", details.description.as_deref(), DESCRIPTION_CHARS_MAX),
            ("use", details.purpose.as_deref(), 32),
            ("effect", details.effect.as_deref(), 32),
            ("schema", details.schema.as_deref(), 32_768),
            ("appName", self.app_name.as_deref(), 128),
            ("encryptedDataKey", Some(self.encrypted_data_key.as_str()), 1_024),
        ];
        for (field, value, max) in texts {
            text::check_length(field, value.unwrap_or_default(), max)?;
        }
        if let Condition::Md5(md5) = &self.condition {
            text::check_length("casMd5", md5, 64)?;
        }
        self.author.check()
    }
}

/// The most characters of a description.
const DESCRIPTION_CHARS_MAX: usize = 128;

fn check_tags(tags: Option<&[String]>) -> Result<(), FieldError> {
    let tags = tags.unwrap_or_default();
    if tags.len() > 5 {
        return Err(FieldError::TooManyTags { max: 5 });
    }
    tags.iter().try_for_each(|tag| text::check_length("tag", tag, 64))
}

/// Writes anew what people say about a config; its content stays as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Describe {
    /// The config.
    pub key: ConfigKey,
    /// The new description; `None` keeps what there is.
    pub description: Option<String>,
    /// The new tags; `None` keeps what there is.
    pub tags: Option<Vec<String>>,
    /// Who writes.
    pub author: Author,
    /// Bounds to decide by.
    pub bounds: Bounds,
}

impl Describe {
    /// Refuses what is too long. To be called before proposing: applying does not check it again.
    pub fn check(&self) -> Result<(), FieldError> {
        check_tags(self.tags.as_deref())?;
        text::check_length("desc", self.description.as_deref().unwrap_or_default(), DESCRIPTION_CHARS_MAX)?;
        self.author.check()
    }
}

impl Author {
    /// Refuses what is too long.
    pub fn check(&self) -> Result<(), FieldError> {
        text::check_length("src_user", self.user.as_deref().unwrap_or_default(), 128)?;
        text::check_length("src_ip", &self.ip, 128)
    }
}

/// What to remove of a config.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RemoveTarget {
    /// All of it. Its gray versions go with the formal one: every client reads "not found" afterwards.
    All,
    /// One gray version: `beta`, `tag_<tag>`, a name, or a bare tag.
    Gray(String),
}

/// Removes a config, or a gray version of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remove {
    /// The config.
    pub key: ConfigKey,
    /// What of it.
    pub target: RemoveTarget,
    /// Who removes.
    pub author: Author,
    /// Bounds to decide by.
    pub bounds: Bounds,
}

/// Removes the oldest history entries, of all configs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExpireHistory {
    /// Those made before this moment.
    pub before: Timestamp,
    /// At most so many at once, oldest first; the outcome says whether there are more.
    pub entries_max: u32,
}

impl ExpireHistory {
    /// The op to propose at a moment, 1,000 entries at a time as in Nacos.
    pub fn at(now: Timestamp, settings: &Settings) -> Self {
        Self { before: Timestamp(now.0.saturating_sub(settings.history_retention_ms)), entries_max: 1_000 }
    }
}

/// Everything that can be done to configs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// See [`Publish`]. Boxed: it is by far the largest.
    Publish(Box<Publish>),
    /// See [`Remove`].
    Remove(Remove),
    /// See [`ExpireHistory`].
    ExpireHistory(ExpireHistory),
    /// See [`Describe`].
    Describe(Describe),
    /// Sets what a group or a namespace may hold.
    SetCapacity(CapacityOf, CapacityChange),
    /// See [`TakeOver`].
    TakeOver(Box<TakeOver>),
}
