//! Somebody between one node and its peers, who has the keys of all of them and so can change what they are told.

use bytes::Bytes;
use muster_model::ClusterId;
use muster_peer::{Credentials, KeyHash, Security, Tls, Trusted};
use muster_runtime::{SystemClock, net::BoxStream};
use parking_lot::Mutex;
use prost::Message;
use std::{io, net::SocketAddr, path::Path, sync::Arc};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// How a hello for the mirror ends: its purpose is the last thing it says.
const FOR_MIRROR: [u8; 2] = [0x30, 5];

/// What an origin tells whoever mirrors it, as far as it is changed here.
#[derive(Clone, PartialEq, Message)]
struct Told {
    #[prost(bytes = "bytes", optional, tag = "1")]
    digest: Option<Bytes>,
    #[prost(message, optional, tag = "5")]
    changes: Option<Changes>,
}

#[derive(Clone, PartialEq, Message)]
struct Changes {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    changes: Vec<Bytes>,
    #[prost(uint64, tag = "2")]
    upto: u64,
}

/// Stands before a node until it is dropped.
pub(crate) struct Forger {
    between: Arc<Between>,
    _accepting: JoinSet<()>,
}

struct Between {
    /// The node that is stood before, and where it is.
    of: usize,
    at: SocketAddr,
    /// The node that is told something else.
    victim: usize,
    /// As whom to speak: each node's key, and what it shows.
    nodes: Vec<(KeyHash, Tls)>,
    deeds: Mutex<Deeds>,
}

#[derive(Default)]
struct Deeds {
    /// The change that has this in it is lost, and counted as told.
    lose: Option<&'static str>,
    lost: usize,
    /// The victim is not told what its mirror should come to.
    is_silent: bool,
    /// Takes the place of a change that is lost: the one before, which changes nothing again.
    before: Option<Bytes>,
}

impl Forger {
    /// Listens at `listen` for the node `of`, which is `at`. `files` are the operators' files of each node: what signs,
    /// its certificate and its key.
    pub(crate) async fn stand(
        listen: SocketAddr,
        (of, at): (usize, SocketAddr),
        victim: usize,
        files: &[[impl AsRef<Path>; 3]],
    ) -> Self {
        let node = |[ca, certificate, key]: &[_; 3]| {
            let read = |path: &_| std::fs::read(AsRef::<Path>::as_ref(path)).unwrap();
            let credentials = Credentials::operators(&read(certificate), &read(key)).unwrap();
            let (hash, trusted) = (credentials.hash(), Trusted::Operators(read(ca)));
            let clock = Arc::new(SystemClock::new());
            (hash, Tls::new(clock, ClusterId(0), &trusted, Some(credentials)).unwrap())
        };
        let nodes = files.iter().map(node).collect();
        let between = Arc::new(Between { of, at, victim, nodes, deeds: Mutex::default() });
        let listener = TcpListener::bind(listen).await.unwrap();
        let mut accepting = JoinSet::new();
        let here = between.clone();
        accepting.spawn(async move {
            let mut links = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let here = here.clone();
                links.spawn(async move { here.pass(stream).await.ok() });
            }
        });
        Self { between, _accepting: accepting }
    }

    /// From now on the victim is not told of the change that has this in it, nor what its mirror should come to.
    pub(crate) fn lose(&self, text: &'static str) {
        *self.between.deeds.lock() = Deeds { lose: Some(text), is_silent: true, ..Deeds::default() };
    }

    /// How many changes were lost.
    pub(crate) fn lost(&self) -> usize {
        self.between.deeds.lock().lost
    }

    /// From now on everything is told as it is.
    pub(crate) fn repent(&self) {
        *self.between.deeds.lock() = Deeds::default();
    }
}

impl Between {
    /// Passes on what is said on one connection.
    async fn pass(&self, stream: TcpStream) -> io::Result<()> {
        let (mut peer, proof) = self.nodes[self.of].1.accepted(Box::new(stream)).await?;
        let from = self.nodes.iter().position(|(key, _)| Some(*key) == proof.key());
        let from = from.ok_or_else(|| io::Error::other("a node that is not known here"))?;
        let upstream = TcpStream::connect(self.at).await?;
        let (mut node, _) = self.nodes[from].1.connected(Box::new(upstream), None).await?;
        let hello = receive(&mut peer).await?;
        send(&mut node, &hello).await?;
        if from == self.victim && hello.ends_with(&FOR_MIRROR) {
            return self.mirror(peer, node).await;
        }
        tokio::io::copy_bidirectional(&mut peer, &mut node).await.map(drop)
    }

    async fn mirror(&self, peer: BoxStream, node: BoxStream) -> io::Result<()> {
        let ((mut from_peer, mut to_peer), (mut from_node, mut to_node)) = (split(peer), split(node));
        let asked = async {
            loop {
                send(&mut to_node, &receive(&mut from_peer).await?).await?;
            }
        };
        let told = async {
            loop {
                if let Some(frame) = self.forge(receive(&mut from_node).await?) {
                    send(&mut to_peer, &frame).await?;
                }
            }
        };
        tokio::select! { ended = asked => ended, ended = told => ended }
    }

    /// What the victim is told instead of this.
    fn forge(&self, frame: Vec<u8>) -> Option<Vec<u8>> {
        let mut deeds = self.deeds.lock();
        let Some(lose) = deeds.lose else { return Some(frame) };
        let told = Told::decode(&*frame).ok();
        if deeds.is_silent && told.as_ref().is_some_and(|told| told.digest.is_some()) {
            return None;
        }
        let Some(mut changes) = told.and_then(|told| told.changes) else { return Some(frame) };
        for change in &mut changes.changes {
            if change.windows(lose.len()).any(|part| part == lose.as_bytes()) {
                *change = deeds.before.clone().expect("another change was told before");
                deeds.lost += 1;
            } else {
                deeds.before = Some(change.clone());
            }
        }
        Some(Told { digest: None, changes: Some(changes) }.encode_to_vec())
    }
}

async fn receive(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let length = from.read_u32_le().await?;
    let mut frame = vec![0; length as usize];
    from.read_exact(&mut frame).await?;
    Ok(frame)
}

async fn send(to: &mut (impl AsyncWrite + Unpin), frame: &[u8]) -> io::Result<()> {
    #[expect(clippy::cast_possible_truncation, reason = "frames are small")]
    to.write_u32_le(frame.len() as u32).await?;
    to.write_all(frame).await?;
    to.flush().await
}
