//! A client whose instance lives as long as its connection to some node.

use super::{Desk, Reply, instance, pause, service_named, version};
use crate::record::{Server, now_ms};
use muster_model::{Actor, ClientId, ConnectionId, Reason, ServiceKey};
use muster_runtime::Rng;

/// Numbers of these clients begin here.
pub(crate) const FIRST: u32 = 40;

/// Between two looks whether the connection is there.
const LOOK_MS: u64 = 500;

pub(crate) struct Client {
    number: u32,
    desk: Desk,
    rng: Rng,
    /// From now on it changes nothing any more.
    quiet_from_ms: u64,
    /// Counts its connections.
    connections: u64,
    connection: Option<(Server, ConnectionId)>,
}

/// The service of all of them.
pub(crate) fn service() -> ServiceKey {
    service_named("connected")
}

impl Client {
    pub(crate) fn new(number: u32, desk: Desk, rng: Rng, quiet_from_ms: u64) -> Self {
        Self { number, desk, rng, quiet_from_ms, connections: 0, connection: None }
    }

    pub(crate) async fn run(mut self) {
        loop {
            pause(&mut self.rng, LOOK_MS - 100, LOOK_MS + 100).await;
            match self.connection {
                None => self.connect().await,
                Some((server, _)) if self.life(server.node) != Some(server.life) => self.connection = None,
                Some((server, connection)) => {
                    let is_steady = self.number.is_multiple_of(2);
                    if !is_steady && now_ms() < self.quiet_from_ms && self.rng.below(16) == 0 {
                        self.close(server, connection).await;
                    } else {
                        self.note(server.node, false);
                    }
                }
            }
        }
    }

    fn life(&self, node: usize) -> Option<u64> {
        self.desk.machines[node - 1].process().map(|process| process.life)
    }

    async fn connect(&mut self) {
        let node = self.desk.any(&mut self.rng);
        self.connections += 1;
        let connection = ConnectionId(u64::from(self.number) * 10_000 + self.connections);
        let instance = instance(self.number, version(self.connections));
        let client = ClientId::Connection(connection);
        let reply = self.desk.ask(node, move |node| async move {
            node.register(client, service(), vec![instance], Actor::default()).await.is_ok()
        });
        let reply = reply.await;
        let number = self.number;
        match reply {
            Reply::Answer(true, server) => {
                self.desk.recorder.note(&format_args!("i{number} n{node} is connected"));
                self.connection = Some((server, connection));
                self.note(node, false);
            }
            // Whoever gets no answer closes the connection.
            Reply::Lost => self.end(node, connection).await,
            Reply::Answer(false, _) | Reply::Unreachable => {}
        }
    }

    async fn close(&mut self, server: Server, connection: ConnectionId) {
        self.connection = None;
        self.note(server.node, true);
        self.end(server.node, connection).await;
    }

    async fn end(&mut self, node: usize, connection: ConnectionId) {
        let number = self.number;
        self.desk.recorder.note(&format_args!("i{number} n{node} closes its connection"));
        let closing = self.desk.ask(node, move |node| async move {
            node.close_connection(connection, Actor::default(), Reason::ConnectionLost);
        });
        // If the process is gone the connection is, too.
        let _: Reply<()> = closing.await;
    }

    fn note(&self, node: usize, is_leaving: bool) {
        self.desk.renewed(&service(), self.number, node, is_leaving);
    }
}
