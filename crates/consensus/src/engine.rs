//! What openraft runs on: a thread of its own, or, where there is only one, a task.

use crate::{
    Bootstrap, ConsensusError, ProposeError, Settings,
    acceptor::RaftAcceptor,
    contact::{Contacts, LEASE},
    election::Elections,
    engine_runtime,
    forward_acceptor::ForwardAcceptor,
    lane::Lane,
    level,
    log_adapter::LogAdapter,
    network::{Network, Peers},
    pipeline::Pipeline,
    reading::ReadIndex,
    snapshot_acceptor::SnapshotAcceptor,
    snapshotter::Snapshotter,
    space::Space,
    state_adapter::StateAdapter,
    status::{Phase, Status},
    trimming::Trimming,
    types::TypeConfig,
};
use muster_model::NodeId;
use muster_peer::Purpose;
use muster_runtime::{Rng, Tasks};
use openraft::{BasicNode, Config, ServerState, SnapshotPolicy};
use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock, atomic::Ordering::Relaxed},
    thread::{Builder, JoinHandle},
    time::Duration,
};
use tokio::sync::oneshot;

pub(crate) type Raft = openraft::Raft<TypeConfig>;

/// What the engine runs on.
pub(crate) struct Engine {
    pub(crate) settings: Settings,
    pub(crate) log: LogAdapter,
    pub(crate) lane: Lane,
    /// Whether this node is the only voter.
    pub(crate) is_alone: bool,
    pub(crate) shared: EngineParts,
    pub(crate) reading: Arc<ReadIndex>,
}

/// What the engine has in common with the handle.
#[derive(Clone)]
pub(crate) struct EngineParts {
    pub(crate) snapshots: Arc<Snapshotter>,
    pub(crate) trimming: Trimming,
    pub(crate) pipeline: Arc<Pipeline>,
    pub(crate) status: Arc<Status>,
    pub(crate) contacts: Arc<Contacts>,
    pub(crate) peers: Arc<Peers>,
    pub(crate) space: Arc<Space>,
    /// Where the handle to openraft goes once it is there.
    pub(crate) raft: Arc<OnceLock<Raft>>,
    pub(crate) tasks: Tasks,
    /// The newest format level that this node takes.
    pub(crate) known_level: u32,
}

/// How long it is waited for a leader before it is looked again.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

impl EngineParts {
    /// Who leads, as far as openraft knows.
    pub(crate) fn current_leader(&self) -> Option<NodeId> {
        self.raft.get().and_then(|raft| raft.server_metrics().borrow().current_leader).map(NodeId)
    }

    /// Waits a little, less if another leader is there before.
    pub(crate) async fn wait_for_leader(&self) {
        let Some(raft) = self.raft.get() else { return tokio::time::sleep(LOOK_AGAIN).await };
        let mut metrics = raft.server_metrics();
        let before = metrics.borrow_and_update().current_leader;
        let is_new = |now: Option<u64>| now.is_some() && now != before;
        tokio::select! {
            biased;
            _ = metrics.wait_for(|metrics| is_new(metrics.current_leader)) => {}
            () = tokio::time::sleep(LOOK_AGAIN) => {}
        }
    }

    /// Whether so many bytes more may be proposed, as far as this node's disk is concerned.
    pub(crate) fn check_room(&self, bytes: u64) -> Result<(), ProposeError> {
        if self.status.is_waiting_for_space() || !self.space.has_room(bytes) {
            self.status.storage_full.fetch_add(1, Relaxed);
            return Err(ProposeError::StorageFull);
        }
        Ok(())
    }
}

impl Engine {
    /// Starts the thread. It ends when `stop` is sent or dropped.
    pub(crate) fn spawn(self, stop: oneshot::Receiver<()>) -> Result<JoinHandle<()>, ConsensusError> {
        let engine = |error: std::io::Error| ConsensusError::Engine(error.to_string());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(engine)?;
        let thread = Builder::new().name("muster-raft".to_owned());
        thread.spawn(move || runtime.block_on(self.run(stop))).map_err(engine)
    }

    /// Starts a task instead; what is returned tells when it has ended.
    pub(crate) fn spawn_task(self, stop: oneshot::Receiver<()>) -> oneshot::Receiver<()> {
        let (done, ended) = oneshot::channel();
        self.shared.tasks.clone().spawn("consensus engine", async move {
            self.run(stop).await;
            // Nobody may wait for it.
            done.send(()).ok();
        });
        ended
    }

