//! The replicated log on this node's disk: what was acknowledged is here.
//!
//! Entries are records in segment files (`record` has the layout), every record checksummed. An append is one
//! write and one `fdatasync`; segments are preallocated with zeros, so that an append changes no file size.
//! On opening, a bad record that has a valid one of a later append after it, anywhere in the log, is
//! corruption, and the log is refused; a bad record with nothing after it is a torn tail: it is cut and reported. The records of one append are made durable together, so a bad record followed
//! only by others of the same append is torn, too.

mod double;
mod error;
mod marks;
mod reader;
mod record;
mod recover;
mod segment;

pub use error::{Corruption, LogError};
pub use reader::LogReader;
pub use recover::{Cut, Recovery};

use bytes::Bytes;
use muster_runtime::{Rng, disk::Disk};
use std::{path::Path, sync::Arc};

/// Identifies an entry: its place, and the term and leader it was proposed under.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId {
    /// The place in the log; the first entry is 0.
    pub index: u64,
    /// The term of the leader that proposed it.
    pub term: u64,
    /// That leader.
    pub node: u64,
}

/// One entry of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The place in the log; the first entry is 0.
    pub index: u64,
    /// The term of the leader that proposed it.
    pub term: u64,
    /// That leader.
    pub node: u64,
    /// The content, opaque here; it may be empty.
    pub payload: Bytes,
}

impl Entry {
    /// What identifies it.
    pub fn id(&self) -> EntryId {
        EntryId { index: self.index, term: self.term, node: self.node }
    }
}

/// For whom this node has voted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Vote {
    /// The term.
    pub term: u64,
    /// The candidate.
    pub node: u64,
    /// Whether a majority has granted it, so that it is the leader.
    pub committed: bool,
}

/// How a log is kept.
#[derive(Clone, Debug)]
pub struct LogSettings {
    /// Size of a segment file (16 MiB); a larger append gets a segment of its own.
    pub segment_bytes: u64,
    /// Draws the number that ties records to their log.
    pub rng: Rng,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self { segment_bytes: 16 << 20, rng: Rng::from_system() }
    }
}

/// The log, and its only writer. Reading goes on beside it through [`Log::reader`].
///
/// After [`LogError::Full`] the log is as before the call, and the call may be repeated. After
/// [`LogError::Failed`] nothing is known about what is on the disk: every further write is refused, and the
/// process must stop.
#[derive(Debug)]
pub struct Log {}

impl Log {
    /// Opens the log in a directory that exists, or begins one there.
    pub fn open(
        disk: Arc<dyn Disk>,
        dir: &Path,
        settings: LogSettings,
    ) -> Result<(Self, Recovery), LogError> {
        unimplemented!()
    }

    /// Adds entries after the last one; they are durable when it returns. Terms never fall.
    pub fn append(&mut self, entries: &[Entry]) -> Result<(), LogError> {
        unimplemented!()
    }

    /// Removes the entries from an index on, durably.
    pub fn truncate_from(&mut self, index: u64) -> Result<(), LogError> {
        unimplemented!()
    }

    /// Forgets the entries up to and including one, durably: a snapshot covers them. It may lie beyond the last
    /// entry; the log is empty then and goes on after it.
    pub fn purge_to(&mut self, id: EntryId) -> Result<(), LogError> {
        unimplemented!()
    }

    /// Stores the vote, durably.
    pub fn save_vote(&mut self, vote: Vote) -> Result<(), LogError> {
        unimplemented!()
    }

    /// The stored vote.
    pub fn vote(&self) -> Option<Vote> {
        unimplemented!()
    }

    /// Notes how far the log is known to be committed. It survives the end of the process but is not synced: a
    /// power cut may turn it back. On opening it tells a damaged entry from a torn one.
    pub fn save_committed(&mut self, committed: Option<EntryId>) -> Result<(), LogError> {
        unimplemented!()
    }

    /// What was noted last.
    pub fn committed(&self) -> Option<EntryId> {
        unimplemented!()
    }

    /// A handle for reading.
    pub fn reader(&self) -> LogReader {
        unimplemented!()
    }

    /// The last purged entry.
    pub fn purged(&self) -> Option<EntryId> {
        unimplemented!()
    }

    /// The index of the first entry.
    pub fn first(&self) -> Option<u64> {
        unimplemented!()
    }

    /// The last entry, or the last purged one if there is none.
    pub fn last(&self) -> Option<EntryId> {
        unimplemented!()
    }

    /// Bytes of the entries in the log, with their headers: what a restart has to read.
    pub fn bytes(&self) -> u64 {
        unimplemented!()
    }
}
