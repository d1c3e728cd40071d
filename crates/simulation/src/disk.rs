//! A disk whose syncs take time.
//!
//! Where everything runs in one thread nothing can wait inside a call of the disk, so the call returns and what its
//! machine then says waits: to everybody else that looks the same.

use crate::Wire;
use muster_runtime::disk::{Disk, DiskError, DiskFile, DiskLock, MemoryDisk, Open};
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// A disk in memory and how slow it is. A clone is another handle to the same.
#[derive(Clone, Debug)]
pub struct HostDisk {
    /// What it holds.
    pub memory: MemoryDisk,
    sync_ms: Arc<AtomicU64>,
    wire: Wire,
}

impl HostDisk {
    /// An empty disk that is fast.
    pub fn new(wire: Wire) -> Self {
        Self { memory: MemoryDisk::new(), sync_ms: Arc::default(), wire }
    }

    /// From now on a sync takes so many milliseconds.
    pub fn set_sync_ms(&self, ms: u64) {
        self.sync_ms.store(ms, Ordering::Relaxed);
    }

    fn wait(&self) {
        let ms = self.sync_ms.load(Ordering::Relaxed);
        if ms > 0 {
            self.wire.hold(Duration::from_millis(ms));
        }
    }
}

impl Disk for HostDisk {
    fn open(&self, path: &Path, how: Open) -> Result<Arc<dyn DiskFile>, DiskError> {
        Ok(Arc::new(HostFile { file: self.memory.open(path, how)?, disk: self.clone() }))
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), DiskError> {
        self.memory.rename(from, to)
    }

    fn remove(&self, path: &Path) -> Result<(), DiskError> {
        self.memory.remove(path)
    }

    fn list(&self, dir: &Path) -> Result<Vec<String>, DiskError> {
        self.memory.list(dir)
    }

    fn exists(&self, path: &Path) -> Result<bool, DiskError> {
        self.memory.exists(path)
    }

    fn create_dir(&self, dir: &Path) -> Result<(), DiskError> {
        self.memory.create_dir(dir)
    }

    fn create_dir_all(&self, dir: &Path) -> Result<(), DiskError> {
        self.memory.create_dir_all(dir)
    }

    fn sync_dir(&self, dir: &Path) -> Result<(), DiskError> {
        self.wait();
        self.memory.sync_dir(dir)
    }

    fn free_bytes(&self, dir: &Path) -> Result<u64, DiskError> {
        self.memory.free_bytes(dir)
    }

    fn total_bytes(&self, dir: &Path) -> Result<u64, DiskError> {
        self.memory.total_bytes(dir)
    }

    fn lock_exclusive(&self, path: &Path) -> Result<DiskLock, DiskError> {
        self.memory.lock_exclusive(path)
    }
}

#[derive(Debug)]
struct HostFile {
    file: Arc<dyn DiskFile>,
    disk: HostDisk,
}

impl DiskFile for HostFile {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, DiskError> {
        self.file.read_at(offset, buffer)
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> Result<(), DiskError> {
        self.file.write_at(offset, data)
    }

    fn len(&self) -> Result<u64, DiskError> {
        self.file.len()
    }

    fn set_len(&self, len: u64) -> Result<(), DiskError> {
        self.file.set_len(len)
    }

    fn preallocate(&self, len: u64) -> Result<(), DiskError> {
        self.file.preallocate(len)
    }

    fn sync_data(&self) -> Result<(), DiskError> {
        self.disk.wait();
        self.file.sync_data()
    }
}
