//! Bodies that stop coming.

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use std::{
    error::Error,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::Sleep;

/// Why reading a body failed.
#[derive(Debug, thiserror::Error)]
#[error("no byte of the request body came for {0:?}")]
pub(crate) struct Stalled(Duration);

/// A request body that fails when the handler waits for it and nothing comes for a while.
pub(crate) struct StallLimit {
    body: Incoming,
    limit: Duration,
    /// Runs while the handler waits; most bodies are there at once and never need it.
    timer: Option<Pin<Box<Sleep>>>,
}

impl StallLimit {
    pub(crate) fn new(body: Incoming, limit: Duration) -> Self {
        Self { body, limit, timer: None }
    }
}

impl Body for StallLimit {
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
