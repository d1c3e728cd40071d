//! What consensus drives: the deterministic cores behind one trait.

use bytes::Bytes;
use muster_model::{Row, Timestamp};
use muster_storage::state::{StateError, StateStore};

/// Where in the agreed order an operation stands; equal on every node and in every replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApplyContext {
    /// Index of the log entry. Operations that were proposed together share it.
    pub index: u64,
    /// Number of the operation among all ever applied, from 1, without gaps: use it where every change needs a
    /// revision of its own.
    pub sequence: u64,
    /// The leader's wall clock when the entry was proposed, made to grow strictly from entry to entry.
    /// Operations of one entry share it.
    pub time: Timestamp,
}

/// The longest result of an operation. Results of the last operations are kept in memory and in every snapshot, and as
/// many as an entry has operations go into one frame.
pub const RESULT_BYTES_MAX: usize = 64;

/// The replicated state machine. Operations are opaque to consensus.
///
/// Calls never overlap, except that readers may read the machine's own memory at any time. None of them runs on
/// a worker of the async runtime, so short locks are fine, waiting for a task is not.
pub trait Machine: Send + Sync + 'static {
    /// Applies one operation, in log order, in memory only. Rows to be written are appended to `rows`; the result,
    /// of at most [`RESULT_BYTES_MAX`], goes to the proposer on whichever node, and to whoever says the same request again:
    /// it is replicated state itself. It must depend on nothing but its arguments and the state before. What is wrong with an
    /// operation is part of its result; an error, for people, says that the operation is not understood at all,
    /// since a newer program wrote it: consensus stops then, because going on without it would lose what was
    /// acknowledged. `op` is a slice of a larger buffer: copy what is kept for long.
    fn apply(&self, op: &Bytes, at: ApplyContext, rows: &mut Vec<Row>) -> Result<Bytes, String>;

    /// The rows of everything applied since the last call are committed: run the effects now. Proposers are
    /// answered right after it returns, so it should be quick.
    fn committed(&self);

    /// Rebuilds memory from the store: before anything is applied, and after a snapshot was installed.
    fn load(&self, state: &dyn StateStore) -> Result<(), StateError>;
}
