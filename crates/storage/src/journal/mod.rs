//! The flight recorder: who changed which instance, and why.
//!
//! Records go through a bounded queue to the journal's own task, which writes them in blocks of at most
//! [`JournalSettings::flush_interval`] to segment files; they are not synced. When the queue is full they are dropped
//! and counted. The oldest segments go when all together exceed [`JournalSettings::bytes_max`].

mod block;
mod codec;
mod query;
mod sink;

use muster_model::{Change, Timestamp};
use muster_runtime::disk::{Disk, DiskError};
use parking_lot::Mutex;
use sink::Sink;
use std::{
    future::Future,
    path::{Path, PathBuf},
    pin::pin,
    sync::Arc,
    time::Duration,
};
use tokio::sync::Notify;

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
pub struct Journal(Arc<Shared>);

/// Lock order: `sink` before `queue`. Whoever records takes `queue` only, and nobody holds that for longer than
/// a push or a swap.
#[derive(Debug)]
struct Shared {
    dir: PathBuf,
    disk: Arc<dyn Disk>,
    settings: JournalSettings,
    queue: Mutex<Queue>,
    sink: Mutex<Sink>,
    /// There is something to write.
    some: Notify,
    /// It should be written now.
    much: Notify,
}

/// What waits to be written. When it is full, new records are dropped and counted.
#[derive(Debug, Default)]
struct Queue {
    records: Vec<Change>,
    /// Dropped since the queue was emptied last.
    dropped: u64,
    /// Dropped since the start.
    dropped_ever: u64,
}

/// The task that writes the journal.
#[derive(Debug)]
pub struct JournalTask(Journal);

impl Journal {
    /// Opens the journal in a directory, which is created if need be. Nothing is written before the task runs:
    /// `tasks.spawn("journal", task.run(tasks.stopping().cancelled_owned()))`.
    pub fn open(
        disk: Arc<dyn Disk>,
        dir: &Path,
        settings: JournalSettings,
    ) -> Result<(Self, JournalTask), DiskError> {
        disk.create_dir_all(dir)?;
        let sink = Sink::open(disk.clone(), dir, settings.bytes_max)?;
        let journal = Self(Arc::new(Shared {
            dir: dir.to_owned(),
            disk,
            settings,
            queue: Mutex::default(),
            sink: Mutex::new(sink),
            some: Notify::new(),
            much: Notify::new(),
        }));
        Ok((journal.clone(), JournalTask(journal)))
    }

    /// Queues a record; it never waits for the disk. A full queue drops it.
    pub fn record(&self, change: Change) {
        self.record_all([change]);
    }

    /// Queues records under one lock.
    pub fn record_all(&self, changes: impl IntoIterator<Item = Change>) {
        let max = self.0.settings.queue_max;
        let mut queue = self.0.queue.lock();
        let before = queue.records.len();
        for change in changes {
            if queue.records.len() < max {
                queue.records.push(change);
            } else {
                queue.dropped += 1;
                queue.dropped_ever += 1;
            }
        }
        let after = queue.records.len();
        drop(queue);
        if before == 0 && after > 0 {
            self.0.some.notify_one();
        }
        if before < max / 2 && after >= max / 2 {
            self.0.much.notify_one();
        }
    }

    /// Searches, newest first, also what is still queued. It reads files: call it on a blocking thread.
    pub fn query(&self, filter: &JournalFilter) -> Result<History, DiskError> {
        let mut sink = self.0.sink.lock();
        self.drain(&mut sink);
        query::run(&*self.0.disk, &self.0.dir, &sink.files(), filter, sink.lost())
    }

    /// Writes what is queued. Blocks on the disk.
    pub fn flush(&self) {
        self.drain(&mut self.0.sink.lock());
    }

    /// Records dropped since the start.
    pub fn dropped(&self) -> u64 {
        let lost = self.0.sink.lock().lost_ever();
        self.0.queue.lock().dropped_ever + lost
    }

    fn drain(&self, sink: &mut Sink) {
        let mut records = sink.take_spare();
        let dropped = {
            let mut queue = self.0.queue.lock();
            std::mem::swap(&mut queue.records, &mut records);
            std::mem::take(&mut queue.dropped)
        };
        sink.write(records, dropped);
    }
}

impl JournalTask {
    /// Writes what is recorded until `stop` is ready, then what is left.
    pub async fn run(self, stop: impl Future<Output = ()> + Send) {
        let mut stop = pin!(stop);
        let shared = &self.0.0;
        loop {
            tokio::select! {
                biased;
                () = &mut stop => break,
                () = shared.some.notified() => {}
            }
            tokio::select! {
                biased;
                () = &mut stop => break,
                () = shared.much.notified() => {}
                () = tokio::time::sleep(shared.settings.flush_interval) => {}
            }
            self.flush().await;
        }
        self.flush().await;
    }

    async fn flush(&self) {
        let journal = self.0.clone();
        if let Err(error) = tokio::task::spawn_blocking(move || journal.flush()).await {
            tracing::error!(%error, "write flight recorder");
        }
    }
}

#[cfg(test)]
mod tests;
