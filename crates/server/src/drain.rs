//! From the first signal to the end.

use crate::settings::Settings;
use muster_eureka::Peers;
use muster_nacos::Sessions;
use muster_node::Node;
use muster_runtime::Tasks;
use muster_transport::Transport;
use std::{sync::Arc, time::Duration};

/// How long tasks may take to end once everything else is down.
const TASKS_GRACE: Duration = Duration::from_secs(5);
/// How often it is looked at who is still there.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Clients are asked to move and given time to; then what is open is closed, and what was written is synced.
pub(crate) async fn drain(
    settings: &Settings,
    node: &Arc<Node>,
    sessions: &Sessions,
    (transport, peers): (&Transport, &Peers),
    tasks: &Tasks,
) {
    let limit = settings.drain;
    node.begin_drain();
    transport.stop_accepting().await;
    sessions.reset_all();
    let moved = async {
        while sessions.count() > 0 {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    if tokio::time::timeout(limit / 2, moved).await.is_err() {
        tracing::info!(connections = sessions.count(), "clients that did not move are disconnected");
    }
    let drained = transport.drain(limit / 2).await;
    if drained.aborted > 0 {
        tracing::info!(aborted = drained.aborted, "connections were aborted");
    }
    peers.leave().await;
    node.write_checkpoint().await;
    if let Ok(consensus) = node.consensus() {
        consensus.shutdown(limit).await;
    }
    if !tasks.shutdown(TASKS_GRACE).await {
        tracing::warn!("some tasks did not end in time");
    }
    tracing::info!("stopped");
}
