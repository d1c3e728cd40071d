//! A snapshot that comes piece by piece, and may go on after the link broke.

use super::{Chunked, Snapshot, SnapshotError, Snapshots, UNFINISHED, format};
use crate::stream::FileReader;
use muster_runtime::disk::{DiskFile, Open};
use std::{path::PathBuf, sync::Arc};

/// How the file of a snapshot that is being received begins.
const PREFIX: &str = "incoming-";

/// A snapshot of which a beginning is here. It does not survive a start: [`Snapshots::open`] removes it.
pub struct Incoming {
    snapshots: Snapshots,
    path: PathBuf,
    file: Arc<dyn DiskFile>,
    len: u64,
}

impl Snapshots {
    /// Goes on with a snapshot of that name, or begins it; what is there of others is removed. Names are letters, digits
    /// and hyphens; whoever gives one sees to it that the same name is the same content.
    pub fn incoming(&self, name: &str) -> Result<Incoming, SnapshotError> {
        let own = format!("{PREFIX}{name}{UNFINISHED}");
        for other in self.disk.list(&self.dir)? {
            if other.starts_with(PREFIX) && other != own {
                self.disk.remove(&self.dir.join(other))?;
            }
        }
        let path = self.dir.join(own);
        let file = self.disk.open(&path, Open::OrCreate)?;
        let len = file.len()?;
        Ok(Incoming { snapshots: self.clone(), path, file, len })
    }

    /// Removes a snapshot file.
    pub fn remove(&self, snapshot: &Snapshot) -> Result<(), SnapshotError> {
        self.disk.remove(&snapshot.path)?;
        Ok(self.disk.sync_dir(&self.dir)?)
    }

    /// Opens a snapshot file, to be sent as it is. It stays readable when a newer one replaces it.
    pub fn outgoing(&self, snapshot: &Snapshot) -> Result<Outgoing, SnapshotError> {
        Ok(Outgoing(self.disk.open(&snapshot.path, Open::Read)?))
    }
}

/// A snapshot that is sent piece by piece.
#[derive(Clone)]
pub struct Outgoing(Arc<dyn DiskFile>);

impl Outgoing {
    /// So many bytes from an offset on; fewer only at the end.
    pub fn part(&self, offset: u64, bytes: usize) -> Result<Vec<u8>, SnapshotError> {
        let mut part = vec![0; bytes];
        let count = self.0.read_at(offset, &mut part)?;
        part.truncate(count);
        Ok(part)
    }
}

impl Incoming {
    /// How many bytes are here.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there is none yet.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds the next bytes.
    pub fn append(&mut self, part: &[u8]) -> Result<(), SnapshotError> {
        self.file.write_at(self.len, part)?;
        self.len += part.len() as u64;
        Ok(())
    }

    /// Everything is here: verifies it and keeps it as a snapshot, durably. If it is damaged it is thrown away.
    pub fn finish(self) -> Result<Snapshot, SnapshotError> {
        let Self { snapshots, path, file, len } = self;
        file.sync_data()?;
        let verified = (|| {
            let mut reader = FileReader::open(&*snapshots.disk, &path)?;
            let (applied, seed) = format::read_header(&mut reader)?;
            let mut chunks = Chunked::new(reader, seed);
            while chunks.next()?.is_some() {}
            Ok(applied)
        })();
        match verified {
            Ok(applied) => {
                let kept = snapshots.next_path()?;
                snapshots.disk.rename(&path, &kept)?;
                snapshots.disk.sync_dir(&snapshots.dir)?;
                Ok(Snapshot { path: kept, applied, bytes: len })
            }
            Err(error) => {
                snapshots.disk.remove(&path)?;
                Err(error)
            }
        }
    }
}
