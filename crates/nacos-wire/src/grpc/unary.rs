//! One unary call below tonic: its message is read without a buffer, its answer is sent without a copy.
//!
//! A call of tonic allocates a buffer to decode from and one to encode into and copies the body through both.

use super::{
    NacosGrpc, Payload,
    framed::{Framed, PREFIX, answer, success},
    server::MessageLimits,
};
use bytes::{Buf, BufMut, Bytes, BytesMut};
use http_body::{Body as HttpBody, Frame};
use prost::Message;
use std::{
    convert::Infallible,
    error::Error,
    future::poll_fn,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
};
use tonic::{Request, Response, Status, body::Body, codegen::http, metadata::MetadataMap};

/// Reads the message, calls, and gives the answer; whatever fails is a gRPC status.
pub(super) async fn serve<T, B>(
    inner: Arc<T>,
    request: http::Request<B>,
    limits: MessageLimits,
) -> http::Response<Body>
where
    T: NacosGrpc,
    B: HttpBody,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let (parts, body) = request.into_parts();
    let answer = match read(body, limits.decoding).await {
        Ok(payload) => {
            let metadata = MetadataMap::from_headers(parts.headers);
            inner.request(Request::from_parts(metadata, parts.extensions, payload)).await
        }
        Err(status) => Err(status),
    };
    answer.and_then(|response| respond(response, limits.encoding)).unwrap_or_else(Status::into_http)
}

/// The one message of a call; bytes behind it are ignored.
async fn read<B>(body: B, message_bytes_max: usize) -> Result<Payload, Status>
where
    B: HttpBody,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let mut body = pin!(body);
    let mut message = Gathered::default();
    // To its end, even when the message is complete: what is left unread would reset the stream.
    while let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        let frame = frame.map_err(|error| Status::from_error(error.into()))?;
        let Ok(data) = frame.into_data() else { continue };
        message.push(data);
        let length = length(message.bytes())?.unwrap_or(0);
        if length > message_bytes_max {
            return Err(Status::resource_exhausted(format!(
                "a message of {length} bytes is larger than {message_bytes_max} bytes"
            )));
        }
        message.expect(PREFIX + length);
    }
    let mut message = message.take();
    match length(&message)? {
        Some(length) if message.len() >= PREFIX + length => message.truncate(PREFIX + length),
        Some(_) | None => return Err(Status::internal("the message ends before its length")),
    }
    message.advance(PREFIX);
    Payload::decode(message).map_err(|error| Status::internal(error.to_string()))
}

/// The bytes of a body so far: the first frame as it came, copied only when a second one comes.
#[derive(Default)]
struct Gathered {
    first: Bytes,
    all: BytesMut,
    expected: usize,
}

impl Gathered {
    fn push(&mut self, mut data: impl Buf) {
        if self.first.is_empty() && self.all.is_empty() {
            self.first = data.copy_to_bytes(data.remaining());
            return;
        }
        // No more than the whole message, nor more than has come at the least: a length is only a claim.
        let wanted = self.expected.min(2 * (self.bytes().len() + data.remaining()));
        self.all.reserve(wanted.saturating_sub(self.all.len()));
        self.all.put(std::mem::take(&mut self.first));
        self.all.put(data);
    }

    fn expect(&mut self, bytes: usize) {
        self.expected = bytes;
    }

    fn bytes(&self) -> &[u8] {
        if self.first.is_empty() { &self.all } else { &self.first }
    }

    fn take(self) -> Bytes {
        if self.first.is_empty() { self.all.freeze() } else { self.first }
    }
}

/// The length a message says it has, once its prefix is there.
fn length(message: &[u8]) -> Result<Option<usize>, Status> {
    match message {
        [0, a, b, c, d, ..] => Ok(Some(u32::from_be_bytes([*a, *b, *c, *d]) as usize)),
        [1, ..] => Err(Status::unimplemented("messages must not be compressed")),
        [0, ..] | [] => Ok(None),
        [flag, ..] => Err(Status::internal(format!("invalid compression flag {flag}"))),
    }
}

fn respond(response: Response<Payload>, message_bytes_max: usize) -> Result<http::Response<Body>, Status> {
    let (metadata, payload, _) = response.into_parts();
    let Framed { head, body } = Framed::new(payload, message_bytes_max)?;
    Ok(answer(metadata, Body::new(Answer { head: Some(head), body, ended: false })))
}

/// The frames of an answer: its message, in one piece or two, and the status.
struct Answer {
    head: Option<Bytes>,
    body: Option<Bytes>,
    ended: bool,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(data) = self.head.take().or_else(|| self.body.take()) {
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        if self.ended {
            return Poll::Ready(None);
        }
        self.ended = true;
        Poll::Ready(Some(Ok(Frame::trailers(success()))))
    }

    fn is_end_stream(&self) -> bool {
        self.ended
    }
}
