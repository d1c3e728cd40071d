//! What a log entry holds, as it is stored. The log's own record adds index, term, node and checksum.
//!
//! ```text
//! version: u8 = 1 | kind: u8 | body
//! kind 0, blank:      no body
//! kind 1, operations: time: u64 (ms since 1970 UTC) | count: u32 | count × (length: u32 | bytes)
//! kind 2, membership: configs: u32 × (voters: u32 × id: u64) | nodes: u32 × (id: u64, address: length: u32 | bytes)
//! ```
//! Numbers are little-endian.

use crate::{
    codec::{Reader, put_bytes, put_membership},
    types::{Batch, Membership, TypeConfig},
};
use bytes::{BufMut, Bytes, BytesMut};
use muster_model::Timestamp;
use openraft::EntryPayload;

/// The format this program writes, and the newest it reads.
pub(crate) const VERSION: u8 = 1;

const BLANK: u8 = 0;
const OPERATIONS: u8 = 1;
const MEMBERSHIP: u8 = 2;

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
    Operations { time: Timestamp, ops: Vec<Bytes> },
    Membership(Membership),
}

/// Encodes the operations of one entry.
pub(crate) fn encode_operations<'a>(
    time: Timestamp,
    ops: impl ExactSizeIterator<Item = &'a Bytes> + Clone,
) -> Bytes {
    let size = ops.clone().map(|op| 4 + op.len()).sum::<usize>();
    let mut out = BytesMut::with_capacity(2 + 8 + 4 + size);
    out.put_slice(&[VERSION, OPERATIONS]);
    out.put_u64_le(time.0);
    out.put_u32_le(ops.len() as u32);
    for op in ops {
        put_bytes(&mut out, op);
    }
    out.freeze()
}

/// Encodes what openraft wants logged.
pub(crate) fn encode(payload: &EntryPayload<TypeConfig>) -> Bytes {
    match payload {
        EntryPayload::Blank => Bytes::from_static(&[VERSION, BLANK]),
        EntryPayload::Normal(batch) => batch.payload.clone(),
        EntryPayload::Membership(membership) => {
            let mut out = BytesMut::new();
            out.put_slice(&[VERSION, MEMBERSHIP]);
            put_membership(&mut out, membership);
            out.freeze()
        }
    }
}

/// Decodes to what openraft wants back. Operations stay encoded until they are applied.
pub(crate) fn decode(payload: &Bytes) -> Result<EntryPayload<TypeConfig>, DecodeError> {
    if payload.len() > 2 && payload[..2] == [VERSION, OPERATIONS] {
        return Ok(EntryPayload::Normal(Batch { payload: payload.clone(), waiters: None }));
    }
    Ok(match decode_whole(payload)? {
        Decoded::Blank => EntryPayload::Blank,
        Decoded::Membership(membership) => EntryPayload::Membership(membership),
        Decoded::Operations { .. } => unreachable!("operations were recognised above"),
    })
}

/// Decodes down to the single operations, which are slices of the payload.
pub(crate) fn decode_whole(payload: &Bytes) -> Result<Decoded, DecodeError> {
    match payload.first() {
        Some(&VERSION) => parse(payload.slice(1..)).ok_or(DecodeError::Malformed),
        Some(&version) if version > VERSION => Err(DecodeError::Newer(version)),
        Some(_) | None => Err(DecodeError::Malformed),
    }
}

fn parse(body: Bytes) -> Option<Decoded> {
    let mut reader = Reader::new(body);
    let decoded = match reader.u8()? {
        BLANK => Decoded::Blank,
        OPERATIONS => {
            let time = Timestamp(reader.u64()?);
            let ops = (0..reader.u32()?).map(|_| reader.bytes()).collect::<Option<_>>()?;
            Decoded::Operations { time, ops }
        }
        MEMBERSHIP => Decoded::Membership(reader.membership()?),
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
        assert_eq!(decode_whole(&payload), Ok(Decoded::Operations { time: Timestamp(7), ops: ops.to_vec() }));
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
        assert_eq!(decode_whole(&Bytes::from_static(&[2, 0])), Err(DecodeError::Newer(2)));
        assert_eq!(decode_whole(&Bytes::new()), Err(DecodeError::Malformed));
    }
}
