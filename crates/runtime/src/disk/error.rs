//! What can go wrong with files, by what the caller can do about it.

use rustix::io::Errno;
use std::{
    fmt, io,
    path::{Path, PathBuf},
};

/// What was being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Opening or creating a file.
    Open,
    /// Reading.
    Read,
    /// Writing, cutting or reserving space.
    Write,
    /// Making contents or names durable.
    Sync,
    /// Renaming, removing, listing or creating names.
    Directory,
    /// Locking a file.
    Lock,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "open",
            Self::Read => "read",
            Self::Write => "write",
            Self::Sync => "sync",
            Self::Directory => "change the directory entry of",
            Self::Lock => "lock",
        })
    }
}

/// A failed call on a disk.
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    /// No space or quota is left. The call may be repeated when there is space.
    #[error("{operation} {path}: no space left on the device")]
    Full {
        /// What was being done.
        operation: Operation,
        /// To what.
        path: PathBuf,
    },
    /// There is no such file or directory.
    #[error("{path}: no such file or directory")]
    NotFound {
        /// Where it should be.
        path: PathBuf,
    },
    /// There is one already.
    #[error("{path}: exists")]
    Exists {
        /// Where it is.
        path: PathBuf,
    },
    /// No rights, or the file system is read-only.
    #[error("{operation} {path}: {source}")]
    Denied {
        /// What was being done.
        operation: Operation,
        /// To what.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Another process, or another part of this one, holds the lock.
    #[error("{path}: locked by another process")]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// The device failed, or the system refused for another reason. Never repeated: after a failed sync what
    /// was written may be gone although a second sync succeeds.
    #[error("{operation} {path}: {source}")]
    Failed {
        /// What was being done.
        operation: Operation,
        /// To what.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl DiskError {
    /// Sorts a system error.
    pub fn from_io(operation: Operation, path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        if operation == Operation::Sync {
            return Self::Failed { operation, path, source };
        }
        match Errno::from_io_error(&source) {
            Some(Errno::NOSPC | Errno::DQUOT) => Self::Full { operation, path },
            Some(Errno::NOENT) => Self::NotFound { path },
            Some(Errno::EXIST) => Self::Exists { path },
            Some(Errno::ACCESS | Errno::PERM | Errno::ROFS) => Self::Denied { operation, path, source },
            _ => Self::Failed { operation, path, source },
        }
    }

    /// Whether the call may succeed when there is space again.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Full { .. })
    }

    /// Whether there was nothing of that name.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }
}
