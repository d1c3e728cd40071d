//! Files, as far as a log, snapshots and a journal need them: a trait with the real disk and one in memory
//! that can lose power.
//!
//! All calls block. What a call has written is durable only after [`DiskFile::sync_data`] (for contents and
//! length) and [`Disk::sync_dir`] (for names) have returned.

mod error;
mod memory;
mod real;

pub use error::{DiskError, Operation};
pub use memory::MemoryDisk;
pub use real::RealDisk;

use std::{
    any::Any,
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

/// How a file is opened; always for reading and writing, except by [`Open::Read`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Open {
    /// It must exist; only reading.
    Read,
    /// It must exist.
    Existing,
    /// It is created empty if it does not exist.
    OrCreate,
    /// It must not exist.
    New,
}

/// A file system.
pub trait Disk: Send + Sync + fmt::Debug + 'static {
    /// Opens a file.
    fn open(&self, path: &Path, how: Open) -> Result<Arc<dyn DiskFile>, DiskError>;

    /// Gives a file another name in the same directory tree, replacing what had it.
    fn rename(&self, from: &Path, to: &Path) -> Result<(), DiskError>;

    /// Removes a file.
    fn remove(&self, path: &Path) -> Result<(), DiskError>;

    /// The names of the files and directories in a directory, sorted.
    fn list(&self, dir: &Path) -> Result<Vec<String>, DiskError>;

    /// Whether there is a file or directory of this name.
    fn exists(&self, path: &Path) -> Result<bool, DiskError>;

    /// Creates one directory, readable by its owner only; its parent must exist, it must not.
    fn create_dir(&self, dir: &Path) -> Result<(), DiskError>;

    /// Creates a directory and its parents, as far as they do not exist.
    fn create_dir_all(&self, dir: &Path) -> Result<(), DiskError>;

    /// Makes the names in a directory durable: files created, renamed and removed in it before this call.
    fn sync_dir(&self, dir: &Path) -> Result<(), DiskError>;

    /// Bytes that this process may still write on the file system of a directory.
    fn free_bytes(&self, dir: &Path) -> Result<u64, DiskError>;

    /// All bytes of the file system of a directory that are in use or may be by this process: without those that are kept
    /// for the superuser, as `df` counts how full it is.
    fn total_bytes(&self, dir: &Path) -> Result<u64, DiskError>;

    /// Creates a file if need be and locks it until the lock is dropped or the process ends;
    /// [`DiskError::Locked`] if another holds it.
    fn lock_exclusive(&self, path: &Path) -> Result<DiskLock, DiskError>;
}

/// An open file. Reads and writes name their offset, so that one handle may be shared.
pub trait DiskFile: Send + Sync + fmt::Debug {
    /// Fills `buffer` from an offset and says how many bytes there were; fewer only at the end of the file.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, DiskError>;

    /// Writes everything at an offset, extending the file with zeros up to it. After an error any part of
    /// `data` may have been written.
    fn write_at(&self, offset: u64, data: &[u8]) -> Result<(), DiskError>;

    /// Writes at the end; where that was.
    fn append(&self, data: &[u8]) -> Result<u64, DiskError> {
        let end = self.len()?;
        self.write_at(end, data)?;
        Ok(end)
    }

    /// The length in bytes.
    fn len(&self) -> Result<u64, DiskError>;

    /// Whether the file has no bytes.
    fn is_empty(&self) -> Result<bool, DiskError> {
        Ok(self.len()? == 0)
    }

    /// Cuts the file, or extends it with zeros.
    fn set_len(&self, len: u64) -> Result<(), DiskError>;

    /// Extends the file to `len` with zeros for which space is reserved; never shortens it.
    fn preallocate(&self, len: u64) -> Result<(), DiskError>;

    /// Makes contents and length durable. Any error is [`DiskError::Failed`], also a full disk: what was
    /// written since the last success may be lost, and trying again would not find out.
    fn sync_data(&self) -> Result<(), DiskError>;
}

/// Keeps others out while it lives.
pub struct DiskLock(#[expect(dead_code, reason = "it is held for its drop")] Box<dyn Any + Send + Sync>);

impl DiskLock {
    /// A lock that is released when `guard` is dropped.
    pub fn new(guard: impl Any + Send + Sync) -> Self {
        Self(Box::new(guard))
    }
}

impl fmt::Debug for DiskLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DiskLock")
    }
}

/// The whole content of a file.
pub fn read_all(disk: &dyn Disk, path: &Path) -> Result<Vec<u8>, DiskError> {
    let file = disk.open(path, Open::Read)?;
    let mut content = vec![0; file.len()? as usize];
    let count = file.read_at(0, &mut content)?;
    content.truncate(count);
    Ok(content)
}

/// Writes a file so that under its name there is, whatever happens, the old content or the new: a new file,
/// synced, renamed, the directory synced.
pub fn replace(disk: &dyn Disk, path: &Path, content: &[u8]) -> Result<(), DiskError> {
    let new = beside(path, ".new");
    let file = disk.open(&new, Open::OrCreate)?;
    file.set_len(0)?;
    file.write_at(0, content)?;
    file.sync_data()?;
    disk.rename(&new, path)?;
    disk.sync_dir(path.parent().unwrap_or(Path::new(".")))
}

/// The path with something added to its last name.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
