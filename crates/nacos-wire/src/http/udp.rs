//! Pushes to 1.x clients over UDP (nacos-http.md 3.3.4).

use crate::{Text, json::Object};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use serde::Deserialize;
use std::io::{Read as _, Write as _};

/// Datagrams of this size or more are compressed; the receiver looks for gzip's magic.
const PLAIN_BYTES_MAX: usize = 1024;
/// What an acknowledgement may unpack to.
const ACK_BYTES_MAX: u64 = 4096;

/// `{"type":"dom","data":"<ServiceInfo as a text>","lastRefTime":N}`, gzipped from 1,024 bytes on. `last_ref_time` is in
/// nanoseconds and identifies the push in its acknowledgement.
pub fn push_datagram(service_info: &str, last_ref_time: u64) -> Vec<u8> {
    let mut out = Vec::with_capacity(service_info.len() + service_info.len() / 4 + 64);
    let mut object = Object::open(&mut out);
    object.raw("type", b"\"dom\"").string("data", service_info).value("lastRefTime", &last_ref_time);
    object.close();
    if out.len() < PLAIN_BYTES_MAX {
        return out;
    }
    let mut encoder = GzEncoder::new(Vec::with_capacity(out.len() / 4), Compression::fast());
    encoder.write_all(&out).and_then(|()| encoder.finish()).expect("writing to memory can't fail")
}

/// An acknowledgement: `{"type":"push-ack","lastRefTime":"N","data":""}`, the number as text or number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PushAck {
    /// Which push it is about.
    pub last_ref_time: u64,
}

impl PushAck {
    /// Reads a datagram; `None` if it is anything else.
    pub fn parse(datagram: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Body<'a> {
            #[serde(borrow)]
            r#type: Text<'a>,
            #[serde(borrow)]
            last_ref_time: Text<'a>,
        }
        let mut unpacked = Vec::new();
        let json = if datagram.starts_with(&[0x1f, 0x8b]) {
            GzDecoder::new(datagram).take(ACK_BYTES_MAX).read_to_end(&mut unpacked).ok()?;
            &unpacked
        } else {
            datagram
        };
        let body: Body<'_> = serde_json::from_slice(json).ok()?;
        let last_ref_time = (&*body.r#type == "push-ack").then(|| body.last_ref_time.parse().ok())??;
        Some(Self { last_ref_time })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_datagrams_are_plain_and_large_ones_packed() {
        let small = push_datagram(r#"{"name":"G@@s"}"#, 1_700_000_000_000_000_000);
        let expected = r#"{"type":"dom","data":"{\"name\":\"G@@s\"}","lastRefTime":1700000000000000000}"#;
        assert_eq!(small, expected.as_bytes());
        let around = push_datagram("", 7).len();
        assert_eq!(push_datagram(&"x".repeat(PLAIN_BYTES_MAX - 1 - around), 7).len(), PLAIN_BYTES_MAX - 1);
        let info = "x".repeat(PLAIN_BYTES_MAX - around);
        let large = push_datagram(&info, 7);
        assert!(large.starts_with(&[0x1f, 0x8b]));
        let mut unpacked = String::new();
        GzDecoder::new(&large[..]).read_to_string(&mut unpacked).unwrap();
        let read: serde_json::Value = serde_json::from_str(&unpacked).unwrap();
        assert_eq!(read, serde_json::json!({"type": "dom", "data": info, "lastRefTime": 7}));
    }

    #[test]
    fn acknowledgements_come_as_number_or_text() {
        for text in
            [r#"{"type":"push-ack","lastRefTime":"7","data":""}"#, r#"{"type":"push-ack","lastRefTime":7}"#]
        {
            assert_eq!(PushAck::parse(text.as_bytes()), Some(PushAck { last_ref_time: 7 }), "{text}");
        }
        for text in
            ["", "{}", r#"{"type":"dump-ack","lastRefTime":7}"#, r#"{"type":"push-ack","lastRefTime":"x"}"#]
        {
            assert_eq!(PushAck::parse(text.as_bytes()), None, "{text}");
        }
    }
}
