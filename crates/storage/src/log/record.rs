//! One entry as it lies in a segment.
//!
//! ```text
//!  0  u32  magic
//!  4  u32  CRC32C of salt, offset in the file, and the header without this field
//!  8  u64  index
//! 16  u64  term
//! 24  u64  node
//! 32  u32  length of the payload
//! 36  u32  CRC32C of the payload and its padding
//! 40  u32  position: how many entries of the same append stand before this one
//! 44  u32  0
//! 48  payload, padded with zeros to a multiple of 8
//! ```
//!
//! Numbers are little endian. The salt belongs to the segment and nobody outside knows it, so that no payload
//! can be made to look like a record; the offset makes a record valid only where it was written. The header
//! has a checksum of its own: when only a payload is damaged, the entry can still be named.

use super::Entry;
use bytes::Bytes;

/// Size of a record's header.
pub(super) const HEADER: usize = 48;
/// Records begin at multiples of this.
pub(super) const ALIGN: usize = 8;

const MAGIC: [u8; 4] = *b"mREC";

/// What a valid header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) index: u64,
    pub(super) term: u64,
    pub(super) node: u64,
    pub(super) len: usize,
    /// How many entries of the same append stand before this one.
    pub(super) position: u32,
    payload_crc: u32,
}

impl Header {
    /// Bytes of the whole record.
    pub(super) fn size(&self) -> usize {
        size(self.len)
    }

    /// The index of the first entry of the append this one came with.
    pub(super) fn append_first(&self) -> u64 {
        self.index.saturating_sub(u64::from(self.position))
    }

    pub(super) fn entry(&self, payload: Bytes) -> Entry {
        Entry { index: self.index, term: self.term, node: self.node, payload }
    }
}

/// Bytes of a record with a payload of this length.
pub(super) fn size(payload: usize) -> usize {
    HEADER + payload.next_multiple_of(ALIGN)
}

/// Adds a record that will lie at `offset`.
pub(super) fn encode(entry: &Entry, position: u32, salt: u64, offset: u64, out: &mut Vec<u8>) {
    let len = u32::try_from(entry.payload.len()).expect("an entry is far below 4 GiB");
    let padding = [0; ALIGN];
    let padding = &padding[..entry.payload.len().next_multiple_of(ALIGN) - entry.payload.len()];
    let payload_crc = crc32c::crc32c_append(crc32c::crc32c(&entry.payload), padding);
    let mut header = [0; HEADER];
    header[0..4].copy_from_slice(&MAGIC);
    header[8..16].copy_from_slice(&entry.index.to_le_bytes());
    header[16..24].copy_from_slice(&entry.term.to_le_bytes());
    header[24..32].copy_from_slice(&entry.node.to_le_bytes());
    header[32..36].copy_from_slice(&len.to_le_bytes());
    header[36..40].copy_from_slice(&payload_crc.to_le_bytes());
    header[40..44].copy_from_slice(&position.to_le_bytes());
    let crc = header_crc(&header, salt, offset);
    header[4..8].copy_from_slice(&crc.to_le_bytes());
    out.extend_from_slice(&header);
    out.extend_from_slice(&entry.payload);
    out.extend_from_slice(padding);
}

/// The header at the start of `bytes`, which lie at `offset`, if it is valid.
pub(super) fn decode_header(bytes: &[u8], salt: u64, offset: u64) -> Option<Header> {
    let bytes: &[u8; HEADER] = bytes.first_chunk()?;
    if bytes[0..4] != MAGIC || u32_at(bytes, 4) != header_crc(bytes, salt, offset) || u32_at(bytes, 44) != 0 {
        return None;
    }
    Some(Header {
        index: u64_at(bytes, 8),
        term: u64_at(bytes, 16),
        node: u64_at(bytes, 24),
        len: u32_at(bytes, 32) as usize,
        payload_crc: u32_at(bytes, 36),
        position: u32_at(bytes, 40),
    })
}

/// Whether the whole record at the start of `bytes` is valid, given its header.
pub(super) fn is_whole(bytes: &[u8], header: &Header) -> bool {
    bytes.get(HEADER..header.size()).is_some_and(|payload| crc32c::crc32c(payload) == header.payload_crc)
}

fn header_crc(header: &[u8; HEADER], salt: u64, offset: u64) -> u32 {
    let crc = crc32c::crc32c(&salt.to_le_bytes());
    let crc = crc32c::crc32c_append(crc, &offset.to_le_bytes());
    crc32c::crc32c_append(crc32c::crc32c_append(crc, &header[..4]), &header[8..])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(*bytes[at..].first_chunk().expect("inside a header"))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(*bytes[at..].first_chunk().expect("inside a header"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flipped_bit_is_noticed() {
        for payload in [&b""[..], b"x", b"12345678", b"a longer payload"] {
            let entry = Entry { index: 7, term: 3, node: 1, payload: Bytes::copy_from_slice(payload) };
            let mut bytes = Vec::new();
            encode(&entry, 2, 99, 4_096, &mut bytes);
            assert_eq!(bytes.len(), size(payload.len()));
            let header = decode_header(&bytes, 99, 4_096).unwrap();
            assert!(is_whole(&bytes, &header));
            assert_eq!((header.append_first(), header.len), (5, payload.len()));
            for bit in 0..bytes.len() * 8 {
                bytes[bit / 8] ^= 1 << (bit % 8);
                let header = decode_header(&bytes, 99, 4_096);
                assert!(!header.is_some_and(|header| is_whole(&bytes, &header)), "bit {bit}");
                bytes[bit / 8] ^= 1 << (bit % 8);
            }
        }
    }

    #[test]
    fn a_record_is_valid_only_in_its_place() {
        let entry = Entry { index: 0, term: 0, node: 0, payload: Bytes::new() };
        let mut bytes = Vec::new();
        encode(&entry, 0, 1, 64, &mut bytes);
        assert!(decode_header(&bytes, 1, 64).is_some());
        assert!(decode_header(&bytes, 1, 72).is_none());
        assert!(decode_header(&bytes, 2, 64).is_none());
        assert!(decode_header(&bytes[..40], 1, 64).is_none());
    }
}
