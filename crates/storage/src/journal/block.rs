//! Records as they are written together.
//!
//! ```text
//! "mJRN", u32 CRC32C of the rest, u32 length of the records, u32 how many,
//! u64 dropped before this block, u64 earliest and u64 latest time, records
//! ```

use super::codec;
use muster_model::Change;

const MAGIC: [u8; 4] = *b"mJRN";
const HEADER: usize = 40;

/// A block as it lies in its segment.
pub(super) struct Block<'a> {
    pub(super) count: u32,
    /// Records that were dropped since the block before.
    pub(super) dropped: u64,
    pub(super) earliest: u64,
    pub(super) latest: u64,
    pub(super) records: &'a [u8],
}

/// Puts records together, up to about `bytes_max`; how many there are in it.
pub(super) fn encode(changes: &[Change], dropped: u64, bytes_max: usize, out: &mut Vec<u8>) -> usize {
    out.clear();
    out.resize(HEADER, 0);
    let mut count = 0_u32;
    let (mut earliest, mut latest) = (u64::MAX, 0);
    for change in changes {
        if out.len() >= bytes_max {
            break;
        }
        codec::encode(change, out);
        count += 1;
        earliest = earliest.min(change.at.0);
        latest = latest.max(change.at.0);
    }
    let len = (out.len() - HEADER) as u32;
    out[..4].copy_from_slice(&MAGIC);
    out[8..12].copy_from_slice(&len.to_le_bytes());
    out[12..16].copy_from_slice(&count.to_le_bytes());
    out[16..24].copy_from_slice(&dropped.to_le_bytes());
    out[24..32].copy_from_slice(&earliest.to_le_bytes());
    out[32..40].copy_from_slice(&latest.to_le_bytes());
    let crc = crc32c::crc32c(&out[8..]);
    out[4..8].copy_from_slice(&crc.to_le_bytes());
    count as usize
}

/// The whole blocks in a segment, in order, and how many damaged stretches there are between them.
pub(super) fn blocks(mut content: &[u8]) -> (Vec<Block<'_>>, u64) {
    let (mut blocks, mut damaged) = (Vec::new(), 0);
    while !content.is_empty() {
        if let Some((block, size)) = decode(content) {
            blocks.push(block);
            content = &content[size..];
            continue;
        }
        damaged += 1;
        let next = (1..content.len()).find(|at| decode(&content[*at..]).is_some());
        content = next.map_or(&[], |at| &content[at..]);
    }
    (blocks, damaged)
}

fn decode(content: &[u8]) -> Option<(Block<'_>, usize)> {
    let header: &[u8; HEADER] = content.first_chunk()?;
    if header[..4] != MAGIC {
        return None;
    }
    let u32_at = |at: usize| u32::from_le_bytes(*header[at..].first_chunk().expect("inside the header"));
    let u64_at = |at: usize| u64::from_le_bytes(*header[at..].first_chunk().expect("inside the header"));
    let size = HEADER + u32_at(8) as usize;
    if crc32c::crc32c(content.get(8..size)?) != u32_at(4) {
        return None;
    }
    let block = Block {
        count: u32_at(12),
        dropped: u64_at(16),
        earliest: u64_at(24),
        latest: u64_at(32),
        records: &content[HEADER..size],
    };
    Some((block, size))
}
