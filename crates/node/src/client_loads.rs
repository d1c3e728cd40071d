//! How many clients each node has, and moving some of them to nodes that have fewer.
//!
//! A node asks its peers over links of their own ([`Purpose::Clients`]), which stay open. Every few seconds it compares
//! ([`share`]); one that has clearly more than its share lets the edge move the surplus, a bounded number each second:
//! a node that was restarted, and comes back without clients, gets its share back without a storm.

mod share;
mod wire;

use crate::Node;
use bytes::Bytes;
use futures_util::future::join_all;
use muster_model::{HashMap, NodeId};
use muster_peer::{Acceptor, Link, Links, Purpose};
use muster_runtime::net::BoxFuture;
use parking_lot::Mutex;
use share::{FACTOR, Surplus, surplus};
use std::{
    io,
    sync::{Arc, OnceLock, Weak},
    time::Duration,
};
use wire::Question;

/// How often nodes compare how many clients they have.
const COMPARE_EVERY: Duration = Duration::from_secs(5);
/// How long a peer may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);

/// How busy a node is with clients.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ClientLoad {
    /// Clients with a gRPC connection.
    pub clients: u64,
    /// All connections.
    pub connections: u64,
    /// Load average of its machine.
    pub load: f64,
    /// Share of its processors in use.
    pub cpu: f64,
    /// Whether it answers clients: none is sent to one that does not.
    pub is_ready: bool,
}

/// Where clients should go: the address of a node, as clients are given it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientTarget {
    /// An address or a name.
    pub host: String,
    /// The main port.
    pub port: u16,
}

/// The edge that has the clients' connections.
pub trait Clients: Send + Sync + 'static {
    /// How busy it is.
    fn load(&self) -> ClientLoad;

    /// Asks clients beyond so many to move, to a given node or to any other; some each second, until none is left to
    /// ask or the next call. `is_patient`: a client that was asked a while ago, and stayed, is left alone.
    fn keep(&self, clients: u64, target: Option<ClientTarget>, is_patient: bool);
}

/// What [`Node`] keeps for it.
#[derive(Default)]
pub(crate) struct ClientLoads {
    clients: OnceLock<Arc<dyn Clients>>,
    links: OnceLock<Links>,
    /// Links that wait for the next question.
    idle: Mutex<HashMap<NodeId, Link>>,
}

/// A node and how busy it is; `None`: it does not answer.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeLoad {
    /// Which node.
    pub node: NodeId,
    /// How busy it is.
    pub load: Option<ClientLoad>,
}

impl Node {
    /// From now on these are this node's clients. A node has one edge with such connections; the first counts.
    pub fn count_clients(&self, clients: Arc<dyn Clients>) {
        self.client_loads.clients.set(clients).ok();
    }

    /// From now on the peers are asked how many clients they have, and are answered. The first links count.
    pub fn share_clients(self: &Arc<Self>, links: Links) {
        links.handle(Purpose::Clients, Arc::new(Answerer(Arc::downgrade(self))));
        self.client_loads.links.set(links).ok();
    }

    /// How busy this node is.
    pub fn client_load(&self) -> ClientLoad {
        let load = self.client_loads.clients.get().map(|clients| clients.load()).unwrap_or_default();
        ClientLoad { is_ready: self.is_ready(), ..load }
    }

    /// How busy each node is, this one first.
    pub async fn client_loads(&self) -> Vec<NodeLoad> {
        let asked = self.peer_addresses().into_iter().map(|(node, address)| async move {
            let load = self.ask_clients(node, &address, &Question::Load).await;
            let load = load
                .inspect_err(|error| tracing::debug!(node = node.0, %error, "ask how many clients it has"));
            NodeLoad { node, load: load.ok() }
        });
        let mut loads = vec![NodeLoad { node: self.id, load: Some(self.client_load()) }];
        loads.extend(join_all(asked).await);
        loads
    }

