//! The flight recorder: who changed which instance, and why.
//!
//! Records go through a bounded queue to the journal's own task, which writes them in blocks of at most
//! [`JournalSettings::flush_interval`] to segment files; they are not synced. When the queue is full they are dropped
//! and counted. The oldest segments go when all together exceed [`JournalSettings::bytes_max`].

use muster_model::{Change, Timestamp};
use muster_runtime::disk::{Disk, DiskError};
use std::{future::Future, path::Path, sync::Arc, time::Duration};

/// How the journal is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalSettings {
    /// All segments together (`journal_bytes_max`, 256 MiB); beyond it the oldest are removed.
    pub bytes_max: u64,
    /// Records waiting to be written (32,768); beyond it new ones are dropped and counted.
    pub queue_max: usize,
    /// Longest wait before a record is written (500 ms; at most 1 s).
    pub flush_interval: Duration,
}

impl Default for JournalSettings {
    fn default() -> Self {
        Self { bytes_max: 256 << 20, queue_max: 32_768, flush_interval: Duration::from_millis(500) }
    }
}

/// Which records are asked for; an empty filter means all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JournalFilter {
    /// Only this namespace.
    pub namespace: Option<String>,
    /// Only this group.
    pub group: Option<String>,
    /// Only this service.
    pub service: Option<String>,
    /// Only this instance (`ip:port@cluster`, or a prefix of it).
    pub instance: Option<String>,
    /// Only what happened at this time or later.
    pub since: Option<Timestamp>,
    /// At most so many, the newest; 0 means 1,000.
    pub limit: usize,
}

/// The answer of a query.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// The records, newest first.
    pub changes: Vec<Change>,
    /// Records that were dropped in the time that was searched, because the queue or the disk was full. Any of
    /// them could have matched.
    pub dropped: u64,
    /// Blocks that could not be read (torn by a crash, or damaged).
    pub damaged_blocks: u64,
    /// The time of the oldest record that is kept, or that was searched.
    pub oldest: Option<Timestamp>,
}

/// The handle of the journal; clones are the same one.
#[derive(Clone, Debug)]
pub struct Journal {}

/// The task that writes the journal.
#[derive(Debug)]
pub struct JournalTask {}

impl Journal {
    /// Opens the journal in a directory, which is created if need be. Nothing is written before the task runs:
    /// `tasks.spawn("journal", task.run(tasks.stopping().cancelled_owned()))`.
    pub fn open(
        disk: Arc<dyn Disk>,
        dir: &Path,
        settings: JournalSettings,
    ) -> Result<(Self, JournalTask), DiskError> {
        unimplemented!()
    }

    /// Queues a record; it never waits. A full queue drops it.
    pub fn record(&self, change: Change) {
        unimplemented!()
    }

    /// Queues records under one lock.
    pub fn record_all(&self, changes: impl IntoIterator<Item = Change>) {
        unimplemented!()
    }

    /// Searches, newest first, also what is still queued. It reads files: call it on a blocking thread.
    pub fn query(&self, filter: &JournalFilter) -> Result<History, DiskError> {
        unimplemented!()
    }

    /// Writes what is queued. Blocks on the disk.
    pub fn flush(&self) {
        unimplemented!()
    }

    /// Records dropped since the start.
    pub fn dropped(&self) -> u64 {
        unimplemented!()
    }
}

impl JournalTask {
    /// Writes what is recorded until `stop` is ready, then what is left.
    pub async fn run(self, stop: impl Future<Output = ()> + Send) {
        unimplemented!()
    }
}
