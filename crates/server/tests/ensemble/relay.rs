//! The network between nodes: a relay in front of each node's cluster address, which cuts, delays and drops.
//!
//! Peers dial the relay, because that is the address a node advertises. Who dialled is learnt from the kernel: the
//! connection's socket belongs to one of the node processes (`/proc/PID/net/tcp` and `/proc/PID/fd`). So each directed
//! pair of nodes has its own faults, although there is one relay a node, and TLS passes untouched.

use parking_lot::Mutex;
use std::{fs, io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, Interest},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{Semaphore, watch},
    task::JoinSet,
    time::sleep,
};

/// Nodes an ensemble may have here.
pub(crate) const NODES_MAX: usize = 4;
/// How much is moved at once. What is not read stays with its sender, as on a network that lost its acknowledgements.
const CHUNK: usize = 64 << 10;
/// How often it is looked who dials, and the pause between two looks.
const LOOKS: u32 = 20;
const LOOK_AGAIN: Duration = Duration::from_millis(10);
/// Looks at one time.
const LOOKS_AT_ONCE: usize = 4;

/// What is wrong with the network, by sender and receiver.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults {
    cut: [[bool; NODES_MAX]; NODES_MAX],
    delay: [[Duration; NODES_MAX]; NODES_MAX],
    /// Connections of an older generation are closed.
    generation: u64,
}

/// All relays of an ensemble.
#[derive(Debug)]
pub(crate) struct Network {
    faults: watch::Sender<Faults>,
    processes: Arc<Mutex<[Option<u32>; NODES_MAX]>>,
    looking: Arc<Semaphore>,
    tasks: JoinSet<()>,
}

impl Network {
    /// A network without relays.
    pub(crate) fn new() -> Self {
        Self {
            faults: watch::Sender::new(Faults::default()),
            processes: Arc::default(),
            looking: Arc::new(Semaphore::new(LOOKS_AT_ONCE)),
            tasks: JoinSet::new(),
        }
    }

    /// Opens a relay to a node, and says where.
    pub(crate) async fn relay(&mut self, node: usize, to: SocketAddr) -> SocketAddr {
        let listener = TcpListener::bind((to.ip(), 0)).await.unwrap();
        let at = listener.local_addr().unwrap();
        let (faults, processes) = (self.faults.subscribe(), self.processes.clone());
        let relay = Relay { node, to, faults, processes, looking: self.looking.clone() };
        self.tasks.spawn(relay.run(listener));
        at
    }

    /// Says which process a node is now.
    pub(crate) fn is_process(&self, node: usize, process: Option<u32>) {
        self.processes.lock()[node] = process;
    }

    /// Nothing that `from` sends reaches `to` any more.
    pub(crate) fn cut(&self, from: usize, to: usize) {
        self.faults.send_modify(|faults| faults.cut[from][to] = true);
    }

    /// What `from` sends reaches `to` that much later.
    pub(crate) fn delay(&self, from: usize, to: usize, by: Duration) {
        self.faults.send_modify(|faults| faults.delay[from][to] = by);
    }

    /// Closes every connection.
    pub(crate) fn drop_connections(&self) {
        self.faults.send_modify(|faults| faults.generation += 1);
    }

    /// Ends every cut and delay.
    pub(crate) fn heal(&self) {
        self.healer().heal();
    }

    /// What ends every cut and delay, to keep beside the network.
    pub(crate) fn healer(&self) -> Healer {
        Healer(self.faults.clone())
    }
}

/// Ends every cut and delay.
#[derive(Debug)]
pub(crate) struct Healer(watch::Sender<Faults>);

impl Healer {
    /// Does it now.
    pub(crate) fn heal(&self) {
        self.0.send_modify(|faults| {
            *faults = Faults { generation: faults.generation, ..Faults::default() };
        });
    }
}

#[derive(Debug)]
struct Relay {
    node: usize,
    to: SocketAddr,
    faults: watch::Receiver<Faults>,
    processes: Arc<Mutex<[Option<u32>; NODES_MAX]>>,
    /// Held by those who look who dials.
    looking: Arc<Semaphore>,
}

