//! A list packed into one gzip member, so that one change costs little.
//!
//! The text is cut into chunks of some instances each. Every chunk is deflated by itself, with the instance before it as
//! dictionary: in the member it stands right behind that instance, so what it refers to is there. A chunk ends on a byte
//! (`Z_SYNC_FLUSH`), so chunks are put together by copying, and those that did not change are kept. Where a chunk ends is
//! decided by the instances in it (content-defined), so that one more or less moves no other boundary. Check sums are
//! kept a chunk and a block of chunks, and combined.
//!
//! It is one member and not one a chunk: httpx 0.28 reads only the first member of several, silently.

use bytes::Bytes;
use crc32fast::Hasher;
use flate2::{Compress, Compression, FlushCompress};
use muster_model::HashMap;
use parking_lot::Mutex;
use std::sync::Arc;

/// A chunk does not end before it has this many bytes.
const CHUNK_MIN: usize = 2 << 10;
/// A chunk ends once it has this many bytes.
const CHUNK_MAX: usize = 8 << 10;
/// Chunks in a block, at most.
const BLOCK_MAX: usize = 64;
/// Chunks of an earlier packing that are looked through in order before all are.
const AHEAD: usize = 8;
/// Bytes a stored block of deflate may hold.
const STORED_MAX: usize = 65_535;
/// Compressors kept for use again.
const IDLE_MAX: usize = 4;
/// The head of a gzip member: deflate, no name, no time, of an unknown system (RFC 1952).
const HEAD: [u8; 10] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF];

/// A part of a list that changes as a whole: an instance, with what of its application stands around it.
#[derive(Debug)]
pub(crate) struct Piece {
    /// The text.
    pub(crate) text: Box<[u8]>,
    /// Whether a chunk may end behind it: even bits of its name, so that boundaries stay while texts change.
    pub(crate) cut: u32,
    /// A number of what it tells; of the pieces of a delta only.
    pub(crate) digest: u32,
}

impl Piece {
    fn may_end_chunk(&self) -> bool {
        self.cut & 3 == 0
    }

    fn may_end_block(&self) -> bool {
        self.cut & 63 == 0
    }
}

/// Pieces that are deflated together.
#[derive(Debug)]
struct Chunk {
    before: Option<Arc<Piece>>,
    pieces: Box<[Arc<Piece>]>,
    /// Whether it ended where chunks may, and not where the list did.
    is_full: bool,
    text_len: usize,
    deflated: Box<[u8]>,
    sum: Hasher,
}

impl Chunk {
    /// Whether the next pieces are its, and it would end where it does.
    fn begins(&self, before: Option<&Arc<Piece>>, pieces: &[&Arc<Piece>]) -> bool {
        let same_dictionary = match (&self.before, before) {
            (Some(mine), Some(other)) => Arc::ptr_eq(mine, other),
            (mine, other) => mine.is_none() && other.is_none(),
        };
        same_dictionary
            && self.pieces.len() <= pieces.len()
            && (self.is_full || self.pieces.len() == pieces.len())
            && self.pieces.iter().zip(pieces).all(|(mine, other)| Arc::ptr_eq(mine, other))
    }

    fn is_first(&self, piece: &Arc<Piece>) -> bool {
        self.pieces.first().is_some_and(|first| Arc::ptr_eq(first, piece))
    }

    fn ends_block(&self) -> bool {
        self.pieces.last().is_some_and(|piece| piece.may_end_block())
    }
}

/// Chunks that are copied together.
#[derive(Debug)]
struct Block {
    chunks: Box<[Arc<Chunk>]>,
    text_len: usize,
    deflated: Box<[u8]>,
    sum: Hasher,
}

/// The blocks of a packed list, for the next one to take over.
#[derive(Debug, Default)]
pub(crate) struct Packing {
    blocks: Vec<Arc<Block>>,
}

