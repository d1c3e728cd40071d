//! Contents and where they are stored.

use crate::{FieldError, LoadError, row};
use bytes::Bytes;
use muster_model::{ConfigKey, Md5, Revision, Row, Table};

/// A config's content with its digest: UTF-8, not blank, exactly the bytes that were published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    bytes: Bytes,
    md5: Md5,
}

impl Content {
    /// Checks a content and computes its digest. Its length is checked by [`Publish::check`](crate::Publish::check).
    pub fn new(bytes: Bytes) -> Result<Self, FieldError> {
        let text = std::str::from_utf8(&bytes).map_err(|_| FieldError::ContentNotUtf8)?;
        if text.trim().is_empty() {
            return Err(FieldError::ContentBlank);
        }
        let md5 = Md5::of(&bytes);
        Ok(Self { bytes, md5 })
    }

    /// A content that was checked when it was proposed.
    pub(crate) fn trusted(bytes: Bytes, md5: Md5) -> Self {
        Self { bytes, md5 }
    }

    /// The bytes.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The digest.
    pub fn md5(&self) -> Md5 {
        self.md5
    }
}

/// Where a content is stored. The row is written once and never overwritten, so a cache may hold it as long as it
/// likes; it is deleted when no variant and no history entry refers to it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ContentKey {
    /// The config.
    pub key: ConfigKey,
    /// The revision at which this content was published.
    pub revision: Revision,
}

impl ContentKey {
    /// The key of the row in [`Table::ConfigContent`].
    pub fn row_key(&self) -> Bytes {
        row::revision_key(&self.key, self.revision)
    }

    /// The content of a row's value.
    pub fn content_of(value: Bytes) -> Result<Bytes, LoadError> {
        row::unversioned("config content", value)
    }

    pub(crate) fn put(&self, content: &Bytes) -> Row {
        let value = row::versioned(content.len(), |buffer| buffer.extend_from_slice(content));
        Row { table: Table::ConfigContent, key: self.row_key(), value: Some(value) }
    }

    pub(crate) fn delete(&self) -> Row {
        Row { table: Table::ConfigContent, key: self.row_key(), value: None }
    }
}
