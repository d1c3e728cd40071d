//! What can go wrong with the state.

use std::path::PathBuf;

/// A failed call on a state store, by what the caller can do.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The disk is full. Nothing is changed; repeat the call when there is space.
    #[error("the state can't grow: no space left on the device")]
    Full,
    /// The content is damaged: the store has to be rebuilt from a snapshot and the log.
    #[error("the state is damaged: {0}")]
    Damaged(String),
    /// The disk failed; stop the process.
    #[error("the disk of the state failed: {0}")]
    Failed(String),
    /// A newer version of Muster wrote it.
    #[error(
        "{path} has format version {found}, and this version of muster reads up to {}: start a newer muster",
        crate::FORMAT_VERSION
    )]
    NewerFormat {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
}

impl StateError {
    /// Whether the call may be repeated when there is space.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Full)
    }
}
