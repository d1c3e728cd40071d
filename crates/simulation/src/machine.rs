//! A machine that a node runs on: what outlives the process, and how to start one.

use crate::{HostClock, HostNetwork, Trace, Wire, disk::HostDisk};
use muster_consensus::Bootstrap;
use muster_model::{ClusterId, NodeId};
use muster_node::{Node, NodeParts};
use muster_peer::{Links, LinksParts, Plaintext};
use muster_runtime::{
    Clock as _, Rng, Tasks,
    disk::Disk,
    net::{BoxFuture, Network},
};
use muster_storage::{
    data_dir::{DataDir, NodeIdentity},
    journal::{Journal, JournalSettings},
    log::{Log, LogSettings},
    state::{MemoryStore, StateStore},
};
use parking_lot::Mutex;
use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};
use tokio::sync::mpsc;

/// The port of every node's peer listener.
const PORT: u16 = 7848;
/// The data directory.
const DATA: &str = "/var/muster";
/// The ensemble.
const CLUSTER: u128 = 0xC1;
/// Requests that wait for a node to take them up; beyond it they are refused.
const REQUESTS_MAX: usize = 1_024;

/// Something that a client asks a node to do.
pub(crate) type Job = Box<dyn FnOnce(Arc<Node>) -> BoxFuture<'static, ()> + Send>;

/// A machine.
pub(crate) struct Machine {
    pub(crate) id: usize,
    pub(crate) name: String,
    pub(crate) disk: HostDisk,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) clock: Arc<HostClock>,
    pub(crate) wire: Wire,
    trace: Trace,
    /// All nodes of the ensemble as it was founded.
    members: BTreeMap<NodeId, String>,
    state: Mutex<State>,
}

struct State {
    rng: Rng,
    /// Counts the processes that ran.
    life: u64,
    process: Option<Process>,
    /// Why the process ended by itself.
    failed: Option<String>,
}

/// A process that runs.
#[derive(Clone)]
pub(crate) struct Process {
    pub(crate) life: u64,
    pub(crate) node: Arc<Node>,
    door: mpsc::Sender<Job>,
}

/// The name of a machine.
pub(crate) fn name(id: usize) -> String {
    format!("n{id}")
}

impl Machine {
    /// A machine on which nothing runs.
    pub(crate) fn new(id: usize, count: usize, seed: u64, trace: &Trace) -> Arc<Self> {
        let wire = Wire::default();
        let disk = HostDisk::new(wire.clone());
        disk.create_dir_all(Path::new("/var")).expect("an empty disk takes a directory");
        let members = (1..=count).map(|id| (NodeId(id as u64), format!("{}:{PORT}", name(id)))).collect();
        let state = State { rng: Rng::seeded(seed), life: 0, process: None, failed: None };
        Arc::new(Self {
            id,
            name: name(id),
            disk,
            store: Arc::new(MemoryStore::new()),
            clock: Arc::new(HostClock::new()),
            wire,
            trace: trace.clone(),
            members,
            state: Mutex::new(state),
        })
    }

    /// The process that runs, if it has come so far that it is asked.
    pub(crate) fn process(&self) -> Option<Process> {
        self.state.lock().process.clone()
    }

    /// Why the process ended by itself, once.
    pub(crate) fn take_failure(&self) -> Option<String> {
        self.state.lock().failed.take()
    }

    /// The process is gone.
    pub(crate) fn ended(&self) {
        self.state.lock().process = None;
    }

    /// Loses what a power cut loses. The process is gone already.
    pub(crate) fn lose_power(&self) {
        let mut state = self.state.lock();
        self.disk.memory.power_cut(&mut state.rng);
        self.store.power_cut(&mut state.rng);
    }

    fn fail(&self, why: String) {
        let mut state = self.state.lock();
        state.failed.get_or_insert(why);
        state.process = None;
    }

    /// Runs a process until it is killed.
    pub(crate) async fn live(self: Arc<Self>) -> turmoil::Result {
        if let Err(error) = self.clone().serve().await {
            self.fail(format!("it does not start: {error}"));
        }
        // A process that ended by itself is cleared away by whoever sees that it failed.
        std::future::pending().await
    }