    async fn run(self, mut stop: oneshot::Receiver<()>) {
        let rng = self.settings.seed.map_or_else(Rng::from_system, Rng::seeded);
        let (settings, shared) = (self.settings.clone(), self.shared.clone());
        let EngineParts { status, pipeline, .. } = shared.clone();
        let started = tokio::select! {
            biased;
            _ = &mut stop => return,
            started = self.start(rng.clone()) => started,
        };
        match started {
            Ok(raft) => {
                let mut state = raft.server_metrics();
                let ended = async { while state.changed().await.is_ok() {} };
                let elections = Elections::new(&settings, raft.clone(), shared, rng);
                tokio::select! {
                    biased;
                    _ = stop => {}
                    // Whoever waits for an entry in flight is told when the engine is gone.
                    () = status.wait_ended() => {}
                    () = ended => {
                        status.fail("run the consensus engine", &"it ended");
                    }
                    () = elections.run() => {
                        status.fail("run the consensus engine", &"it takes no more calls");
                    }
                }
                if let Err(error) = raft.shutdown().await {
                    tracing::error!(%error, "the consensus engine did not end in order");
                }
            }
            Err(error) => {
                status.fail("start the consensus engine", &error);
            }
        }
        pipeline.close("consensus has stopped");
    }

    /// Applies what the log holds, has this node elected if it is alone, and opens the pipeline.
    async fn start(self, mut rng: Rng) -> Result<Raft, ConsensusError> {
        let Self { settings, log, lane, is_alone, shared, reading } = self;
        if !shared.tasks.is_single_threaded() || settings.seed.is_some() {
            engine_runtime::seed(rng.next_u64());
        }
        let EngineParts { snapshots, pipeline, status, peers, tasks, .. } = shared.clone();
        let state = StateAdapter { lane, snapshots, status: status.clone(), tasks };
        let node = settings.node.0;
        let config = Arc::new(config()?);
        let raft = Raft::new(node, config, Network(peers), log, state).await.map_err(engine)?;
        if raft.is_initialized().await.map_err(engine)? {
            if is_alone && raft.server_metrics().borrow().state != ServerState::Leader {
                raft.trigger().elect().await.map_err(engine)?;
            }
        } else if let Some(members) = founders(&settings) {
            raft.initialize(members).await.map_err(engine)?;
        }
        if is_alone && raft.server_metrics().wait_for(|state| state.current_leader.is_some()).await.is_err() {
            return Err(ConsensusError::Engine("it ended".to_owned()));
        }
        shared.raft.set(raft.clone()).ok();
        if is_alone && shared.status.is_pristine() {
            level::raise(settings.node, &shared, settings.level).await.map_err(engine)?;
        }
        pipeline.open(Arc::new(raft.clone()));
        accept(&settings, &shared, &raft, reading);
        status.enter(Phase::Running);
        Ok(raft)
    }
}

/// Who begins the group, if this node is one of them.
fn founders(settings: &Settings) -> Option<BTreeMap<u64, BasicNode>> {
    match &settings.bootstrap {
        Bootstrap::Alone { address } => {
            Some(BTreeMap::from([(settings.node.0, BasicNode::new(address.clone()))]))
        }
        Bootstrap::Members(members) => {
            Some(members.iter().map(|(id, address)| (id.0, BasicNode::new(address.clone()))).collect())
        }
        Bootstrap::Join => None,
    }
}

/// From now on peers are answered.
fn accept(settings: &Settings, parts: &EngineParts, raft: &Raft, reading: Arc<ReadIndex>) {
    let Some(links) = &parts.peers.links else { return };
    let acceptor = RaftAcceptor {
        own: settings.node.0,
        raft: raft.clone(),
        contacts: parts.contacts.clone(),
        status: parts.status.clone(),
        space: parts.space.clone(),
        level: settings.level,
    };
    links.handle(Purpose::Raft, Arc::new(acceptor));
    let forwards = ForwardAcceptor { own: settings.node, parts: parts.clone(), reading };
    let snapshots = SnapshotAcceptor::new(raft.clone(), parts.clone());
    links.handle(Purpose::Snapshot, Arc::new(snapshots));
    links.handle(Purpose::Forward, Arc::new(forwards));
}

fn engine(error: impl std::fmt::Display) -> ConsensusError {
    ConsensusError::Engine(error.to_string())
}

/// openraft's own timer for elections is off: see [`crate::election`]. What it takes for the longest election time-out is
/// how long a follower keeps to a leader that it has heard.
fn config() -> Result<Config, ConsensusError> {
    let lease = LEASE.as_millis() as u64;
    let config = Config {
        cluster_name: "muster".to_owned(),
        heartbeat_interval: 250,
        election_timeout_min: lease - 1,
        election_timeout_max: lease,
        enable_elect: false,
        install_snapshot_timeout: 60_000,
        snapshot_policy: SnapshotPolicy::Never,
        // It counts entries only: see [`crate::trimming`].
        max_in_snapshot_log_to_keep: u64::MAX,
        ..Config::default()
    };
    config.validate().map_err(engine)
}
