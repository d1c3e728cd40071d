//! What a log entry holds, as it is stored. The log's own record adds index, term, node and checksum.
//!
//! ```text
//! version: u8 = 1 | kind: u8 | body
//! kind 0, blank:      no body
//! kind 1, operations: time: u64 (ms since 1970 UTC) | count: u32 | count × (length: u32 | bytes)
//! kind 2, membership: configs: u32 × (voters: u32 × id: u64) | nodes: u32 × (id: u64, address: length: u32 | bytes)
//!
//! version: u8 = 2 | kind: u8 | body
//! kind 1, operations: time: u64 | count: u32 | count × (session: u64 | number: u64 | length: u32 | bytes)
//! kind 3, level:      level: u32, the format level from here on
//! ```
//! Numbers are little-endian. Version 2 is written from format level 2 on, and only where version 1 does not do: a group
//! of one needs no request ids.

use crate::{
    codec::{Reader, put_bytes, put_membership},
    requests::RequestId,
    types::{Batch, Membership, TypeConfig},
};
use bytes::{BufMut, Bytes, BytesMut};
use muster_model::Timestamp;
use openraft::EntryPayload;

/// The format that every program reads.
const VERSION_1: u8 = 1;
/// The format with request ids.
const VERSION_2: u8 = 2;

const BLANK: u8 = 0;
const OPERATIONS: u8 = 1;
const MEMBERSHIP: u8 = 2;
const LEVEL: u8 = 3;

/// Why a stored entry does not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DecodeError {
    /// Written by a newer program.
    Newer(u8),
    /// Its checksum holds, but it is no entry.
    Malformed,
}

/// A decoded entry.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Decoded {
    Blank,
    Operations { time: Timestamp, ops: Vec<Operation> },
    Membership(Membership),
    Level(u32),
}

/// One operation of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Operation {
    /// Under which it may come again.
    pub(crate) id: Option<RequestId>,
    pub(crate) op: Bytes,
}

/// Encodes the operations of one entry.
pub(crate) fn encode_operations<'a>(
    time: Timestamp,
    ops: impl ExactSizeIterator<Item = &'a Bytes> + Clone,
) -> Bytes {
    let size = ops.clone().map(|op| 4 + op.len()).sum::<usize>();
    let mut out = BytesMut::with_capacity(2 + 8 + 4 + size);
    out.put_slice(&[VERSION_1, OPERATIONS]);
    out.put_u64_le(time.0);
    out.put_u32_le(ops.len() as u32);
    for op in ops {
        put_bytes(&mut out, op);
    }
    out.freeze()
}

/// Encodes the operations of one entry with their request ids.
pub(crate) fn encode_requests<'a>(
    time: Timestamp,
    ops: impl ExactSizeIterator<Item = (RequestId, &'a Bytes)> + Clone,
) -> Bytes {
    let size = ops.clone().map(|(_, op)| 20 + op.len()).sum::<usize>();
    let mut out = BytesMut::with_capacity(2 + 8 + 4 + size);
    out.put_slice(&[VERSION_2, OPERATIONS]);
    out.put_u64_le(time.0);
    out.put_u32_le(ops.len() as u32);
    for (id, op) in ops {
        out.put_u64_le(id.session);
        out.put_u64_le(id.number);
        put_bytes(&mut out, op);
    }
    out.freeze()
}

/// Encodes a new format level.
pub(crate) fn encode_level(level: u32) -> Bytes {
    let mut out = BytesMut::new();
    out.put_slice(&[VERSION_2, LEVEL]);
    out.put_u32_le(level);
    out.freeze()
}

/// Encodes what openraft wants logged.
pub(crate) fn encode(payload: &EntryPayload<TypeConfig>) -> Bytes {
    match payload {
        EntryPayload::Blank => Bytes::from_static(&[VERSION_1, BLANK]),
        EntryPayload::Normal(batch) => {
            assert!(!batch.is_left, "what is sent or written has its payload");
            batch.payload.clone()
        }
        EntryPayload::Membership(membership) => {
            let mut out = BytesMut::new();
            out.put_slice(&[VERSION_1, MEMBERSHIP]);
            put_membership(&mut out, membership);
            out.freeze()
        }
    }
}

/// Decodes to what openraft wants back. Operations stay encoded until they are applied.
pub(crate) fn decode(payload: &Bytes) -> Result<EntryPayload<TypeConfig>, DecodeError> {
    if matches!(payload[..], [VERSION_1, OPERATIONS, ..] | [VERSION_2, OPERATIONS | LEVEL, ..]) {
        return Ok(EntryPayload::Normal(Batch::new(payload.clone(), None)));
    }
    Ok(match decode_whole(payload)? {
        Decoded::Blank => EntryPayload::Blank,
        Decoded::Membership(membership) => EntryPayload::Membership(membership),
        Decoded::Operations { .. } | Decoded::Level(_) => unreachable!("these were recognised above"),
    })
}

