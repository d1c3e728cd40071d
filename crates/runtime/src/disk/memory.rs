//! A disk in memory that forgets what was not synced.

use super::{Disk, DiskError, DiskFile, DiskLock, Open, Operation};
use crate::Rng;
use parking_lot::Mutex;
use rustix::io::Errno;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};

/// What survives a torn write survives in pieces of this size.
const SECTOR: usize = 512;

/// A disk in memory, for tests and simulation. It keeps what was synced apart from what was only written;
/// [`MemoryDisk::power_cut`] drops an arbitrary part of the latter. Clones are handles to the same disk.
///
/// Contents and lengths become durable by [`DiskFile::sync_data`], names (create, rename, remove) by
/// [`Disk::sync_dir`]; unsynced names of a directory survive as a prefix of what was done, as on a journaling
/// file system. Directories themselves are durable at once.
#[derive(Clone, Debug, Default)]
pub struct MemoryDisk(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    dirs: BTreeSet<PathBuf>,
    /// The names as processes see them.
    names: BTreeMap<PathBuf, FileId>,
    /// The names as they are on the medium.
    durable_names: BTreeMap<PathBuf, FileId>,
    /// What was done to names since their directory was synced, oldest first.
    name_changes: Vec<NameChange>,
    files: BTreeMap<FileId, Content>,
    locks: BTreeSet<PathBuf>,
    next_file: u64,
    capacity: Option<u64>,
    failing_syncs: u64,
    failing_writes: u64,
    syncs: u64,
    /// Power cuts so far; a handle opened before the last one is dead.
    cuts: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct FileId(u64);

#[derive(Clone, Debug)]
enum NameChange {
    Link(PathBuf, FileId),
    Unlink(PathBuf),
    Rename(PathBuf, PathBuf),
}

#[derive(Debug, Default)]
struct Content {
    now: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Change>,
}

#[derive(Debug)]
enum Change {
    Write(usize, Vec<u8>),
    Length(usize),
    Reserve(usize),
}

impl MemoryDisk {
    /// An empty disk without a size limit.
    pub fn new() -> Self {
        Self::default()
    }

    /// Loses power: of everything written and not synced an arbitrary part survives, in sectors of 512 bytes
    /// and in any combination. All locks are released; files opened before fail from now on.
    pub fn power_cut(&self, rng: &mut Rng) {
        let mut state = self.0.lock();
        let state = &mut *state;
        state.cuts += 1;
        state.locks.clear();
        let dirs: BTreeSet<PathBuf> = state.name_changes.iter().map(NameChange::dir).collect();
        for dir in dirs {
            let changes: Vec<_> = state.name_changes.iter().filter(|c| c.dir() == dir).cloned().collect();
            let kept = rng.below(changes.len() as u64 + 1) as usize;
            changes[..kept].iter().for_each(|change| change.apply(&mut state.durable_names));
        }
        state.name_changes.clear();
        state.names.clone_from(&state.durable_names);
        let linked: BTreeSet<FileId> = state.names.values().copied().collect();
        state.files.retain(|id, _| linked.contains(id));
        state.files.values_mut().for_each(|content| content.lose_power(rng));
    }

    /// Removes everything in a directory, durably: somebody emptied it while no process ran.
    pub fn wipe(&self, dir: &Path) {
        let mut state = self.0.lock();
        let state = &mut *state;
        let is_inside = |path: &PathBuf| path != dir && path.starts_with(dir);
        state.name_changes.retain(|change| !is_inside(&change.dir()) && change.dir() != dir);
        state.dirs.retain(|path| !is_inside(path));
        state.names.retain(|path, _| !is_inside(path));
        state.durable_names.retain(|path, _| !is_inside(path));
        let linked: BTreeSet<FileId> =
            state.names.values().chain(state.durable_names.values()).copied().collect();
        state.files.retain(|id, _| linked.contains(id));
        state.locks.retain(|path| !is_inside(path));
        state.cuts += 1;
    }

    /// Limits the bytes of all files together; a write beyond it is cut short and fails with
    /// [`DiskError::Full`]. `None` lifts the limit.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.0.lock().capacity = bytes;
    }

    /// Lets the next `count` syncs of files fail with an input/output error.
    pub fn fail_syncs(&self, count: u64) {
        self.0.lock().failing_syncs = count;
    }

    /// Lets the next `count` writes fail with an input/output error.
    pub fn fail_writes(&self, count: u64) {
        self.0.lock().failing_writes = count;
    }

    /// How many syncs of files have succeeded.
    pub fn syncs(&self) -> u64 {
        self.0.lock().syncs
    }

    /// The bytes of all files together.
    pub fn used(&self) -> u64 {
        self.0.lock().used()
    }

    /// Changes a file's content behind everyone's back, durably: decay of the medium.
    pub fn damage(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) -> Result<(), DiskError> {
        let mut state = self.0.lock();
        let id = state.id(path)?;
        let content = state.files.get_mut(&id).expect("every name has a file");
        change(&mut content.now);
        content.durable.clone_from(&content.now);
        content.pending.clear();
        Ok(())
    }
}

