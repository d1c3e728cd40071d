//! `muster serve`: everything put together, from start to drain.

use crate::{
    cli::ServeFlags,
    exit::{Exit, USAGE},
    settings::{self, Settings},
    start::{self, Stored},
    telemetry, version,
};
use anyhow::Context;
use muster_admin::AdminState;
use muster_consensus::Parts;
use muster_model::NodeId;
use muster_nacos::Sessions;
use muster_node::{Node, NodeParts};
use muster_runtime::{Clock, Rng, SystemClock, Tasks};
use muster_transport::{ConnectionTable, Listener, Transport, TransportParts, TransportSettings};
use std::{collections::BTreeMap, io::Write, sync::Arc, time::Duration};
use tokio::signal::unix::{SignalKind, signal};

/// How long tasks may take to end once everything else is down.
const TASKS_GRACE: Duration = Duration::from_secs(5);

/// Runs a node until it is told to stop.
pub(crate) fn serve(flags: &ServeFlags, environment: &BTreeMap<String, String>) -> anyhow::Result<()> {
    let flags = flags.flags().map_err(|problem| Exit::new(USAGE, problem))?;
    let (settings, _) =
        settings::load(&flags, environment).map_err(|problems| Exit::new(USAGE, problems.to_string()))?;
    check_exposure(&settings)?;
    telemetry::start(&settings);
    match muster_transport::raise_nofile_limit() {
        Ok(limit) => tracing::debug!(?limit, "limit of open files raised"),
        Err(error) => tracing::warn!(%error, "the limit of open files stays as it is"),
    }
    let stored = start::open(&settings)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("muster")
        .build()
        .context("start the runtime")?;
    runtime.block_on(run(settings, stored))
}

/// Another address than this machine's own is opened only on purpose.
fn check_exposure(settings: &Settings) -> Result<(), Exit> {
    if settings.listen.ip().is_loopback() || settings.open_client_api {
        return Ok(());
    }
    Err(Exit::new(
        USAGE,
        format!(
            "other machines can reach {}, and there is no access control in this version: whoever reaches it may read \
             and change every service and config. Listen on 127.0.0.1, or add --open-client-api to say that this is \
             meant",
            settings.listen
        ),
    ))
}

async fn run(settings: Settings, stored: Stored) -> anyhow::Result<()> {
    let Stored { dir, disk, log, state, snapshots, journal, journal_task } = stored;
    let listeners = muster_transport::bind(&[settings.listen, settings.grpc_listen()])?;
    let tasks = Tasks::new();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let journal_stop = Tasks::new();
    journal_stop.spawn("journal", journal_task.run(journal_stop.stopping().cancelled_owned()));
    let node = Node::new(
        NodeParts {
            settings: node_settings(&settings),
            state: state.clone(),
            journal,
            clock: clock.clone(),
            tasks: tasks.clone(),
            rng: Rng::from_system(),
        },
        NodeId(1),
    );
    let table = Arc::new(ConnectionTable::new());
    let sessions = Sessions::new(node.clone(), table.clone());
    let transport = open(&settings, listeners, &node, &sessions, &table, clock.clone(), tasks.clone());
    tasks.spawn("detection", sessions.clone().run_detection(tasks.stopping()));
    let parts = Parts {
        disk,
        data_dir: dir.path().to_owned(),
        log,
        state,
        snapshots,
        machine: node.clone(),
        clock,
        tasks: tasks.clone(),
        fatal: Arc::new(|why| stop_at_once(why)),
    };
    node.join(consensus_settings(&settings), parts).await.context("start consensus")?;
    node.consensus()?.wait_ready().await.context("replay the log")?;
    greet(&settings);
    wait_for_signal().await?;
    drain(&settings, &node, &sessions, &transport, &tasks).await;
    if !journal_stop.shutdown(TASKS_GRACE).await {
        tracing::warn!("the journal did not end in time, its last second may be missing");
    }
    drop(dir);
    Ok(())
}

