//! All Nacos connections of the node, and what becomes of them over time.

use super::session::Session;
use bytes::Bytes;
use foldhash::fast::RandomState;
use muster_model::{ConnectionId, Monotonic, Reason};
use muster_nacos_wire::grpc::push;
use muster_node::{Node, WatcherKind};
use muster_transport::{ConnectionInfo, ConnectionObserver, ConnectionTable};
use std::{net::SocketAddr, sync::Arc, time::Duration};

/// A connection without a sign of life for so long is asked for one.
const IDLE_MS: u64 = 20_000;
/// A connection that does not answer within this time is closed.
const DETECTION_MS: u64 = 5_000;
/// How often connections are looked at.
const SCAN_EVERY: Duration = Duration::from_secs(1);

/// The sessions by connection. The transport tells it when connections close.
pub struct Sessions {
    node: Arc<Node>,
    table: Arc<ConnectionTable>,
    sessions: papaya::HashMap<ConnectionId, Arc<Session>, RandomState>,
}

/// A connection as administrators see it.
#[derive(Clone, Debug)]
pub struct SessionSummary {
    /// `<ms>_<ip>_<port>`.
    pub name: String,
    /// Name and version of the client.
    pub client_version: String,
    /// The application, "" if it named none.
    pub app_name: String,
    /// Where it comes from.
    pub remote: SocketAddr,
}

impl Sessions {
    /// No sessions yet.
    pub fn new(node: Arc<Node>, table: Arc<ConnectionTable>) -> Arc<Self> {
        Arc::new(Self { node, table, sessions: papaya::HashMap::default() })
    }

    /// The session of a connection, begun by whatever comes first on it.
    pub(crate) fn get_or_open(&self, info: ConnectionInfo) -> Arc<Session> {
        if let Some(session) = self.sessions.pin().get(&info.id) {
            return session.clone();
        }
        let name = format!("{}_{}_{}", self.node.now().wall.0, info.remote.ip(), info.remote.port());
        let fresh = Session::new(info, name, self.node.open_watcher(WatcherKind::Connection));
        let session = self.sessions.pin().get_or_insert(info.id, fresh).clone();
        if self.table.get(info.id).is_none() {
            // It closed meanwhile, and `closed` may have run before the insertion.
            self.closed(info.id);
        }
        session
    }

    /// Cancelled when the server begins to drain its connections.
    pub(crate) fn draining(&self) -> tokio_util::sync::CancellationToken {
        self.table.draining()
    }

    /// How many connections have set up.
    pub fn count(&self) -> usize {
        self.sessions.pin().values().filter(|session| session.setup().is_some()).count()
    }

    /// The connections that have set up.
    pub fn summaries(&self) -> Vec<SessionSummary> {
        let sessions = self.sessions.pin();
        let of = |session: &Arc<Session>| {
            session.setup().map(|setup| SessionSummary {
                name: session.name.clone(),
                client_version: setup.client_version.clone(),
                app_name: setup.app_name.clone(),
                remote: session.info.remote,
            })
        };
        sessions.values().filter_map(of).collect()
    }

    /// Asks a client to move, to a given server or to any other; false if there is no such connection. The
    /// connection stays until the client leaves.
    pub fn reset(&self, name: &str, target: Option<(&str, u16)>) -> bool {
        let sessions = self.sessions.pin();
        match sessions.values().find(|session| session.name == name) {
            Some(session) => {
                reset(session, target);
                true
            }
            None => false,
        }
    }

    /// Asks every client to move, because the node is going away.
    pub fn reset_all(&self) {
        self.sessions.pin().values().for_each(|session| reset(session, None));
    }

    /// Asks the config clients of a declared address what they hold of a config; gives the bodies they answered
    /// with, within the time limit.
    pub async fn config_metrics(&self, client_ip: &str, group_key: &str, limit: Duration) -> Vec<Bytes> {
        let asked: Vec<_> = {
            let sessions = self.sessions.pin();
            let of_ip = |session: &&Arc<Session>| {
                session.setup().is_some_and(|setup| !setup.is_naming && setup.labels.ip == client_ip)
            };
            let ask = |session: &Arc<Session>| {
                let id = session.next_id();
                let answer = session.expect_answer(id);
                session
                    .send(push::client_config_metric(super::push::control_id(id), group_key))
                    .then_some(answer)
            };
            sessions.values().filter(of_ip).filter_map(ask).collect()
        };
        let mut answers = Vec::new();
        for answer in asked {
            if let Ok(Ok(body)) = tokio::time::timeout(limit, answer).await {
                answers.push(body);
            }
        }
        answers
    }

    /// Looks for silent connections until the node stops.
    pub async fn run_detection(self: Arc<Self>, stopping: tokio_util::sync::CancellationToken) {
        loop {
            tokio::select! {
                () = stopping.cancelled() => return,
                () = tokio::time::sleep(SCAN_EVERY) => self.detect(self.node.now().mono),
            }
        }
    }

    fn detect(&self, now: Monotonic) {
        let sessions = self.sessions.pin();
        for session in sessions.values().filter(|session| session.setup().is_some()) {
            let Some(connection) = self.table.get(session.info.id) else { continue };
            if now.since(connection.last_active()) < IDLE_MS {
                session.is_alive();
                continue;
            }
            match session.detect(now) {
                None => {
                    let id = super::push::control_id(session.next_id());
                    session.send(push::client_detection(id));
                }
                Some(since) if now.since(since) >= DETECTION_MS => {
                    tracing::info!(connection = session.name, "client does not answer, closing");
                    session.closing(Reason::ConnectionSilent);
                    connection.close();
                }
                Some(_) => {}
            }
        }
    }

    /// A message came on a session's stream: it is alive.
    pub(crate) fn touch(&self, session: &Session) {
        session.is_alive();
        if let Some(connection) = self.table.get(session.info.id) {
            connection.touch(self.node.now().mono);
        }
    }
}

fn reset(session: &Session, target: Option<(&str, u16)>) {
    let id = super::push::control_id(session.next_id());
    let target = target.map(|(ip, port)| push::ResetTarget { ip, port });
    session.send(push::connect_reset(id, &session.name, target));
}

impl ConnectionObserver for Sessions {
    fn closed(&self, id: ConnectionId) {
        let session = self.sessions.pin().remove(&id).cloned();
        if let Some(session) = session {
            session.end();
            // The map lets go of a removed session at some later time.
            session.watcher.close();
            self.node.close_connection(id, session.actor.clone(), session.close_reason());
        }
    }
}
