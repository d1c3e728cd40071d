//! A machine that a node runs on: what outlives the process, and how to start one.

mod enter;
mod operator;
mod process;

pub(crate) use operator::remove;
pub(crate) use process::{Process, Reply};

use crate::{HostClock, HostNetwork, Trace, Wire, disk::HostDisk, record::now_ms};
use enter::Entered;
use muster_model::NodeId;
use muster_node::{Node, NodeParts};
use muster_peer::{Links, LinksParts, Plaintext};
use muster_runtime::{Rng, Tasks, disk::Disk, net::Network as _};
use muster_storage::{
    data_dir::{DataDir, NodeIdentity},
    journal::{Journal, JournalSettings},
    log::{Log, LogSettings},
    state::{MemoryStore, StateStore},
};
use parking_lot::Mutex;
use std::{
    path::Path,
    sync::{Arc, OnceLock, Weak},
    time::Duration,
};

/// The port of every node's peer listener.
const PORT: u16 = 7848;
/// The data directory.
const DATA: &str = "/var/muster";
/// Requests that wait for a node to take them up; beyond it they are refused.
const REQUESTS_MAX: usize = 1_024;
/// How often it is looked whether the log has begun.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// A machine.
pub(crate) struct Machine {
    /// Its place, from 1 on. The node that runs on it has the same id only if it was there from the beginning.
    pub(crate) place: usize,
    pub(crate) name: String,
    pub(crate) disk: HostDisk,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) clock: Arc<HostClock>,
    pub(crate) wire: Wire,
    trace: Trace,
    /// How many nodes the ensemble began with: those of the first places.
    founders: usize,
    /// All machines.
    all: OnceLock<Vec<Weak<Machine>>>,
    state: Mutex<State>,
}

struct State {
    rng: Rng,
    /// A node is to run on it.
    is_used: bool,
    /// The node that ran on it last.
    node: Option<NodeId>,
    /// Operators are removing that node.
    is_being_removed: bool,
    /// Operators removed that node.
    is_removed: bool,
    /// Answers to clients get lost.
    drops_answers: bool,
    /// Counts the processes that ran.
    life: u64,
    process: Option<Process>,
    /// Why the process ended by itself.
    failed: Option<Failure>,
}

/// A process ended by itself.
pub(crate) struct Failure {
    pub(crate) why: String,
    /// It has no other choice: there is no room to write down who its node is, and before that a node must not act. It says so,
    /// and operators start it again.
    pub(crate) is_due: bool,
}

/// How a process ended in order.
enum End {
    /// Its machine was switched off.
    Over,
    /// It refused to start, because its log is lost. The operator empties the data directory, as it says.
    LostLog,
}

/// The name of a machine.
pub(crate) fn name(place: usize) -> String {
    format!("n{place}")
}

/// Where the peers of the node on a machine reach it.
fn address(place: usize) -> String {
    format!("{}:{PORT}", name(place))
}

impl Machine {
    /// Machines on which nothing runs. On the first `founders` of them an ensemble begins.
    pub(crate) fn park(count: usize, founders: usize, rng: &mut Rng, trace: &Trace) -> Vec<Arc<Self>> {
        let machines: Vec<_> =
            (1..=count).map(|place| Arc::new(Self::new(place, founders, rng.next_u64(), trace))).collect();
        for machine in &machines {
            machine.all.get_or_init(|| machines.iter().map(Arc::downgrade).collect());
        }
        machines
    }

    fn new(place: usize, founders: usize, seed: u64, trace: &Trace) -> Self {
        let wire = Wire::default();
        let disk = HostDisk::new(wire.clone());
        disk.create_dir_all(Path::new("/var")).expect("an empty disk takes a directory");
        let is_used = place <= founders;
        let state = State {
            rng: Rng::seeded(seed),
            is_used,
            node: None,
            is_being_removed: false,
            is_removed: false,
            drops_answers: false,
            life: 0,
            process: None,
            failed: None,
        };
        Self {
            place,
            name: name(place),
            disk,
            store: Arc::new(MemoryStore::new()),
            clock: Arc::new(HostClock::new()),
            wire,
            trace: trace.clone(),
            founders,
            all: OnceLock::new(),
            state: Mutex::new(state),
        }
    }

    /// The other machines.
    fn others(&self) -> Vec<Arc<Self>> {
        let all = self.all.get().map_or(&[][..], |all| all);
        all.iter().filter_map(Weak::upgrade).filter(|other| other.place != self.place).collect()
    }