fn open(
    settings: &Settings,
    listeners: Vec<Listener>,
    node: &Arc<Node>,
    sessions: &Arc<Sessions>,
    table: &Arc<ConnectionTable>,
    clock: Arc<dyn Clock>,
    tasks: Tasks,
) -> Transport {
    let admin = AdminState {
        node: node.clone(),
        connections: table.clone(),
        version: version::LONG,
        context_path: settings.context_path.clone(),
    };
    let http = muster_nacos::HttpSettings {
        context_path: settings.context_path.clone(),
        udp_push_anywhere: settings.udp_push_anywhere,
        main_port: settings.listen.port(),
        version: version::VERSION.to_owned(),
    };
    let router = muster_nacos::router(node.clone(), sessions.clone(), tasks.clone(), http)
        .merge(muster_admin::router(admin));
    Transport::start(TransportParts {
        listeners,
        router,
        settings: TransportSettings {
            connections_max: settings.connections_max,
            header_bytes_max: settings.header_bytes_max,
            header_read_timeout: settings.header_timeout,
            http1_idle_timeout: settings.idle_timeout,
            ..TransportSettings::default()
        },
        table: table.clone(),
        observer: sessions.clone(),
        clock,
        tasks,
    })
}

fn node_settings(settings: &Settings) -> muster_node::Settings {
    let mut node = muster_node::Settings {
        limits: settings.limits.clone(),
        rendered_bytes_max: settings.rendered_bytes_max,
        content_bytes_max: settings.content_cache_bytes_max,
        ..muster_node::Settings::default()
    };
    node.history.history_retention_ms = settings.history_days * 86_400_000;
    node.history.history_entries_max = u32::try_from(settings.history_per_config_max).unwrap_or(u32::MAX);
    node
}

fn consensus_settings(settings: &Settings) -> muster_consensus::Settings {
    muster_consensus::Settings {
        propose_timeout: settings.write_timeout,
        reserve_bytes: settings.reserve_bytes,
        snapshot_entries: settings.snapshot_every,
        ..muster_consensus::Settings::default()
    }
}

/// Consensus can't go on: nothing more may be acknowledged, so the process ends here and now.
#[expect(clippy::exit, reason = "a failed disk or a damaged file must not be acknowledged over")]
fn stop_at_once(why: &str) {
    tracing::error!(why, "stopping at once");
    std::process::exit(i32::from(crate::exit::DATA_DIR));
}

/// What a first start says: at most 15 lines.
fn greet(settings: &Settings) {
    let (listen, grpc, path) = (settings.listen, settings.grpc_listen(), &settings.context_path);
    let open = if settings.listen.ip().is_loopback() {
        "open to: this machine only".to_owned()
    } else {
        "open to: everyone who reaches that address, without a password (--open-client-api): they may read and \
         change every service and config"
            .to_owned()
    };
    let text = format!(
        "muster {}\n\
         serving  http://{listen}{path}  (Nacos HTTP, page at http://{listen}/)\n         \
         {grpc}  (Nacos gRPC)\n\
         data in  {}\n\
         {open}\n\
         try:     curl -X POST 'http://{listen}{path}/v1/cs/configs?dataId=hello&group=DEFAULT_GROUP&content=world'\n         \
         curl 'http://{listen}{path}/v1/cs/configs?dataId=hello&group=DEFAULT_GROUP'\n",
        version::LONG,
        settings.data_dir.display(),
    );
    if let Err(error) = std::io::stdout().write_all(text.as_bytes()) {
        tracing::debug!(%error, "standard output is closed");
    }
    tracing::info!(%listen, %grpc, data_dir = %settings.data_dir.display(), "ready");
    if !settings.listen.ip().is_loopback() {
        tracing::warn!(%listen, "client API open to other machines without access control");
    }
}

async fn wait_for_signal() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("watch for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("watch for SIGINT")?;
    tokio::select! {
        _ = terminate.recv() => tracing::info!("SIGTERM, draining"),
        _ = interrupt.recv() => tracing::info!("SIGINT, draining"),
    }
    Ok(())
}

/// Clients are asked to move and given time to; then what is open is closed, and what was written is synced.
async fn drain(settings: &Settings, node: &Node, sessions: &Sessions, transport: &Transport, tasks: &Tasks) {
    let limit = settings.drain;
    transport.stop_accepting().await;
    sessions.reset_all();
    let moved = async {
        while sessions.count() > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    if tokio::time::timeout(limit / 2, moved).await.is_err() {
        tracing::info!(connections = sessions.count(), "clients that did not move are disconnected");
    }
    let drained = transport.drain(limit / 2).await;
    if drained.aborted > 0 {
        tracing::info!(aborted = drained.aborted, "connections were aborted");
    }
    if let Ok(consensus) = node.consensus() {
        consensus.shutdown(limit).await;
    }
    if !tasks.shutdown(TASKS_GRACE).await {
        tracing::warn!("some tasks did not end in time");
    }
    tracing::info!("stopped");
}
