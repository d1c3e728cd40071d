//! Applies committed entries: memory, then one transaction, then effects, then answers.

use crate::{
    ApplyContext, Machine, Members, RESULT_BYTES_MAX, Settings,
    entry::{DecodeError, Decoded, decode_whole},
    marker::Marker,
    requests::{Fate, Requests},
    status::Status,
    types::{Batch, Failed, RaftEntry, StoredMembership},
    waiters::{Outcome, Waiters},
};
use bytes::Bytes;
use muster_model::{Row, Timestamp};
use muster_storage::{
    log::LogReader,
    state::{StateError, StateStore},
};
use openraft::EntryPayload;
use std::sync::{Arc, atomic::Ordering::Relaxed};

/// So much of what is applied may wait in memory for space in the state store.
const BEHIND_BYTES_MAX: usize = 64 << 20;

/// The only one who writes the state.
pub(crate) struct Applier {
    state: Arc<dyn StateStore>,
    machine: Arc<dyn Machine>,
    status: Arc<Status>,
    marker: Marker,
    log: LogReader,
    checkpoint_bytes: u64,
    snapshot_entries: u64,
    requests: Requests,
    /// What was applied and is not committed.
    rows: Vec<Row>,
    results: Results,
    are_members_new: bool,
}

/// Results that may leave once the rows are committed.
type Results = Vec<(Arc<Waiters>, u64, Vec<Outcome>)>;

impl Applier {
    pub(crate) fn new(
        settings: &Settings,
        state: Arc<dyn StateStore>,
        machine: Arc<dyn Machine>,
        status: Arc<Status>,
        marker: Marker,
        log: LogReader,
    ) -> Result<Self, StateError> {
        let Settings { checkpoint_bytes, snapshot_entries, .. } = *settings;
        let requests = Requests::load(&*state)?;
        status.set_level(marker.level);
        status.set_pristine(marker.sequence == 0);
        Ok(Self {
            requests,
            state,
            machine,
            status,
            marker,
            log,
            checkpoint_bytes,
            snapshot_entries,
            rows: Vec::new(),
            results: Results::new(),
            are_members_new: false,
        })
    }

    /// How far it has come.
    pub(crate) fn marker(&self) -> &Marker {
        &self.marker
    }

    /// Applies entries in memory; [`Applier::finish`] is next.
    pub(crate) fn begin(&mut self, entries: Vec<RaftEntry>) -> Result<(), Failed> {
        let status = self.status.clone();
        let _guard = PanicGuard(&status);
        let members_before = *self.marker.membership.log_id();
        let mut rows = std::mem::take(&mut self.rows);
        let mut results = std::mem::take(&mut self.results);
        for entry in entries {
            self.apply_entry(entry, &mut rows, &mut results)?;
        }
        self.are_members_new = *self.marker.membership.log_id() != members_before;
        (self.rows, self.results) = (rows, results);
        Ok(())
    }

    /// Commits what was begun in one transaction and answers those who wait for it. Memory is ahead of the store
    /// meanwhile, so a full disk can only be waited for: false, it is to be called again. Where nobody waits, as while a
    /// start replays the log, the store may follow later: what is served comes from memory, and the log has it.
    pub(crate) fn finish(&mut self) -> Result<bool, Failed> {
        let is_committed = self.commit()?;
        if !is_committed {
            if !self.results.is_empty() || bytes(&self.rows) > BEHIND_BYTES_MAX {
                return Ok(false);
            }
            self.status.behind.notify_one();
        }
        let status = self.status.clone();
        let _guard = PanicGuard(&status);
        self.machine.committed();
        self.status.set_pristine(self.marker.sequence == 0);
        // Whoever waits for an entry looks at the members next.
        if self.are_members_new {
            self.status.set_members(Members::new(&self.marker.membership));
        }
        self.status.set_applied_next(self.marker.next_index());
        for (waiters, index, results) in self.results.drain(..) {
            waiters.answer(index, results);
        }
        if is_committed {
            self.account();
        }
        Ok(true)
    }

    /// Commits what found no space before. False: it still finds none.
    pub(crate) fn settle(&mut self) -> Result<bool, Failed> {
        let is_settled = self.commit()?;
        if is_settled {
            self.account();
        }
        Ok(is_settled)
    }

    /// Whether the store has all that memory has; false for want of space.
    fn commit(&self) -> Result<bool, Failed> {
        match self.state.commit(&self.rows, &self.marker.encode()) {
            Ok(()) => Ok(true),
            Err(error) if error.is_full() && !self.status.is_stopping() => Ok(false),
            Err(error) => Err(self.status.fail("commit to the state store", &error)),
        }
    }

    /// Starts anew from what the store holds now, after a snapshot was put there.
    pub(crate) fn reload(&mut self) -> Result<(), Failed> {
        let stored =
            self.state.applied().map_err(|error| self.status.fail("read the applied marker", &error))?;
        self.marker =
            Marker::decode(stored).map_err(|error| self.status.fail("read the applied marker", &error))?;
        self.rows.clear();
        self.machine.load(&*self.state).map_err(|error| self.status.fail("load the state", &error))?;
        self.requests = Requests::load(&*self.state)
            .map_err(|error| self.status.fail("load the results of requests", &error))?;
        self.status.set_level(self.marker.level);
        self.status.set_members(Members::new(&self.marker.membership));
        self.status.set_applied_next(self.marker.next_index());
        Ok(())
    }