/// Decodes down to the single operations, which are slices of the payload.
pub(crate) fn decode_whole(payload: &Bytes) -> Result<Decoded, DecodeError> {
    match payload.first() {
        Some(&VERSION_1) => parse(payload.slice(1..)).ok_or(DecodeError::Malformed),
        Some(&VERSION_2) if crate::level::NEWEST >= 2 => {
            parse_2(payload.slice(1..)).ok_or(DecodeError::Malformed)
        }
        Some(&version) if version > VERSION_1 => Err(DecodeError::Newer(version)),
        Some(_) | None => Err(DecodeError::Malformed),
    }
}

fn parse(body: Bytes) -> Option<Decoded> {
    let mut reader = Reader::new(body);
    let decoded = match reader.u8()? {
        BLANK => Decoded::Blank,
        OPERATIONS => {
            let (time, count) = (Timestamp(reader.u64()?), reader.u32()?);
            let mut op = || Some(Operation { id: None, op: reader.bytes()? });
            let ops = (0..count).map(|_| op()).collect::<Option<_>>()?;
            Decoded::Operations { time, ops }
        }
        MEMBERSHIP => Decoded::Membership(reader.membership()?),
        _ => return None,
    };
    reader.end()?;
    Some(decoded)
}

fn parse_2(body: Bytes) -> Option<Decoded> {
    let mut reader = Reader::new(body);
    let decoded = match reader.u8()? {
        OPERATIONS => {
            let (time, count) = (Timestamp(reader.u64()?), reader.u32()?);
            let mut op = || {
                let id = RequestId { session: reader.u64()?, number: reader.u64()? };
                Some(Operation { id: Some(id), op: reader.bytes()? })
            };
            let ops = (0..count).map(|_| op()).collect::<Option<_>>()?;
            Decoded::Operations { time, ops }
        }
        LEVEL => Decoded::Level(reader.u32()?),
        _ => return None,
    };
    reader.end()?;
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use openraft::BasicNode;
    use std::collections::{BTreeMap, BTreeSet};

    #[test]
    fn operations_come_back_in_order() {
        let ops = [Bytes::from_static(b"a"), Bytes::new(), Bytes::from_static(b"ccc")];
        let payload = encode_operations(Timestamp(7), ops.iter());
        let without_ids = ops.iter().map(|op| Operation { id: None, op: op.clone() }).collect();
        assert_eq!(decode_whole(&payload), Ok(Decoded::Operations { time: Timestamp(7), ops: without_ids }));
    }

    #[cfg(not(feature = "previous-format"))]
    #[test]
    fn requests_and_levels_come_back() {
        let id = |number| RequestId { session: u64::MAX - 1, number };
        let ops = [(id(1), Bytes::from_static(b"a")), (id(2), Bytes::new())];
        let payload = encode_requests(Timestamp(7), ops.iter().map(|(id, op)| (*id, op)));
        let with_ids = ops.iter().map(|(id, op)| Operation { id: Some(*id), op: op.clone() }).collect();
        assert_eq!(decode_whole(&payload), Ok(Decoded::Operations { time: Timestamp(7), ops: with_ids }));
        assert_eq!(decode_whole(&encode_level(2)), Ok(Decoded::Level(2)));
        for payload in [payload, encode_level(2)] {
            assert!(matches!(decode(&payload), Ok(EntryPayload::Normal(_))));
            for cut in 1..payload.len() {
                assert_eq!(decode_whole(&payload.slice(..cut)), Err(DecodeError::Malformed), "cut at {cut}");
            }
        }
    }

    #[test]
    fn membership_comes_back_with_learners_and_addresses() {
        let voters = vec![BTreeSet::from([1, 2, 3]), BTreeSet::from([2, 3, 4])];
        let nodes: BTreeMap<u64, BasicNode> =
            (1..=5).map(|id| (id, BasicNode::new(format!("10.0.0.{id}:7848")))).collect();
        let membership = Membership::new(voters, nodes);
        let payload = encode(&EntryPayload::Membership(membership.clone()));
        assert_eq!(decode_whole(&payload), Ok(Decoded::Membership(membership)));
    }

    #[test]
    fn newer_versions_and_every_cut_are_refused() {
        let payload = encode_operations(Timestamp(7), [Bytes::from_static(b"abc")].iter());
        for cut in 1..payload.len() {
            assert_eq!(decode_whole(&payload.slice(..cut)), Err(DecodeError::Malformed), "cut at {cut}");
        }
        let mut longer = payload.to_vec();
        longer.push(0);
        assert_eq!(decode_whole(&longer.into()), Err(DecodeError::Malformed));
        assert_eq!(decode_whole(&Bytes::from_static(&[3, 0])), Err(DecodeError::Newer(3)));
        assert_eq!(decode_whole(&Bytes::new()), Err(DecodeError::Malformed));
    }
}
