//! How far this node's changes had come when a checkpoint was written: a record before its publications. A node without
//! peers writes none.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use muster_mirror::Position;
use muster_model::Epoch;

/// What a mark begins with. Publications begin with the version of their format, which is a small number.
const TAG: u8 = 0xFF;
const LENGTH: usize = 1 + 3 * 8;

/// The record.
pub(super) struct Mark;

impl Mark {
    pub(super) fn encode(position: Position) -> Bytes {
        let mut bytes = BytesMut::with_capacity(LENGTH);
        bytes.put_u8(TAG);
        bytes.put_u64_le(position.epoch.boot);
        bytes.put_u64_le(position.epoch.random);
        bytes.put_u64_le(position.sequence);
        bytes.freeze()
    }

    /// What the records say first, if they do, and the others.
    pub(super) fn split(records: &[Bytes]) -> (Option<Position>, &[Bytes]) {
        match records.split_first() {
            Some((first, rest)) if first.first() == Some(&TAG) && first.len() == LENGTH => {
                let mut first = &first[1..];
                let epoch = Epoch { boot: first.get_u64_le(), random: first.get_u64_le() };
                (Some(Position { epoch, sequence: first.get_u64_le() }), rest)
            }
            Some(_) | None => (None, records),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_told_from_publications() {
        let position = Position { epoch: Epoch { boot: 4, random: u64::MAX }, sequence: 77 };
        let publication = Bytes::from_static(b"\x01publication");
        let marked = [Mark::encode(position), publication.clone()];
        assert_eq!(Mark::split(&marked), (Some(position), &marked[1..]));
        assert_eq!(Mark::split(&marked[1..]), (None, &marked[1..]));
        assert_eq!(Mark::split(&[]), (None, &[][..]));
    }
}
