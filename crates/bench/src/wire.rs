//! Frames of gRPC and the payload inside, encoded once and sent many times.

use anyhow::{Context, Result, ensure};
use bytes::{Buf, BufMut, Bytes, BytesMut};
use muster_nacos_wire::grpc::Payload;
use prost::Message;

/// A request as real clients send it, with its gRPC prefix.
pub(crate) fn frame(kind: &str, json: &str) -> Bytes {
    let mut payload = Payload::new(kind, json.to_owned());
    if let Some(metadata) = payload.metadata.as_mut() {
        metadata.client_ip = "127.0.0.1".into();
        metadata.headers.insert("app".into(), "unknown".into());
    }
    encode(&payload)
}

/// Bytes of gRPC before a message: one "not compressed", four of length.
pub(crate) const PREFIX: usize = 5;

/// A message with its gRPC prefix.
pub(crate) fn encode(message: &impl Message) -> Bytes {
    let length = message.encoded_len();
    let mut out = BytesMut::with_capacity(PREFIX + length);
    out.put_u8(0);
    out.put_u32(u32::try_from(length).expect("a message of the bench is far below 4 GiB"));
    message.encode(&mut out).expect("the buffer holds the encoded length");
    out.freeze()
}

/// Takes one message off the front, or nothing when it is not complete yet.
pub(crate) fn decode(buffer: &mut BytesMut) -> Result<Option<Payload>> {
    let Some(prefix) = buffer.get(..PREFIX) else { return Ok(None) };
    ensure!(prefix[0] == 0, "the server sent a compressed message");
    let length = (&prefix[1..]).get_u32() as usize;
    if buffer.len() < PREFIX + length {
        buffer.reserve(PREFIX + length - buffer.len());
        return Ok(None);
    }
    buffer.advance(PREFIX);
    let message = buffer.split_to(length).freeze();
    Payload::decode(message).context("decode payload").map(Some)
}

/// Whether an answer, still framed, is a success: found without parsing, for the hot path.
pub(crate) fn succeeded(answer: &[u8]) -> bool {
    const MARK: &[u8] = b"\"resultCode\":200";
    let mut rest = answer;
    while let Some(at) = rest.iter().position(|&byte| byte == b'"') {
        rest = &rest[at..];
        if rest.starts_with(MARK) {
            return true;
        }
        rest = &rest[1..];
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_comes_back_whole_from_pieces() {
        let sent = frame("InstanceRequest", r#"{"a":1}"#);
        let mut buffer = BytesMut::new();
        for byte in &sent[..sent.len() - 1] {
            buffer.put_u8(*byte);
            assert!(decode(&mut buffer).unwrap().is_none());
        }
        buffer.put_u8(sent[sent.len() - 1]);
        let payload = decode(&mut buffer).unwrap().unwrap();
        assert_eq!((payload.kind(), payload.json()), ("InstanceRequest", &br#"{"a":1}"#[..]));
        assert!(buffer.is_empty());
    }

    #[test]
    fn success_is_told_from_failure() {
        assert!(succeeded(&encode(&Payload::new("X", r#"{"x":"y","resultCode":200}"#))));
        assert!(!succeeded(&encode(&Payload::new("X", r#"{"resultCode":500,"errorCode":200}"#))));
    }
}