    /// The process that runs, if it has come so far that it is asked.
    pub(crate) fn process(&self) -> Option<Process> {
        self.state.lock().process.clone()
    }

    /// Whether a node is to run on it.
    pub(crate) fn is_used(&self) -> bool {
        self.state.lock().is_used
    }

    /// From now on a node is to run on it.
    pub(crate) fn begin_use(&self) {
        self.state.lock().is_used = true;
    }

    /// The node that ran on it last.
    pub(crate) fn node(&self) -> Option<NodeId> {
        self.state.lock().node
    }

    /// Operators begin to remove its node.
    pub(crate) fn begin_removal(&self) {
        self.state.lock().is_being_removed = true;
    }

    /// Whether operators are removing its node.
    pub(crate) fn is_being_removed(&self) -> bool {
        self.state.lock().is_being_removed
    }

    /// Operators have removed its node.
    pub(crate) fn set_removed(&self) {
        self.state.lock().is_removed = true;
    }

    /// Whether operators have removed its node, once.
    pub(crate) fn take_removed(&self) -> bool {
        let mut state = self.state.lock();
        let is_removed = std::mem::take(&mut state.is_removed);
        state.is_being_removed &= !is_removed;
        is_removed
    }

    /// Many answers of its node get lost from now on, or none.
    pub(crate) fn set_drops_answers(&self, drops: bool) {
        self.state.lock().drops_answers = drops;
    }

    /// Whether an answer that its node gives gets lost.
    pub(crate) fn drops_answer(&self) -> bool {
        let mut state = self.state.lock();
        state.drops_answers && state.rng.below(3) == 0
    }

