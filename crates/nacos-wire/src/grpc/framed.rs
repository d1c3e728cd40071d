//! Messages as they are sent, below tonic: a large body is the `Bytes` the payload holds, which a renderer may have
//! made once for many calls and pushes, and is not copied.

use super::{Any, Payload};
use bytes::{BufMut, Bytes, BytesMut};
use prost::{
    Message,
    encoding::{self, WireType},
};
use tonic::{
    Status,
    body::Body,
    codegen::http::{self, HeaderMap, HeaderValue, header::CONTENT_TYPE},
    metadata::MetadataMap,
};

/// A byte for "compressed", four for the length.
pub(super) const PREFIX: usize = 5;
/// Bodies up to this size are copied behind their head: one frame of HTTP/2 is cheaper than two.
const COPIED_MAX: usize = 4 << 10;

/// A message with its prefix, in one piece or two.
pub(super) struct Framed {
    pub(super) head: Bytes,
    /// What follows the head, if it was not copied behind it.
    pub(super) body: Option<Bytes>,
}

impl Framed {
    /// Frames a payload; one that is larger than the limit is a status.
    pub(super) fn new(mut payload: Payload, message_bytes_max: usize) -> Result<Self, Status> {
        let length = u32::try_from(payload.encoded_len()).ok();
        let Some(length) = length.filter(|length| *length as usize <= message_bytes_max) else {
            return Err(Status::out_of_range(format!(
                "the message is larger than {message_bytes_max} bytes"
            )));
        };
        let large = payload.body.take_if(|any| any.value.len() > COPIED_MAX);
        let shared = large.as_ref().map_or(0, |any| any.value.len());
        let mut head = BytesMut::with_capacity(PREFIX + length as usize - shared);
        head.put_u8(0);
        head.put_u32(length);
        payload.encode(&mut head).expect("a growing buffer has room");
        let body = large.map(|any| {
            encoding::encode_key(3, WireType::LengthDelimited, &mut head);
            encoding::encode_varint(any.encoded_len() as u64, &mut head);
            let Any { type_url, value } = any;
            if !type_url.is_empty() {
                encoding::string::encode(1, &type_url, &mut head);
            }
            encoding::encode_key(2, WireType::LengthDelimited, &mut head);
            encoding::encode_varint(value.len() as u64, &mut head);
            value
        });
        Ok(Self { head: head.freeze(), body })
    }
}

/// The head of an answer whose frames are in `body`.
pub(super) fn answer(metadata: MetadataMap, body: Body) -> http::Response<Body> {
    let mut response = http::Response::new(body);
    *response.headers_mut() = metadata.into_headers();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    response
}

/// The trailers of an answer without an error.
pub(super) fn success() -> HeaderMap {
    let mut trailers = HeaderMap::with_capacity(1);
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    trailers
}