impl Packing {
    /// Bytes held, beside the pieces.
    pub(crate) fn size(&self) -> usize {
        // Deflated bytes are there twice, and a chunk has some words beside them.
        self.blocks.iter().map(|block| 2 * block.deflated.len() + 200 * block.chunks.len()).sum()
    }
}

/// Where an allocation lies; a key as long as it is held.
fn address<T>(shared: &Arc<T>) -> usize {
    Arc::as_ptr(shared).addr()
}

/// The chunks of an earlier packing, found by their first piece: in the usual case the next is the next.
struct Known<'a> {
    chunks: Vec<&'a Arc<Chunk>>,
    next: usize,
    all: Option<HashMap<usize, usize>>,
}

impl<'a> Known<'a> {
    fn new(old: &'a Packing) -> Self {
        Self { chunks: old.blocks.iter().flat_map(|block| &*block.chunks).collect(), next: 0, all: None }
    }

    fn begin_with(&mut self, piece: &Arc<Piece>) -> Option<&'a Arc<Chunk>> {
        let rest = &self.chunks[self.next..];
        let ahead = rest.iter().take(AHEAD).position(|chunk| chunk.is_first(piece));
        let found = match ahead {
            Some(ahead) => self.next + ahead,
            None => {
                let chunks = &self.chunks;
                let all = self.all.get_or_insert_with(|| {
                    let firsts = chunks.iter().enumerate();
                    firsts.filter_map(|(at, chunk)| Some((address(chunk.pieces.first()?), at))).collect()
                });
                *all.get(&address(piece))?
            }
        };
        self.next = found + 1;
        Some(self.chunks[found])
    }
}

/// Packs lists, and keeps the compressors, which are large, for the next.
#[derive(Debug)]
pub(crate) struct Packer {
    level: Compression,
    idle: Mutex<Vec<Compress>>,
}

impl Packer {
    /// For lists that are fetched more often than they change. Measured on 1,000 instances in chunks of 4 KiB: 64 kB at
    /// 15 µs a chunk, where level 6 over the whole makes 55 kB.
    pub(crate) fn thorough() -> Self {
        Self { level: Compression::new(5), idle: Mutex::default() }
    }

    /// For lists that change with every fetch: the same list has 97 kB, at 6 µs a chunk.
    pub(crate) fn quick() -> Self {
        Self { level: Compression::new(1), idle: Mutex::default() }
    }

    /// Packs head, pieces and tail into one member. Chunks and blocks of an earlier packing that are the same are used
    /// again.
    pub(crate) fn pack(
        &self,
        old: &Packing,
        head: &[u8],
        pieces: &[&Arc<Piece>],
        tail: &[u8],
    ) -> (Packing, Bytes) {
        let chunks = self.chunks(old, pieces);
        let packing = Packing { blocks: blocks(old, &chunks) };
        let size: usize = packing.blocks.iter().map(|block| block.deflated.len()).sum();
        let mut member = Vec::with_capacity(size + head.len() + tail.len() + 64);
        let mut sum = Hasher::new();
        let mut text_len = head.len() + tail.len();
        member.extend_from_slice(&HEAD);
        store(&mut member, head, false);
        sum.update(head);
        for block in &packing.blocks {
            member.extend_from_slice(&block.deflated);
            sum.combine(&block.sum);
            text_len += block.text_len;
        }
        store(&mut member, tail, true);
        sum.update(tail);
        member.extend_from_slice(&sum.finalize().to_le_bytes());
        // The length modulo 2^32 is what the format wants.
        member.extend_from_slice(&(text_len as u32).to_le_bytes());
        (packing, Bytes::from(member))
    }