    /// Why the process ended by itself, once.
    pub(crate) fn take_failure(&self) -> Option<Failure> {
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

    /// Loses the whole data directory. No process runs.
    pub(crate) fn wipe(&self) {
        self.disk.memory.wipe(Path::new(DATA));
        self.store.wipe();
    }

    /// Loses everything but who it is.
    pub(crate) fn lose_log(&self) {
        for lost in ["log", "snapshots"] {
            self.disk.memory.wipe(&Path::new(DATA).join(lost));
        }
        self.store.wipe();
    }

    fn fail(&self, why: String) {
        self.end(Failure { why, is_due: false });
    }

    fn end(&self, failure: Failure) {
        let mut state = self.state.lock();
        state.failed.get_or_insert(failure);
        state.process = None;
    }

    /// Whether the disk is full and was so before the node could note who it is.
    fn has_no_room_to_begin(&self) -> bool {
        let dir = Path::new(DATA);
        let is_full = self.disk.free_bytes(dir).is_ok_and(|free| free == 0);
        let identity = DataDir::open(Arc::new(self.disk.clone()), dir).and_then(|dir| dir.identity());
        is_full && !matches!(identity, Ok(Some(_)))
    }

    fn address(&self) -> String {
        address(self.place)
    }

    fn note(&self, what: &dyn std::fmt::Display) {
        self.trace.note(now_ms(), &format_args!("{} {what}", self.name));
    }

    /// Runs processes until the machine is switched off.
    pub(crate) async fn live(self: Arc<Self>) -> turmoil::Result {
        while self.is_used() {
            match self.clone().serve().await {
                Ok(End::LostLog) => self.wipe(),
                Ok(End::Over) => break,
                Err(error) => {
                    let is_due = self.has_no_room_to_begin();
                    self.end(Failure { why: format!("it does not start: {error}"), is_due });
                    break;
                }
            }
        }
        // A process that ended by itself is cleared away by whoever sees that it failed.
        std::future::pending().await
    }

    async fn serve(self: Arc<Self>) -> anyhow::Result<End> {
        let (life, mut rng) = {
            let mut state = self.state.lock();
            state.life += 1;
            (state.life, Rng::seeded(state.rng.next_u64()))
        };
        let tasks = Tasks::single_threaded();
        let disk: Arc<dyn Disk> = Arc::new(self.disk.clone());
        let dir = Arc::new(DataDir::open(disk.clone(), Path::new(DATA))?);
        let log_settings = LogSettings { segment_bytes: 64 << 10, rng: Rng::seeded(rng.next_u64()) };
        let (log, _) = Log::open(disk.clone(), &dir.log_dir(), log_settings)?;
        let state: Arc<dyn StateStore> = self.store.clone();
        let snapshots = dir.snapshots()?;
        let has_data = log.last().is_some() || state.applied()?.is_some() || !snapshots.list()?.is_empty();
        let Some(Entered { identity, bootstrap }) = self.enter(&dir, has_data, &mut rng).await? else {
            return Ok(End::LostLog);
        };
        self.state.lock().node = Some(identity.node);
        let epoch = dir.begin_life(&mut rng)?;
        // Nothing is asked of the flight recorder, so nothing writes it.
        let (journal, _) = Journal::open(disk.clone(), &dir.journal_dir(), JournalSettings::default())?;
        let parts = NodeParts {
            settings: node_settings(&mut rng),
            state: state.clone(),
            journal,
            clock: self.clock.clone(),
            tasks: tasks.clone(),
            epoch,
            rng: Rng::seeded(rng.next_u64()),
        };
        let node = Node::new(parts, identity.node);
        node.keep_checkpoint(dir.checkpoint());
        let links = self.open_links(identity, &tasks).await?;
        node.enter_ensemble(self.ensemble_parts(&links));
        let fatal = self.clone();
        let parts = muster_consensus::Parts {
            disk,
            data_dir: DATA.into(),
            log,
            state,
            snapshots,
            machine: node.clone(),
            clock: self.clock.clone(),
            tasks: tasks.clone(),
            links: Some(links.clone()),
            fatal: Arc::new(move |why: &str| fatal.fail(format!("it stopped: {why}"))),
        };
        node.join(consensus_settings(identity.node, bootstrap, rng.next_u64()), parts).await?;
        node.start_mirror(links)?;
        self.run(node, life, dir, identity, tasks).await;
        Ok(End::Over)
    }

    /// Serves those who ask, until the machine is switched off.
    async fn run(&self, node: Arc<Node>, life: u64, dir: Arc<DataDir>, identity: NodeIdentity, tasks: Tasks) {
        let (process, requests) = Process::new(life, node.clone(), REQUESTS_MAX);
        self.state.lock().process = Some(process);
        self.note(&format_args!("runs node {}, life {life}", identity.node.0));
        let starting = node.clone();
        tasks.spawn("start", async move {
            // One that fails is not ready, and that is seen.
            if starting.catch_up().await.is_ok() {
                starting.restore_ephemeral().await;
            }
        });
        tasks.spawn("beginning", note_beginning(node.clone(), dir.clone(), identity));
        process::serve_requests(requests, node, tasks).await;
    }

    async fn open_links(&self, identity: NodeIdentity, tasks: &Tasks) -> anyhow::Result<Links> {
        let network =
            HostNetwork { host: self.name.clone(), wire: self.wire.clone(), trace: self.trace.clone() };
        let incoming = network.listen(&self.address()).await?;
        let parts =
            LinksParts { network: Arc::new(network), security: Arc::new(Plaintext), tasks: tasks.clone() };
        let links = Links::new(parts);
        links.identify(identity.cluster, identity.node);
        tasks.spawn("links", links.clone().serve(incoming));
        Ok(links)
    }
}

/// As a server does: from then on, a directory without a log is one that lost it.
async fn note_beginning(node: Arc<Node>, dir: Arc<DataDir>, identity: NodeIdentity) {
    if identity.has_begun {
        return;
    }
    while node.consensus().map_or(0, muster_consensus::Consensus::applied) == 0 {
        tokio::time::sleep(LOOK_EVERY).await;
    }
    // A disk that is full takes it later: a server notes it in its next life, too.
    dir.set_identity(NodeIdentity { has_begun: true, ..identity }).ok();
}

fn consensus_settings(
    node: NodeId,
    bootstrap: muster_consensus::Bootstrap,
    seed: u64,
) -> muster_consensus::Settings {
    muster_consensus::Settings {
        node,
        bootstrap,
        seed: Some(seed),
        reserve_bytes: 16 << 10,
        snapshot_entries: 100,
        checkpoint_bytes: 8 << 10,
        snapshot_retry: Duration::from_secs(1),
        ..muster_consensus::Settings::default()
    }
}

fn node_settings(rng: &mut Rng) -> muster_node::Settings {
    let mut settings = muster_node::Settings::default();
    // Every write is looked for in the history.
    settings.history.history_entries_max = 10_000;
    if rng.below(2) == 0 {
        // So that who missed something is often sent a snapshot.
        settings.limits.mirror_changes_max = 4;
    }
    settings
}
