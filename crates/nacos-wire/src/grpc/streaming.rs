//! One stream below tonic on its sending side: pushes are sent without a copy. What comes in is decoded by tonic.

use super::{
    NacosGrpc, Payload, PayloadCodec,
    framed::{Framed, answer, success},
    server::MessageLimits,
};
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame};
use std::{
    convert::Infallible,
    error::Error,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};
use tonic::{
    Request, Status, Streaming,
    body::Body,
    codec::Codec,
    codegen::{
        http::{self, HeaderMap, HeaderName, HeaderValue},
        tokio_stream::Stream,
    },
    metadata::MetadataMap,
};

/// Opens the stream; the head of the answer leaves before its first message.
pub(super) async fn serve<T, B>(
    inner: Arc<T>,
    request: http::Request<B>,
    limits: MessageLimits,
) -> http::Response<Body>
where
    T: NacosGrpc,
    B: HttpBody + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>> + Send + 'static,
{
    let (parts, body) = request.into_parts();
    let messages = Streaming::new_request(PayloadCodec.decoder(), body, None, Some(limits.decoding));
    let metadata = MetadataMap::from_headers(parts.headers);
    let opened = inner.request_bi_stream(Request::from_parts(metadata, parts.extensions, messages)).await;
    opened.map_or_else(Status::into_http, |response| {
        let (metadata, pushes, _) = response.into_parts();
        let pushes = Pushes { body: None, messages: Some(Box::pin(pushes)), bytes_max: limits.encoding };
        answer(metadata, Body::new(pushes))
    })
}

/// The frames of a stream: each message in one piece or two, at the end the status.
struct Pushes<S> {
    /// The second piece of the message whose first was taken.
    body: Option<Bytes>,
    /// None once the status was taken.
    messages: Option<Pin<Box<S>>>,
    bytes_max: usize,
}

impl<S: Stream<Item = Result<Payload, Status>>> HttpBody for Pushes<S> {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(body) = self.body.take() {
            return Poll::Ready(Some(Ok(Frame::data(body))));
        }
        let Some(messages) = self.messages.as_mut() else { return Poll::Ready(None) };
        let next = ready!(messages.as_mut().poll_next(cx)).transpose();
        let bytes_max = self.bytes_max;
        let framed =
            next.and_then(|payload| payload.map(|payload| Framed::new(payload, bytes_max)).transpose());
        let frame = match framed {
            Ok(Some(Framed { head, body })) => {
                self.body = body;
                Frame::data(head)
            }
            ended => {
                self.messages = None;
                Frame::trailers(ended.err().map_or_else(success, |status| trailers(&status)))
            }
        };
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.messages.is_none()
    }
}

fn trailers(status: &Status) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    // Fails only where metadata of the status is no header; then the status itself says so.
    match status.add_header(&mut trailers) {
        Ok(()) => trailers,
        Err(unsaid) => HeaderMap::from_iter([(
            HeaderName::from_static("grpc-status"),
            HeaderValue::from(i32::from(unsaid.code())),
        )]),
    }
}
