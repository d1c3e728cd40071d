//! The other nodes as this one sees them: whether they answer, how far and how busy they are; and moving clients from
//! nodes that have many to nodes that have few.
//!
//! A node asks its peers every two seconds over links of their own ([`Purpose::Clients`]), which stay open. One that has
//! clearly more clients than its share ([`share`]) has the edge move the surplus, a bounded number each second: a node that
//! was restarted, and comes back without clients, gets its share back without a storm.

mod share;
mod status;
mod wire;

pub use status::{ClusterStatus, MemberStatus, PeerState};

use crate::Node;
use bytes::Bytes;
use futures_util::future::join_all;
use muster_consensus::Role;
use muster_model::{HashMap, Monotonic, NodeId, Timestamp};
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

/// How often peers are asked how they are.
const ASK_EVERY: Duration = Duration::from_secs(2);
/// Every so many times it is looked whether clients should move.
const COMPARE_EVERY: u32 = 3;
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

/// How a node is, in its own words.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodeFigures {
    /// What it does in the Raft group.
    pub role: Role,
    /// The newest term it has heard of.
    pub term: u64,
    /// The last log entry it has applied.
    pub applied: u64,
    /// Whether it answers clients: none is sent to one that does not.
    pub is_ready: bool,
    /// Its version.
    pub version: String,
    /// How busy it is.
    pub load: ClientLoad,
    /// When its certificate ends, if it has one.
    pub certificate_until: Option<Timestamp>,
}

/// What [`Node`] keeps for it.
#[derive(Default)]
pub(crate) struct Peers {
    clients: OnceLock<Arc<dyn Clients>>,
    links: OnceLock<Links>,
    version: OnceLock<&'static str>,
    /// Links that wait for the next question.
    idle: Mutex<HashMap<NodeId, Link>>,
    /// What came of the last questions.
    seen: Mutex<HashMap<NodeId, Seen>>,
}

/// What is known of a peer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// Its last answer.
    figures: Option<NodeFigures>,
    /// When that came.
    at: Option<Monotonic>,
    /// Questions since then that it did not answer.
    failures: u32,
}

/// A node and how it is; `None`: it does not answer.
#[derive(Clone, Debug, PartialEq)]
pub struct AskedNode {
    /// Which node.
    pub node: NodeId,
    /// How it is.
    pub figures: Option<NodeFigures>,
}

impl Node {
    /// From now on these are this node's clients. A node has one edge with such connections; the first counts.
    pub fn count_clients(&self, clients: Arc<dyn Clients>) {
        self.peers.clients.set(clients).ok();
    }

    /// From now on the peers are asked how they are, and are answered. The first links count.
    pub fn share_figures(self: &Arc<Self>, links: Links, version: &'static str) {
        self.peers.version.set(version).ok();
        links.handle(Purpose::Clients, Arc::new(Answerer(Arc::downgrade(self))));
        self.peers.links.set(links).ok();
    }

    /// How this node is.
    pub fn figures(&self) -> NodeFigures {
        let standing = self.consensus().map(|consensus| consensus.standing()).unwrap_or_default();
        NodeFigures {
            role: standing.role,
            term: standing.term,
            applied: standing.applied,
            is_ready: self.is_ready(),
            version: self.peers.version.get().copied().unwrap_or_default().to_owned(),
            load: self.peers.clients.get().map(|clients| clients.load()).unwrap_or_default(),
            certificate_until: self.links().and_then(|links| links.certificate_until(self.id)),
        }
    }

    /// How each node is, this one first: all are asked now.
    pub async fn ask_nodes(&self) -> Vec<AskedNode> {
        let asked = self.peer_addresses().into_iter().map(|(node, address)| async move {
            let figures = self.ask_peer(node, &address, &Question::Figures).await;
            let figures =
                figures.inspect_err(|error| tracing::debug!(node = node.0, %error, "ask how a peer is"));
            self.see(node, figures.as_ref().ok());
            AskedNode { node, figures: figures.ok() }
        });
        let mut nodes = vec![AskedNode { node: self.id, figures: Some(self.figures()) }];
        nodes.extend(join_all(asked).await);
        nodes
    }

    fn see(&self, node: NodeId, figures: Option<&NodeFigures>) {
        let now = self.now().mono;
        let mut seen = self.peers.seen.lock();
        let seen = seen.entry(node).or_default();
        match figures {
            Some(figures) => *seen = Seen { figures: Some(figures.clone()), at: Some(now), failures: 0 },
            None => seen.failures = seen.failures.saturating_add(1),
        }
    }

