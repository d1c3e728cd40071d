//! All open connections.

use crate::{Connection, ConnectionInfo, connection::Order};
use muster_model::{ConnectionId, Now};
use parking_lot::RwLock;
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio_util::sync::CancellationToken;

/// Is told when connections end.
pub trait ConnectionObserver: Send + Sync + 'static {
    /// A connection is gone: closed by either side, aborted, or its task panicked. Called exactly once for each
    /// connection that was served, after the last future and answer body that served it was dropped, so no
    /// handler of this connection can do anything afterwards (work it has spawned elsewhere can). By then the
    /// table has forgotten it. Must return quickly and must not panic.
    fn closed(&self, id: ConnectionId);
}

/// Counts since the start, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Connections open now.
    pub open: u64,
    /// Connections served since the start.
    pub accepted: u64,
    /// Connections closed at once because `connections_max` were open.
    pub refused: u64,
    /// Connections aborted because their first bytes or the head of a request took too long.
    pub too_slow: u64,
    /// Connections closed because they were idle for too long.
    pub idle: u64,
    /// Errors of `accept` itself, for example because no file descriptor was left.
    pub accept_errors: u64,
}

/// The open connections by id; a clone of the `Arc` around it goes to everyone who closes or looks at them.
///
/// Lock order: its one lock is a leaf, nothing is called under it.
#[derive(Debug, Default)]
pub struct ConnectionTable {
    open: RwLock<Open>,
    draining: CancellationToken,
    pub(crate) refused: AtomicU64,
    pub(crate) too_slow: AtomicU64,
    pub(crate) idle: AtomicU64,
    pub(crate) accept_errors: AtomicU64,
}

#[derive(Debug, Default)]
struct Open {
    connections: HashMap<ConnectionId, Arc<Connection>>,
    /// The last id given out; the first is 1.
    last: u64,
    /// Given to every new connection, so that none slips past a drain.
    order: Option<Order>,
}

impl ConnectionTable {
    /// An empty table.
    pub fn new() -> Self {
        Self::default()
    }

    /// Cancelled when a drain begins: whoever holds a request open for long (a long poll, a stream of pushes)
    /// should end it then.
    pub fn draining(&self) -> CancellationToken {
        self.draining.clone()
    }

    /// An open connection.
    pub fn get(&self, id: ConnectionId) -> Option<Arc<Connection>> {
        self.open.read().connections.get(&id).cloned()
    }

    /// [`Connection::close`] by id. False: there is none.
    pub fn close(&self, id: ConnectionId) -> bool {
        let connection = self.get(id);
        connection.as_ref().inspect(|connection| connection.close()).is_some()
    }

    /// [`Connection::retire`] by id. False: there is none.
    pub fn retire(&self, id: ConnectionId) -> bool {
        let connection = self.get(id);
        connection.as_ref().inspect(|connection| connection.retire()).is_some()
    }

    /// How many are open.
    pub fn count(&self) -> usize {
        self.open.read().connections.len()
    }

    /// All that are open, in no order.
    pub fn all(&self) -> Vec<Arc<Connection>> {
        self.open.read().connections.values().cloned().collect()
    }

    /// The counts.
    pub fn statistics(&self) -> Statistics {
        let open = self.open.read();
        Statistics {
            open: open.connections.len() as u64,
            accepted: open.last,
            refused: self.refused.load(Ordering::Relaxed),
            too_slow: self.too_slow.load(Ordering::Relaxed),
            idle: self.idle.load(Ordering::Relaxed),
            accept_errors: self.accept_errors.load(Ordering::Relaxed),
        }
    }

    /// Takes a connection in, unless `connections_max` are open.
    pub(crate) fn open(
        &self,
        info: impl FnOnce(ConnectionId) -> ConnectionInfo,
        connections_max: usize,
        now: Now,
    ) -> Option<Arc<Connection>> {
        let mut open = self.open.write();
        if open.connections.len() >= connections_max {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        open.last += 1;
        let info = info(ConnectionId(open.last));
        let connection = Arc::new(Connection::new(info, now));
        if let Some(order) = open.order {
            connection.order(order);
        }
        open.connections.insert(info.id, connection.clone());
        Some(connection)
    }

    pub(crate) fn forget(&self, id: ConnectionId) {
        let mut open = self.open.write();
        open.connections.remove(&id);
        if open.connections.capacity() > 1024 && open.connections.len() * 4 < open.connections.capacity() {
            open.connections.shrink_to_fit();
        }
    }

    /// Orders all, those to come as well. How many there are.
    pub(crate) fn order_all(&self, order: Order) -> usize {
        let connections: Vec<_> = {
            let mut open = self.open.write();
            open.order = open.order.max(Some(order));
            open.connections.values().cloned().collect()
        };
        self.draining.cancel();
        connections.iter().for_each(|connection| connection.order(order));
        connections.len()
    }
}
