//! The file system of this machine.

use super::{Disk, DiskError, DiskFile, DiskLock, Open, Operation};
use rustix::{
    fs::{FallocateFlags, fallocate, statvfs},
    io::Errno,
};
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
};

/// The file system of this machine. Files and directories it creates are for their owner only.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn open(&self, path: &Path, how: Open) -> Result<Arc<dyn DiskFile>, DiskError> {
        let mut options = OpenOptions::new();
        options.read(true).mode(0o600);
        match how {
            Open::Read => {}
            Open::Existing => _ = options.write(true),
            Open::OrCreate => _ = options.write(true).create(true),
            Open::New => _ = options.write(true).create_new(true),
        }
        let file = options.open(path).map_err(|e| DiskError::from_io(Operation::Open, path, e))?;
        Ok(Arc::new(RealFile { file, path: path.to_owned() }))
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), DiskError> {
        fs::rename(from, to).map_err(|e| DiskError::from_io(Operation::Directory, from, e))
    }

    fn remove(&self, path: &Path) -> Result<(), DiskError> {
        fs::remove_file(path).map_err(|e| DiskError::from_io(Operation::Directory, path, e))
    }

    fn list(&self, dir: &Path) -> Result<Vec<String>, DiskError> {
        let failed = |e| DiskError::from_io(Operation::Directory, dir, e);
        let mut names = Vec::new();
        for entry in fs::read_dir(dir).map_err(failed)? {
            names.push(entry.map_err(failed)?.file_name().to_string_lossy().into_owned());
        }
        names.sort_unstable();
        Ok(names)
    }

    fn exists(&self, path: &Path) -> Result<bool, DiskError> {
        path.try_exists().map_err(|e| DiskError::from_io(Operation::Open, path, e))
    }

    fn create_dir(&self, dir: &Path) -> Result<(), DiskError> {
        let made = fs::DirBuilder::new().mode(0o700).create(dir);
        made.map_err(|e| DiskError::from_io(Operation::Directory, dir, e))
    }

    fn create_dir_all(&self, dir: &Path) -> Result<(), DiskError> {
        let made = fs::DirBuilder::new().mode(0o700).recursive(true).create(dir);
        made.map_err(|e| DiskError::from_io(Operation::Directory, dir, e))
    }

    fn sync_dir(&self, dir: &Path) -> Result<(), DiskError> {
        let handle = File::open(dir).map_err(|e| DiskError::from_io(Operation::Directory, dir, e))?;
        handle.sync_all().map_err(|e| DiskError::from_io(Operation::Sync, dir, e))
    }

    fn free_bytes(&self, dir: &Path) -> Result<u64, DiskError> {
        let stat = statvfs(dir).map_err(|e| DiskError::from_io(Operation::Read, dir, e.into()))?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    fn total_bytes(&self, dir: &Path) -> Result<u64, DiskError> {
        let stat = statvfs(dir).map_err(|e| DiskError::from_io(Operation::Read, dir, e.into()))?;
        let used = stat.f_blocks.saturating_sub(stat.f_bfree);
        Ok(used.saturating_add(stat.f_bavail).saturating_mul(stat.f_frsize))
    }

    fn lock_exclusive(&self, path: &Path) -> Result<DiskLock, DiskError> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut file = options.open(path).map_err(|e| DiskError::from_io(Operation::Open, path, e))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(DiskError::Locked { path: path.to_owned() }),
            Err(TryLockError::Error(e)) => return Err(DiskError::from_io(Operation::Lock, path, e)),
        }
        // The process id is only for people who look, so a full disk must not keep us from locking.
        let noted = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
        if let Err(error) = noted {
            tracing::debug!(%error, "write process id to lock file");
        }
        Ok(DiskLock::new(file))
    }
}

#[derive(Debug)]
struct RealFile {
    file: File,
    path: PathBuf,
}

impl RealFile {
    fn failed(&self, operation: Operation) -> impl FnOnce(io::Error) -> DiskError + '_ {
        move |error| DiskError::from_io(operation, &self.path, error)
    }
}

impl DiskFile for RealFile {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, DiskError> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.file.read_at(&mut buffer[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.failed(Operation::Read)(error)),
            }
        }
        Ok(filled)
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> Result<(), DiskError> {
        self.file.write_all_at(data, offset).map_err(self.failed(Operation::Write))
    }

    fn len(&self) -> Result<u64, DiskError> {
        Ok(self.file.metadata().map_err(self.failed(Operation::Read))?.len())
    }

    fn set_len(&self, len: u64) -> Result<(), DiskError> {
        self.file.set_len(len).map_err(self.failed(Operation::Write))
    }

    fn preallocate(&self, len: u64) -> Result<(), DiskError> {
        if self.len()? >= len {
            return Ok(());
        }
        match fallocate(&self.file, FallocateFlags::empty(), 0, len) {
            Ok(()) => Ok(()),
            // A file system without the call: the length alone, space is found at the write.
            Err(Errno::OPNOTSUPP | Errno::NOSYS) => self.set_len(len),
            Err(errno) => Err(self.failed(Operation::Write)(errno.into())),
        }
    }

    fn sync_data(&self) -> Result<(), DiskError> {
        self.file.sync_data().map_err(self.failed(Operation::Sync))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_space_reads_as_zeros_and_is_never_shortened() {
        let dir = tempfile::tempdir().unwrap();
        let file = RealDisk.open(&dir.path().join("a"), Open::New).unwrap();
        file.write_at(2, b"xy").unwrap();
        file.preallocate(8_192).unwrap();
        file.preallocate(10).unwrap();
        let mut content = vec![1; 10_000];
        assert_eq!(file.read_at(0, &mut content).unwrap(), 8_192);
        assert_eq!(content[..5], *b"\0\0xy\0");
        file.sync_data().unwrap();
        RealDisk.sync_dir(dir.path()).unwrap();
        assert!(RealDisk.free_bytes(dir.path()).unwrap() > 0);
    }

    #[test]
    fn a_lock_is_exclusive_and_names_its_process() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("LOCK");
        let lock = RealDisk.lock_exclusive(&path).unwrap();
        assert!(matches!(RealDisk.lock_exclusive(&path), Err(DiskError::Locked { .. })));
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{}\n", std::process::id()));
        drop(lock);
        RealDisk.lock_exclusive(&path).unwrap();
    }

    #[test]
    fn errors_say_what_can_be_done() {
        let missing = RealDisk.open(Path::new("/nonexistent/a"), Open::OrCreate).unwrap_err();
        assert!(missing.is_not_found());
        let full = DiskError::from_io(Operation::Write, Path::new("a"), Errno::NOSPC.into());
        assert!(full.is_full());
        let sync = DiskError::from_io(Operation::Sync, Path::new("a"), Errno::NOSPC.into());
        assert!(matches!(sync, DiskError::Failed { .. }));
    }
}
