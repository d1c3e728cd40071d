//! The network of the simulation: turmoil's, with what its machines say delayed while their disks are slow, and with every
//! delivery traced.

use crate::trace::{Trace, sum};
use muster_runtime::net::{BoxFuture, BoxStream, Incoming, Network};
use parking_lot::Mutex;
use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};
use turmoil::net::{TcpListener, TcpStream};

/// What a machine's connections have in common.
#[derive(Clone, Debug, Default)]
pub struct Wire(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// Until when nothing goes out: a slow disk holds up whoever waits for it.
    held_until: Duration,
    /// Counts the orders to break all connections.
    breaks: u64,
}

impl Wire {
    /// Nothing goes out for so long.
    pub fn hold(&self, time: Duration) {
        let now = turmoil::sim_elapsed().unwrap_or_default();
        let mut state = self.0.lock();
        state.held_until = state.held_until.max(now) + time;
    }

    /// Breaks all connections there are.
    pub fn break_all(&self) {
        self.0.lock().breaks += 1;
    }
}

/// The network as one machine has it.
#[derive(Clone, Debug)]
pub struct HostNetwork {
    /// The machine's name.
    pub host: String,
    /// What its connections have in common.
    pub wire: Wire,
    /// Where deliveries are noted.
    pub trace: Trace,
}

impl HostNetwork {
    fn stream(&self, stream: TcpStream, peer: SocketAddr) -> BoxStream {
        let breaks = self.wire.0.lock().breaks;
        Box::new(HostStream { stream, network: self.clone(), peer, breaks, pause: None })
    }
}

impl Network for HostNetwork {
    fn connect<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<BoxStream>> {
        Box::pin(async move {
            let stream = TcpStream::connect(address).await?;
            let peer = stream.peer_addr()?;
            Ok(self.stream(stream, peer))
        })
    }

    fn listen<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Incoming>>> {
        Box::pin(async move {
            let port = address.rsplit_once(':').map_or(address, |(_, port)| port);
            let listener = TcpListener::bind(format!("0.0.0.0:{port}")).await?;
            let address = address.to_owned();
            Ok(Box::new(HostIncoming { listener, network: self.clone(), address }) as Box<dyn Incoming>)
        })
    }
}

struct HostIncoming {
    listener: TcpListener,
    network: HostNetwork,
    address: String,
}

impl Incoming for HostIncoming {
    fn accept(&mut self) -> BoxFuture<'_, io::Result<(BoxStream, String)>> {
        Box::pin(async move {
            let (stream, from) = self.listener.accept().await?;
            Ok((self.network.stream(stream, from), from.to_string()))
        })
    }

    fn address(&self) -> String {
        self.address.clone()
    }
}

struct HostStream {
    stream: TcpStream,
    network: HostNetwork,
    peer: SocketAddr,
    /// The connection is broken when there were more orders than this.
    breaks: u64,
    pause: Option<Pin<Box<Sleep>>>,
}

impl HostStream {
    fn check(&self) -> io::Result<()> {
        let is_whole = self.network.wire.0.lock().breaks == self.breaks;
        if is_whole { Ok(()) } else { Err(io::ErrorKind::ConnectionReset.into()) }
    }

    /// Waits while nothing may go out.
    fn poll_held(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            if let Some(pause) = &mut self.pause {
                ready!(pause.as_mut().poll(context));
                self.pause = None;
            }
            let now = turmoil::sim_elapsed().unwrap_or_default();
            let left = self.network.wire.0.lock().held_until.saturating_sub(now);
            if left.is_zero() {
                return Poll::Ready(());
            }
            let until = Instant::now() + left;
            self.pause = Some(Box::pin(sleep_until(until)));
        }
    }
}

impl Drop for HostStream {
    fn drop(&mut self) {
        let now = turmoil::sim_elapsed().unwrap_or_default().as_millis() as u64;
        let local = self.stream.local_addr();
        self.network.trace.note(now, &format_args!("{} drops {local:?} {}", self.network.host, self.peer));
    }
}

impl AsyncRead for HostStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check()?;
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        let now = turmoil::sim_elapsed().unwrap_or_default().as_millis() as u64;
        let (host, peer, got) = (&self.network.host, self.peer, &buffer.filled()[before..]);
        self.network.trace.note(now, &format_args!("{host} from {peer}: {} bytes {:x}", got.len(), sum(got)));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for HostStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        ready!(self.poll_held(context));
        Pin::new(&mut self.stream).poll_write(context, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use muster_model::{ClusterId, NodeId};
    use muster_peer::{Links, LinksParts, Plaintext, Purpose};
    use muster_runtime::Tasks;

    struct Echo;

    impl muster_peer::Acceptor for Echo {
        fn serve(self: Arc<Self>, mut link: muster_peer::Link) -> BoxFuture<'static, ()> {
            Box::pin(async move {
                let mut is_open = true;
                while is_open && let Ok(Some(frame)) = link.receive().await {
                    is_open = link.send(&frame).await.is_ok();
                }
            })
        }
    }

    fn links(host: &str, wire: &Wire, trace: &Trace, node: u64, tasks: &Tasks) -> Links {
        let network = HostNetwork { host: host.to_owned(), wire: wire.clone(), trace: trace.clone() };
        let links = Links::new(LinksParts {
            network: Arc::new(network),
            security: Arc::new(Plaintext),
            tasks: tasks.clone(),
        });
        links.identify(ClusterId(7), NodeId(node));
        links
    }

    /// Two nodes that talk; how long an answer took before, while and after the second one was held up.
    fn talk() -> (Vec<u128>, u64) {
        let (trace, wire) = (Trace::default(), Wire::default());
        let took = Arc::new(Mutex::new(Vec::new()));
        let mut sim = turmoil::Builder::new().rng_seed(5).build();
        let (server_trace, server_wire) = (trace.clone(), wire.clone());
        sim.host("n2", move || {
            let (trace, wire) = (server_trace.clone(), server_wire.clone());
            async move {
                let tasks = Tasks::single_threaded();
                let links = links("n2", &wire, &trace, 2, &tasks);
                links.handle(Purpose::Report, Arc::new(Echo));
                let network = HostNetwork { host: "n2".into(), wire, trace };
                let incoming = network.listen("n2:7848").await?;
                links.serve(incoming).await;
                Ok(())
            }
        });
        let (client_trace, results) = (trace.clone(), took.clone());
        sim.client("n1", async move {
            let tasks = Tasks::single_threaded();
            let own = Wire::default();
            let links = links("n1", &own, &client_trace, 1, &tasks);
            let mut link = links.connect(Some(NodeId(2)), "n2:7848", Purpose::Report).await?;
            for held in [0, 3_000, 0] {
                wire.hold(Duration::from_millis(held));
                let before = turmoil::elapsed();
                link.send(b"hello").await?;
                assert_eq!(link.receive().await?.as_deref(), Some(&b"hello"[..]));
                results.lock().push((turmoil::elapsed() - before).as_millis());
            }
            wire.break_all();
            link.send(b"hello").await?;
            assert!(link.receive().await.is_err() || link.receive().await.is_ok_and(|end| end.is_none()));
            Ok(())
        });
        sim.run().unwrap();
        let took = took.lock().clone();
        (took, trace.hash())
    }

    #[test]
    fn links_talk_over_it_and_a_seed_gives_one_trace() {
        let (took, hash) = talk();
        assert!(took[0] < 1_000 && took[1] >= 2_999 && took[2] < 1_000, "{took:?}");
        assert_eq!(talk(), (took, hash));
    }
}