    fn chunks(&self, old: &Packing, pieces: &[&Arc<Piece>]) -> Vec<Arc<Chunk>> {
        let mut known = Known::new(old);
        let mut compressor = None;
        let mut chunks = Vec::with_capacity(known.chunks.len() + AHEAD);
        let (mut before, mut rest) = (None, pieces);
        while let Some(first) = rest.first() {
            let kept = known.begin_with(first).filter(|chunk| chunk.begins(before, rest));
            let chunk = kept.map_or_else(
                || {
                    let compressor = compressor.get_or_insert_with(|| self.take());
                    Arc::new(deflate(compressor, before, rest))
                },
                Arc::clone,
            );
            let (mine, others) = rest.split_at(chunk.pieces.len());
            (before, rest) = (mine.last().copied(), others);
            chunks.push(chunk);
        }
        if let Some(compressor) = compressor {
            self.put_back(compressor);
        }
        chunks
    }

    fn take(&self) -> Compress {
        self.idle.lock().pop().unwrap_or_else(|| Compress::new(self.level, false))
    }

    fn put_back(&self, compressor: Compress) {
        let mut idle = self.idle.lock();
        if idle.len() < IDLE_MAX {
            idle.push(compressor);
        }
    }
}

/// How many of some pieces are the next chunk, and whether that is all it may have.
fn chunk_len(pieces: &[&Arc<Piece>]) -> (usize, bool) {
    let mut bytes = 0;
    for (at, piece) in pieces.iter().enumerate() {
        bytes += piece.text.len();
        if bytes >= CHUNK_MAX || (bytes >= CHUNK_MIN && piece.may_end_chunk()) {
            return (at + 1, true);
        }
    }
    (pieces.len(), false)
}

/// Deflates the next chunk.
fn deflate(compressor: &mut Compress, before: Option<&Arc<Piece>>, rest: &[&Arc<Piece>]) -> Chunk {
    let (len, is_full) = chunk_len(rest);
    let pieces: Box<[Arc<Piece>]> = rest[..len].iter().map(|piece| Arc::clone(piece)).collect();
    let mut text = Vec::with_capacity(CHUNK_MAX + CHUNK_MIN);
    pieces.iter().for_each(|piece| text.extend_from_slice(&piece.text));
    compressor.reset();
    if let Some(before) = before {
        compressor
            .set_dictionary(&before.text)
            .expect("a raw stream takes a dictionary before its first byte");
    }
    let mut deflated = Vec::with_capacity(text.len() / 2 + 256);
    // The flush is complete when it leaves room in the output (zlib.h).
    while compressor.total_in() < text.len() as u64 || deflated.len() == deflated.capacity() {
        deflated.reserve(1_024);
        let done = usize::try_from(compressor.total_in()).expect("no more than the text");
        compressor
            .compress_vec(&text[done..], &mut deflated, FlushCompress::Sync)
            .expect("a stream that was begun goes on");
    }
    let mut sum = Hasher::new();
    sum.update(&text);
    let deflated = deflated.into_boxed_slice();
    Chunk { before: before.cloned(), pieces, is_full, text_len: text.len(), deflated, sum }
}

/// Chunks as blocks; those of an earlier packing that are of the same chunks are taken over.
fn blocks(old: &Packing, chunks: &[Arc<Chunk>]) -> Vec<Arc<Block>> {
    let known: HashMap<usize, &Arc<Block>> =
        old.blocks.iter().filter_map(|block| Some((address(block.chunks.first()?), block))).collect();
    let mut blocks = Vec::with_capacity(known.len() + 2);
    let mut rest = chunks;
    while let Some(first) = rest.first() {
        let end = rest.iter().take(BLOCK_MAX).position(|chunk| chunk.ends_block());
        let (mine, others) = rest.split_at(end.map_or(rest.len().min(BLOCK_MAX), |end| end + 1));
        let same = |block: &&&Arc<Block>| {
            block.chunks.len() == mine.len()
                && block.chunks.iter().zip(mine).all(|(old, new)| Arc::ptr_eq(old, new))
        };
        let kept = known.get(&address(first)).filter(same);
        blocks.push(kept.map_or_else(|| Arc::new(join(mine)), |block| Arc::clone(block)));
        rest = others;
    }
    blocks
}

