//! What is in a checkpoint: publications of this node, and on a node with peers how far its changes had come, and what the
//! peers owned.
//!
//! ```text
//! 0xFF   how far this node's changes had come: boot counter, random part, sequence (u64 each, little endian); first
//! 0xFE   a publication that another node owned follows
//! other  a publication of this node: its first byte is the version of its format, a small number
//! ```

use crate::Node;
use bytes::{Buf, BufMut, Bytes, BytesMut};
use muster_mirror::Position;
use muster_model::Epoch;
use muster_registry::{DecodeError, EphemeralPublication, ForeignPublication, PageCursor};

/// Publications taken under the registry's lock at a time.
const PAGE: usize = 512;
const POSITION: u8 = 0xFF;
const FOREIGN: u8 = 0xFE;
const POSITION_LENGTH: usize = 1 + 3 * 8;

/// What was read.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Records {
    /// How far this node's changes had come.
    pub(super) position: Option<Position>,
    /// What it owned, in the order of the registrations.
    pub(super) own: Vec<EphemeralPublication>,
    /// What others owned, likewise.
    pub(super) foreign: Vec<ForeignPublication>,
}

impl Records {
    pub(super) fn read(records: &[Bytes]) -> Result<Self, DecodeError> {
        let mut read = Self::default();
        for record in records {
            match record.first() {
                Some(&POSITION) if record.len() == POSITION_LENGTH => {
                    let mut record = &record[1..];
                    let epoch = Epoch { boot: record.get_u64_le(), random: record.get_u64_le() };
                    read.position = Some(Position { epoch, sequence: record.get_u64_le() });
                }
                Some(&FOREIGN) => read.foreign.push(ForeignPublication::decode(&record[1..])?),
                Some(_) | None => read.own.push(EphemeralPublication::decode(record)?),
            }
        }
        read.own.sort_by_key(|publication| publication.sequence);
        read.foreign.sort_by_key(ForeignPublication::sequence);
        Ok(read)
    }
}

fn position(position: Position) -> Bytes {
    let mut bytes = BytesMut::with_capacity(POSITION_LENGTH);
    bytes.put_u8(POSITION);
    bytes.put_u64_le(position.epoch.boot);
    bytes.put_u64_le(position.epoch.random);
    bytes.put_u64_le(position.sequence);
    bytes.freeze()
}

fn foreign(publication: &ForeignPublication) -> Bytes {
    let publication = publication.encode();
    let mut bytes = BytesMut::with_capacity(1 + publication.len());
    bytes.put_u8(FOREIGN);
    bytes.put(publication);
    bytes.freeze()
}

/// The records to write, page by page.
pub(super) struct Pages<'a> {
    node: &'a Node,
    position: Option<Position>,
    from: Option<PageCursor>,
    /// Whether others own some.
    is_mirrored: bool,
    /// How many publications were given.
    pub(super) publications: u64,
}

impl<'a> Pages<'a> {
    pub(super) fn new(node: &'a Node) -> Self {
        let position = node.mirror_position();
        let is_mirrored = position.is_some();
        Self { node, position, from: Some(PageCursor::default()), is_mirrored, publications: 0 }
    }

    pub(super) fn next(&mut self) -> Option<Vec<Bytes>> {
        if let Some(at) = self.position.take() {
            return Some(vec![position(at)]);
        }
        let from = self.from?;
        let (own, foreigns) = {
            // Both under one lock: what passes from one owner to another between two looks would be in neither.
            let registry = self.node.registry.lock();
            let (own, next) = registry.ephemeral_page(from, PAGE);
            self.from = next;
            let foreigns = if self.is_mirrored { registry.foreign_page(from, PAGE).0 } else { Vec::new() };
            (own, foreigns)
        };
        let page: Vec<Bytes> =
            own.iter().map(EphemeralPublication::encode).chain(foreigns.iter().map(foreign)).collect();
        self.publications += page.len() as u64;
        Some(page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_comes_back() {
        let at = Position { epoch: Epoch { boot: 4, random: u64::MAX }, sequence: 77 };
        let read = Records::read(&[position(at)]).unwrap();
        assert_eq!(read, Records { position: Some(at), ..Records::default() });
        assert!(Records::read(&[Bytes::from_static(b"\xFF short")]).is_err());
    }
}
