//! Several nodes in one process, over real sockets that can be cut.

use super::world::{Ledger, Life, World};
use crate::{Bootstrap, Settings};
use bytes::Bytes;
use muster_model::{ClusterId, NodeId};
use muster_peer::{Links, LinksParts, Plaintext};
use muster_runtime::{
    Tasks,
    net::{BoxFuture, BoxStream, Incoming, Network, RealNetwork},
};
use parking_lot::Mutex;
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::mpsc,
};

const CLUSTER: ClusterId = ClusterId(7);

/// Which nodes can't be reached by which.
#[derive(Default)]
pub(super) struct Cuts {
    cut: Mutex<BTreeSet<(u64, u64)>>,
    addresses: Mutex<BTreeMap<String, u64>>,
    /// Bytes that a node may still send before it is cut off, if that is limited.
    budget: Mutex<BTreeMap<u64, Budget>>,
    /// The pause after each larger write, if there is one.
    pub(super) slow: Mutex<Option<Duration>>,
    /// Bytes that each node sent on connections that it opened.
    pub(super) sent: Mutex<BTreeMap<u64, u64>>,
}

struct Budget {
    bytes: u64,
    /// Only the connections that the node opened itself are cut.
    is_own_only: bool,
}

impl Cuts {
    /// Has a node cut off when it has sent so many bytes more.
    pub(super) fn cut_after(&self, node: u64, bytes: u64) {
        self.budget.lock().insert(node, Budget { bytes, is_own_only: false });
    }

    #[cfg(not(feature = "previous-format"))]
    /// Has a node lose the connections that it opened when it has sent so many bytes more: it gets no answer.
    pub(super) fn cut_own_after(&self, node: u64, bytes: u64) {
        self.budget.lock().insert(node, Budget { bytes, is_own_only: true });
    }

    fn count(&self, node: u64, bytes: usize) {
        *self.sent.lock().entry(node).or_default() += bytes as u64;
        let mut budget = self.budget.lock();
        let Some(left) = budget.get_mut(&node) else { return };
        left.bytes = left.bytes.saturating_sub(bytes as u64);
        if left.bytes == 0 {
            let is_own_only = left.is_own_only;
            budget.remove(&node);
            let mut cut = self.cut.lock();
            for other in self.addresses.lock().values().copied() {
                cut.insert((node, other));
                if !is_own_only {
                    cut.insert((other, node));
                }
            }
        }
    }

    pub(super) fn is_cut(&self, one: u64, other: u64) -> bool {
        self.cut.lock().contains(&(one, other))
    }
}

/// Connections in memory, for virtual time.
#[derive(Default)]
struct MemoryNetwork(Mutex<BTreeMap<String, mpsc::Sender<BoxStream>>>);

struct MemoryIncoming {
    streams: mpsc::Receiver<BoxStream>,
    address: String,
}

impl Incoming for MemoryIncoming {
    fn accept(&mut self) -> BoxFuture<'_, io::Result<(BoxStream, String)>> {
        Box::pin(async {
            let stream = self.streams.recv().await.ok_or(io::ErrorKind::BrokenPipe)?;
            Ok((stream, "memory".to_owned()))
        })
    }

    fn address(&self) -> String {
        self.address.clone()
    }
}

impl Network for MemoryNetwork {
    fn connect<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<BoxStream>> {
        Box::pin(async move {
            let (here, there) = tokio::io::duplex(64 << 10);
            let listener = self.0.lock().get(address).cloned();
            let listener = listener.ok_or(io::ErrorKind::ConnectionRefused)?;
            let there = Box::new(there);
            listener.send(there).await.map_err(|_| io::ErrorKind::ConnectionRefused)?;
            // As far away as on loopback, so that time passes.
            tokio::time::sleep(Duration::from_millis(1)).await;
            Ok(Box::new(here) as BoxStream)
        })
    }

