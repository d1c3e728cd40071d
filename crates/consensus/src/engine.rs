//! The thread that openraft runs on.

use crate::{
    ConsensusError, Settings,
    lane::Lane,
    log_adapter::LogAdapter,
    network::NoPeers,
    pipeline::Pipeline,
    snapshotter::Snapshotter,
    state_adapter::StateAdapter,
    status::{Phase, Status},
    types::TypeConfig,
};
use openraft::{BasicNode, Config, ServerState, SnapshotPolicy};
use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
    thread::{Builder, JoinHandle},
};
use tokio::sync::oneshot;

pub(crate) type Raft = openraft::Raft<TypeConfig>;

/// What the engine runs on.
pub(crate) struct Engine {
    pub(crate) settings: Settings,
    pub(crate) log: LogAdapter,
    pub(crate) lane: Lane,
    pub(crate) snapshots: Arc<Snapshotter>,
    pub(crate) pipeline: Arc<Pipeline>,
    pub(crate) status: Arc<Status>,
    /// Where the handle to openraft goes once it is there.
    pub(crate) raft: Arc<OnceLock<Raft>>,
    /// Whether this node is the only voter.
    pub(crate) is_alone: bool,
}

impl Engine {
    /// Starts the thread. It ends when `stop` is sent or dropped.
    pub(crate) fn spawn(self, stop: oneshot::Receiver<()>) -> Result<JoinHandle<()>, ConsensusError> {
        let engine = |error: std::io::Error| ConsensusError::Engine(error.to_string());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(engine)?;
        let thread = Builder::new().name("muster-raft".to_owned());
        thread.spawn(move || runtime.block_on(self.run(stop))).map_err(engine)
    }

    async fn run(self, mut stop: oneshot::Receiver<()>) {
        let (status, pipeline) = (self.status.clone(), self.pipeline.clone());
        let started = tokio::select! {
            biased;
            _ = &mut stop => return,
            started = self.start() => started,
        };
        match started {
            Ok(raft) => {
                let mut state = raft.server_metrics();
                let ended = async { while state.changed().await.is_ok() {} };
                tokio::select! {
                    _ = stop => {}
                    // Whoever waits for an entry in flight is told when the engine is gone.
                    () = status.wait_ended() => {}
                    () = ended => {
                        status.fail("run the consensus engine", &"it ended");
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
    async fn start(self) -> Result<Raft, ConsensusError> {
        let Self { settings, log, lane, snapshots, pipeline, status, raft: handle, is_alone } = self;
        let state = StateAdapter { lane, snapshots, status: status.clone() };
        let node = settings.node.0;
        let raft =
            Raft::new(node, Arc::new(config(&settings)?), NoPeers, log, state).await.map_err(engine)?;
        if !raft.is_initialized().await.map_err(engine)? {
            raft.initialize(BTreeMap::from([(node, BasicNode::default())])).await.map_err(engine)?;
        } else if is_alone && raft.server_metrics().borrow().state != ServerState::Leader {
            raft.trigger().elect().await.map_err(engine)?;
        }
        if raft.server_metrics().wait_for(|state| state.current_leader.is_some()).await.is_err() {
            return Err(ConsensusError::Engine("it ended".to_owned()));
        }
        handle.set(raft.clone()).ok();
        pipeline.open(Arc::new(raft.clone()));
        status.enter(Phase::Running);
        Ok(raft)
    }
}

fn engine(error: impl std::fmt::Display) -> ConsensusError {
    ConsensusError::Engine(error.to_string())
}

/// In openraft 0.9 a follower campaigns after the longest election time-out, its own draw, and a tick of 1.5
/// heartbeats: 2.8 to 3.6 s and a tick with these.
fn config(settings: &Settings) -> Result<Config, ConsensusError> {
    let config = Config {
        cluster_name: "muster".to_owned(),
        heartbeat_interval: 250,
        election_timeout_min: 1_000,
        election_timeout_max: 1_800,
        install_snapshot_timeout: 60_000,
        snapshot_policy: SnapshotPolicy::Never,
        max_in_snapshot_log_to_keep: settings.log_entries_kept,
        ..Config::default()
    };
    config.validate().map_err(engine)
}