impl NameChange {
    fn dir(&self) -> PathBuf {
        let (Self::Link(path, _) | Self::Unlink(path) | Self::Rename(_, path)) = self;
        parent(path)
    }

    fn apply(&self, names: &mut BTreeMap<PathBuf, FileId>) {
        match self {
            Self::Link(path, id) => _ = names.insert(path.clone(), *id),
            Self::Unlink(path) => _ = names.remove(path),
            Self::Rename(from, to) => {
                if let Some(id) = names.remove(from) {
                    names.insert(to.clone(), id);
                }
            }
        }
    }
}

impl Content {
    fn change(&mut self, change: Change) {
        change.apply(&mut self.now);
        self.pending.push(change);
    }

    fn lose_power(&mut self, rng: &mut Rng) {
        for change in self.pending.drain(..) {
            match change {
                Change::Write(offset, data) => {
                    let survivors = sectors(offset, &data).filter(|_| rng.below(2) == 0);
                    survivors.for_each(|(start, piece)| write(&mut self.durable, start, piece));
                }
                other @ (Change::Length(_) | Change::Reserve(_)) => {
                    if rng.below(2) == 0 {
                        other.apply(&mut self.durable);
                    }
                }
            }
        }
        self.now.clone_from(&self.durable);
    }
}

impl Change {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Write(offset, data) => write(content, *offset, data),
            Self::Length(len) => content.resize(*len, 0),
            Self::Reserve(len) => content.resize((*len).max(content.len()), 0),
        }
    }
}

/// The pieces of a write that survive or not, each as a whole.
fn sectors(offset: usize, data: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let rest = data.len() - start;
        let to_boundary = SECTOR - (offset + start) % SECTOR;
        let piece = &data[start..start + rest.min(to_boundary)];
        let at = offset + start;
        start += piece.len();
        (!piece.is_empty()).then_some((at, piece))
    })
}

fn write(content: &mut Vec<u8>, offset: usize, data: &[u8]) {
    let end = offset + data.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[offset..end].copy_from_slice(data);
}

fn parent(path: &Path) -> PathBuf {
    path.parent().unwrap_or(Path::new("")).to_owned()
}

impl State {
    fn id(&self, path: &Path) -> Result<FileId, DiskError> {
        self.names.get(path).copied().ok_or_else(|| DiskError::NotFound { path: path.to_owned() })
    }

    fn used(&self) -> u64 {
        self.names.values().filter_map(|id| self.files.get(id)).map(|file| file.now.len() as u64).sum()
    }

    /// How many bytes a file may have, given what the others use.
    fn room(&self, id: FileId) -> usize {
        let own = self.files.get(&id).map_or(0, |file| file.now.len() as u64);
        let others = self.used() - own.min(self.used());
        self.capacity.map_or(usize::MAX, |capacity| capacity.saturating_sub(others) as usize)
    }

    fn rename_names(&mut self, change: NameChange) {
        change.apply(&mut self.names);
        self.name_changes.push(change);
    }
}

impl Disk for MemoryDisk {
    fn open(&self, path: &Path, how: Open) -> Result<Arc<dyn DiskFile>, DiskError> {
        let mut state = self.0.lock();
        let id = match (state.names.get(path), how) {
            (Some(_), Open::New) => return Err(DiskError::Exists { path: path.to_owned() }),
            (Some(id), _) => *id,
            (None, Open::Read | Open::Existing) => {
                return Err(DiskError::NotFound { path: path.to_owned() });
            }
            (None, Open::OrCreate | Open::New) => {
                if !state.dirs.contains(&parent(path)) {
                    return Err(DiskError::NotFound { path: path.to_owned() });
                }
                let id = FileId(state.next_file);
                state.next_file += 1;
                state.files.insert(id, Content::default());
                state.rename_names(NameChange::Link(path.to_owned(), id));
                id
            }
        };
        let cuts = state.cuts;
        Ok(Arc::new(MemoryFile { disk: self.clone(), id, cuts, path: path.to_owned() }))
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), DiskError> {
        let mut state = self.0.lock();
        state.id(from)?;
        state.rename_names(NameChange::Rename(from.to_owned(), to.to_owned()));
        Ok(())
    }

    fn remove(&self, path: &Path) -> Result<(), DiskError> {
        let mut state = self.0.lock();
        state.id(path)?;
        state.rename_names(NameChange::Unlink(path.to_owned()));
        Ok(())
    }

    fn list(&self, dir: &Path) -> Result<Vec<String>, DiskError> {
        let state = self.0.lock();
        if !state.dirs.contains(dir) {
            return Err(DiskError::NotFound { path: dir.to_owned() });
        }
        let all = state.names.keys().chain(&state.dirs);
        let inside = all.filter(|path| path.parent() == Some(dir)).filter_map(|path| path.file_name());
        let names: BTreeSet<String> = inside.map(|name| name.to_string_lossy().into_owned()).collect();
        Ok(names.into_iter().collect())
    }

    fn exists(&self, path: &Path) -> Result<bool, DiskError> {
        let state = self.0.lock();
        Ok(state.names.contains_key(path) || state.dirs.contains(path))
    }