impl Relay {
    async fn run(self, listener: TcpListener) {
        let mut connections = JoinSet::new();
        let relay = Arc::new(self);
        loop {
            let Ok((stream, from)) = listener.accept().await else { continue };
            connections.spawn(relay.clone().carry(stream, from));
            while connections.try_join_next().is_some() {}
        }
    }

    async fn carry(self: Arc<Self>, stream: TcpStream, from: SocketAddr) {
        let mut dialler = None;
        // A long table of the kernel is not read in one moment, and may lack what is in it all the time.
        for _ in 0..LOOKS {
            // Many at a time would keep the machine from everything else.
            let turn = self.looking.acquire().await;
            if has_hung_up(&stream).await {
                return;
            }
            let processes = *self.processes.lock();
            dialler = tokio::task::spawn_blocking(move || owner(from, &processes)).await.unwrap();
            drop(turn);
            if dialler.is_some() {
                break;
            }
            sleep(LOOK_AGAIN).await;
        }
        // Nobody of ours: a client of a test, or a node that has just died.
        let Some(dialler) = dialler else { return };
        let mut faults = self.faults.clone();
        let generation = faults.borrow_and_update().generation;
        let moved = async {
            // A call that cannot be answered, or not reach its node, is not put through.
            let through =
                faults.wait_for(|faults| !faults.cut[dialler][self.node] && !faults.cut[self.node][dialler]);
            tokio::select! {
                biased;
                through = through => drop(through.ok()?),
                // Else all calls of a long cut would be put through at its end, to nobody.
                () = hung_up(&stream) => return None,
            }
            let onward = TcpStream::connect(self.to).await.ok()?;
            stream.set_nodelay(true).and_then(|()| onward.set_nodelay(true)).ok()?;
            let ((from_dialler, to_dialler), (from_node, to_node)) =
                (stream.into_split(), onward.into_split());
            let there = pump(from_dialler, to_node, self.faults.clone(), (dialler, self.node));
            let back = pump(from_node, to_dialler, self.faults.clone(), (self.node, dialler));
            tokio::select! { () = there => {}, () = back => {} }
            Some(())
        };
        let mut dropped = self.faults.clone();
        tokio::select! {
            _ = moved => {},
            _ = dropped.wait_for(|faults| faults.generation != generation) => {},
        }
    }
}

/// Waits until who dialled has hung up.
async fn hung_up(stream: &TcpStream) {
    while stream.ready(Interest::READABLE).await.is_ok_and(|ready| !ready.is_read_closed()) {
        sleep(5 * LOOK_AGAIN).await;
    }
}

/// Whether who dialled has hung up already.
async fn has_hung_up(stream: &TcpStream) -> bool {
    tokio::select! {
        biased;
        ready = stream.ready(Interest::READABLE) => ready.is_ok_and(|ready| ready.is_read_closed()),
        () = std::future::ready(()) => false,
    }
}

