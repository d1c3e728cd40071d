//! Bodies that stop coming.

use axum::{Router, body, extract::Request};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::{
    error::Error,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::Sleep;
use tower::util::MapRequestLayer;

/// Lets reading the request body fail on these routes when the handler waits for it and nothing comes for
/// `timeout`. All requests but gRPC have this already; this is for gRPC routes with one message a call, where a
/// client could else hold half a message in our memory for as long as it likes.
pub fn limit_body_stall(router: Router, timeout: Duration) -> Router {
    router.layer(MapRequestLayer::new(move |request: Request| {
        request.map(|body| body::Body::new(StallLimit::new(body, timeout)))
    }))
}

/// Why reading a body failed.
#[derive(Debug, thiserror::Error)]
#[error("no byte of the request body came for {0:?}")]
pub(crate) struct Stalled(Duration);

/// A request body that fails when the handler waits for it and nothing comes for a while.
pub(crate) struct StallLimit<B> {
    body: B,
    limit: Duration,
    /// Runs while the handler waits; most bodies are there at once and never need it.
    timer: Option<Pin<Box<Sleep>>>,
}

impl<B> StallLimit<B> {
    pub(crate) fn new(body: B, limit: Duration) -> Self {
        Self { body, limit, timer: None }
    }
}

impl<B> Body for StallLimit<B>
where
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Unpin,
{
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) {
            this.timer = None;
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let timer = this.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(this.limit)));
        timer.as_mut().poll(cx).map(|()| Some(Err(Stalled(this.limit).into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
