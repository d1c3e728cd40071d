//! openraft's log storage over our own log.
//!
//! It runs on the thread of the engine and blocks it: openraft's core waits for each append anyway, and so no hop to
//! another thread is paid. What must go on meanwhile, applying the entry before, is on a thread of its own.

use crate::{
    Settings,
    applier::describe,
    codec::log_id,
    entry::{decode, encode},
    recent::Recent,
    snapshotter::Snapshotter,
    status::Status,
    types::{Batch, Failed, LogId, RaftEntry, StorageError, TypeConfig, Vote},
};
use muster_storage::log::{self, EntryId, Log, LogError};
use openraft::{
    EntryPayload, LogState, OptionalSend, RaftLogReader, storage::LogFlushed, storage::RaftLogStorage,
};
use parking_lot::Mutex;
use std::{
    fmt::Debug,
    ops::{Bound, RangeBounds},
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

/// Payload read at once.
const READ_BYTES: usize = 4 << 20;

/// Reads entries, the newest of them from memory.
#[derive(Clone)]
pub(crate) struct LogReading {
    reader: log::LogReader,
    recent: Arc<Mutex<Recent>>,
    status: Arc<Status>,
}

/// The log's only writer.
pub(crate) struct LogAdapter {
    log: Log,
    reading: LogReading,
    status: Arc<Status>,
    snapshots: Arc<Snapshotter>,
    /// What was committed as far as this node may decide it: everything, if it is alone.
    committed: Option<EntryId>,
    full_retry: Duration,
    snapshot_bytes: u64,
    own: u64,
}

impl LogAdapter {
    pub(crate) fn new(
        settings: &Settings,
        log: Log,
        committed: Option<EntryId>,
        status: Arc<Status>,
        snapshots: Arc<Snapshotter>,
    ) -> Self {
        let reading = LogReading { reader: log.reader(), recent: Arc::default(), status: status.clone() };
        let Settings { full_retry, snapshot_bytes, node, .. } = *settings;
        Self { log, reading, status, snapshots, committed, full_retry, snapshot_bytes, own: node.0 }
    }

    /// Does something that needs disk space, again and again while there is none. Never returns for want of space
    /// unless consensus stops.
    async fn with_space(
        &mut self,
        what: &'static str,
        mut act: impl FnMut(&mut Log) -> Result<(), LogError> + Send,
    ) -> Result<(), Failed> {
        let status = self.status.clone();
        let mut waits = None;
        loop {
            match act(&mut self.log) {
                Ok(()) => return Ok(()),
                Err(error) if error.is_full() && !status.is_stopping() => {
                    waits.get_or_insert_with(|| status.wait_for_space(what));
                    tokio::time::sleep(self.full_retry).await;
                }
                Err(error) => return Err(status.fail(what, &error)),
            }
        }
    }

    fn account(&self, bytes: u64) {
        let uncovered = self.status.log_bytes.fetch_add(bytes, Relaxed) + bytes;
        if uncovered >= self.snapshot_bytes {
            self.status.maintenance.notify_one();
        }
    }
}

impl LogReading {
    fn read(&self, mut from: u64, end: u64) -> Result<Vec<RaftEntry>, Failed> {
        if let Some(entries) = self.recent.lock().range(from, end) {
            return Ok(entries);
        }
        let (mut entries, mut bytes) = (Vec::new(), 0);
        while from < end {
            let mut part = self.read_part(from, end)?;
            if part.is_empty() {
                break;
            }
            from += part.len() as u64;
            for batch in part.iter_mut().filter_map(batch_of) {
                bytes += batch.payload.len();
                // Who waits for it keeps it anyway.
                if bytes > READ_BYTES && batch.waiters.is_none() {
                    batch.leave();
                }
            }
            entries.extend(part);
        }
        Ok(entries)
    }

    /// At least one entry, if there is one.
    fn read_part(&self, from: u64, end: u64) -> Result<Vec<RaftEntry>, Failed> {
        let first_recent = {
            let recent = self.recent.lock();
            if let Some(entries) = recent.prefix(from, end, READ_BYTES) {
                return Ok(entries);
            }
            recent.first()
        };
        // What is in memory must come from there: nobody waits for an entry that was read from the disk.
        let end = first_recent.filter(|first| from < *first).map_or(end, |first| first.min(end));
        let stored = self.reader.read(from..end, READ_BYTES);
        let stored = stored.map_err(|error| self.status.fail("read the log", &error))?;
        stored.into_iter().map(|entry| self.decode(entry)).collect()
    }

    fn decode(&self, entry: log::Entry) -> Result<RaftEntry, Failed> {
        let payload = decode(&entry.payload)
            .map_err(|error| self.status.fail("decode a log entry", &describe(entry.index, error)))?;
        Ok(RaftEntry { log_id: log_id(entry.term, entry.node, entry.index), payload })
    }
}

impl RaftLogReader<TypeConfig> for LogReading {
    async fn try_get_log_entries<R: RangeBounds<u64> + Clone + Debug + OptionalSend>(
        &mut self,
        range: R,
    ) -> Result<Vec<RaftEntry>, StorageError> {
        let from = match range.start_bound() {
            Bound::Included(from) => *from,
            Bound::Excluded(before) => before + 1,
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            Bound::Included(last) => last + 1,
            Bound::Excluded(end) => *end,
            Bound::Unbounded => u64::MAX,
        };
        Ok(self.read(from, end)?)
    }

    async fn limited_get_log_entries(&mut self, from: u64, end: u64) -> Result<Vec<RaftEntry>, StorageError> {
        Ok(self.read_part(from, end)?)
    }
}

impl RaftLogReader<TypeConfig> for LogAdapter {
    async fn try_get_log_entries<R: RangeBounds<u64> + Clone + Debug + OptionalSend>(
        &mut self,
        range: R,
    ) -> Result<Vec<RaftEntry>, StorageError> {
        self.reading.try_get_log_entries(range).await
    }
}

impl RaftLogStorage<TypeConfig> for LogAdapter {
    type LogReader = LogReading;

    async fn get_log_state(&mut self) -> Result<LogState<TypeConfig>, StorageError> {
        Ok(LogState {
            last_purged_log_id: self.log.purged().map(to_raft),
            last_log_id: self.log.last().map(to_raft),
        })
    }

    async fn get_log_reader(&mut self) -> LogReading {
        self.reading.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> Result<(), StorageError> {
        let vote =
            log::Vote { term: vote.leader_id.term, node: vote.leader_id.node_id, committed: vote.committed };
        Ok(self.with_space("save the vote", |log| log.save_vote(vote)).await?)
    }

    /// openraft would go on as the leader that it was, though others may have another one by now, and whoever was told
    /// that this node leads would lose what is written here. So what is read is a vote that has not won yet.
    async fn read_vote(&mut self) -> Result<Option<Vote>, StorageError> {
        Ok(self.log.vote().map(|vote| openraft::Vote {
            leader_id: openraft::LeaderId::new(vote.term, vote.node),
            committed: vote.committed && vote.node != self.own,
        }))
    }

    /// Only a note that helps recovery to tell damage from a torn tail: it is not synced, and does without space.
    async fn save_committed(&mut self, committed: Option<LogId>) -> Result<(), StorageError> {
        self.status.set_committed_next(committed.map_or(0, |id| id.index + 1));
        match self.log.save_committed(committed.map(to_stored)) {
            Ok(()) => Ok(()),
            Err(error) if error.is_full() => Ok(()),
            Err(error) => Err(self.status.fail("note the committed entry", &error).into()),
        }
    }

    async fn read_committed(&mut self) -> Result<Option<LogId>, StorageError> {
        Ok(self.committed.map(to_raft))
    }

    async fn append<I>(&mut self, entries: I, flushed: LogFlushed<TypeConfig>) -> Result<(), StorageError>
    where
        I: IntoIterator<Item = RaftEntry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let entries: Vec<RaftEntry> = entries.into_iter().collect();
        let stored: Vec<log::Entry> = entries.iter().map(to_record).collect();
        entries.iter().for_each(note_logged);
        // Lets the state machine's task, on this same thread, send off the entry before this one.
        tokio::task::yield_now().await;
        self.with_space("append to the log", |log| log.append(&stored)).await?;
        self.account(stored.iter().map(|entry| entry.payload.len() as u64).sum());
        self.reading.recent.lock().push(entries);
        flushed.log_io_completed(Ok(()));
        Ok(())
    }

    async fn truncate(&mut self, since: LogId) -> Result<(), StorageError> {
        self.reading.recent.lock().clear();
        Ok(self.with_space("cut the log", |log| log.truncate_from(since.index)).await?)
    }

    async fn purge(&mut self, upto: LogId) -> Result<(), StorageError> {
        if !self.snapshots.wait_covered(upto.index + 1).await {
            let why = "no finished snapshot covers what should be removed";
            return Err(self.status.fail("purge the log", &why).into());
        }
        self.reading.recent.lock().clear_to(upto.index);
        Ok(self.with_space("purge the log", |log| log.purge_to(to_stored(upto))).await?)
    }
}

fn batch_of(entry: &mut RaftEntry) -> Option<&mut Batch> {
    if let EntryPayload::Normal(batch) = &mut entry.payload { Some(batch) } else { None }
}

fn note_logged(entry: &RaftEntry) {
    if let EntryPayload::Normal(Batch { waiters: Some(waiters), .. }) = &entry.payload {
        waiters.logged();
    }
}

fn to_record(entry: &RaftEntry) -> log::Entry {
    let EntryId { index, term, node } = to_stored(entry.log_id);
    log::Entry { index, term, node, payload: encode(&entry.payload) }
}

fn to_stored(id: LogId) -> EntryId {
    EntryId { index: id.index, term: id.leader_id.term, node: id.leader_id.node_id }
}

fn to_raft(id: EntryId) -> LogId {
    log_id(id.term, id.node, id.index)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        pipeline::{Pipeline, Submit},
        requests::RequestId,
    };
    use bytes::Bytes;
    use muster_model::Now;
    use muster_runtime::{
        ManualClock, Rng,
        disk::{Disk, MemoryDisk},
    };
    use muster_storage::log::LogSettings;
    use std::path::Path;

    /// Keeps what goes to the engine.
    #[derive(Default)]
    struct Sent(Mutex<Vec<Batch>>);

    impl Submit for Sent {
        fn submit(&self, batch: Batch) -> bool {
            self.0.lock().push(batch);
            true
        }
    }

    fn has_waiters(entry: &RaftEntry) -> bool {
        matches!(&entry.payload, EntryPayload::Normal(batch) if batch.waiters.is_some())
    }

    /// As after a power-off: what the leader finds in its log is committed together with what it takes then. Who waits is
    /// kept in memory only, and as long as they wait, nothing else is taken.
    #[test]
    fn those_who_wait_for_an_entry_are_kept_when_it_is_read_together_with_older_ones() {
        let disk = MemoryDisk::new();
        disk.create_dir_all(Path::new("/log")).unwrap();
        let log_settings = LogSettings { segment_bytes: 4_096, rng: Rng::seeded(1) };
        let (mut log, _) = Log::open(Arc::new(disk), Path::new("/log"), log_settings).unwrap();
        let status = Arc::new(Status::new(Arc::new(|_: &str| {})));
        let clock = Arc::new(ManualClock::at(Now::default()));
        let settings = Settings { entries_in_flight_max: 3, ..Settings::default() };
        let (pipeline, sent) = (Pipeline::new(settings, clock, status.clone()), Arc::<Sent>::default());
        pipeline.open(sent.clone());
        for number in 0..3 {
            drop(pipeline.push(RequestId { session: 1, number }, Bytes::from_static(b"op")));
        }
        let new = std::mem::take(&mut *sent.0.lock());
        let old = new.iter().map(|batch| Batch::new(batch.payload.clone(), None)).collect::<Vec<_>>();
        let entries: Vec<RaftEntry> = (0..)
            .zip(old.into_iter().chain(new))
            .map(|(index, batch)| RaftEntry {
                log_id: log_id(1, 1, index),
                payload: EntryPayload::Normal(batch),
            })
            .collect();
        log.append(&entries.iter().map(to_record).collect::<Vec<_>>()).unwrap();
        let reading = LogReading { reader: log.reader(), recent: Arc::default(), status };
        reading.recent.lock().push(entries[3..].to_vec());
        for (from, end) in [(0, 6), (2, 6), (0, 5), (3, 6), (2, u64::MAX)] {
            let read = reading.read(from, end).unwrap();
            let indexes: Vec<u64> = read.iter().map(|entry| entry.log_id.index).collect();
            assert_eq!(indexes, (from..end.min(6)).collect::<Vec<_>>());
            assert!(
                read.iter().all(|entry| has_waiters(entry) == (entry.log_id.index >= 3)),
                "{from}..{end}"
            );
        }
    }
}