    fn create_dir(&self, dir: &Path) -> Result<(), DiskError> {
        let mut state = self.0.lock();
        let above = parent(dir);
        if above.parent().is_some() && !state.dirs.contains(&above) {
            return Err(DiskError::NotFound { path: dir.to_owned() });
        }
        if state.dirs.insert(dir.to_owned()) {
            Ok(())
        } else {
            Err(DiskError::Exists { path: dir.to_owned() })
        }
    }

    fn create_dir_all(&self, dir: &Path) -> Result<(), DiskError> {
        let mut state = self.0.lock();
        state.dirs.extend(dir.ancestors().map(Path::to_owned));
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> Result<(), DiskError> {
        let mut state = self.0.lock();
        let state = &mut *state;
        let (durable, later) = state.name_changes.drain(..).partition(|change| change.dir() == dir);
        state.name_changes = later;
        let durable: Vec<NameChange> = durable;
        durable.iter().for_each(|change| change.apply(&mut state.durable_names));
        Ok(())
    }

    fn free_bytes(&self, _dir: &Path) -> Result<u64, DiskError> {
        let state = self.0.lock();
        Ok(state.capacity.map_or(u64::MAX, |capacity| capacity.saturating_sub(state.used())))
    }

    fn total_bytes(&self, _dir: &Path) -> Result<u64, DiskError> {
        Ok(self.0.lock().capacity.unwrap_or(u64::MAX))
    }

    fn lock_exclusive(&self, path: &Path) -> Result<DiskLock, DiskError> {
        self.open(path, Open::OrCreate)?;
        let mut state = self.0.lock();
        if !state.locks.insert(path.to_owned()) {
            return Err(DiskError::Locked { path: path.to_owned() });
        }
        Ok(DiskLock::new(Held { disk: self.clone(), path: path.to_owned(), cuts: state.cuts }))
    }
}

struct Held {
    disk: MemoryDisk,
    path: PathBuf,
    cuts: u64,
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut state = self.disk.0.lock();
        if state.cuts == self.cuts {
            state.locks.remove(&self.path);
        }
    }
}

#[derive(Debug)]
struct MemoryFile {
    disk: MemoryDisk,
    id: FileId,
    cuts: u64,
    path: PathBuf,
}

impl MemoryFile {
    fn failed(&self, operation: Operation, errno: Errno) -> DiskError {
        DiskError::from_io(operation, &self.path, errno.into())
    }

    fn with<T>(
        &self,
        operation: Operation,
        act: impl FnOnce(&mut State, FileId) -> Result<T, DiskError>,
    ) -> Result<T, DiskError> {
        let mut state = self.disk.0.lock();
        if state.cuts != self.cuts || !state.files.contains_key(&self.id) {
            return Err(self.failed(operation, Errno::IO));
        }
        act(&mut state, self.id)
    }

    /// Makes a change, or as much of it as there is room for.
    fn change(&self, change: Change) -> Result<(), DiskError> {
        self.with(Operation::Write, |state, id| {
            if state.failing_writes > 0 {
                state.failing_writes -= 1;
                return Err(self.failed(Operation::Write, Errno::IO));
            }
            let room = state.room(id);
            let file = state.files.get_mut(&id).expect("checked by `with`");
            let end = match &change {
                Change::Write(offset, data) => offset + data.len(),
                Change::Length(len) | Change::Reserve(len) => *len,
            };
            if end <= room.max(file.now.len()) {
                file.change(change);
                return Ok(());
            }
            if let Change::Write(offset, mut data) = change {
                data.truncate(room.max(file.now.len()).saturating_sub(offset));
                if !data.is_empty() {
                    file.change(Change::Write(offset, data));
                }
            }
            Err(self.failed(Operation::Write, Errno::NOSPC))
        })
    }
}

impl DiskFile for MemoryFile {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, DiskError> {
        self.with(Operation::Read, |state, id| {
            let content = &state.files.get(&id).expect("checked by `with`").now;
            let from = content.get(offset as usize..).unwrap_or_default();
            let count = from.len().min(buffer.len());
            buffer[..count].copy_from_slice(&from[..count]);
            Ok(count)
        })
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> Result<(), DiskError> {
        self.change(Change::Write(offset as usize, data.to_owned()))
    }

    fn len(&self) -> Result<u64, DiskError> {
        self.with(Operation::Read, |state, id| {
            Ok(state.files.get(&id).expect("checked by `with`").now.len() as u64)
        })
    }

    fn set_len(&self, len: u64) -> Result<(), DiskError> {
        self.change(Change::Length(len as usize))
    }

    fn preallocate(&self, len: u64) -> Result<(), DiskError> {
        self.change(Change::Reserve(len as usize))
    }

    fn sync_data(&self) -> Result<(), DiskError> {
        self.with(Operation::Sync, |state, id| {
            if state.failing_syncs > 0 {
                state.failing_syncs -= 1;
                return Err(self.failed(Operation::Sync, Errno::IO));
            }
            state.syncs += 1;
            let file = state.files.get_mut(&id).expect("checked by `with`");
            for change in file.pending.drain(..) {
                change.apply(&mut file.durable);
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests;
