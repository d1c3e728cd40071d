//! One request: what is added to it, and how its end is noticed.

use crate::{Connection, ConnectionObserver, ConnectionTable, stall::StallLimit};
use axum::{Router, body::Body, routing::future::RouteFuture};
use bytes::Bytes;
use http::{HeaderMap, Request, Response, header::CONTENT_TYPE};
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use muster_runtime::Clock;
use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tower::Service as _;

/// Held by a connection's task and by each of its requests; when the last one lets go, the connection is over.
pub(crate) struct Lifeline {
    pub(crate) connection: Arc<Connection>,
    pub(crate) table: Arc<ConnectionTable>,
    pub(crate) observer: Arc<dyn ConnectionObserver>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Drop for Lifeline {
    fn drop(&mut self) {
        self.table.forget(self.connection.id());
        self.observer.closed(self.connection.id());
    }
}

/// A request that is not finished.
struct Running(Arc<Lifeline>);

impl Running {
    fn begin(lifeline: Arc<Lifeline>) -> Self {
        lifeline.connection.request_began(lifeline.clock.now().mono);
        Self(lifeline)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.connection.request_ended(self.0.clock.now().mono);
    }
}

/// Serves the requests of one connection.
pub(crate) struct Requests {
    router: Router,
    lifeline: Arc<Lifeline>,
    body_stall_timeout: Duration,
}

impl Requests {
    pub(crate) fn new(router: Router, lifeline: Arc<Lifeline>, body_stall_timeout: Duration) -> Self {
        Self { router, lifeline, body_stall_timeout }
    }
}

impl hyper::service::Service<Request<Incoming>> for Requests {
    type Response = Response<AnswerBody>;
    type Error = Infallible;
    type Future = Answer;

    fn call(&self, request: Request<Incoming>) -> Answer {
        let running = Running::begin(self.lifeline.clone());
        let may_be_quiet = request.body().is_end_stream() || is_grpc(request.headers());
        let mut request = if may_be_quiet {
            request.map(Body::new)
        } else {
            request.map(|body| Body::new(StallLimit::new(body, self.body_stall_timeout)))
        };
        request.extensions_mut().insert(self.lifeline.connection.info());
        // A router is always ready.
        Answer { route: self.router.clone().call(request), running: Some(running) }
    }
}

fn is_grpc(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"))
}

/// The answer, while the handler works.
pub(crate) struct Answer {
    route: RouteFuture<Infallible>,
    /// Gone once the answer is ready: then its body has it.
    running: Option<Running>,
}

impl Future for Answer {
    type Output = Result<Response<AnswerBody>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let response = ready!(Pin::new(&mut self.route).poll(cx))?;
        let running = self.running.take();
        Poll::Ready(Ok(response.map(|body| AnswerBody { body, _running: running })))
    }
}

/// The body of an answer; the request lasts as long as it does.
pub(crate) struct AnswerBody {
    // Dropped before `_running`.
    body: Body,
    _running: Option<Running>,
}

impl HttpBody for AnswerBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