/// Moves bytes one way until an end closes; waits while the way is cut.
async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut faults: watch::Receiver<Faults>,
    (sender, receiver): (usize, usize),
) {
    let mut buffer = vec![0; CHUNK];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        let delay = faults.borrow().delay[sender][receiver];
        if !delay.is_zero() {
            sleep(delay).await;
        }
        if faults.wait_for(|faults| !faults.cut[sender][receiver]).await.is_err() {
            return;
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

/// Which of these processes has the connection with this local address.
fn owner(address: SocketAddr, processes: &[Option<u32>; NODES_MAX]) -> Option<usize> {
    // A socket is in the table before its owner has read that it is connected.
    let inode = socket_at(address, &fs::read_to_string("/proc/self/net/tcp").ok()?)?;
    let socket = format!("socket:[{inode}]");
    processes
        .iter()
        .position(|process| process.is_some_and(|process| holds(process, &socket).unwrap_or(false)))
}

fn holds(process: u32, socket: &str) -> io::Result<bool> {
    let open = fs::read_dir(format!("/proc/{process}/fd"))?;
    let links = open.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    Ok(links.into_iter().any(|link| link.as_os_str() == socket))
}

/// The inode of the socket with this local address, from the kernel's table.
fn socket_at(address: SocketAddr, table: &str) -> Option<u64> {
    let SocketAddr::V4(address) = address else { return None };
    let wanted = format!("{:08X}:{:04X}", u32::from_le_bytes(address.ip().octets()), address.port());
    table.lines().skip(1).find_map(|line| {
        let fields: Vec<_> = line.split_ascii_whitespace().collect();
        let inode = (*fields.get(1)? == wanted).then(|| fields.get(9)?.parse().ok())?;
        // An earlier connection from that port, which is over, has none.
        inode.filter(|inode| *inode != 0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;
    use tokio::time::timeout;

    const LONG: Duration = Duration::from_secs(20);

    /// An echo behind the relay of node 1; this process is node 0.
    async fn echo(network: &mut Network) -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let at = listener.local_addr().unwrap();
        network.is_process(0, Some(std::process::id()));
        network.tasks.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (mut from, mut to) = stream.into_split();
                // It ends with its client.
                drop(tokio::io::copy(&mut from, &mut to).await);
            }
        });
        network.relay(1, at).await
    }

    async fn says(stream: &mut TcpStream, word: &[u8]) -> Vec<u8> {
        stream.write_all(word).await.unwrap();
        let mut told = vec![0; word.len()];
        stream.read_exact(&mut told).await.unwrap();
        told
    }

    #[tokio::test]
    async fn what_is_cut_arrives_when_the_cut_ends() {
        let mut network = Network::new();
        let at = echo(&mut network).await;
        let mut stream = TcpStream::connect(at).await.unwrap();
        assert_eq!(says(&mut stream, b"one").await, b"one");
        for (from, to) in [(0, 1), (1, 0)] {
            network.cut(from, to);
            assert!(timeout(Duration::from_millis(80), says(&mut stream, b"two")).await.is_err());
            network.heal();
            let mut told = [0; 3];
            timeout(LONG, stream.read_exact(&mut told)).await.unwrap().unwrap();
            assert_eq!(&told, b"two");
        }
        // A cut between others is none here.
        network.cut(2, 1);
        assert_eq!(says(&mut stream, b"six").await, b"six");
    }

    #[tokio::test]
    async fn connections_are_dropped_and_new_ones_work() {
        let mut network = Network::new();
        let at = echo(&mut network).await;
        let mut stream = TcpStream::connect(at).await.unwrap();
        assert_eq!(says(&mut stream, b"one").await, b"one");
        network.drop_connections();
        let ended = timeout(LONG, stream.read(&mut [0; 8])).await.unwrap();
        assert!(matches!(ended, Ok(0) | Err(_)), "{ended:?}");
        let mut stream = TcpStream::connect(at).await.unwrap();
        assert_eq!(says(&mut stream, b"two").await, b"two");
    }

    #[tokio::test]
    async fn who_hangs_up_during_a_cut_is_not_kept() {
        let mut network = Network::new();
        let at = echo(&mut network).await;
        network.cut(0, 1);
        let mut stream = TcpStream::connect(at).await.unwrap();
        stream.write_all(b"hello").await.unwrap();
        stream.shutdown().await.unwrap();
        // The relay lets go, too.
        let ended = timeout(LONG, stream.read(&mut [0; 8])).await.unwrap();
        assert!(matches!(ended, Ok(0) | Err(_)), "{ended:?}");
    }

    #[tokio::test]
    async fn a_dialler_that_is_no_node_is_hung_up_on() {
        let mut network = Network::new();
        let at = echo(&mut network).await;
        network.is_process(0, None);
        let mut stream = TcpStream::connect(at).await.unwrap();
        let ended = timeout(LONG, stream.read(&mut [0; 8])).await.unwrap();
        assert!(matches!(ended, Ok(0) | Err(_)), "{ended:?}");
    }
}
