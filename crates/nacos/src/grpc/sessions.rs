//! All Nacos connections of the node, and what becomes of them over time.

use super::{
    moving::{Counted, Moving},
    session::Session,
};
use bytes::Bytes;
use futures_util::future::join_all;
use muster_model::{ConnectionId, HashState, Monotonic, Reason, Timestamp};
use muster_nacos_wire::grpc::push;
use muster_node::{Clients, Node, WatcherKind, config::ClientLabels};
use muster_runtime::Machine;
use muster_transport::{Connection, ConnectionInfo, ConnectionObserver, ConnectionTable};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tonic::Status;

/// How long connections may be silent. `Default` is the one place of the defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionSettings {
    /// A connection without a sign of life for so long (20 s) is asked for one.
    pub idle: Duration,
    /// A connection that does not answer that within this time (5 s) is closed.
    pub detection: Duration,
    /// How often connections are looked at (1 s). It is also the time between the end of a stream and the close of a
    /// connection that its client does not leave.
    pub scan_every: Duration,
    /// How long the one message of a unary call may make no progress (30 s), then the call fails.
    pub body_stall: Duration,
    /// How many clients are asked to move to another node each time connections are looked at (100): what moves a
    /// thousand at once makes a thousand register anew at once.
    pub moves_per_scan_max: usize,
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(20),
            detection: Duration::from_secs(5),
            scan_every: Duration::from_secs(1),
            body_stall: Duration::from_secs(30),
            moves_per_scan_max: 100,
        }
    }
}

/// The sessions by connection. The transport tells it when connections close.
pub struct Sessions {
    node: Arc<Node>,
    table: Arc<ConnectionTable>,
    settings: SessionSettings,
    sessions: papaya::HashMap<ConnectionId, Arc<Session>, HashState>,
    pub(super) moving: Moving,
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
    /// The port it came to.
    pub local_port: u16,
    /// Whether it is for naming; else it is for configs.
    pub is_naming: bool,
    /// The address it declares (that of its socket if none), and what gray rules select by.
    pub labels: ClientLabels,
    /// When it was accepted.
    pub opened: Timestamp,
    /// When it was last active.
    pub active: Monotonic,
}

impl Sessions {
    /// No sessions yet.
    pub fn new(node: Arc<Node>, table: Arc<ConnectionTable>) -> Arc<Self> {
        Self::with_settings(node, table, SessionSettings::default())
    }

    /// No sessions yet, with other times than the defaults.
    pub fn with_settings(
        node: Arc<Node>,
        table: Arc<ConnectionTable>,
        settings: SessionSettings,
    ) -> Arc<Self> {
        Arc::new(Self {
            node,
            table,
            settings,
            sessions: papaya::HashMap::default(),
            moving: Moving::default(),
        })
    }

