//! The data directory: who may use it, in which version it is, and where its state comes from.
//!
//! ```text
//! LOCK        held by the process that uses the directory
//! FORMAT      one line with the version of everything in it
//! log/        the log
//! state.db    the state, with state.db-wal and state.db-shm
//! snapshots/  snapshots of the state
//! journal/    the flight recorder
//! ephemeral   the checkpoint of ephemeral registrations
//! node        which node this is, and how often it began
//! cluster/    keys and certificates of the node
//! ```

mod error;
mod identity;
mod secrets;
mod state;

pub use error::DataDirError;
pub use identity::NodeIdentity;
pub use state::{MarkerIndex, StateOrigin};

use crate::{FORMAT_VERSION, checkpoint::CheckpointFile, snapshot::Snapshots};
use muster_runtime::disk::{Disk, DiskError, DiskLock, beside, read_all, replace};
use std::{
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
};

const LOCK: &str = "LOCK";
const FORMAT: &str = "FORMAT";
const FORMAT_TEXT: &str = "muster data directory, format ";
const LOG: &str = "log";
const STATE: &str = "state.db";
const SNAPSHOTS: &str = "snapshots";
const CHECKPOINT: &str = "ephemeral";
/// There while a restore is under way, and after one that was cut short.
const RESTORING: &str = "RESTORING";
/// The folder of the flight recorder inside a data directory, for those who read it without opening the directory.
pub const JOURNAL: &str = "journal";

/// A data directory in use by this process, until it is dropped.
#[derive(Debug)]
pub struct DataDir {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    _lock: DiskLock,
}

impl DataDir {
    /// Creates the directory if need be (its parent must exist), locks it, and checks its version. One into which
    /// a restore did not finish is refused: it would start empty.
    pub fn open(disk: Arc<dyn Disk>, path: &Path) -> Result<Self, DataDirError> {
        let dir = Self::enter(disk, path)?;
        if dir.disk.exists(&path.join(RESTORING))? {
            return Err(DataDirError::RestoreUnfinished { path: path.to_owned() });
        }
        Ok(dir)
    }

