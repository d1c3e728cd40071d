//! Marks in the log: each node computes what its durable state comes to at exactly that entry.

use super::digest::{Place, StateDigest};
use crate::{Node, NodeError, op::DurableOp};
use bytes::Bytes;
use muster_consensus::ApplyContext;
use muster_model::Row;
use muster_storage::state::Export;
use parking_lot::Mutex;
use std::{collections::VecDeque, sync::Arc};
use tokio::sync::mpsc;

/// Results that are kept, the newest.
const KEPT: usize = 4;
/// Computations at one moment; each holds a view of the store, which can't be tidied up meanwhile.
const COMPUTING_MAX: usize = 2;
/// Marks older than this by the entry's time are passed over: nobody waits for them any more.
const AGE_MAX_MS: u64 = 120_000;
/// Buckets whose rows a mark may ask for.
pub(crate) const NAMED_MAX: usize = 32;

/// A mark that stands in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Drawn by whoever wants to compare.
    pub(crate) id: u64,
    /// Whose rows are to be named: where a digest differed before.
    pub(crate) name: Vec<Place>,
}

/// What came of a mark on this node.
#[derive(Clone, Debug)]
pub(crate) enum Marked {
    /// It is being computed.
    Computing,
    /// This it comes to.
    Done(Arc<StateDigest>),
    /// It can't be computed: the state can't be read, or the node had other things to do.
    Failed { why: String, is_damage: bool },
}

/// A mark and what came of it.
#[derive(Clone, Debug)]
pub(crate) struct MarkResult {
    pub(crate) id: u64,
    /// The log entry.
    pub(crate) index: u64,
    pub(crate) marked: Marked,
}

/// The last marks.
#[derive(Debug, Default)]
pub(crate) struct Marks(Mutex<VecDeque<MarkResult>>);

impl Marks {
    /// What came of a mark; `None`: it was not applied here, or is forgotten.
    pub(crate) fn result(&self, id: u64) -> Option<MarkResult> {
        self.0.lock().iter().find(|result| result.id == id).cloned()
    }

    /// Whether there is room for one more computation; if so it counts from now on.
    fn begin(&self, id: u64, index: u64) -> bool {
        let mut results = self.0.lock();
        let computing = results.iter().filter(|result| matches!(result.marked, Marked::Computing)).count();
        if computing >= COMPUTING_MAX {
            return false;
        }
        results.push_back(MarkResult { id, index, marked: Marked::Computing });
        while results.len() > KEPT {
            results.pop_front();
        }
        true
    }

    fn end(&self, id: u64, marked: Marked) {
        if let Some(result) = self.0.lock().iter_mut().find(|result| result.id == id) {
            result.marked = marked;
        }
    }

    fn fail(&self, id: u64, index: u64, why: &str) {
        let mut results = self.0.lock();
        let marked = Marked::Failed { why: why.to_owned(), is_damage: false };
        results.push_back(MarkResult { id, index, marked });
        while results.len() > KEPT {
            results.pop_front();
        }
    }
}

impl Node {
    /// Puts a mark into the log; it is applied here when this returns, and computed some time later.
    pub(crate) async fn put_mark(&self, name: Vec<Place>) -> Result<u64, NodeError> {
        let id = self.rng.lock().next_u64();
        self.propose(DurableOp::Mark(Mark { id, name })).await?;
        Ok(id)
    }

    /// A mark is applied. `rows` are the changes that are not in the store yet, those before this entry all of them: with
    /// the store as it is now they are the state at exactly this place in the log, whatever is applied next.
    pub(crate) fn apply_mark(&self, mark: Mark, at: ApplyContext, rows: &[Row]) {
        let age = self.now().wall.0.saturating_sub(at.time.0);
        if !self.is_ready() || age > AGE_MAX_MS {
            self.doctor.marks.fail(mark.id, at.index, "the node was catching up");
            return;
        }
        if !self.doctor.marks.begin(mark.id, at.index) {
            self.doctor.marks.fail(mark.id, at.index, "earlier marks are still being computed");
            return;
        }
        let export = match self.state.export() {
            Ok(export) => export,
            Err(error) => {
                self.doctor.marks.end(mark.id, Marked::Failed { why: error.to_string(), is_damage: true });
                return;
            }
        };
        let id = mark.id;
        let job = Job { mark, export, changes: rows.to_vec() };
        // Entries are applied on a thread of their own, which can't spawn tasks.
        if self.doctor.jobs.sender.try_send(job).is_err() {
            let why = "the node stops, or computes earlier marks".to_owned();
            self.doctor.marks.end(id, Marked::Failed { why, is_damage: false });
        }
    }

    /// Computes what was begun, one after the other, until the node stops.
    pub(crate) async fn run_digests(self: Arc<Self>) {
        let Some(mut jobs) = self.doctor.jobs.receiver.lock().take() else { return };
        let stopping = self.tasks.stopping();
        loop {
            let job = tokio::select! {
                biased;
                () = stopping.cancelled() => return,
                job = jobs.recv() => job,
            };
            let Some(Job { mark, export, changes }) = job else { return };
            let id = mark.id;
            let computed = self.tasks.blocking(move || compute(export, &changes, &mark.name)).await;
            let failed = |why: String| Marked::Failed { why, is_damage: false };
            self.doctor.marks.end(id, computed.unwrap_or_else(|error| failed(error.to_string())));
        }
    }
}

/// A computation that was begun.
pub(crate) struct Job {
    mark: Mark,
    export: Export,
    changes: Vec<Row>,
}

/// Computations on their way to the task that does them; what does not fit is passed over.
pub(crate) struct Jobs {
    sender: mpsc::Sender<Job>,
    receiver: Mutex<Option<mpsc::Receiver<Job>>>,
}

impl Default for Jobs {
    fn default() -> Self {
        let (sender, receiver) = mpsc::channel(COMPUTING_MAX);
        Self { sender, receiver: Mutex::new(Some(receiver)) }
    }
}

fn compute(export: Export, changes: &[Row], name: &[Place]) -> Marked {
    Marked::Done(Arc::new(StateDigest::of(export.rows, changes, name)))
}

impl Mark {
    /// As bytes of the log.
    pub(crate) fn places(&self) -> Bytes {
        self.name.iter().take(NAMED_MAX).flat_map(|(table, bucket)| [*table, *bucket]).collect()
    }

    /// Reads [`Mark::places`].
    pub(crate) fn from_parts(id: u64, places: &[u8]) -> Self {
        let (pairs, _) = places.as_chunks::<2>();
        Self { id, name: pairs.iter().map(|pair| (pair[0], pair[1])).collect() }
    }
}
