//! Clients that are asked to move to other nodes: so many a second, and what they published stays until they had time to
//! publish it again.

use super::{
    session::Session,
    sessions::{Sessions, reset},
};
use muster_model::{ConnectionId, Monotonic};
use muster_node::{ClientLoad, ClientTarget, Clients};
use muster_runtime::Machine;
use parking_lot::Mutex;
use std::{collections::VecDeque, sync::Arc, time::Duration};

/// A connection that ends within this time after its client was asked to move ends because of that.
const MOVE_WITHIN: Duration = Duration::from_secs(60);
/// How long what a client published stays after it left for another node: clients in Java look each 3 s for what they
/// have to register again, so that it would be gone in between (`NamingGrpcRedoService`).
const PUBLISHED_KEEP: Duration = Duration::from_secs(6);
/// How long a client that was asked and stayed is not asked again, where nobody but us wants it to move. Python and Rust
/// never move.
const ASK_AGAIN: Duration = Duration::from_secs(600);

/// Who is to be asked, and who has gone.
#[derive(Default)]
pub(super) struct Moving {
    /// At most the connections that there were; the next order replaces it.
    order: Mutex<Order>,
    /// Closed connections whose publications are still there, oldest first: at most what is asked to move in
    /// [`PUBLISHED_KEEP`].
    left: Mutex<VecDeque<(Monotonic, Arc<Session>)>>,
}

#[derive(Default)]
struct Order {
    clients: VecDeque<ConnectionId>,
    target: Option<ClientTarget>,
}

/// The clients of this node, for its peers.
pub(super) struct Counted {
    pub(super) sessions: Arc<Sessions>,
    pub(super) machine: Machine,
}

impl Clients for Counted {
    fn load(&self) -> ClientLoad {
        let machine = self.machine.load();
        ClientLoad {
            clients: self.sessions.count() as u64,
            connections: self.sessions.connections(),
            load: machine.load,
            cpu: machine.cpu,
        }
    }

    fn keep(&self, clients: u64, target: Option<ClientTarget>, is_patient: bool) {
        self.sessions.keep(usize::try_from(clients).unwrap_or(usize::MAX), target, is_patient);
    }
}

impl Sessions {
    /// Keeps the oldest so many clients and asks the others to move, the newest first: some with each look at the
    /// connections.
    fn keep(&self, count: usize, target: Option<ClientTarget>, is_patient: bool) {
        let now = self.now();
        let mut summaries = self.summaries_with_ids();
        summaries.sort_by_key(|(_, opened)| *opened);
        let beyond = summaries.iter().skip(count).rev().map(|(id, _)| *id);
        let may_ask = |id: &ConnectionId| {
            !is_patient || self.find(*id).is_some_and(|session| !session.was_asked(now, ASK_AGAIN))
        };
        *self.moving.order.lock() = Order { clients: beyond.filter(may_ask).collect(), target };
    }

    /// Asks the next clients to move, and takes back what those published that have left.
    pub(super) fn move_some(&self, now: Monotonic) {
        for _ in 0..self.settings().moves_per_scan_max {
            let (next, target) = {
                let mut order = self.moving.order.lock();
                (order.clients.pop_front(), order.target.clone())
            };
            let Some(id) = next else { break };
            if let Some(session) = self.find(id) {
                let target = target.as_ref().map(|target| (target.host.as_str(), target.port));
                reset(&session, target, now);
            }
        }
        loop {
            let over = {
                let mut left = self.moving.left.lock();
                let is_over =
                    left.front().is_some_and(|(since, _)| is_within(PUBLISHED_KEEP, *since, now).is_none());
                is_over.then(|| left.pop_front()).flatten()
            };
            let Some((_, session)) = over else { break };
            self.close_publications(&session);
        }
    }

    /// A connection is closed: what was published on it goes, at once or, if its client moves to another node, when that had
    /// time to publish it there.
    pub(super) fn publications_left(&self, session: Arc<Session>) {
        let now = self.now();
        if session.was_asked(now, MOVE_WITHIN) && session.is_leaving_by_itself() {
            self.moving.left.lock().push_back((now, session));
        } else {
            self.close_publications(&session);
        }
    }
}

/// Milliseconds since then, if they are within a limit.
pub(super) fn is_within(limit: Duration, since: Monotonic, now: Monotonic) -> Option<u64> {
    let passed = now.since(since);
    (u128::from(passed) < limit.as_millis()).then_some(passed)
}