fn join(chunks: &[Arc<Chunk>]) -> Block {
    let mut deflated = Vec::with_capacity(chunks.iter().map(|chunk| chunk.deflated.len()).sum());
    let (mut sum, mut text_len) = (Hasher::new(), 0);
    for chunk in chunks {
        deflated.extend_from_slice(&chunk.deflated);
        sum.combine(&chunk.sum);
        text_len += chunk.text_len;
    }
    Block { chunks: chunks.into(), text_len, deflated: deflated.into_boxed_slice(), sum }
}

/// A text as stored blocks (RFC 1951, 3.2.4): what changes with each revision and is short is not worth a compressor.
fn store(member: &mut Vec<u8>, text: &[u8], is_end: bool) {
    let mut parts = text.chunks(STORED_MAX).peekable();
    if parts.peek().is_none() && is_end {
        member.extend_from_slice(&[1, 0, 0, 0xFF, 0xFF]);
    }
    while let Some(part) = parts.next() {
        let len = u16::try_from(part.len()).expect("a part is at most as long as a block");
        member.push(u8::from(is_end && parts.peek().is_none()));
        member.extend_from_slice(&len.to_le_bytes());
        member.extend_from_slice(&(!len).to_le_bytes());
        member.extend_from_slice(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, read::GzDecoder, write::GzEncoder};
    use proptest::prelude::*;
    use std::io::{Read as _, Write as _};

    /// What a Spring application looks like, with all that differs between two of them.
    fn piece(number: usize, version: usize) -> Arc<Piece> {
        let (host, time) = (format!("host-{number}.example"), 1_700_000_000_000 + number * 7_919 % 1_000_000);
        let (service, port, renewed) = (number / 10, 8_000 + number % 7, time + number * 31 % 90_000);
        let text = format!(
            r#",{{"instanceId":"{host}:service-{service}:{port}","hostName":"{host}","app":"SERVICE-{service}",
            "status":"UP","port":{{"$":{port},"@enabled":"true"}},"securePort":{{"$":443,"@enabled":"false"}},
            "dataCenterInfo":{{"@class":"com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo","name":"MyOwn"}},
            "leaseInfo":{{"registrationTimestamp":{time},"lastRenewalTimestamp":{renewed},"evictionTimestamp":0}},
            "metadata":{{"management.port":"{port}","v":"{version}"}},"homePageUrl":"http://{host}:{port}/",
            "statusPageUrl":"http://{host}:{port}/actuator/info","vipAddress":"service-{service}",
            "isCoordinatingDiscoveryServer":"false","lastUpdatedTimestamp":"{time}","actionType":"ADDED"}}"#
        );
        Arc::new(Piece {
            text: text.into_bytes().into_boxed_slice(),
            cut: crc32fast::hash(&number.to_le_bytes()),
            digest: 0,
        })
    }

    /// Reads one member, and only one.
    fn unpack(bytes: &[u8]) -> Vec<u8> {
        let mut rest = bytes;
        let mut text = Vec::new();
        let mut decoder = GzDecoder::new(&mut rest);
        decoder.read_to_end(&mut text).unwrap();
        assert!(rest.is_empty(), "one member and nothing behind it");
        text
    }

    fn text(head: &[u8], pieces: &[Arc<Piece>], tail: &[u8]) -> Vec<u8> {
        let mut all = head.to_vec();
        pieces.iter().for_each(|piece| all.extend_from_slice(&piece.text));
        all.extend_from_slice(tail);
        all
    }

    fn refs(pieces: &[Arc<Piece>]) -> Vec<&Arc<Piece>> {
        pieces.iter().collect()
    }

    fn chunk_addresses(packing: &Packing) -> Vec<usize> {
        packing.blocks.iter().flat_map(|block| &*block.chunks).map(address).collect()
    }

    #[test]
    fn a_list_unpacks_and_is_not_much_larger_than_packed_as_a_whole() {
        let pieces: Vec<_> = (0..1_000).map(|number| piece(number, 0)).collect();
        let (_, packed) = Packer::thorough().pack(&Packing::default(), b"{[", &refs(&pieces), b"]}");
        let all = text(b"{[", &pieces, b"]}");
        assert_eq!(unpack(&packed), all);
        let mut whole = GzEncoder::new(Vec::new(), Compression::new(6));
        whole.write_all(&all).unwrap();
        let whole = whole.finish().unwrap().len();
        assert!(packed.len() * 2 <= whole * 3, "{} bytes, as a whole {whole}", packed.len());
    }

    #[test]
    fn a_change_packs_at_most_two_chunks_anew() {
        let mut pieces: Vec<_> = (0..1_000).map(|number| piece(number, 0)).collect();
        let packer = Packer::thorough();
        let (mut packing, _) = packer.pack(&Packing::default(), b"", &refs(&pieces), b"");
        for number in 0..100 {
            pieces[number * 10] = piece(number * 10, 1);
            let (next, packed) = packer.pack(&packing, b"", &refs(&pieces), b"");
            let old = chunk_addresses(&packing);
            let fresh = chunk_addresses(&next).into_iter().filter(|chunk| !old.contains(chunk)).count();
            assert!((1..=2).contains(&fresh), "{fresh} chunks anew");
            assert_eq!(unpack(&packed), text(b"", &pieces, b""));
            packing = next;
        }
    }

    #[test]
    fn one_more_or_less_moves_few_boundaries() {
        let mut pieces: Vec<_> = (0..1_000).map(|number| piece(number, 0)).collect();
        let packer = Packer::thorough();
        let (packing, _) = packer.pack(&Packing::default(), b"", &refs(&pieces), b"");
        pieces.insert(500, piece(5_000, 0));
        let (inserted, _) = packer.pack(&packing, b"", &refs(&pieces), b"");
        pieces.remove(300);
        let (removed, packed) = packer.pack(&inserted, b"", &refs(&pieces), b"");
        for (old, new) in [(&packing, &inserted), (&inserted, &removed)] {
            let old = chunk_addresses(old);
            let fresh = chunk_addresses(new).into_iter().filter(|chunk| !old.contains(chunk)).count();
            assert!(fresh <= 12, "{fresh} of {} chunks anew", old.len());
        }
        assert_eq!(unpack(&packed), text(b"", &pieces, b""));
    }

    #[test]
    fn texts_that_hardly_shrink_are_packed_whole() {
        let mut state = 1u64;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as u8
        })
        .take(200_000)
        .collect();
        let pieces = [
            Arc::new(Piece { text: noise.clone().into_boxed_slice(), cut: 1, digest: 0 }),
            piece(1, 0),
            piece(2, 0),
        ];
        let (_, packed) = Packer::thorough().pack(&Packing::default(), &noise, &refs(&pieces), &noise);
        assert_eq!(unpack(&packed), text(&noise, &pieces, &noise));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn whatever_changes_it_unpacks(
            quick in any::<bool>(),
            steps in proptest::collection::vec((0usize..60, 0usize..3, 0usize..4), 1..40),
        ) {
            let packer = if quick { Packer::quick() } else { Packer::thorough() };
            let mut packing = Packing::default();
            let mut pieces: Vec<Arc<Piece>> = Vec::new();
            for (step, (at, what, version)) in steps.into_iter().enumerate() {
                let at = at.min(pieces.len());
                match what {
                    0 => (0..8).for_each(|n| pieces.insert(at, piece(step * 8 + n, version))),
                    1 if at < pieces.len() => drop(pieces.remove(at)),
                    _ if at < pieces.len() => pieces[at] = piece(at, version),
                    _ => {}
                }
                let head = format!("{step}");
                let (next, packed) = packer.pack(&packing, head.as_bytes(), &refs(&pieces), b"end");
                prop_assert_eq!(unpack(&packed), text(head.as_bytes(), &pieces, b"end"));
                packing = next;
            }
        }
    }
}
