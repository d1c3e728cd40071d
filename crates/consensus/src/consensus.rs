//! The handle everybody else holds.

use crate::{ConsensusError, Machine, ProposeError, Settings};
use bytes::Bytes;
use muster_model::NodeId;
use muster_runtime::{Clock, Tasks, disk::Disk};
use muster_storage::{log::Log, state::StateStore};
use std::{path::PathBuf, sync::Arc, time::Duration};

/// Called once when consensus can't go on, because a disk failed or a file is damaged: the process should say so and
/// exit. It runs on a thread of consensus and must not wait for it.
pub type Fatal = Arc<dyn Fn(&str) + Send + Sync>;

/// What consensus is made of.
pub struct Parts {
    /// The disk that snapshots are written to and whose free space is watched.
    pub disk: Arc<dyn Disk>,
    /// Where snapshot files lie.
    pub snapshot_dir: PathBuf,
    /// The opened log.
    pub log: Log,
    /// The opened state store, as its last commit left it.
    pub state: Arc<dyn StateStore>,
    /// What operations are applied to.
    pub machine: Arc<dyn Machine>,
    /// The clock that entries are stamped with.
    pub clock: Arc<dyn Clock>,
    /// Owner of the background tasks.
    pub tasks: Tasks,
    /// Told when consensus can't go on.
    pub fatal: Fatal,
}

/// A finished, synced snapshot file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotInfo {
    /// The file; it stays until a newer snapshot is finished.
    pub path: PathBuf,
    /// The last log entry it covers.
    pub index: u64,
}

/// Numbers for `/metrics` and the status page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metrics {
    /// Last applied log entry.
    pub applied: u64,
    /// Operations applied since start.
    pub ops: u64,
    /// Log entries applied since start that carried operations: `ops / entries` is the batch size.
    pub entries: u64,
    /// Bytes of operations that wait or are in flight.
    pub queued_bytes: usize,
    /// Proposals refused because too much was waiting.
    pub overloaded: u64,
    /// Proposals refused because disk space was below the reserve.
    pub storage_full: u64,
    /// An accepted write waits for disk space right now, or proposals are refused for want of it.
    pub is_full: bool,
    /// Last entry the newest snapshot covers.
    pub snapshot: Option<u64>,
    /// Snapshots that failed since start.
    pub snapshot_failures: u64,
    /// Who leads, if it is known.
    pub leader: Option<NodeId>,
}

/// One node's part in the Raft group. A clone is another handle to the same.
#[derive(Clone)]
pub struct Consensus {
    inner: Arc<()>,
}

impl Consensus {
    /// Checks that state and log meet, has the machine load, and starts the engine on threads of its own. It returns
    /// before entries that the state lacks are replayed: see [`Consensus::wait_ready`].
    pub async fn start(settings: Settings, parts: Parts) -> Result<Self, ConsensusError>;

    /// Proposes one operation and waits for its result, at most [`Settings::propose_timeout`]. The operation is
    /// written even if the caller stops waiting.
    pub async fn propose(&self, op: Bytes) -> Result<Bytes, ProposeError>;

    /// As [`Consensus::propose`], with another time limit.
    pub async fn propose_within(&self, op: Bytes, limit: Duration) -> Result<Bytes, ProposeError>;

    /// After it returns, this node's memory holds everything that was acknowledged anywhere before it was called.
    /// Calls at the same time share one round.
    pub async fn read_barrier(&self) -> Result<(), ProposeError>;

    /// The last applied log entry, 0 before the first.
    pub fn applied(&self) -> u64;

    /// Whether everything found in the log at start is applied and there is a leader: before that, memory is older
    /// than what was acknowledged and must not be served.
    pub fn is_ready(&self) -> bool;

    /// Waits until [`Consensus::is_ready`]; an error says that it never will be.
    pub async fn wait_ready(&self) -> Result<(), ProposeError>;

    /// Makes a snapshot that covers at least everything applied before the call, and removes the log that it makes
    /// needless. Applying goes on meanwhile.
    pub async fn snapshot(&self) -> Result<SnapshotInfo, ConsensusError>;

    /// The newest finished snapshot.
    pub fn last_snapshot(&self) -> Option<SnapshotInfo>;

    /// Numbers as of now.
    pub fn metrics(&self) -> Metrics;

    /// Refuses new proposals, waits at most `grace` for those under way, stops the engine, and has the state store
    /// synced so that the next start replays nothing. Call it before the tasks are shut down.
    pub async fn shutdown(&self, grace: Duration);
}
