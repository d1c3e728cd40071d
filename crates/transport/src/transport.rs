//! All listeners and connections of a process, from start to drain.

use crate::{
    ConnectionObserver, ConnectionTable, Listener, TransportSettings, accept, connection::Order,
    serve::Server, sweep,
};
use axum::Router;
use muster_runtime::{Clock, Tasks};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// What a [`Transport`] is made of.
pub struct TransportParts {
    /// The sockets to accept from; their order is the [`ListenerIndex`](crate::ListenerIndex).
    pub listeners: Vec<Listener>,
    /// Serves every request of every listener.
    pub router: Router,
    /// The limits; [`TransportSettings::problems`] must be empty.
    pub settings: TransportSettings,
    /// The table to fill: made by the caller because handlers hold it too. For this transport alone.
    pub table: Arc<ConnectionTable>,
    /// Who is told about closed connections.
    pub observer: Arc<dyn ConnectionObserver>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Owns all tasks started here. When it begins to stop, listeners close and connections retire; only
    /// [`Transport::drain`] aborts those that do not end, so call it first.
    pub tasks: Tasks,
}

/// How a drain went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were open when it began.
    pub open: usize,
    /// Those of them that did not end in time and were aborted.
    pub aborted: usize,
}

/// How long aborted connections may take to drop what they hold: no IO is involved, only other tasks.
const ABORT_GRACE: Duration = Duration::from_secs(2);

/// The running listeners and connections. Dropping it changes nothing; [`Transport::drain`] ends it.
#[derive(Debug)]
pub struct Transport {
    addresses: Vec<SocketAddr>,
    table: Arc<ConnectionTable>,
    accepting: CancellationToken,
    listeners: TaskTracker,
    connections: TaskTracker,
}

impl Transport {
    /// Begins to accept on all listeners.
    ///
    /// # Panics
    /// If a setting is a [`problem`](TransportSettings::problems), or outside of a tokio runtime.
    pub fn start(parts: TransportParts) -> Self {
        let problems = parts.settings.problems();
        assert!(problems.is_empty(), "the settings were checked before: {problems:?}");
        let addresses = parts.listeners.iter().map(Listener::address).collect();
        let connections = TaskTracker::new();
        let server = Arc::new(Server::new(
            parts.router,
            parts.settings,
            parts.table.clone(),
            parts.observer,
            parts.clock,
            connections.clone(),
        ));
        let transport = Self {
            addresses,
            table: parts.table,
            accepting: parts.tasks.stopping().child_token(),
            listeners: TaskTracker::new(),
            connections,
        };
        for (index, listener) in parts.listeners.into_iter().enumerate() {
            let accepting = accept::run(server.clone(), listener, index, transport.accepting.clone());
            parts.tasks.spawn("accept", transport.listeners.track_future(accepting));
        }
        transport.listeners.close();
        let stopping = parts.tasks.stopping();
        parts.tasks.spawn("sweep-connections", sweep::run(server, stopping.clone()));
        parts.tasks.spawn(
            "connections",
            retire_all(transport.table.clone(), transport.connections.clone(), stopping),
        );
        transport
    }

    /// The addresses that are listened on, in the order of the listeners.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The connections.
    pub fn table(&self) -> &Arc<ConnectionTable> {
        &self.table
    }

    /// Closes the listeners; new clients are refused by the system and go elsewhere. Open connections go on.
    pub async fn stop_accepting(&self) {
        self.accepting.cancel();
        self.listeners.wait().await;
    }

    /// Ends everything: closes the listeners, cancels [`ConnectionTable::draining`], retires all connections,
    /// waits for them for at most `limit` and aborts the rest. Streams that clients hold open for ever (Nacos
    /// pushes) end only if their handler ends them, or by the abort.
    pub async fn drain(&self, limit: Duration) -> Drained {
        self.stop_accepting().await;
        let open = self.table.order_all(Order::Retire);
        self.connections.close();
        if tokio::time::timeout(limit, self.connections.wait()).await.is_ok() {
            return Drained { open, aborted: 0 };
        }
        let aborted = self.table.order_all(Order::Abort);
        if tokio::time::timeout(ABORT_GRACE, self.connections.wait()).await.is_err() {
            tracing::warn!(
                connections = self.connections.len(),
                "requests still run after their connections were aborted"
            );
        }
        Drained { open, aborted }
    }
}

/// Retires all connections when the process stops and waits for them, so that whoever waits for the tasks of
/// the process waits for its connections.
async fn retire_all(table: Arc<ConnectionTable>, connections: TaskTracker, stopping: CancellationToken) {
    stopping.cancelled().await;
    table.order_all(Order::Retire);
    connections.close();
    connections.wait().await;
}
