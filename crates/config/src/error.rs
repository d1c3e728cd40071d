//! What can be wrong with an op, and with a stored row.

use muster_model::{ErrorCode, Table};
use std::fmt;

/// A publication that is refused before it is proposed: it would be refused in every state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// The content is empty or only whitespace.
    #[error("content is blank")]
    ContentBlank,
    /// The content is not UTF-8.
    #[error("content is not UTF-8")]
    ContentNotUtf8,
    /// The content is too long.
    #[error("invalid content, over {max}")]
    ContentTooLong {
        /// The most bytes allowed.
        max: usize,
    },
    /// A text is too long.
    #[error("too long {field}, over {max}")]
    TooLong {
        /// The field in Nacos's words: `tag` (a tag of a gray release, and each of `config_tags`), `desc`, `use`,
        /// `effect`, `schema`, `appName`, `src_user`, `src_ip`, `encryptedDataKey`, `casMd5`, `grayName`,
        /// `grayRule`.
        field: &'static str,
        /// The most characters allowed.
        max: usize,
    },
    /// There are too many config tags.
    #[error("too much config_tags, over {max}")]
    TooManyTags {
        /// The most allowed.
        max: usize,
    },
    /// A tag has characters other than letters, digits and `_-.:`.
    #[error("invalid tag : {0}")]
    InvalidTag(String),
    /// A gray version's name is blank or has such characters.
    #[error("gray name is not recognized: {0}")]
    InvalidGrayName(String),
    /// A gray rule's expression can't be read.
    #[error("gray rule format is invalid: {0}")]
    InvalidGrayRule(String),
    /// A gray rule is of a version that is not known.
    #[error("gray rule version is invalid: {0}")]
    InvalidGrayVersion(String),
}

impl FieldError {
    /// What the caller can do about it.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::ContentBlank => ErrorCode::ParameterMissing,
            Self::ContentNotUtf8
            | Self::ContentTooLong { .. }
            | Self::TooLong { .. }
            | Self::TooManyTags { .. }
            | Self::InvalidTag(_)
            | Self::InvalidGrayName(_)
            | Self::InvalidGrayRule(_)
            | Self::InvalidGrayVersion(_) => ErrorCode::InvalidParameter,
        }
    }
}

/// An op that the state does not allow; decided when it is applied. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The digest of what is published is not the expected one.
    #[error("Cas publish fail, server md5 may have changed.")]
    Conflict,
    /// What should be created exists.
    #[error("config already exists")]
    Exists,
    /// The config has as many gray versions as it may.
    #[error("at most {max} gray versions of a config")]
    TooManyGrays {
        /// The limit.
        max: u32,
    },
    /// What should be described does not exist.
    #[error("Config not exist, please publish Config first.")]
    NotFound,
    /// There are as many configs as the operator allows.
    #[error("Configuration limit exceeded: {of} may have {max} configs")]
    QuotaReached {
        /// Whose limit it is.
        of: QuotaOf,
        /// The limit.
        max: u32,
    },
    /// The content is larger than the operator allows.
    #[error("Configuration content size limit exceeded: {max} bytes are allowed")]
    ContentOverQuota {
        /// The limit, bytes.
        max: u32,
    },
}

/// Whose count of configs is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuotaOf {
    /// All configs together.
    Everything,
    /// A group of the namespace `public`.
    Group,
    /// A namespace.
    Namespace,
}

impl QuotaOf {
    /// Every one, in the order of their stored numbers.
    pub(crate) const ALL: [Self; 3] = [Self::Everything, Self::Group, Self::Namespace];
}

impl fmt::Display for QuotaOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Everything => "the cluster",
            Self::Group => "the group",
            Self::Namespace => "the namespace",
        })
    }
}

impl ConfigError {
    /// What the caller can do about it.
    pub fn code(self) -> ErrorCode {
        match self {
            Self::Conflict => ErrorCode::Conflict,
            Self::Exists => ErrorCode::AlreadyExists,
            Self::TooManyGrays { .. } => ErrorCode::LimitExceeded,
            Self::NotFound => ErrorCode::NotFound,
            Self::QuotaReached { .. } | Self::ContentOverQuota { .. } => ErrorCode::QuotaReached,
        }
    }
}

/// A stored row or op can't be read: it is damaged, or of a newer version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// The row is of a version this program does not know.
    #[error("{what} has version {version}, newer than {newest}; start a newer muster")]
    NewerVersion {
        /// What was read.
        what: &'static str,
        /// Its version.
        version: u8,
        /// The newest version known.
        newest: u8,
    },
    /// The bytes make no sense.
    #[error("{what} can't be read: {detail}")]
    Damaged {
        /// What was read.
        what: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// A row of a table that is not of configs.
    #[error("a row of table {0:?} is no config")]
    WrongTable(Table),
}
