//! The handle everybody else holds.

use crate::{
    ChangeError, ConsensusError, Machine, Members, ProposeError, Settings, Standing,
    contact::Contacts,
    engine::{EngineParts, Raft},
    forwarder::Forwarder,
    level, maintenance,
    membership::{self, Change},
    network::Peers,
    pipeline::Pipeline,
    proposer::Proposer,
    reading::ReadIndex,
    recovery::{Running, recover},
    snapshotter::Snapshotter,
    space::Space,
    standing,
    status::{Phase, Status},
    trimming::Trimming,
};
use bytes::Bytes;
use muster_model::NodeId;
use muster_peer::Links;
use muster_runtime::{Clock, Rng, Tasks, disk::Disk};
use muster_storage::{log::Log, snapshot::Snapshots, state::StateStore};
use parking_lot::Mutex;
use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{
    sync::{oneshot, watch},
    time::Instant,
};

/// How long a change of the members may take.
const CHANGE_WITHIN: Duration = Duration::from_secs(10);

/// Called once when consensus can't go on, because a disk failed or a file is damaged: the process should say so and
/// exit. It runs on a thread of consensus and must not wait for it.
pub type Fatal = Arc<dyn Fn(&str) + Send + Sync>;

/// What consensus is made of.
pub struct Parts {
    /// The disk whose free space is watched.
    pub disk: Arc<dyn Disk>,
    /// The data directory, whose file system's free space counts.
    pub data_dir: PathBuf,
    /// The opened log.
    pub log: Log,
    /// The opened state store, as its last commit left it.
    pub state: Arc<dyn StateStore>,
    /// The snapshot files.
    pub snapshots: Snapshots,
    /// What operations are applied to.
    pub machine: Arc<dyn Machine>,
    /// The clock that entries are stamped with.
    pub clock: Arc<dyn Clock>,
    /// Owner of the background tasks.
    pub tasks: Tasks,
    /// Links to the other nodes; `None` on a node that will never have any.
    pub links: Option<Links>,
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
    /// Room taken by operations that wait or are in flight.
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
    /// The term of that leader, 0 before the first.
    pub term: u64,
}

/// One node's part in the Raft group. A clone is another handle to the same; the engine stops with the last of them.
#[derive(Clone)]
pub struct Consensus {
    inner: Arc<Inner>,
}

struct Inner {
    settings: Settings,
    state: Arc<dyn StateStore>,
    shared: EngineParts,
    proposer: Proposer,
    reading: Arc<ReadIndex>,
    running: Mutex<Option<Stop>>,
}

/// Dropping it stops what runs, too.
struct Stop {
    stop: oneshot::Sender<()>,
    running: Running,
}

impl std::ops::Deref for Inner {
    type Target = EngineParts;

    fn deref(&self) -> &EngineParts {
        &self.shared
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.pipeline.close("shutting down");
        self.status.stop();
        self.status.enter(Phase::Stopped);
    }
}