    fn enter(disk: Arc<dyn Disk>, path: &Path) -> Result<Self, DataDirError> {
        create(&*disk, path)?;
        let named = |error| DataDirError::sort(path, error);
        let has_format = check_names(path, &disk.list(path).map_err(named)?)?;
        let lock = lock(&*disk, path)?;
        let format = path.join(FORMAT);
        if has_format || disk.exists(&format).map_err(named)? {
            check_format(path, &format, &read_all(&*disk, &format).map_err(named)?)?;
        } else {
            replace(&*disk, &format, format_line().as_bytes()).map_err(named)?;
        }
        for name in [LOG, SNAPSHOTS, JOURNAL] {
            let dir = path.join(name);
            if !disk.exists(&dir).map_err(named)? {
                disk.create_dir(&dir).map_err(named)?;
            }
        }
        disk.sync_dir(path).map_err(named)?;
        Ok(Self { disk, path: path.to_owned(), _lock: lock })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The directory of the log.
    pub fn log_dir(&self) -> PathBuf {
        self.path.join(LOG)
    }

    /// The directory of the flight recorder.
    pub fn journal_dir(&self) -> PathBuf {
        self.path.join(JOURNAL)
    }

    /// The checkpoint of ephemeral registrations.
    pub fn checkpoint(&self) -> CheckpointFile {
        CheckpointFile::new(self.disk.clone(), &self.path.join(CHECKPOINT))
    }

    /// The snapshots.
    pub fn snapshots(&self) -> Result<Snapshots, DataDirError> {
        Ok(Snapshots::open(self.disk.clone(), &self.path.join(SNAPSHOTS))?)
    }

    /// Fills a new or empty directory from a backup stream, which is verified first; how many rows it has. The
    /// next start finds them by [`DataDir::open_state`]. One that was cut short may be repeated.
    pub fn restore(disk: Arc<dyn Disk>, path: &Path, from: &mut dyn Read) -> Result<u64, DataDirError> {
        let dir = Self::enter(disk, path)?;
        let mark = path.join(RESTORING);
        let snapshots = dir.snapshots()?;
        if dir.disk.exists(&mark)? {
            snapshots.retain(0)?;
        }
        if dir.holds_data()? {
            return Err(DataDirError::NotEmpty { path: path.to_owned() });
        }
        replace(&*dir.disk, &mark, b"a restore did not finish\n")?;
        dir.disk.sync_dir(path)?;
        let snapshot = snapshots.receive(from)?;
        let rows = snapshots.verify(&snapshot)?;
        dir.disk.remove(&mark)?;
        dir.disk.sync_dir(path)?;
        Ok(rows)
    }

    /// Whether there is anything of a log, a state or a snapshot.
    pub fn holds_data(&self) -> Result<bool, DiskError> {
        for name in [LOG, SNAPSHOTS] {
            if !self.disk.list(&self.path.join(name))?.is_empty() {
                return Ok(true);
            }
        }
        self.disk.exists(&self.path.join(STATE))
    }
}

fn create(disk: &dyn Disk, path: &Path) -> Result<(), DataDirError> {
    if disk.exists(path).map_err(|error| DataDirError::sort(path, error))? {
        return Ok(());
    }
    let parent = parent(path);
    match disk.create_dir(path) {
        Ok(()) => Ok(disk.sync_dir(&parent)?),
        // Another process was faster; the lock decides.
        Err(DiskError::Exists { .. }) => Ok(()),
        Err(DiskError::NotFound { .. }) => Err(DataDirError::ParentMissing { path: path.to_owned(), parent }),
        Err(error) => Err(DataDirError::sort(path, error)),
    }
}

fn parent(path: &Path) -> PathBuf {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or(Path::new(".")).to_owned()
}

/// Whether the directory has a format file. Without one it may hold nothing of ours, nor anything else.
fn check_names(path: &Path, names: &[String]) -> Result<bool, DataDirError> {
    let unfinished = beside(Path::new(FORMAT), ".new");
    let mut others = names.iter().filter(|name| {
        let first_start = *name == LOCK || unfinished.as_os_str() == name.as_str();
        !first_start && *name != "lost+found"
    });
    if names.iter().any(|name| name == FORMAT) {
        return Ok(true);
    }
    match others.next() {
        None => Ok(false),
        Some(_) if names.iter().any(|name| [LOG, STATE, SNAPSHOTS].contains(&&**name)) => {
            Err(DataDirError::FormatDamaged { path: path.join(FORMAT), expected: format_line() })
        }
        Some(found) => Err(DataDirError::Foreign { path: path.to_owned(), found: found.clone() }),
    }
}

fn lock(disk: &dyn Disk, path: &Path) -> Result<DiskLock, DataDirError> {
    let file = path.join(LOCK);
    match disk.lock_exclusive(&file) {
        Err(DiskError::Locked { .. }) => {
            let holder = read_all(disk, &file).unwrap_or_default();
            let holder = String::from_utf8_lossy(&holder).trim().parse::<u32>();
            let holder = holder.map(|id| format!(" (process {id})")).unwrap_or_default();
            Err(DataDirError::InUse { path: path.to_owned(), holder })
        }
        other => other.map_err(|error| DataDirError::sort(path, error)),
    }
}

fn format_line() -> String {
    format!("{FORMAT_TEXT}{FORMAT_VERSION}\n")
}

fn check_format(path: &Path, file: &Path, content: &[u8]) -> Result<(), DataDirError> {
    let text = std::str::from_utf8(content).ok().and_then(|text| text.strip_suffix('\n'));
    let version = text.and_then(|text| text.strip_prefix(FORMAT_TEXT)).and_then(|text| text.parse().ok());
    match version {
        Some(version) if version == u32::from(FORMAT_VERSION) => Ok(()),
        Some(found) if found > u32::from(FORMAT_VERSION) => {
            Err(DataDirError::NewerFormat { path: path.to_owned(), found })
        }
        _ => Err(DataDirError::FormatDamaged { path: file.to_owned(), expected: format_line() }),
    }
}

#[cfg(test)]
mod tests;
