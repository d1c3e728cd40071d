//! A disk that loses power at a chosen call.

use muster_runtime::{
    Rng,
    disk::{Disk, DiskError, DiskFile, DiskLock, MemoryDisk, Open},
};
use parking_lot::Mutex;
use std::{path::Path, sync::Arc};

/// Passes calls on and cuts the power in place of the nth call that changes something.
#[derive(Clone, Debug)]
pub(super) struct CuttingDisk {
    disk: MemoryDisk,
    plan: Arc<Mutex<Plan>>,
}

#[derive(Debug)]
struct Plan {
    left: u64,
    rng: Rng,
    /// Syncs of files say yes and do nothing.
    is_lying: bool,
}

impl CuttingDisk {
    pub(super) fn new(disk: MemoryDisk, left: u64, rng: Rng, is_lying: bool) -> Self {
        Self { disk, plan: Arc::new(Mutex::new(Plan { left, rng, is_lying })) }
    }

    /// Whether the power was cut.
    pub(super) fn is_cut(&self) -> bool {
        self.plan.lock().left == 0
    }

    /// Cuts the power now, if it was not.
    pub(super) fn cut(&self) {
        let mut plan = self.plan.lock();
        if plan.left > 0 {
            plan.left = 0;
            self.disk.power_cut(&mut plan.rng);
        }
    }

    /// Counts a call; the one that finds the power gone, or takes it, fails.
    fn count(&self) -> Result<(), DiskError> {
        let mut plan = self.plan.lock();
        if plan.left == 1 {
            self.disk.power_cut(&mut plan.rng);
        }
        plan.left = plan.left.saturating_sub(1);
        if plan.left > 0 {
            return Ok(());
        }
        let source = std::io::Error::other("the power is cut");
        let operation = muster_runtime::disk::Operation::Write;
        Err(DiskError::Failed { operation, path: "/".into(), source })
    }
}

impl Disk for CuttingDisk {
    fn open(&self, path: &Path, how: Open) -> Result<Arc<dyn DiskFile>, DiskError> {
        self.count()?;
        Ok(Arc::new(CuttingFile { file: self.disk.open(path, how)?, disk: self.clone() }))
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), DiskError> {
        self.count()?;
        self.disk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> Result<(), DiskError> {
        self.count()?;
        self.disk.remove(path)
    }

    fn list(&self, dir: &Path) -> Result<Vec<String>, DiskError> {
        self.disk.list(dir)
    }

    fn exists(&self, path: &Path) -> Result<bool, DiskError> {
        self.disk.exists(path)
    }

    fn create_dir(&self, dir: &Path) -> Result<(), DiskError> {
        self.count()?;
        self.disk.create_dir(dir)
    }

    fn create_dir_all(&self, dir: &Path) -> Result<(), DiskError> {
        self.count()?;
        self.disk.create_dir_all(dir)
    }

    fn sync_dir(&self, dir: &Path) -> Result<(), DiskError> {
        self.count()?;
        self.disk.sync_dir(dir)
    }

    fn free_bytes(&self, dir: &Path) -> Result<u64, DiskError> {
        self.disk.free_bytes(dir)
    }

    fn total_bytes(&self, dir: &Path) -> Result<u64, DiskError> {
        self.disk.total_bytes(dir)
    }

    fn lock_exclusive(&self, path: &Path) -> Result<DiskLock, DiskError> {
        self.disk.lock_exclusive(path)
    }
}

#[derive(Debug)]
struct CuttingFile {
    file: Arc<dyn DiskFile>,
    disk: CuttingDisk,
}

impl DiskFile for CuttingFile {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, DiskError> {
        self.file.read_at(offset, buffer)
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> Result<(), DiskError> {
        if self.disk.plan.lock().left == 1 {
            // The write that is under way when the power goes may be there in part.
            self.file.write_at(offset, data)?;
        }
        self.disk.count()?;
        self.file.write_at(offset, data)
    }

    fn len(&self) -> Result<u64, DiskError> {
        self.file.len()
    }

    fn set_len(&self, len: u64) -> Result<(), DiskError> {
        self.disk.count()?;
        self.file.set_len(len)
    }

    fn preallocate(&self, len: u64) -> Result<(), DiskError> {
        self.disk.count()?;
        self.file.preallocate(len)
    }

    fn sync_data(&self) -> Result<(), DiskError> {
        self.disk.count()?;
        if self.disk.plan.lock().is_lying { Ok(()) } else { self.file.sync_data() }
    }
}
