//! One connection from its first byte to its last.

use crate::{
    Connection, ConnectionObserver, ConnectionTable, TransportSettings,
    connection::Order,
    outbox::Outbox,
    request::{Lifeline, Requests},
    socket::Socket,
};
use axum::Router;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::conn::auto,
};
use muster_runtime::Clock;
use std::{error::Error, future::poll_fn, pin::pin, sync::Arc, task::Poll};
use tokio::net::TcpStream;
use tokio_util::task::TaskTracker;

/// What all connections share.
pub(crate) struct Server {
    pub(crate) settings: TransportSettings,
    pub(crate) table: Arc<ConnectionTable>,
    pub(crate) clock: Arc<dyn Clock>,
    router: Router,
    observer: Arc<dyn ConnectionObserver>,
    builder: auto::Builder<Executor>,
    tasks: TaskTracker,
}

/// Runs the streams of HTTP/2 connections as tasks. They carry no span of their own: entering one at every poll
/// costs more than many a request.
#[derive(Clone)]
struct Executor(TaskTracker);

impl<F> hyper::rt::Executor<F> for Executor
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, task: F) {
        self.0.spawn(task);
    }
}

enum Step {
    Ordered(Order),
    Ended(Result<(), Box<dyn Error + Send + Sync>>),
}

impl Server {
    pub(crate) fn new(
        router: Router,
        settings: TransportSettings,
        table: Arc<ConnectionTable>,
        observer: Arc<dyn ConnectionObserver>,
        clock: Arc<dyn Clock>,
        tasks: TaskTracker,
    ) -> Self {
        let builder = builder(&settings, Executor(tasks.clone()));
        Self { settings, table, clock, router, observer, builder, tasks }
    }

    /// Serves a connection that is in the table.
    pub(crate) fn spawn(self: &Arc<Self>, stream: TcpStream, connection: Arc<Connection>) {
        // Made here and not in the task, so that it is dropped even if the task never runs.
        let lifeline = Arc::new(Lifeline {
            connection,
            table: self.table.clone(),
            observer: self.observer.clone(),
            clock: self.clock.clone(),
        });
        self.tasks.spawn(serve(self.clone(), stream, lifeline));
    }
}

async fn serve(server: Arc<Server>, stream: TcpStream, lifeline: Arc<Lifeline>) {
    let connection = lifeline.connection.clone();
    tracing::debug!(id = connection.id().0, remote = %connection.info().remote, "connection opened");
    let (reading, writing) = stream.into_split();
    let outbox = Outbox::new(writing, connection.clone(), server.settings.write_stall_timeout);
    let socket = Socket::new(reading, outbox.clone(), connection.clone(), server.clock.clone());
    let service = Requests::new(server.router.clone(), lifeline, server.settings.body_stall_timeout);
    let mut serving = pin!(server.builder.serve_connection(TokioIo::new(socket), service));
    let mut known = Order::Serve;
    let result = loop {
        let step = poll_fn(|cx| {
            if let Poll::Ready(order) = connection.poll_order(known, cx) {
                return Poll::Ready(Step::Ordered(order));
            }
            let served = serving.as_mut().poll(cx).map(Step::Ended);
            match outbox.poll_send(cx) {
                Poll::Ready(Err(error)) => Poll::Ready(Step::Ended(Err(error.into()))),
                Poll::Ready(Ok(())) | Poll::Pending => served,
            }
        });
        match step.await {
            Step::Ordered(Order::Abort) => break Ok(()),
            Step::Ordered(order) => {
                known = order;
                serving.as_mut().graceful_shutdown();
            }
            Step::Ended(result) => break result,
        }
    };
    match result {
        Ok(()) => tracing::debug!(id = connection.id().0, "connection closed"),
        // Resets, time-outs and bad requests: all of them the client's.
        Err(error) => tracing::debug!(id = connection.id().0, error = %error, "connection failed"),
    }
}

fn builder(settings: &TransportSettings, executor: Executor) -> auto::Builder<Executor> {
    let mut builder = auto::Builder::new(executor);
    builder
        .http1()
        .keep_alive(true)
        .max_buf_size(settings.header_bytes_max)
        // The sweep does this, without a timer for each connection; hyper's would also end idle ones.
        .header_read_timeout(None)
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(settings.http2_keepalive_interval)
        .keep_alive_timeout(settings.http2_keepalive_timeout)
        .max_concurrent_streams(settings.http2_streams_max)
        .initial_connection_window_size(settings.http2_connection_window)
        .initial_stream_window_size(settings.http2_stream_window)
        .max_header_list_size(settings.http2_header_bytes_max)
        .max_send_buf_size(settings.http2_send_buffer_max)
        .max_pending_accept_reset_streams(settings.http2_pending_resets_max);
    builder
}
