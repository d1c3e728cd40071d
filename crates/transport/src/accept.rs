//! Accepting connections.

use crate::{ConnectionInfo, Listener, Surfaces, connection::ListenerIndex, serve::Server};
use muster_runtime::Clock;
use std::{
    io::ErrorKind,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

/// The pause after an error of `accept` that will not go away by itself, like a lack of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);
/// The shortest time between two warnings of one kind.
const WARN_INTERVAL_MS: u64 = 10_000;

/// Accepts until told to stop; the socket is closed when this returns.
pub(crate) async fn run(server: Arc<Server>, listener: Listener, index: usize, stop: CancellationToken) {
    let full = WarnLimit::default();
    let failed = WarnLimit::default();
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            accepted = listener.socket.accept() => accepted,
        };
        match accepted {
            Ok((stream, remote)) => {
                take(&server, stream, remote, (ListenerIndex(index), listener.surfaces), &full)
            }
            // The client was gone before we looked.
            Err(error) if is_clients(error.kind()) => {}
            Err(error) => {
                server.table.accept_errors.fetch_add(1, Ordering::Relaxed);
                if failed.allows(&*server.clock) {
                    tracing::warn!(address = %listener.address, %error, "accept failed");
                }
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(PAUSE) => {}
                }
            }
        }
    }
}

fn is_clients(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::Interrupted)
}

/// Serves a connection in a task of its own, or closes it if there are too many.
fn take(
    server: &Arc<Server>,
    stream: TcpStream,
    remote: SocketAddr,
    (listener, surfaces): (ListenerIndex, Surfaces),
    full: &WarnLimit,
) {
    // Both fail only if the client has gone already.
    let Ok(local) = stream.set_nodelay(true).and_then(|()| stream.local_addr()) else { return };
    let max = server.settings.connections_max;
    let (remote, local) = (canonical(remote), canonical(local));
    let info = |id| ConnectionInfo { id, remote, local, listener, surfaces };
    match server.table.open(info, max, server.clock.now()) {
        Some(connection) => server.spawn(stream, connection),
        None if full.allows(&*server.clock) => {
            tracing::warn!(%remote, connections_max = max, "connection closed at once, too many are open");
        }
        None => {}
    }
}

fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// Lets one warning through in ten seconds.
#[derive(Default)]
struct WarnLimit {
    /// Monotonic milliseconds of the last one, 0 if there was none.
    last: AtomicU64,
}

impl WarnLimit {
    fn allows(&self, clock: &dyn Clock) -> bool {
        let now = clock.now().mono.0;
        let last = self.last.load(Ordering::Relaxed);
        let allowed = last == 0 || now.saturating_sub(last) >= WARN_INTERVAL_MS;
        if allowed {
            self.last.store(now, Ordering::Relaxed);
        }
        allowed
    }
}
