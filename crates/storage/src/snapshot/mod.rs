//! Snapshot files: all rows of the state and the marker they belong to, in a format of our own.

mod format;
mod incoming;

pub use incoming::{Incoming, Outgoing};

use crate::{
    state::{Export, StateError},
    stream::{FileReader, FileWriter, Tee},
};
use bytes::Bytes;
use format::Chunked;
use muster_model::Row;
use muster_runtime::disk::{Disk, DiskError, Open, beside};
use std::{
    io::{Read, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

/// A failed call on snapshots.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The disk is full; repeat the call when there is space.
    #[error("the snapshot can't be written: {0}")]
    Full(#[source] DiskError),
    /// The disk failed.
    #[error("the disk of the snapshots failed: {0}")]
    Failed(#[source] DiskError),
    /// Reading or writing the stream failed (not a file of ours: a connection, a backup file).
    #[error("the snapshot stream broke: {0}")]
    Stream(#[from] std::io::Error),
    /// The content is damaged or cut: use another snapshot.
    #[error("the snapshot is damaged: {0}")]
    Damaged(&'static str),
    /// A newer version of Muster wrote it.
    #[error(
        "the snapshot has format version {found}, and this version of muster reads up to {}: use a newer muster",
        crate::FORMAT_VERSION
    )]
    NewerFormat {
        /// Its version.
        found: u8,
    },
    /// The state it is made of, or brought to, failed.
    #[error(transparent)]
    State(#[from] StateError),
}

/// A snapshot file of this node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The file.
    pub path: PathBuf,
    /// The marker of its rows, opaque here.
    pub applied: Bytes,
    /// Its size.
    pub bytes: u64,
}

/// The snapshot files of one directory. They are numbered; a file has its name only once it is whole and synced.
#[derive(Clone, Debug)]
pub struct Snapshots {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
}

const SUFFIX: &str = ".snapshot";
const UNFINISHED: &str = ".new";

impl Snapshots {
    /// The snapshots in a directory that exists. Unfinished files of an earlier process are removed.
    pub fn open(disk: Arc<dyn Disk>, dir: &Path) -> Result<Self, SnapshotError> {
        let snapshots = Self { disk, dir: dir.to_owned() };
        for name in snapshots.disk.list(dir)? {
            if name.ends_with(UNFINISHED) {
                snapshots.disk.remove(&dir.join(name))?;
            }
        }
        Ok(snapshots)
    }

    /// Those whose header is whole, newest first; one whose header is not is logged and left out.
    pub fn list(&self) -> Result<Vec<Snapshot>, SnapshotError> {
        let mut snapshots = Vec::new();
        for path in self.files()?.into_iter().rev() {
            let mut reader = FileReader::open(&*self.disk, &path)?;
            match format::read_header(&mut reader) {
                Ok((applied, _)) => snapshots.push(Snapshot { path, applied, bytes: reader.size()? }),
                Err(SnapshotError::Damaged(problem)) => {
                    tracing::warn!(path = %path.display(), problem, "snapshot is unusable");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(snapshots)
    }

    /// Whether there is no file, not even a damaged one.
    pub fn is_empty(&self) -> Result<bool, SnapshotError> {
        Ok(self.files()?.is_empty())
    }

    /// Writes a view of the state to a new file, durably.
    pub fn write(&self, export: Export) -> Result<Snapshot, SnapshotError> {
        let applied = export.applied.clone().unwrap_or_default();
        self.keep(applied, |out| format::write(export, out).map(|_| ()))
    }

    /// Takes a snapshot from a stream (another node's, a backup), verifies it and keeps it, durably.
    pub fn receive(&self, from: &mut dyn Read) -> Result<Snapshot, SnapshotError> {
        let mut applied = Bytes::new();
        let mut snapshot = self.keep(Bytes::new(), |out| {
            let mut tee = Tee { from, to: out };
            let (marker, seed) = format::read_header(&mut tee)?;
            applied = marker;
            let mut chunks = Chunked::new(tee, seed);
            while chunks.next()?.is_some() {}
            Ok(())
        })?;
        snapshot.applied = applied;
        Ok(snapshot)
    }

    /// The bytes of a snapshot file, to be sent as they are.
    pub fn open_stream(&self, snapshot: &Snapshot) -> Result<Box<dyn Read + Send>, SnapshotError> {
        Ok(Box::new(FileReader::open(&*self.disk, &snapshot.path)?))
    }

    /// The rows of a snapshot file, verified while they are read: the last item is an error unless the file was
    /// whole, so import them in one transaction.
    pub fn rows(&self, snapshot: &Snapshot) -> Result<SnapshotRows, SnapshotError> {
        let mut reader = FileReader::open(&*self.disk, &snapshot.path)?;
        let (_, seed) = format::read_header(&mut reader)?;
        Ok(SnapshotRows { chunks: Chunked::new(reader, seed), page: Vec::new().into_iter(), over: false })
    }

    /// Reads a whole snapshot file and says how many rows it has.
    pub fn verify(&self, snapshot: &Snapshot) -> Result<u64, SnapshotError> {
        let mut rows = self.rows(snapshot)?;
        while rows.chunks.next()?.is_some() {}
        Ok(rows.chunks.total())
    }

    /// Removes all but the newest `keep`.
    pub fn retain(&self, keep: usize) -> Result<(), SnapshotError> {
        let files = self.files()?;
        for path in &files[..files.len().saturating_sub(keep)] {
            self.disk.remove(path)?;
        }
        Ok(self.disk.sync_dir(&self.dir)?)
    }

    /// The files, oldest first.
    fn files(&self) -> Result<Vec<PathBuf>, SnapshotError> {
        let names = self.disk.list(&self.dir)?;
        Ok(names.iter().filter(|name| parse(name).is_some()).map(|name| self.dir.join(name)).collect())
    }

    /// The path of the next snapshot.
    fn next_path(&self) -> Result<PathBuf, SnapshotError> {
        let last = self.disk.list(&self.dir)?.iter().filter_map(|name| parse(name)).max();
        Ok(self.dir.join(format!("{:010}{SUFFIX}", last.unwrap_or(0) + 1)))
    }

    /// Writes a new file and gives it its name; a failed one is removed.
    fn keep(
        &self,
        applied: Bytes,
        write: impl FnOnce(&mut dyn Write) -> Result<(), SnapshotError>,
    ) -> Result<Snapshot, SnapshotError> {
        let path = self.next_path()?;
        let unfinished = beside(&path, UNFINISHED);
        let written = self.write_file(&unfinished, write);
        let bytes = match written {
            Ok(bytes) => bytes,
            Err(error) => {
                if let Err(error) = self.disk.remove(&unfinished) {
                    tracing::debug!(%error, "remove unfinished snapshot");
                }
                return Err(error);
            }
        };
        self.disk.rename(&unfinished, &path)?;
        self.disk.sync_dir(&self.dir)?;
        Ok(Snapshot { path, applied, bytes })
    }

    fn write_file(
        &self,
        path: &Path,
        write: impl FnOnce(&mut dyn Write) -> Result<(), SnapshotError>,
    ) -> Result<u64, SnapshotError> {
        let file = self.disk.open(path, Open::OrCreate)?;
        file.set_len(0)?;
        let mut out = FileWriter::new(file);
        let written = write(&mut out).and_then(|()| Ok(out.flush()?));
        // A failed write of ours comes back through the stream: say what it was.
        if let Some(error) = out.failure() {
            return Err(error.into());
        }
        written?;
        Ok(out.sync()?)
    }
}

impl From<DiskError> for SnapshotError {
    fn from(error: DiskError) -> Self {
        if error.is_full() { Self::Full(error) } else { Self::Failed(error) }
    }
}

impl SnapshotError {
    /// Whether the call may be repeated when there is space.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Full(_)) || matches!(self, Self::State(error) if error.is_full())
    }
}

fn parse(name: &str) -> Option<u64> {
    name.strip_suffix(SUFFIX).filter(|digits| digits.len() == 10)?.parse().ok()
}

/// The rows of a snapshot, for [`crate::state::StateStore::import`].
pub struct SnapshotRows {
    chunks: Chunked<FileReader>,
    page: std::vec::IntoIter<Row>,
    over: bool,
}

impl Iterator for SnapshotRows {
    type Item = Result<Row, StateError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(row) = self.page.next() {
                return Some(Ok(row));
            }
            if self.over {
                return None;
            }
            match self.chunks.next() {
                Ok(Some(page)) => self.page = page.into_iter(),
                Ok(None) => self.over = true,
                Err(error) => {
                    self.over = true;
                    return Some(Err(StateError::Damaged(error.to_string())));
                }
            }
        }
    }
}

/// Writes a view of the state to a stream, as `muster backup` does. How many rows there were.
pub fn write_to(export: Export, out: &mut dyn Write) -> Result<u64, SnapshotError> {
    format::write(export, out)
}

/// Reads a whole stream that [`write_to`] wrote and says how many rows it has; damaged or cut, it is an error.
pub fn verify_stream(from: &mut dyn Read) -> Result<u64, SnapshotError> {
    let (_, seed) = format::read_header(from)?;
    let mut chunks = Chunked::new(from, seed);
    while chunks.next()?.is_some() {}
    Ok(chunks.total())
}

#[cfg(test)]
mod tests;