    fn apply_entry(
        &mut self,
        entry: RaftEntry,
        rows: &mut Vec<Row>,
        results: &mut Results,
    ) -> Result<(), Failed> {
        let log_id = entry.log_id;
        assert_eq!(log_id.index, self.marker.next_index(), "entries are applied in order, without gaps");
        match entry.payload {
            EntryPayload::Blank => {}
            EntryPayload::Membership(membership) => {
                self.marker.membership = StoredMembership::new(Some(log_id), membership);
            }
            EntryPayload::Normal(Batch { payload, is_left, waiters }) => {
                let payload = if is_left { self.read_payload(log_id.index)? } else { payload };
                let answers = self.apply_operations(log_id.index, &payload, rows)?;
                if let Some(waiters) = waiters {
                    results.push((waiters, log_id.index, answers));
                }
            }
        }
        self.marker.applied = Some(log_id);
        Ok(())
    }

    fn read_payload(&self, index: u64) -> Result<Bytes, Failed> {
        let read = self.log.read(index..index + 1, 1);
        let read = read.map_err(|error| self.status.fail("read the log", &error))?;
        let missing = || self.status.fail("read the log", &format!("entry {index} is not there"));
        Ok(read.into_iter().next().ok_or_else(missing)?.payload)
    }

    fn apply_operations(
        &mut self,
        index: u64,
        payload: &Bytes,
        rows: &mut Vec<Row>,
    ) -> Result<Vec<Outcome>, Failed> {
        let (proposed, ops) = match decode_whole(payload) {
            Ok(Decoded::Operations { time, ops }) => (time, ops),
            Ok(Decoded::Level(level)) => {
                // Never back: what was written under the newer one is there.
                self.marker.level = level.max(self.marker.level);
                self.status.set_level(self.marker.level);
                return Ok(vec![Some(Bytes::new())]);
            }
            Ok(Decoded::Blank | Decoded::Membership(_)) => unreachable!("the log adapter decodes these"),
            Err(error) => return Err(self.status.fail("decode a log entry", &describe(index, error))),
        };
        let time = proposed.max(Timestamp(self.marker.time.0 + 1));
        self.marker.time = time;
        self.status.ops.fetch_add(ops.len() as u64, Relaxed);
        self.status.entries.fetch_add(1, Relaxed);
        let mut outcomes = Vec::with_capacity(ops.len());
        let mut ids = Vec::new();
        for operation in ops {
            let id = operation.id;
            let fate = id.map_or(Fate::New, |id| self.requests.fate(id));
            outcomes.push(match fate {
                Fate::New => {
                    let result = self.apply_operation(&operation.op, index, time, rows)?;
                    if let Some(id) = id {
                        self.requests.record(id, result.clone());
                        ids.push(id);
                    }
                    Some(result)
                }
                Fate::Done(result) => Some(result),
                Fate::Forgotten => None,
            });
        }
        self.requests.finish(index, time, ids, rows);
        Ok(outcomes)
    }

    fn apply_operation(
        &mut self,
        op: &Bytes,
        index: u64,
        time: Timestamp,
        rows: &mut Vec<Row>,
    ) -> Result<Bytes, Failed> {
        self.marker.sequence += 1;
        let at = ApplyContext { index, sequence: self.marker.sequence, time };
        let result = self.machine.apply(op, at, rows).map_err(|error| {
            let error = format!("log entry {index} holds an operation this program does not know: {error}");
            self.status.fail("apply an entry", &error)
        })?;
        assert!(result.len() <= RESULT_BYTES_MAX, "a result of {} bytes", result.len());
        Ok(result)
    }

    /// Forgets rows that are committed. A checkpoint is due after so many bytes, a snapshot after so many entries;
    /// neither is made here.
    fn account(&mut self) {
        let bytes = bytes(&self.rows) as u64;
        self.rows.clear();
        let uncheckpointed = self.status.row_bytes.fetch_add(bytes, Relaxed) + bytes;
        let uncovered = self.marker.next_index().saturating_sub(self.status.snapshot_next.load(Relaxed));
        let is_due = uncheckpointed >= self.checkpoint_bytes || self.state.is_checkpoint_due();
        if is_due || uncovered >= self.snapshot_entries {
            self.status.maintenance.notify_one();
        }
    }
}

fn bytes(rows: &[Row]) -> usize {
    rows.iter().map(|row| row.key.len() + row.value.as_ref().map_or(0, Bytes::len)).sum()
}

/// A machine that panicked half-way has no state anybody may see: consensus ends.
struct PanicGuard<'a>(&'a Status);

impl Drop for PanicGuard<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.fail("apply an entry", &"the state machine panicked");
        }
    }
}

/// Why a stored entry can't be used, for people.
pub(crate) fn describe(index: u64, error: DecodeError) -> String {
    match error {
        DecodeError::Newer(version) => {
            format!("log entry {index} has format {version}: it was written by a newer program, use that")
        }
        DecodeError::Malformed => format!("log entry {index} is damaged: restore a backup"),
    }
}
