//! `muster serve`: everything put together, from start to drain.

use crate::{
    cli::ServeFlags,
    drain::drain,
    exit::{DATA_DIR, Exit, INTERRUPTED, USAGE, chain},
    greeting,
    membership::{self, Entered, Ground, Prover},
    openapi::OPENAPI,
    settings::{self, Settings},
    signals::Signals,
    start::{self, Stored},
    telemetry, version,
};
use anyhow::Context;
use muster_admin::AdminState;
use muster_consensus::{Parts, isolate};
use muster_eureka::Peers;
use muster_nacos::{LogLevels, Sessions};
use muster_node::{Facts, Node, NodeParts};
use muster_runtime::{Clock, Rng, SystemClock, Tasks, disk::Disk};
use muster_storage::data_dir::DataDir;
use muster_transport::{ConnectionTable, Listener, Transport, TransportParts};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::sync::oneshot;

/// How long the journal may take to write its last records.
const JOURNAL_GRACE: Duration = Duration::from_secs(2);
/// Open files that are no connections of clients: log, state, listeners, some health checks, and room for more.
const FILES_BESIDE: u64 = 128;
/// How many health checks these suffice for. More are made only where the limit is high.
const CHECKS_BESIDE: u64 = 64;

/// Runs a node until it is told to stop.
pub(crate) fn serve(flags: &ServeFlags, environment: &BTreeMap<String, String>) -> anyhow::Result<()> {
    let (mut settings, _) = settings::load(&flags.flags(), environment)
        .map_err(|problems| Exit::new(USAGE, problems.to_string()))?;
    let log_levels = telemetry::start(&settings);
    fit_connections(&mut settings);
    if flags.join_token.is_some() {
        tracing::warn!(
            "whoever may list the processes of this machine can read --join-token: use join_token_file or MUSTER_JOIN_TOKEN"
        );
    }
    let stored = start::open(&settings)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("muster")
        .build()
        .context("start the runtime")?;
    runtime.block_on(run(settings, stored, log_levels))
}

/// Each connection is an open file, and log and state need some, too: no more are taken than there is room for.
fn fit_connections(settings: &mut Settings) {
    let limit = match muster_transport::raise_nofile_limit() {
        Ok(limit) => limit.after,
        Err(error) => {
            tracing::warn!(%error, "the limit of open files stays as it is");
            error.before
        }
    };
    let checks = settings.health_checks_concurrent_max as u64;
    let checks = checks.min((limit / 16).max(CHECKS_BESIDE));
    settings.health_checks_concurrent_max = checks as usize;
    let beside = FILES_BESIDE + checks.saturating_sub(CHECKS_BESIDE);
    let room = usize::try_from(limit.saturating_sub(beside)).unwrap_or(usize::MAX).max(1);
    if room < settings.connections_max {
        let connections_max = settings.connections_max;
        tracing::info!(
            limit,
            connections_max,
            connections = room,
            "limit of open files leaves room for fewer connections"
        );
        settings.connections_max = room;
    }
}

async fn run(settings: Settings, stored: Stored, log_levels: Arc<dyn LogLevels>) -> anyhow::Result<()> {
    let Stored { dir, disk, mut log, state, snapshots, journal, journal_task, has_data } = stored;
    // It stays locked until the process has ended: threads that still write may outlive this function.
    let dir: &'static DataDir = Box::leak(Box::new(dir));
    let listeners = bind(&settings)?;
    let tasks = Tasks::new();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let journal_stop = Tasks::new();
    journal_stop.spawn("journal", journal_task.run(journal_stop.stopping().cancelled_owned()));
    let mut signals = Signals::watch()?;
    let ground = Ground { settings: &settings, dir, has_data, clock: clock.clone(), tasks: tasks.clone() };
    let Some(entered) = signals.unless_told(membership::enter(&ground)).await.transpose()? else {
        return Ok(());
    };
    let Entered { identity, bootstrap, is_alone, ensemble } = entered;
    let address = settings.cluster.advertised();
    if is_alone && isolate(&mut log, &*state, identity.node, address).map_err(|error| not_served(&error))? {
        tracing::warn!("the data are of a cluster of several nodes, this node goes on with them alone");
    }
    let mut rng = Rng::from_system();
    let epoch = dir.begin_life(&mut rng)?;
    let node_parts = NodeParts {
        settings: settings.node(),
        state: state.clone(),
        journal,
        clock: clock.clone(),
        tasks: tasks.clone(),
        epoch,
        rng,
    };
    let node = Node::new(node_parts, identity.node);
    let (removed, was_removed) = oneshot::channel();
    let watched = membership::note_beginning(node.clone(), dir, identity, tasks.clone());
    tasks.spawn("beginning of the log", watched);
    let prover = ensemble.as_ref().map(|ensemble| ensemble.prover.clone());
    let links = ensemble.map(|ensemble| ensemble.attach(&ground, &node, removed));
    node.start_doctor(facts(disk.clone(), dir, prover), links.clone());
    let table = Arc::new(ConnectionTable::new());
    let sessions = Sessions::new(node.clone(), table.clone());
    let edges = Edges {
        settings: &settings,
        listeners,
        node: &node,
        sessions: &sessions,
        table: &table,
        clock: clock.clone(),
        tasks: tasks.clone(),
        log_levels,
    };
    let (transport, peers) = edges.open();
    tasks.spawn("detection", sessions.clone().run_detection(tasks.stopping()));
    node.keep_checkpoint(dir.checkpoint());
    let parts = Parts {
        disk,
        data_dir: dir.path().to_owned(),
        log,
        state,
        snapshots,
        machine: node.clone(),
        clock,
        tasks: tasks.clone(),
        links,
        fatal: Arc::new(stop_at_once),
    };
    let consensus = muster_consensus::Settings { node: identity.node, bootstrap, ..settings.consensus() };
    if signals.unless_told(replay(consensus, &node, parts)).await.transpose()?.is_none() {
        return Ok(());
    }
    peers.start();
    greeting::print(&settings);
    let is_removed = end_of(&mut signals, was_removed).await;
    let drained = drain(&settings, &node, &sessions, (&transport, &peers), &tasks);
    tokio::select! {
        () = drained => {}
        name = signals.next() => stop_undrained(name),
    }
    if !journal_stop.shutdown(JOURNAL_GRACE).await {
        tracing::warn!("the journal did not end in time, its last second may be missing");
    }
    if is_removed { Err(membership::removed(identity)) } else { Ok(()) }
}

