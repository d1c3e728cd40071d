//! Snapshot files: all rows of the state and the marker they belong to, in a format of our own.

use crate::state::{Export, StateError};
use bytes::Bytes;
use muster_model::Row;
use muster_runtime::disk::{Disk, DiskError};
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

/// The snapshot files of one directory.
#[derive(Clone, Debug)]
pub struct Snapshots {}

impl Snapshots {
    /// The snapshots in a directory that exists. Unfinished files of an earlier process are removed.
    pub fn open(disk: Arc<dyn Disk>, dir: &Path) -> Result<Self, SnapshotError> {
        unimplemented!()
    }

    /// Those whose header is whole, newest first.
    pub fn list(&self) -> Result<Vec<Snapshot>, SnapshotError> {
        unimplemented!()
    }

    /// Writes a view of the state to a new file, durably.
    pub fn write(&self, export: Export) -> Result<Snapshot, SnapshotError> {
        unimplemented!()
    }

    /// Takes a snapshot from a stream (another node's, a backup), verifies it and keeps it, durably.
    pub fn receive(&self, from: &mut dyn Read) -> Result<Snapshot, SnapshotError> {
        unimplemented!()
    }

    /// The bytes of a snapshot file, to be sent as they are.
    pub fn open_stream(&self, snapshot: &Snapshot) -> Result<Box<dyn Read + Send>, SnapshotError> {
        unimplemented!()
    }

    /// The rows of a snapshot file, verified while they are read: the last item is an error unless the file was
    /// whole, so import them in one transaction.
    pub fn rows(&self, snapshot: &Snapshot) -> Result<SnapshotRows, SnapshotError> {
        unimplemented!()
    }

    /// Reads a whole snapshot file and says how many rows it has.
    pub fn verify(&self, snapshot: &Snapshot) -> Result<u64, SnapshotError> {
        unimplemented!()
    }

    /// Removes all but the newest `keep`.
    pub fn retain(&self, keep: usize) -> Result<(), SnapshotError> {
        unimplemented!()
    }
}

/// The rows of a snapshot, for [`crate::state::StateStore::import`].
pub struct SnapshotRows {}

impl Iterator for SnapshotRows {
    type Item = Result<Row, StateError>;

    fn next(&mut self) -> Option<Self::Item> {
        unimplemented!()
    }
}

/// Writes a view of the state to a stream, as `muster backup` does. How many rows there were.
pub fn write_to(export: Export, out: &mut dyn Write) -> Result<u64, SnapshotError> {
    unimplemented!()
}
