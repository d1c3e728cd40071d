//! The data directory: who may use it, and in which version it is.

use crate::{
    log::LogError,
    snapshot::{SnapshotError, Snapshots},
    state::{SqliteStore, StateError},
};
use muster_runtime::disk::{Disk, DiskError};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// Why a data directory can't be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// Another process uses it.
    #[error(
        "the data directory {path} is in use by another muster{holder}: stop that one, or choose another directory with --data-dir"
    )]
    InUse {
        /// The directory.
        path: PathBuf,
        /// ` (process N)`, if it is known.
        holder: String,
    },
    /// The directory it should be created in is missing.
    #[error(
        "the data directory {path} can't be created, because {parent} does not exist: create it, or choose another directory with --data-dir"
    )]
    ParentMissing {
        /// The directory.
        path: PathBuf,
        /// The missing one.
        parent: PathBuf,
    },
    /// No rights, or a read-only file system.
    #[error(
        "the data directory {path} can't be written: {source}: give this user the rights, or choose another directory with --data-dir"
    )]
    NotWritable {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        source: DiskError,
    },
    /// It holds something else.
    #[error(
        "{path} is not a muster data directory (it holds {found} and no FORMAT file): choose an empty directory with --data-dir"
    )]
    Foreign {
        /// The directory.
        path: PathBuf,
        /// A file in it.
        found: String,
    },
    /// The FORMAT file can't be read.
    #[error(
        "{path} is damaged: it should read {expected:?}. If this directory was written by this version, write that line into it"
    )]
    FormatDamaged {
        /// The file.
        path: PathBuf,
        /// The right content.
        expected: String,
    },
    /// A newer version of Muster wrote it.
    #[error(
        "the data directory {path} has format version {found}, and this version of muster reads up to {}: start a newer muster",
        crate::FORMAT_VERSION
    )]
    NewerFormat {
        /// The directory.
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
    /// The state is damaged and can't be rebuilt.
    #[error(
        "the state in {path} can't be used ({why}) and not be rebuilt: the log was purged up to entry {purged}, and no usable snapshot reaches it. Restore the newest backup into an empty directory (`muster restore FILE --data-dir DIR`); nothing was changed"
    )]
    Unrecoverable {
        /// The state file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
        /// The last purged entry.
        purged: u64,
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

/// Where the state of a start comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StateOrigin {
    /// The state file was whole.
    Intact,
    /// There was nothing: a first start.
    New,
    /// The state file was unusable; it was rebuilt from this snapshot, and the log has the rest.
    Snapshot {
        /// The snapshot file.
        path: PathBuf,
        /// What was wrong with the state file.
        why: String,
    },
    /// The state file was unusable; it begins empty, and the log has everything.
    Log {
        /// What was wrong with the state file.
        why: String,
    },
}

/// A data directory in use by this process, until it is dropped.
#[derive(Debug)]
pub struct DataDir {}

impl DataDir {
    /// Creates the directory if need be (its parent must exist), locks it, and checks its version.
    pub fn open(disk: Arc<dyn Disk>, path: &Path) -> Result<Self, DataDirError> {
        unimplemented!()
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        unimplemented!()
    }

    /// The directory of the log.
    pub fn log_dir(&self) -> PathBuf {
        unimplemented!()
    }

    /// The directory of the flight recorder.
    pub fn journal_dir(&self) -> PathBuf {
        unimplemented!()
    }

    /// The snapshots.
    pub fn snapshots(&self) -> Result<Snapshots, DataDirError> {
        unimplemented!()
    }

    /// Opens the state file, verified. One that is damaged, missing, or older than what the log still has is
    /// put aside and rebuilt from the newest whole snapshot that reaches the log; if there is none,
    /// [`DataDirError::Unrecoverable`]. `purged` is the index of the last purged log entry, `index_of` reads the
    /// index out of an applied marker (`None`: not a marker).
    pub fn open_state(
        &self,
        purged: Option<u64>,
        index_of: &dyn Fn(&[u8]) -> Option<u64>,
    ) -> Result<(SqliteStore, StateOrigin), DataDirError> {
        unimplemented!()
    }

    /// Fills a new or empty directory from a backup stream, which is verified first.
    pub fn restore(
        disk: Arc<dyn Disk>,
        path: &Path,
        from: &mut dyn std::io::Read,
    ) -> Result<u64, DataDirError> {
        unimplemented!()
    }
}
