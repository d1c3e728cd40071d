//! The state in a SQLite database.

use super::StateError;
use std::path::Path;

/// The state in a SQLite database.
#[derive(Debug)]
pub struct SqliteStore {}

impl SqliteStore {
    /// Opens or creates the database and verifies all of it: [`StateError::Damaged`] if any row, or the set of
    /// rows as a whole, is not what was written.
    pub fn open(path: &Path) -> Result<Self, StateError> {
        unimplemented!()
    }
}