/// What the doctor is told of this process.
fn facts(disk: Arc<dyn Disk>, dir: &DataDir, prover: Option<Arc<Prover>>) -> Facts {
    Facts {
        version: version::LONG,
        disk,
        data_dir: dir.path().to_owned(),
        certificate_until: Box::new(move || prover.as_ref().and_then(|prover| prover.certificate_until())),
    }
}

/// Waits until the node is to end; whether that is because it was removed from its cluster.
async fn end_of(signals: &mut Signals, was_removed: oneshot::Receiver<()>) -> bool {
    let removal = async {
        if was_removed.await.is_err() {
            // Nobody can tell a node that stands alone.
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        name = signals.next() => {
            tracing::info!(signal = name, "draining, a second signal ends at once");
            false
        }
        () = removal => {
            tracing::error!("this node was removed from its cluster, it ends");
            true
        }
    }
}

/// Opens all addresses, or none.
fn bind(settings: &Settings) -> anyhow::Result<Vec<Listener>> {
    let wanted = settings.listeners();
    let addresses: Vec<_> = wanted.iter().map(|listener| listener.address).collect();
    let bound = muster_transport::bind(&addresses)?;
    Ok(bound.into_iter().zip(wanted).map(|(socket, listener)| socket.showing(listener.surfaces)).collect())
}

/// Brings everything acknowledged before the start back into memory.
async fn replay(settings: muster_consensus::Settings, node: &Arc<Node>, parts: Parts) -> anyhow::Result<()> {
    let links = parts.links.clone();
    node.join(settings, parts).await.map_err(|error| not_served(&error))?;
    if let Some(links) = links {
        node.share_figures(links.clone(), version::VERSION);
        node.start_mirror(links)?;
    }
    node.catch_up().await.map_err(|error| not_served(&error))?;
    node.restore_ephemeral().await;
    Ok(())
}

fn not_served(error: &(dyn std::error::Error + 'static)) -> Exit {
    Exit::new(DATA_DIR, format!("the data directory can't be served: {}", chain(error)))
}

/// What the protocol edges and their listeners are made of.
struct Edges<'a> {
    settings: &'a Settings,
    listeners: Vec<Listener>,
    node: &'a Arc<Node>,
    sessions: &'a Arc<Sessions>,
    table: &'a Arc<ConnectionTable>,
    clock: Arc<dyn Clock>,
    tasks: Tasks,
    log_levels: Arc<dyn LogLevels>,
}

impl Edges<'_> {
    /// Begins to serve. The peers are to be started when the node is ready.
    fn open(self) -> (Transport, Arc<Peers>) {
        let Self { settings, listeners, node, sessions, table, clock, tasks, log_levels } = self;
        let admin = AdminState {
            node: node.clone(),
            connections: table.clone(),
            version: version::LONG,
            context_path: settings.context_path.clone(),
            openapi: OPENAPI,
        };
        let http = muster_nacos::HttpSettings {
            context_path: settings.context_path.clone(),
            udp_push_anywhere: settings.udp_push_anywhere,
            cors: settings.cors,
            gate_v1_v2: settings.gate_v1_v2,
            main_port: settings.listen.port(),
            version: version::VERSION.to_owned(),
            log_levels: Some(log_levels),
        };
        let peers = Arc::new(Peers::new(node.clone(), settings.eureka.base.clone(), settings.eureka_peers()));
        let router = muster_nacos::router(node.clone(), sessions.clone(), tasks.clone(), http)
            .merge(muster_eureka::router(node.clone(), peers.clone(), settings.eureka.clone()))
            .merge(muster_admin::router(admin));
        let transport = Transport::start(TransportParts {
            listeners,
            router,
            settings: settings.transport(),
            table: table.clone(),
            observer: sessions.clone(),
            clock,
            tasks,
        });
        (transport, peers)
    }
}

/// Consensus can't go on: nothing more may be acknowledged, so the process ends here and now.
#[expect(clippy::exit, reason = "a failed disk or a damaged file must not be acknowledged over")]
fn stop_at_once(why: &str) {
    tracing::error!(why, "stopping at once");
    std::process::exit(i32::from(DATA_DIR));
}

/// Whoever asks twice does not want to wait. Nothing acknowledged is lost: it is on disk already.
#[expect(clippy::exit, reason = "the drain is given up on request")]
fn stop_undrained(signal: &str) {
    tracing::warn!(signal, "ending at once, connections are cut off");
    std::process::exit(i32::from(INTERRUPTED));
}