    /// The times it goes by.
    pub(crate) fn settings(&self) -> &SessionSettings {
        &self.settings
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

    /// The clients, as the peers of the node count and move them.
    pub fn clients(self: &Arc<Self>) -> Arc<dyn Clients> {
        Arc::new(Counted { sessions: self.clone(), machine: Machine::default() })
    }

    pub(super) fn now(&self) -> Monotonic {
        self.node.now().mono
    }

    /// How many connections have set up.
    pub fn count(&self) -> usize {
        self.sessions.pin().values().filter(|session| session.setup().is_some()).count()
    }

    /// How many connections there are, those of other protocols among them.
    pub(crate) fn connections(&self) -> u64 {
        self.table.statistics().open
    }

    /// The connections that have set up.
    pub fn summaries(&self) -> Vec<SessionSummary> {
        let sessions = self.sessions.pin();
        let of = |session: &Arc<Session>| {
            let (setup, connection) = (session.setup()?, self.table.get(session.info.id)?);
            let mut labels = setup.labels.clone();
            if labels.ip.is_empty() {
                labels.ip = session.info.remote.ip().to_string();
            }
            Some(SessionSummary {
                name: session.name.clone(),
                client_version: setup.client_version.clone(),
                app_name: setup.app_name.clone(),
                remote: session.info.remote,
                local_port: session.info.local.port(),
                is_naming: setup.is_naming,
                labels,
                opened: connection.opened(),
                active: connection.last_active(),
            })
        };
        sessions.values().filter_map(of).collect()
    }

    /// The connections that have set up, and when they were accepted.
    pub(super) fn summaries_with_ids(&self) -> Vec<(ConnectionId, Timestamp)> {
        let sessions = self.sessions.pin();
        let of = |session: &Arc<Session>| {
            session.setup()?;
            Some((session.info.id, self.table.get(session.info.id)?.opened()))
        };
        sessions.values().filter_map(of).collect()
    }

    /// The session of a connection, if it has one.
    pub(crate) fn find(&self, id: ConnectionId) -> Option<Arc<Session>> {
        self.sessions.pin().get(&id).cloned()
    }

    /// The connections that have set up for naming.
    pub(crate) fn naming_clients(&self) -> Vec<Arc<Session>> {
        let sessions = self.sessions.pin();
        let is_naming = |session: &&Arc<Session>| session.setup().is_some_and(|setup| setup.is_naming);
        sessions.values().filter(is_naming).cloned().collect()
    }

    /// Asks a client to move, to a given server or to any other; false if there is no such connection. The
    /// connection stays until the client leaves.
    pub fn reset(&self, name: &str, target: Option<(&str, u16)>) -> bool {
        let sessions = self.sessions.pin();
        match sessions.values().find(|session| session.name == name) {
            Some(session) => {
                reset(session, target, self.now());
                true
            }
            None => false,
        }
    }

    /// Asks every client to move, because the node is going away.
    pub fn reset_all(&self) {
        let now = self.now();
        self.sessions.pin().values().for_each(|session| reset(session, None, now));
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
        let answers = join_all(asked.into_iter().map(|answer| tokio::time::timeout(limit, answer))).await;
        answers.into_iter().filter_map(|answer| answer.ok()?.ok()).collect()
    }

    /// Looks for silent connections until the node stops.
    pub async fn run_detection(self: Arc<Self>, stopping: tokio_util::sync::CancellationToken) {
        loop {
            tokio::select! {
                () = stopping.cancelled() => return,
                () = tokio::time::sleep(self.settings.scan_every) => self.detect(self.node.now().mono),
            }
        }
    }

    fn detect(&self, now: Monotonic) {
        self.move_some(now);
        let sessions = self.sessions.pin();
        for session in sessions.values() {
            let Some(connection) = self.table.get(session.info.id) else { continue };
            if let Some(since) = session.ended_since() {
                // The end of the stream has been sent. A connection without one is of no use to its client.
                if is_over(self.settings.scan_every, since, now) {
                    connection.close();
                }
            } else if session.setup().is_some() {
                self.probe(session, &connection, now);
            }
        }
    }

    /// Asks a silent client for a sign of life, and ends the stream of one that gives none.
    fn probe(&self, session: &Session, connection: &Connection, now: Monotonic) {
        if !is_over(self.settings.idle, connection.last_active(), now) {
            session.is_alive();
            return;
        }
        match session.detect(now) {
            None => {
                let id = super::push::control_id(session.next_id());
                session.send(push::client_detection(id));
            }
            Some(since) if is_over(self.settings.detection, since, now) => {
                tracing::info!(connection = session.name, "client does not answer, closing");
                session.closing(Reason::ConnectionSilent);
                session.end(now, None);
            }
            Some(_) => {}
        }
    }

    /// What was published on a connection is gone.
    pub(super) fn close_publications(&self, session: &Session) {
        self.node.close_connection(session.info.id, session.actor.clone(), session.close_reason());
    }

    /// A session's stream is over, and with it the connection: what still runs on it may finish.
    pub(crate) fn leave(&self, session: &Session, failure: Option<Status>) {
        session.end(self.node.now().mono, failure);
        self.table.retire(session.info.id);
    }

    /// A message came on a session's stream: it is alive.
    pub(crate) fn touch(&self, session: &Session) {
        session.is_alive();
        if let Some(connection) = self.table.get(session.info.id) {
            connection.touch(self.node.now().mono);
        }
    }
}

fn is_over(limit: Duration, since: Monotonic, now: Monotonic) -> bool {
    u128::from(now.since(since)) >= limit.as_millis()
}

/// Asks a client to move.
pub(super) fn reset(session: &Session, target: Option<(&str, u16)>, now: Monotonic) {
    session.asked_to_move(now);
    let id = super::push::control_id(session.next_id());
    let target = target.map(|(ip, port)| push::ResetTarget { ip, port });
    session.send(push::connect_reset(id, &session.name, target));
}

impl ConnectionObserver for Sessions {
    fn closed(&self, id: ConnectionId) {
        let session = self.sessions.pin().remove(&id).cloned();
        if let Some(session) = session {
            session.end(self.node.now().mono, None);
            // Not by its drop: the map and the tasks of the connection may keep the session for a while.
            session.watcher.close();
            self.publications_left(session);
        }
    }
}