    /// Has a node ask clients beyond so many to move; false if it does not answer.
    pub async fn keep_clients(&self, node: NodeId, clients: u64, target: Option<ClientTarget>) -> bool {
        if node == self.id {
            if let Some(here) = self.peers.clients.get() {
                here.keep(clients, target, false);
            }
            return true;
        }
        let found = self.peer_addresses().into_iter().find(|(peer, _)| *peer == node);
        let Some((_, address)) = found else { return false };
        self.ask_peer(node, &address, &Question::Keep { clients, target }).await.is_ok()
    }

    /// Has every node with more clients than `factor` above the mean move its surplus to one that has fewer than that
    /// below it; false if one of them does not answer.
    pub async fn rebalance_clients(&self, factor: f64) -> bool {
        let nodes = self.ask_nodes().await;
        let mut all_done = true;
        for Surplus { node, keep, target } in surplus(&nodes, factor) {
            let target = self.client_target(target);
            all_done &= self.keep_clients(node, keep, target).await;
        }
        all_done
    }

    /// Asks the peers how they are, and keeps the number of clients here near theirs, until the node stops.
    pub(crate) async fn run_asking(self: Arc<Self>) {
        let stopping = self.tasks.stopping();
        let mut round: u32 = 0;
        loop {
            tokio::select! {
                biased;
                () = stopping.cancelled() => return,
                () = tokio::time::sleep(ASK_EVERY) => {}
            }
            let peers = self.peer_addresses();
            self.peers.seen.lock().retain(|node, _| peers.iter().any(|(peer, _)| peer == node));
            if peers.is_empty() || self.peers.links.get().is_none() {
                continue;
            }
            let nodes = self.ask_nodes().await;
            round = round.wrapping_add(1);
            if let (Some(clients), true) = (self.peers.clients.get(), round.is_multiple_of(COMPARE_EVERY))
                && let Some(own) = surplus(&nodes, FACTOR).into_iter().find(|surplus| surplus.node == self.id)
            {
                let Surplus { keep, target, .. } = own;
                tracing::debug!(keep, to = target.0, "clients are asked to move to a node that has fewer");
                clients.keep(keep, self.client_target(target), true);
            }
        }
    }

    async fn ask_peer(&self, node: NodeId, address: &str, question: &Question) -> io::Result<NodeFigures> {
        let asking = async {
            let idle = self.peers.idle.lock().remove(&node);
            if let Some(mut link) = idle
                && let Ok(figures) = ask(&mut link, question).await
            {
                self.peers.idle.lock().insert(node, link);
                return Ok(figures);
            }
            let links = self.peers.links.get().ok_or(io::ErrorKind::NotConnected)?;
            let link = links.connect(Some(node), address, Purpose::Clients).await;
            let mut link = link.map_err(io::Error::other)?;
            let figures = ask(&mut link, question).await?;
            self.peers.idle.lock().insert(node, link);
            Ok(figures)
        };
        tokio::time::timeout(ANSWER_WITHIN, asking).await.unwrap_or(Err(io::ErrorKind::TimedOut.into()))
    }

    /// The other nodes, and where they take links.
    fn peer_addresses(&self) -> Vec<(NodeId, String)> {
        let Ok(consensus) = self.consensus() else { return Vec::new() };
        let members = consensus.members().borrow().clone();
        let peers = members.addresses.iter().filter(|(node, _)| **node != self.id);
        peers.map(|(node, address)| (*node, address.clone())).collect()
    }

    /// Where clients reach a node.
    fn client_target(&self, node: NodeId) -> Option<ClientTarget> {
        let view = self.members_view();
        let (host, port) = view.members.get(&node)?.is.client.rsplit_once(':')?;
        let host = host.trim_matches(['[', ']']).to_owned();
        Some(ClientTarget { host, port: port.parse().ok()? })
    }
}

async fn ask(link: &mut Link, question: &Question) -> io::Result<NodeFigures> {
    link.send(&question.encode()).await?;
    let answer = link.receive().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
    wire::decode_figures(&answer).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// Answers the peers.
struct Answerer(Weak<Node>);

impl Answerer {
    fn answer(&self, frame: &Bytes) -> Option<Vec<u8>> {
        let (node, question) = (self.0.upgrade()?, Question::decode(frame)?);
        if let (Question::Keep { clients, target }, Some(here)) = (question, node.peers.clients.get()) {
            here.keep(clients, target, false);
        }
        Some(wire::encode_figures(&node.figures()))
    }
}

impl Acceptor for Answerer {
    fn serve(self: Arc<Self>, mut link: Link) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            while let Ok(Some(frame)) = link.receive().await {
                let Some(answer) = self.answer(&frame) else { return };
                if link.send(&answer).await.is_err() {
                    return;
                }
            }
        })
    }
}