impl Consensus {
    /// Checks that state and log meet, has the machine load, and starts the engine on threads of its own. It returns
    /// before entries that the state lacks are replayed: see [`Consensus::wait_ready`].
    pub async fn start(settings: Settings, parts: Parts) -> Result<Self, ConsensusError> {
        let Parts { disk, data_dir, log, state, snapshots, machine, clock, tasks, links, fatal } = parts;
        let status = Arc::new(Status::new(fatal));
        let contacts = Arc::new(Contacts::new());
        let snapshots = Arc::new(Snapshotter::open(snapshots, state.clone(), status.clone())?);
        let shared = EngineParts {
            pipeline: Pipeline::new(settings.clone(), clock.clone(), status.clone()),
            peers: Peers::new(links, contacts.clone(), snapshots.clone(), tasks.clone()),
            snapshots,
            trimming: Trimming::new(&settings, log.reader()),
            space: Arc::new(Space::new(disk, data_dir, settings.reserve_bytes, clock)),
            raft: Arc::new(OnceLock::new()),
            tasks: tasks.clone(),
            known_level: settings.level,
            contacts,
            status,
        };
        let recovery = {
            let (settings, state, snapshots, status) =
                (settings.clone(), state.clone(), shared.snapshots.clone(), shared.status.clone());
            move || recover(&settings, log, state, machine, snapshots, status)
        };
        let recovered = tasks.blocking(recovery).await;
        let recovered = recovered.map_err(|error| ConsensusError::Engine(error.to_string()))??;
        let (stop, stopped) = oneshot::channel();
        let reading = Arc::<ReadIndex>::default();
        let running = recovered.run(settings.clone(), shared.clone(), reading.clone(), stopped)?;
        let forwarder = Forwarder::new(&settings, shared.peers.clone(), shared.raft.clone());
        forwarder.start(&tasks);
        let session = settings.seed.map_or_else(Rng::from_system, Rng::seeded).next_u64();
        let (own, next) = (settings.node, AtomicU64::new(1));
        let proposer = Proposer { own, parts: shared.clone(), forwarder, session, next };
        maintenance::start(&settings, &tasks, &state, &shared);
        let running = Mutex::new(Some(Stop { stop, running }));
        let inner = Inner { settings, state, shared, proposer, reading, running };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Proposes one operation, on any node, and waits for its result, at most [`Settings::propose_timeout`]. It goes to
    /// the leader; while there is none, or it changes, it waits for the next one. It is applied once, however often it
    /// had to be sent. When this returns, this node has applied it. It may be written even if the caller stops waiting.
    pub async fn propose(&self, op: Bytes) -> Result<Bytes, ProposeError> {
        self.propose_within(op, self.inner.settings.propose_timeout).await
    }

    /// As [`Consensus::propose`], with another time limit.
    pub async fn propose_within(&self, op: Bytes, limit: Duration) -> Result<Bytes, ProposeError> {
        let deadline = Instant::now() + limit;
        self.inner.proposer.propose(op, deadline).await.inspect_err(|error| {
            if matches!(error, ProposeError::Overloaded { .. }) {
                self.inner.status.overloaded.fetch_add(1, Relaxed);
            }
        })
    }

    /// After it returns, this node's memory holds everything that was acknowledged anywhere before it was called.
    /// Calls at the same time share one round to the leader, and those of all nodes one of the leader to a majority.
    pub async fn read_barrier(&self) -> Result<(), ProposeError> {
        self.raft()?;
        let Inner { settings, shared, reading, proposer, .. } = &*self.inner;
        let deadline = Instant::now() + settings.propose_timeout;
        let index = reading.anywhere(settings.node, shared, &proposer.forwarder, deadline).await?;
        let applied = tokio::time::timeout_at(deadline, shared.status.wait_applied(index + 1)).await;
        match applied {
            Ok(true) => Ok(()),
            Ok(false) => Err(ProposeError::Unavailable("shutting down")),
            Err(_) => Err(ProposeError::Timeout),
        }
    }

    /// Whether this node leads, and a majority still answers it.
    pub fn is_leader(&self) -> bool {
        self.leader() == Some(self.inner.settings.node)
    }

    /// Who leads, if that is known: this node itself only while a majority answers it.
    pub fn leader(&self) -> Option<NodeId> {
        self.standing().leader
    }

    /// The members as of the last applied entry, and every change of them.
    pub fn members(&self) -> watch::Receiver<Arc<Members>> {
        self.inner.status.members()
    }

    /// Has a node receive all entries from now on. Nothing changes if it does already.
    pub async fn add_learner(&self, node: NodeId, address: String) -> Result<(), ChangeError> {
        self.change(Change::AddLearner(node, address)).await
    }

    /// Makes exactly these members vote, in one change that needs the consent of both the old and the new majority.
    /// Whoever voted before becomes a learner.
    pub async fn change_voters(&self, voters: BTreeSet<NodeId>) -> Result<(), ChangeError> {
        self.change(Change::SetVoters(voters)).await
    }

    /// Has a node be no member any more; it may be this one.
    pub async fn remove(&self, node: NodeId) -> Result<(), ChangeError> {
        self.change(Change::Remove(node)).await
    }

    /// Tells all members where a member is reached from now on.
    pub async fn set_address(&self, node: NodeId, address: String) -> Result<(), ChangeError> {
        self.change(Change::SetAddress(node, address)).await
    }

    async fn change(&self, change: Change) -> Result<(), ChangeError> {
        self.raft()?;
        let Inner { settings, shared, proposer, .. } = &*self.inner;
        let deadline = Instant::now() + CHANGE_WITHIN;
        membership::make_anywhere(settings.node, shared, &proposer.forwarder, change, deadline).await
    }

    /// The format level in force: which formats all members write.
    pub fn level(&self) -> u32 {
        self.inner.status.level()
    }

    /// Puts the newest format level that this program knows in force, on any node. Refused unless every member is known
    /// to know it; where nobody leads it is tried again for ten seconds. There is no way back to an older program then.
    pub async fn raise_level(&self) -> Result<u32, ProposeError> {
        self.raft()?;
        let Inner { settings, shared, proposer, .. } = &*self.inner;
        let deadline = Instant::now() + CHANGE_WITHIN;
        let raised =
            level::raise_anywhere(settings.node, shared, &proposer.forwarder, settings.level, deadline)
                .await?;
        shared.status.wait_applied(raised.index + 1).await;
        Ok(shared.status.level())
    }

    /// How far this node is, and what it knows of the others.
    pub fn standing(&self) -> Standing {
        let EngineParts { raft, status, contacts, .. } = &self.inner.shared;
        standing::standing(self.inner.settings.node, raft.get(), status, contacts)
    }

    /// The last applied log entry, 0 before the first.
    pub fn applied(&self) -> u64 {
        self.inner.status.applied_next().saturating_sub(1)
    }

    /// Whether everything found in the log at start is applied and there is a leader: before that, memory is older
    /// than what was acknowledged and must not be served.
    pub fn is_ready(&self) -> bool {
        self.inner.status.phase() == Phase::Running && self.inner.status.is_caught_up()
    }

    /// Waits until [`Consensus::is_ready`]; an error says that it never will be.
    pub async fn wait_ready(&self) -> Result<(), ProposeError> {
        let status = &self.inner.status;
        let is_ready = status.wait_started().await == Phase::Running && status.wait_caught_up().await;
        is_ready.then_some(()).ok_or(ProposeError::Unavailable("consensus has stopped"))
    }

    /// Makes a snapshot that covers at least everything applied before the call, and removes the log that it makes
    /// needless. Applying goes on meanwhile. Nothing is done if the newest covers that already.
    pub async fn snapshot(&self) -> Result<SnapshotInfo, ConsensusError> {
        let EngineParts { status, snapshots, .. } = &self.inner.shared;
        self.raft().map_err(|error| ConsensusError::Engine(error.to_string()))?;
        let wanted = status.applied_next();
        loop {
            if let Some(info) = snapshots.info().filter(|_| snapshots.covered_next() >= wanted) {
                return Ok(info);
            }
            // A try that is under way may be too old, then there is another.
            maintenance::try_snapshot(&self.inner.shared).await?;
        }
    }

    /// The newest finished snapshot.
    pub fn last_snapshot(&self) -> Option<SnapshotInfo> {
        self.inner.snapshots.info()
    }

    /// Numbers as of now.
    pub fn metrics(&self) -> Metrics {
        let EngineParts { status, pipeline, space, snapshots, raft, .. } = &self.inner.shared;
        Metrics {
            applied: self.applied(),
            ops: status.ops.load(Relaxed),
            entries: status.entries.load(Relaxed),
            queued_bytes: pipeline.queued_bytes(),
            overloaded: status.overloaded.load(Relaxed),
            storage_full: status.storage_full.load(Relaxed),
            is_full: status.is_waiting_for_space() || space.is_full(),
            snapshot: snapshots.info().map(|info| info.index),
            snapshot_failures: status.snapshot_failures.load(Relaxed),
            term: raft.get().map_or(0, |raft| raft.server_metrics().borrow().vote.leader_id.term),
            leader: raft.get().and_then(|raft| raft.server_metrics().borrow().current_leader).map(NodeId),
        }
    }

    /// Refuses new proposals, waits at most `grace` for those under way, stops the engine, and has the state store
    /// synced so that the next start replays nothing. Call it before the tasks are shut down.
    pub async fn shutdown(&self, grace: Duration) {
        if tokio::time::timeout(grace, self.inner.pipeline.drain()).await.is_err() {
            tracing::warn!("proposals were still under way when the time to shut down was over");
        }
        self.halt().await;
        let state = self.inner.state.clone();
        match self.inner.tasks.blocking(move || state.checkpoint()).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                tracing::error!(%error, "could not sync the state, the next start replays the log")
            }
            Err(error) => tracing::error!(%error, "could not sync the state, the next start replays the log"),
        }
    }

    /// Stops the engine as it is and waits for its threads.
    pub(crate) async fn halt(&self) {
        let EngineParts { pipeline, status, tasks, .. } = &self.inner.shared;
        pipeline.close("shutting down");
        status.stop();
        status.enter(Phase::Stopped);
        let Some(Stop { stop, running }) = self.inner.running.lock().take() else { return };
        // The engine may have ended by itself.
        stop.send(()).ok();
        match running {
            Running::Task(ended) => _ = ended.await,
            Running::Threads(handles) => {
                let join = move || handles.into_iter().for_each(|thread| drop(thread.join()));
                if let Err(error) = tasks.blocking(join).await {
                    tracing::error!(%error, "could not wait for the threads of consensus");
                }
            }
        }
    }

    #[cfg(test)]
    pub(crate) fn status(&self) -> &Arc<Status> {
        &self.inner.status
    }

    fn raft(&self) -> Result<&Raft, ProposeError> {
        match (self.inner.raft.get(), self.inner.status.phase()) {
            (Some(raft), Phase::Running) => Ok(raft),
            (_, Phase::Starting | Phase::Running) => Err(ProposeError::Unavailable("starting")),
            (_, Phase::Stopped | Phase::Failed) => Err(ProposeError::Unavailable("consensus has stopped")),
        }
    }
}
