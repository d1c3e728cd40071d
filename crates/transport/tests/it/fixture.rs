//! A running transport, its observer and small clients.

use axum::{
    Extension, Router,
    body::{Body, Bytes},
    routing::{get, post},
};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use muster_model::ConnectionId;
use muster_runtime::{SystemClock, Tasks};
use muster_transport::{
    ConnectionInfo, ConnectionObserver, ConnectionTable, Listener, Surface, Surfaces, Transport,
    TransportParts, TransportSettings, bind, limit_body, limit_body_stall, only_on,
};
use std::{
    future::{Future, pending},
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::{Semaphore, watch},
};

/// Far more than anything takes; only a failing test waits so long.
const PATIENCE: Duration = Duration::from_secs(20);

/// Fails instead of hanging.
pub(crate) async fn soon<F: Future>(what: F) -> F::Output {
    tokio::time::timeout(PATIENCE, what).await.expect("this takes milliseconds")
}

/// Waits for a condition nobody announces.
pub(crate) async fn wait_for(mut holds: impl FnMut() -> bool) {
    soon(async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await;
}

/// Handlers that wait, and how many do.
#[derive(Clone)]
pub(crate) struct Gate {
    pub(crate) open: Arc<Semaphore>,
    pub(crate) waiting: Arc<AtomicUsize>,
}

struct Waiting(Arc<AtomicUsize>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Gate {
    async fn pass(self) -> &'static str {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let _waiting = Waiting(self.waiting.clone());
        self.open.acquire().await.unwrap().forget();
        "done"
    }
}

/// What the observer was told, each with how many handlers still waited.
pub(crate) type Closed = Vec<(ConnectionId, usize)>;

struct Recorder {
    closed: watch::Sender<Closed>,
    waiting: Arc<AtomicUsize>,
}

impl ConnectionObserver for Recorder {
    fn closed(&self, id: ConnectionId) {
        self.closed.send_modify(|closed| closed.push((id, self.waiting.load(Ordering::SeqCst))));
    }
}

/// A transport with two listeners: one that shows everything, and one that shows the console.
pub(crate) struct Fixture {
    pub(crate) transport: Transport,
    pub(crate) table: Arc<ConnectionTable>,
    pub(crate) tasks: Tasks,
    pub(crate) gate: Gate,
    pub(crate) address: SocketAddr,
    closed: watch::Receiver<Closed>,
}

impl Fixture {
    pub(crate) fn start() -> Self {
        Self::with(TransportSettings::default())
    }

    pub(crate) fn with(settings: TransportSettings) -> Self {
        let gate = Gate { open: Arc::new(Semaphore::new(0)), waiting: Arc::default() };
        let (sender, closed) = watch::channel(Closed::new());
        let table = Arc::new(ConnectionTable::new());
        let tasks = Tasks::new();
        let two = bind(&["127.0.0.1:0".parse().unwrap(), "127.0.0.1:0".parse().unwrap()]).unwrap();
        let [all, console] = <[Listener; 2]>::try_from(two).unwrap();
        let console = console.showing(Surfaces::of(&[Surface::Console]));
        let transport = Transport::start(TransportParts {
            listeners: vec![all, console],
            router: router(gate.clone()),
            settings,
            table: table.clone(),
            observer: Arc::new(Recorder { closed: sender, waiting: gate.waiting.clone() }),
            clock: Arc::new(SystemClock::new()),
            tasks: tasks.clone(),
        });
        let address = transport.addresses()[0];
        Self { transport, table, tasks, gate, address, closed }
    }

    /// Waits until the observer was told of so many connections.
    pub(crate) async fn closed(&mut self, count: usize) -> Closed {
        soon(self.closed.wait_for(|closed| closed.len() >= count)).await.unwrap().clone()
    }

    /// Ends everything: then every connection must have been reported once, after its handlers were gone.
    pub(crate) async fn finish(self) {
        self.transport.drain(Duration::ZERO).await;
        assert!(self.tasks.shutdown(PATIENCE).await, "all tasks end");
        let closed = self.closed.borrow().clone();
        let mut ids: Vec<_> = closed.iter().map(|(id, _)| *id).collect();
        ids.sort();
        let accepted = self.table.statistics().accepted;
        assert_eq!(ids, (1..=accepted).map(ConnectionId).collect::<Vec<_>>());
        assert_eq!(self.table.count(), 0);
    }

    pub(crate) async fn tcp(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    pub(crate) async fn http1(&self) -> http1::SendRequest<Body> {
        let (client, connection) = http1::handshake(TokioIo::new(self.tcp().await)).await.unwrap();
        self.tasks.spawn("client", async move { drop(connection.await) });
        client
    }

    pub(crate) async fn http2(&self) -> http2::SendRequest<Body> {
        let io = TokioIo::new(self.tcp().await);
        let (client, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
        self.tasks.spawn("client", async move { drop(connection.await) });
        client
    }

    /// Waits until so many handlers wait at the gate.
    pub(crate) async fn waiting(&self, count: usize) {
        wait_for(|| self.gate.waiting.load(Ordering::SeqCst) == count).await;
    }
}

fn router(gate: Gate) -> Router {
    let unread = gate.clone();
    let wait = move || gate.clone().pass();
    // Holds the body without reading it.
    let hold = move |body: Body| async move {
        let done = unread.clone().pass().await;
        drop(body);
        done
    };
    Router::new()
        .route("/id", get(|Extension(info): Extension<ConnectionInfo>| async move { info.id.0.to_string() }))
        .route("/info", get(|Extension(info): Extension<ConnectionInfo>| async move { format!("{info:?}") }))
        .route("/wait", get(wait))
        .route("/hold", post(hold))
        .route("/echo", post(|body: Bytes| async { body }))
        .route("/quiet", post(|body: Body| async { body }))
        .route("/panic", get(|| async { panic_on_purpose() }))
        .route("/endless", get(|| async { Body::from_stream(endless()) }))
        .route("/hang", get(|| async { pending::<()>().await }))
        .merge(only_on(
            Router::new().route("/apps", get(|| async { "apps" })),
            Surfaces::of(&[Surface::Eureka]),
        ))
        .merge(limit_body_stall(
            Router::new().route("/unary", post(|body: Bytes| async { body })),
            Duration::from_millis(150),
        ))
        .merge(limit_body(Router::new().route("/small", post(|body: Bytes| async { body })), 1000))
}

fn panic_on_purpose() -> StatusCode {
    panic!("a handler panics on purpose")
}

fn endless() -> impl futures_util::Stream<Item = Result<Bytes, std::io::Error>> {
    futures_util::stream::repeat_with(|| Ok(Bytes::from_static(&[b'x'; 16 << 10])))
}

pub(crate) fn get_request(path: &str) -> Request<Body> {
    Request::get(format!("http://test{path}")).header("host", "test").body(Body::empty()).unwrap()
}

/// Status and body.
pub(crate) async fn read(response: http::Response<hyper::body::Incoming>) -> (StatusCode, String) {
    let status = response.status();
    let body = soon(response.into_body().collect()).await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

/// Sends bytes and reads until the other side closes or resets; what came.
pub(crate) async fn exchange(stream: &mut TcpStream, bytes: &[u8]) -> String {
    stream.write_all(bytes).await.unwrap();
    until_closed(stream).await
}

/// Reads until the other side closes or resets; what came.
pub(crate) async fn until_closed(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    // A reset is an end as well.
    drop(soon(stream.read_to_end(&mut answer)).await);
    String::from_utf8_lossy(&answer).into_owned()
}

/// What an HTTP/2 client says first: the preface and empty settings.
pub(crate) const HTTP2_HELLO: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00";

/// Reads one HTTP/2 frame: its type, flags and payload.
pub(crate) async fn read_frame(stream: &mut TcpStream) -> (u8, u8, Vec<u8>) {
    let mut head = [0; 9];
    soon(stream.read_exact(&mut head)).await.unwrap();
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
    let mut payload = vec![0; length];
    soon(stream.read_exact(&mut payload)).await.unwrap();
    (head[3], head[4], payload)
}
