//! Why a data directory can't be used.

use crate::{log::LogError, snapshot::SnapshotError, state::StateError};
use muster_runtime::disk::DiskError;
use std::path::{Path, PathBuf};

/// Why a data directory can't be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// Another process uses it.
    #[error(
        "the data directory {path} is in use by another muster{holder}: stop that one, or choose \
         another directory with --data-dir"
    )]
    InUse {
        /// The directory.
        path: PathBuf,
        /// ` (process N)`, if it is known.
        holder: String,
    },
    /// The directory it should be created in is missing.
    #[error(
        "the data directory {path} can't be created, because {parent} does not exist: create it, or \
         choose another directory with --data-dir"
    )]
    ParentMissing {
        /// The directory.
        path: PathBuf,
        /// The missing one.
        parent: PathBuf,
    },
    /// No rights, or a read-only file system.
    #[error(
        "the data directory {path} can't be written: {source}: give this user the rights, or choose \
         another directory with --data-dir"
    )]
    NotWritable {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        source: DiskError,
    },
    /// It holds something else.
    #[error(
        "{path} is not a muster data directory (it holds {found} and no FORMAT file): choose an empty \
         directory with --data-dir"
    )]
    Foreign {
        /// The directory.
        path: PathBuf,
        /// A file in it.
        found: String,
    },
    /// The FORMAT file can't be read.
    #[error(
        "{path} is damaged: it should read {expected:?}. If this directory was written by this \
         version, write that line into it"
    )]
    FormatDamaged {
        /// The file.
        path: PathBuf,
        /// The right content.
        expected: String,
    },
    /// A newer version of Muster wrote it.
    #[error(
        "{path} has format version {found}, which this version of muster does not know: start a newer muster"
    )]
    NewerFormat {
        /// The directory, or the file in it.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// A restore was asked for into a directory that holds data.
    #[error("the data directory {path} holds data already: restore into an empty or new directory")]
    NotEmpty {
        /// The directory.
        path: PathBuf,
    },
    /// A restore into the directory was cut short.
    #[error(
        "a restore into the data directory {path} did not finish: repeat it (`muster restore FILE --data-dir DIR`), or \
         remove the directory to start without data"
    )]
    RestoreUnfinished {
        /// The directory.
        path: PathBuf,
    },
    /// The state is damaged and can't be rebuilt.
    #[error(
        "the state in {path} can't be used ({why}) and can't be rebuilt: {log}, and no usable snapshot reaches \
         it. If other nodes of its cluster live: `muster cluster remove` this one there, and have it join with an empty \
         data directory. If it stood alone: restore the newest backup into an empty directory (`muster restore FILE \
         --data-dir DIR`). Nothing was changed"
    )]
    Unrecoverable {
        /// The state file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
        /// What the log has.
        log: String,
    },
    /// Both copies of the file that says which node this is are damaged.
    #[error(
        "{path} says which node this is, and is damaged. Who guesses may vote twice, so nothing is started. If other \
         nodes of its cluster live: `muster cluster remove` this one there, and have it join with an empty data \
         directory. If it stood alone: restore a backup into an empty directory (`muster restore FILE --data-dir DIR`)"
    )]
    IdentityDamaged {
        /// The file.
        path: PathBuf,
    },
    /// Who this node is has to be said before its lives are counted.
    #[error("the data directory {path} does not say which node this is")]
    IdentityMissing {
        /// The directory.
        path: PathBuf,
    },
    /// The disk failed, or is full.
    #[error("the data directory can't be used: {0}")]
    Disk(#[from] DiskError),
    /// The log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The state.
    #[error(transparent)]
    State(#[from] StateError),
    /// The snapshots.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
}

impl DataDirError {
    /// Sorts an error of the disk that came while the directory was being opened.
    pub(super) fn sort(path: &Path, error: DiskError) -> Self {
        if matches!(error, DiskError::Denied { .. }) {
            return Self::NotWritable { path: path.to_owned(), source: error };
        }
        Self::Disk(error)
    }
}
