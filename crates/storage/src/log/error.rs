//! What can go wrong with the log.

use muster_runtime::disk::DiskError;
use std::path::PathBuf;

/// A failed call on the log, by what the caller can do.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The disk is full. The log is as before the call; repeat it when there is space.
    #[error("the log can't grow: {0}")]
    Full(#[source] DiskError),
    /// The disk failed. What was being written may be there or not; stop the process.
    #[error("the disk of the log failed: {0}; stop, check the disk, then start again")]
    Failed(#[source] DiskError),
    /// An earlier call failed for good; this one was not tried.
    #[error("the log takes no writes since its disk failed")]
    Stopped,
    /// The log is damaged where it can't be made whole.
    #[error("{0}")]
    Corrupt(#[from] Corruption),
    /// A newer version of Muster wrote it.
    #[error(
        "{path} has format version {found}, and this version of muster reads up to {}: start a newer muster",
        crate::FORMAT_VERSION
    )]
    NewerFormat {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u8,
    },
    /// The caller's entries do not continue the log.
    #[error("the next entry has index {expected}, not {found}")]
    OutOfOrder {
        /// The index that comes next.
        expected: u64,
        /// The one that was given.
        found: u64,
    },
    /// The entry was purged.
    #[error("entry {index} was purged; the log begins at {first}")]
    Purged {
        /// The entry that was asked for.
        index: u64,
        /// The first one there is.
        first: u64,
    },
}

impl LogError {
    /// Whether the call may be repeated when there is space.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Full(_))
    }
}

impl From<DiskError> for LogError {
    fn from(error: DiskError) -> Self {
        if error.is_full() { Self::Full(error) } else { Self::Failed(error) }
    }
}

/// Damage that would lose acknowledged entries.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the log is damaged: {detail} in {file} at offset {offset}, where entry {index} is expected; entries from \
     {index} on can't be trusted, and starting without them would lose acknowledged writes. Bring back {file} \
     from a copy of the disk. Without one, if other nodes of its cluster live: `muster cluster remove` this one there, and \
     have it join with an empty data directory; if it stood alone: restore the newest backup into an empty directory \
     (`muster restore FILE --data-dir DIR`). Nothing was changed",
    file = .file.display()
)]
pub struct Corruption {
    /// The damaged file.
    pub file: PathBuf,
    /// Where in it.
    pub offset: u64,
    /// The entry that should be there.
    pub index: u64,
    /// What was found.
    pub detail: &'static str,
}
