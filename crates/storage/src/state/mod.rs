//! The state: rows that the log amounts to, written with the marker of the last applied entry.
//!
//! [`SqliteStore`] is the real one, [`MemoryStore`] the one for simulation; both pass one test suite.

mod error;
mod memory;
mod sqlite;

pub use error::StateError;
pub use memory::MemoryStore;
pub use sqlite::SqliteStore;

use bytes::Bytes;
use muster_model::{Row, Table};

/// A state store. Calls block; `commit` is called by one thread at a time, everything else at any time.
pub trait StateStore: Send + Sync + 'static {
    /// The marker of the last commit, opaque here; `None` in a store nothing was committed to.
    fn applied(&self) -> Result<Option<Bytes>, StateError>;

    /// Writes rows, in order, and the marker in one transaction. It survives the end of the process; durable it
    /// is after [`StateStore::checkpoint`] only, and a power cut may bring back the state of any earlier commit
    /// since. After [`StateError::Full`] nothing is changed.
    fn commit(&self, rows: &[Row], applied: &[u8]) -> Result<(), StateError>;

    /// The value of a row.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Bytes>, StateError>;

    /// At most `limit` rows of a table in order of their keys, from a key on (which is included).
    fn scan(&self, table: Table, from: &[u8], limit: usize) -> Result<Vec<(Bytes, Bytes)>, StateError>;

    /// Makes everything committed before the call durable and says its marker. The log may be purged up to
    /// there as far as the store is concerned.
    fn checkpoint(&self) -> Result<Option<Bytes>, StateError>;

    /// Whether a checkpoint should come soon, because what was committed takes much space until then.
    fn is_checkpoint_due(&self) -> bool {
        false
    }

    /// All rows and the marker as of now, whatever is committed while they are read.
    fn export(&self) -> Result<Export, StateError>;

    /// Replaces everything by other rows, durably and at once or not at all. An error from `rows` is passed on.
    fn import(
        &self,
        applied: &[u8],
        rows: &mut dyn Iterator<Item = Result<Row, StateError>>,
    ) -> Result<(), StateError>;
}

/// A consistent view of a whole store.
pub struct Export {
    /// The marker.
    pub applied: Option<Bytes>,
    /// Every row, by table and key; values are never `None`.
    pub rows: Box<dyn Iterator<Item = Result<Row, StateError>> + Send>,
}

#[cfg(test)]
mod tests;
