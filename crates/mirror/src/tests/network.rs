//! A network in memory whose directions can be cut one by one. What is sent into a cut waits, as in TCP.

use muster_model::NodeId;
use muster_runtime::{
    Tasks,
    net::{BoxFuture, BoxStream, Incoming, Network},
};
use parking_lot::Mutex;
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf},
    sync::{mpsc, watch},
};

/// What a connection holds in each direction before its sender waits.
const BUFFER: usize = 16 << 10;

type Accepted = (BoxStream, String);

#[derive(Default)]
struct State {
    listening: BTreeMap<String, mpsc::Sender<Accepted>>,
}

/// All of it.
pub(super) struct Wires {
    state: Mutex<State>,
    cuts: watch::Sender<BTreeSet<(NodeId, NodeId)>>,
    /// Bytes a millisecond into a node, where they are limited.
    slow: watch::Sender<BTreeMap<NodeId, u64>>,
    late: watch::Sender<Duration>,
    tasks: Tasks,
}

impl Wires {
    pub(super) fn new(tasks: Tasks) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::default(),
            cuts: watch::Sender::default(),
            slow: watch::Sender::default(),
            late: watch::Sender::default(),
            tasks,
        })
    }

    pub(super) fn cut(&self, from: NodeId, to: NodeId) {
        self.cuts.send_modify(|cuts| {
            cuts.insert((from, to));
        });
    }

    pub(super) fn heal(&self) {
        self.cuts.send_modify(BTreeSet::clear);
    }

    pub(super) fn slow_down(&self, node: NodeId, bytes_a_ms: u64) {
        self.slow.send_modify(|slow| {
            slow.insert(node, bytes_a_ms);
        });
    }

    /// Has everything come later by so much.
    pub(super) fn delay(&self, by: Duration) {
        self.late.send_replace(by);
    }

    pub(super) fn speed_up(&self) {
        self.slow.send_modify(BTreeMap::clear);
    }

    async fn passable(&self, from: NodeId, to: NodeId) {
        let mut cuts = self.cuts.subscribe();
        cuts.wait_for(|cuts| !cuts.contains(&(from, to))).await.unwrap();
    }

    /// Carries bytes one way until either end closes.
    async fn carry(
        self: Arc<Self>,
        mut read: ReadHalf<DuplexStream>,
        mut write: WriteHalf<DuplexStream>,
        (from, to): (NodeId, NodeId),
    ) {
        let mut buffer = vec![0; 4 << 10];
        while let Ok(count) = read.read(&mut buffer).await {
            self.passable(from, to).await;
            let slow = self.slow.borrow().get(&to).copied();
            if let Some(slow) = slow {
                tokio::time::sleep(Duration::from_millis(count as u64 / slow)).await;
            }
            let late = *self.late.borrow();
            tokio::time::sleep(late).await;
            if count == 0 || write.write_all(&buffer[..count]).await.is_err() {
                break;
            }
        }
        self.passable(from, to).await;
        write.shutdown().await.ok();
    }

    fn pair(self: &Arc<Self>, from: NodeId, to: NodeId) -> (BoxStream, BoxStream) {
        let (near, near_wire) = tokio::io::duplex(BUFFER);
        let (far, far_wire) = tokio::io::duplex(BUFFER);
        let (near_read, near_write) = tokio::io::split(near_wire);
        let (far_read, far_write) = tokio::io::split(far_wire);
        self.tasks.spawn("there", self.clone().carry(near_read, far_write, (from, to)));
        self.tasks.spawn("back", self.clone().carry(far_read, near_write, (to, from)));
        (Box::new(near), Box::new(far))
    }
}

pub(super) fn address(node: NodeId) -> String {
    format!("node-{}:1", node.0)
}

/// A node's place in it.
pub(super) struct Place {
    pub(super) wires: Arc<Wires>,
    pub(super) node: NodeId,
}

impl Network for Place {
    fn connect<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<BoxStream>> {
        Box::pin(async move {
            let to = address.trim_start_matches("node-").trim_end_matches(":1").parse().unwrap();
            let to = NodeId(to);
            self.wires.passable(self.node, to).await;
            self.wires.passable(to, self.node).await;
            let listener = self.wires.state.lock().listening.get(address).cloned();
            let listener = listener.ok_or(io::ErrorKind::ConnectionRefused)?;
            let (near, far) = self.wires.pair(self.node, to);
            let refused = |_| io::Error::from(io::ErrorKind::ConnectionRefused);
            listener.send((far, super::network::address(self.node))).await.map_err(refused)?;
            Ok(near)
        })
    }

    fn listen<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Incoming>>> {
        Box::pin(async move {
            let (sender, accepted) = mpsc::channel(16);
            self.wires.state.lock().listening.insert(address.to_owned(), sender);
            Ok(Box::new(Listening(accepted, address.to_owned())) as Box<dyn Incoming>)
        })
    }
}

struct Listening(mpsc::Receiver<Accepted>, String);

impl Incoming for Listening {
    fn accept(&mut self) -> BoxFuture<'_, io::Result<Accepted>> {
        Box::pin(async move { self.0.recv().await.ok_or_else(|| io::ErrorKind::BrokenPipe.into()) })
    }

    fn address(&self) -> String {
        self.1.clone()
    }
}