    fn listen<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Incoming>>> {
        let (sender, streams) = mpsc::channel(16);
        let mut listeners = self.0.lock();
        let address = match address.strip_suffix(":0") {
            Some(host) => format!("{host}:{}", listeners.len() + 1),
            None => address.to_owned(),
        };
        listeners.insert(address.clone(), sender);
        let incoming: Box<dyn Incoming> = Box::new(MemoryIncoming { streams, address });
        Box::pin(async { Ok(incoming) })
    }
}

/// The network of one node.
struct CutNetwork {
    own: u64,
    network: Arc<dyn Network>,
    cuts: Arc<Cuts>,
}

/// A connection that breaks when it is cut.
struct CutStream {
    stream: BoxStream,
    between: (u64, u64),
    cuts: Arc<Cuts>,
    pause: Option<Pin<Box<tokio::time::Sleep>>>,
}

impl CutStream {
    fn check(&self) -> io::Result<()> {
        let (one, other) = self.between;
        if self.cuts.is_cut(one, other) { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(()) }
    }
}

impl AsyncRead for CutStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        self.check()?;
        read
    }
}

impl AsyncWrite for CutStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.check()?;
        if let Some(pause) = &mut self.pause {
            std::task::ready!(pause.as_mut().poll(cx));
            self.pause = None;
        }
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        if let Poll::Ready(Ok(bytes)) = &written {
            let slow = self.cuts.slow.lock().filter(|_| *bytes >= 4_096);
            self.pause = slow.map(|slow| Box::pin(tokio::time::sleep(slow)));
            self.cuts.count(self.between.0, *bytes);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl Network for CutNetwork {
    fn connect<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<BoxStream>> {
        Box::pin(async move {
            let other = self.cuts.addresses.lock().get(address).copied().unwrap_or(0);
            let stream = self.network.connect(address).await?;
            let stream =
                CutStream { stream, between: (self.own, other), cuts: self.cuts.clone(), pause: None };
            stream.check()?;
            Ok(Box::new(stream) as BoxStream)
        })
    }

    fn listen<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Incoming>>> {
        self.network.listen(address)
    }
}

/// All nodes, those that run and those that do not.
pub(super) struct Ensemble {
    pub(super) cuts: Arc<Cuts>,
    pub(super) settings: Settings,
    pub(super) worlds: BTreeMap<u64, World>,
    pub(super) lives: BTreeMap<u64, Life>,
    addresses: BTreeMap<u64, String>,
    network: Arc<dyn Network>,
    is_virtual: bool,
}

impl Ensemble {
    /// Nodes that begin together, with threads and sockets.
    pub(super) async fn start(count: u64, settings: Settings) -> Self {
        Self::begin(Self::empty(count, settings, Arc::new(RealNetwork)).await, count).await
    }

    /// Nodes that begin together, on one thread and without sockets, so that time may be virtual.
    pub(super) async fn start_virtual(count: u64, settings: Settings) -> Self {
        let network = Arc::new(MemoryNetwork::default());
        let mut ensemble = Self::empty(count, settings, network).await;
        ensemble.is_virtual = true;
        Self::begin(ensemble, count).await
    }

    /// A group of one, and others that wait to be added, on one thread.
    pub(super) async fn grow_virtual(count: u64, settings: Settings) -> Self {
        let network = Arc::new(MemoryNetwork::default());
        let mut ensemble = Self::empty(count, settings, network).await;
        ensemble.is_virtual = true;
        for id in 1..=count {
            ensemble.settings.bootstrap = match id {
                1 => Bootstrap::Alone { address: ensemble.address(1) },
                _ => Bootstrap::Join,
            };
            ensemble.boot(id).await;
        }
        ensemble
    }

    async fn begin(mut ensemble: Self, count: u64) -> Self {
        let members = ensemble.addresses.iter().map(|(id, address)| (NodeId(*id), address.clone()));
        ensemble.settings.bootstrap = Bootstrap::Members(members.collect());
        for id in 1..=count {
            ensemble.boot(id).await;
        }
        ensemble
    }

    /// Addresses for nodes of which none runs.
    pub(super) async fn empty(count: u64, settings: Settings, network: Arc<dyn Network>) -> Self {
        let cuts = Arc::new(Cuts::default());
        let mut addresses = BTreeMap::new();
        let mut held = Vec::new();
        for id in 1..=count {
            let incoming = match network.listen("127.0.0.1:0").await {
                Ok(incoming) => incoming,
                Err(error) => panic!("{error}"),
            };
            cuts.addresses.lock().insert(incoming.address(), id);
            addresses.insert(id, incoming.address());
            held.push(incoming);
        }
        let worlds = (1..=count).map(|id| (id, World::new())).collect();
        Self { cuts, settings, worlds, lives: BTreeMap::new(), addresses, network, is_virtual: false }
    }

    pub(super) fn address(&self, id: u64) -> String {
        self.addresses[&id].clone()
    }

    /// Starts a node.
    pub(super) async fn boot(&mut self, id: u64) {
        // Nodes must not draw the same.
        let seed = self.settings.seed.map(|seed| seed + id);
        let settings = Settings { node: NodeId(id), seed, ..self.settings.clone() };
        self.boot_with(id, settings).await;
    }

    pub(super) async fn boot_with(&mut self, id: u64, settings: Settings) {
        let tasks = if self.is_virtual { Tasks::single_threaded() } else { Tasks::new() };
        let network =
            Arc::new(CutNetwork { own: id, network: self.network.clone(), cuts: self.cuts.clone() });
        let parts = LinksParts { network, security: Arc::new(Plaintext), tasks: tasks.clone() };
        let links = Links::new(parts);
        links.identify(CLUSTER, NodeId(id));
        let incoming = self.network.listen(&self.addresses[&id]).await.unwrap();
        tasks.spawn("links", links.clone().serve(incoming));
        let world = &self.worlds[&id];
        let (disk, ledger) = (Arc::new(world.disk.clone()), Arc::<Ledger>::default());
        let life = world.start_linked(settings, disk, ledger, tasks, Some(links)).await.unwrap();
        self.lives.insert(id, life);
    }

    /// Ends a node at once.
    pub(super) async fn kill(&mut self, id: u64) {
        self.lives.remove(&id).expect("it runs").kill().await;
    }

    /// Cuts a node off, both ways, from all others.
    pub(super) fn cut_off(&self, id: u64) {
        let mut cut = self.cuts.cut.lock();
        for other in self.addresses.keys() {
            cut.extend([(id, *other), (*other, id)]);
        }
    }

    #[cfg(not(feature = "previous-format"))]
    /// Has a node reach another one no more over connections that it opens itself.
    pub(super) fn cut_way(&self, from: u64, to: u64) {
        self.cuts.cut.lock().insert((from, to));
    }

    /// Everybody reaches everybody again.
    pub(super) fn heal(&self) {
        self.cuts.cut.lock().clear();
    }

    /// The leader, once a majority of those who run agree on one, which agrees itself.
    pub(super) async fn leader(&self) -> u64 {
        loop {
            for (id, life) in &self.lives {
                if life.consensus.is_leader() {
                    return *id;
                }
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// A running node that does not lead.
    pub(super) async fn follower(&self) -> u64 {
        let leader = self.leader().await;
        *self.lives.keys().find(|id| **id != leader).expect("there are others")
    }

    /// Waits until a condition holds.
    pub(super) async fn until(&self, what: &str, condition: impl Fn(&Self) -> bool) {
        let wait = async {
            while !condition(self) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        assert!(tokio::time::timeout(Duration::from_secs(60), wait).await.is_ok(), "{what} never happens");
    }

    /// Waits until all that run have applied these operations.
    pub(super) async fn converge(&self, ops: &[Bytes]) {
        self.until("agreement", |all| all.lives.values().all(|life| life.ledger.ops() == ops)).await;
    }

    /// Ends all.
    pub(super) async fn end(mut self) {
        for (_, life) in std::mem::take(&mut self.lives) {
            let fatal = life.fatal.clone();
            life.kill().await;
            assert_eq!(*fatal.lock(), Vec::<String>::new());
        }
    }
}