    async fn serve(self: Arc<Self>) -> anyhow::Result<()> {
        let (life, mut rng) = {
            let mut state = self.state.lock();
            state.life += 1;
            (state.life, Rng::seeded(state.rng.next_u64()))
        };
        let tasks = Tasks::single_threaded();
        let links = self.open_links(&tasks).await?;
        let disk: Arc<dyn Disk> = Arc::new(self.disk.clone());
        let dir = DataDir::open(disk.clone(), Path::new(DATA))?;
        let log_settings = LogSettings { segment_bytes: 64 << 10, rng: Rng::seeded(rng.next_u64()) };
        let (log, _) = Log::open(disk.clone(), &dir.log_dir(), log_settings)?;
        if dir.identity()?.is_none() {
            let cluster = ClusterId(CLUSTER);
            let node = NodeId(self.id as u64);
            dir.set_identity(NodeIdentity { cluster, node, is_member: true, has_begun: true })?;
        }
        let epoch = dir.begin_life(&mut rng)?;
        // Nothing is asked of the flight recorder, so nothing writes it.
        let (journal, _) = Journal::open(disk.clone(), &dir.journal_dir(), JournalSettings::default())?;
        let state: Arc<dyn StateStore> = self.store.clone();
        let node = Node::new(
            NodeParts {
                settings: node_settings(),
                state: state.clone(),
                journal,
                clock: self.clock.clone(),
                tasks: tasks.clone(),
                epoch,
                rng: Rng::seeded(rng.next_u64()),
            },
            NodeId(self.id as u64),
        );
        node.keep_checkpoint(dir.checkpoint());
        let fatal = self.clone();
        let parts = muster_consensus::Parts {
            disk,
            data_dir: DATA.into(),
            log,
            state,
            snapshots: dir.snapshots()?,
            machine: node.clone(),
            clock: self.clock.clone(),
            tasks: tasks.clone(),
            links: Some(links.clone()),
            fatal: Arc::new(move |why: &str| fatal.fail(format!("it stopped: {why}"))),
        };
        node.join(self.settings(rng.next_u64()), parts).await?;
        node.start_mirror(links)?;
        let (door, requests) = mpsc::channel(REQUESTS_MAX);
        self.state.lock().process = Some(Process { life, node: node.clone(), door });
        self.trace.note(self.clock.now().mono.0, &format_args!("{} runs, life {life}", self.name));
        let starting = node.clone();
        tasks.spawn("start", async move {
            // One that fails is not ready, and that is seen.
            if starting.catch_up().await.is_ok() {
                starting.restore_ephemeral().await;
            }
        });
        serve_requests(requests, node, tasks).await;
        Ok(())
    }

    async fn open_links(&self, tasks: &Tasks) -> anyhow::Result<Links> {
        let network =
            HostNetwork { host: self.name.clone(), wire: self.wire.clone(), trace: self.trace.clone() };
        let incoming = network.listen(&format!("{}:{PORT}", self.name)).await?;
        let parts =
            LinksParts { network: Arc::new(network), security: Arc::new(Plaintext), tasks: tasks.clone() };
        let links = Links::new(parts);
        links.identify(ClusterId(CLUSTER), NodeId(self.id as u64));
        tasks.spawn("links", links.clone().serve(incoming));
        Ok(links)
    }

    fn settings(&self, seed: u64) -> muster_consensus::Settings {
        muster_consensus::Settings {
            node: NodeId(self.id as u64),
            bootstrap: Bootstrap::Members(self.members.clone()),
            seed: Some(seed),
            reserve_bytes: 16 << 10,
            snapshot_entries: 100,
            checkpoint_bytes: 8 << 10,
            snapshot_retry: Duration::from_secs(1),
            ..muster_consensus::Settings::default()
        }
    }
}

fn node_settings() -> muster_node::Settings {
    let mut settings = muster_node::Settings::default();
    // Every write is looked for in the history.
    settings.history.history_entries_max = 10_000;
    settings
}

async fn serve_requests(mut requests: mpsc::Receiver<Job>, node: Arc<Node>, tasks: Tasks) {
    while let Some(job) = requests.recv().await {
        tasks.spawn("client", job(node.clone()));
    }
}

impl Process {
    /// Hands a job over; false: the node takes nothing.
    pub(crate) fn submit(&self, job: Job) -> bool {
        self.door.try_send(job).is_ok()
    }
}