    /// Has a node ask clients beyond so many to move; false if it does not answer.
    pub async fn keep_clients(&self, node: NodeId, clients: u64, target: Option<ClientTarget>) -> bool {
        if node == self.id {
            if let Some(here) = self.client_loads.clients.get() {
                here.keep(clients, target, false);
            }
            return true;
        }
        let found = self.peer_addresses().into_iter().find(|(peer, _)| *peer == node);
        let Some((_, address)) = found else { return false };
        self.ask_clients(node, &address, &Question::Keep { clients, target }).await.is_ok()
    }

    /// Has every node with more clients than `factor` above the mean move its surplus to one that has fewer than that
    /// below it; false if one of them does not answer.
    pub async fn rebalance_clients(&self, factor: f64) -> bool {
        let loads = self.client_loads().await;
        let mut all_done = true;
        for Surplus { node, keep, target } in surplus(&loads, factor) {
            let target = self.client_target(target);
            all_done &= self.keep_clients(node, keep, target).await;
        }
        all_done
    }

    /// Keeps the number of clients here near that of the other nodes, until the node stops.
    pub async fn run_rebalancing(self: Arc<Self>) {
        let stopping = self.tasks.stopping();
        loop {
            tokio::select! {
                biased;
                () = stopping.cancelled() => return,
                () = tokio::time::sleep(COMPARE_EVERY) => {}
            }
            let Some(clients) = self.client_loads.clients.get() else { continue };
            if self.peer_addresses().is_empty() {
                continue;
            }
            let loads = self.client_loads().await;
            let own = surplus(&loads, FACTOR).into_iter().find(|surplus| surplus.node == self.id);
            if let Some(Surplus { keep, target, .. }) = own {
                tracing::debug!(keep, to = target.0, "clients are asked to move to a node that has fewer");
                clients.keep(keep, self.client_target(target), true);
            }
        }
    }

    async fn ask_clients(&self, node: NodeId, address: &str, question: &Question) -> io::Result<ClientLoad> {
        let asking = async {
            let idle = self.client_loads.idle.lock().remove(&node);
            if let Some(mut link) = idle
                && let Ok(load) = ask(&mut link, question).await
            {
                self.client_loads.idle.lock().insert(node, link);
                return Ok(load);
            }
            let links = self.client_loads.links.get().ok_or(io::ErrorKind::NotConnected)?;
            let link = links.connect(Some(node), address, Purpose::Clients).await;
            let mut link = link.map_err(io::Error::other)?;
            let load = ask(&mut link, question).await?;
            self.client_loads.idle.lock().insert(node, link);
            Ok(load)
        };
        tokio::time::timeout(ANSWER_WITHIN, asking).await.unwrap_or(Err(io::ErrorKind::TimedOut.into()))
    }
}

async fn ask(link: &mut Link, question: &Question) -> io::Result<ClientLoad> {
    link.send(&question.encode()).await?;
    let answer = link.receive().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
    wire::decode_load(&answer).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// Answers the peers.
struct Answerer(Weak<Node>);

impl Answerer {
    fn answer(&self, frame: Bytes) -> Option<Vec<u8>> {
        let (node, question) = (self.0.upgrade()?, Question::decode(&frame)?);
        if let (Question::Keep { clients, target }, Some(here)) = (question, node.client_loads.clients.get())
        {
            here.keep(clients, target, false);
        }
        Some(wire::encode_load(&node.client_load()))
    }
}

impl Acceptor for Answerer {
    fn serve(self: Arc<Self>, mut link: Link) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            while let Ok(Some(frame)) = link.receive().await {
                let Some(answer) = self.answer(frame) else { return };
                if link.send(&answer).await.is_err() {
                    return;
                }
            }
        })
    }
}

impl Node {
    /// The other nodes, and where they take links.
    fn peer_addresses(&self) -> Vec<(NodeId, String)> {
        let Ok(consensus) = self.consensus() else { return Vec::new() };
        let members = consensus.members().borrow().clone();
        let peers = members.addresses.iter().filter(|(node, _)| **node != self.id);
        peers.map(|(node, address)| (*node, address.clone())).collect()
    }

    /// Where clients reach a node.
    fn client_target(&self, _node: NodeId) -> Option<ClientTarget> {
        None
    }
}
