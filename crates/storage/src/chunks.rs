//! Chunks of a stream: what snapshots and checkpoints are made of behind their headers.
//!
//! ```text
//! chunk    u32 items, u32 length, u32 length when decompressed, u32 CRC32C, zstd of items
//! end      a chunk of 0 items whose content is u64 items in all, uncompressed
//! ```
//!
//! Numbers are little endian. A chunk's checksum begins with its number and the header's checksum, so that chunks
//! can't change places, in one file or between two.

use std::io::{self, ErrorKind, Read, Write};

const HEADER: usize = 16;
/// Items are gathered to a chunk of this size before compression; a larger item makes a larger one.
pub(crate) const CHUNK_BYTES: usize = 1 << 20;
/// What a chunk may claim to be; far above any item.
const CHUNK_BYTES_MAX: usize = 1 << 30;
const LEVEL: i32 = 1;

/// Why chunks can't be read.
#[derive(Debug)]
pub(crate) enum ChunkError {
    /// Something is wrong with them.
    Damaged(&'static str),
    /// The stream failed.
    Stream(io::Error),
}

/// It ended too early.
pub(crate) const CUT: ChunkError = ChunkError::Damaged("it is cut");

/// Writes items, gathered to chunks.
pub(crate) struct ChunkWriter<'a> {
    out: &'a mut dyn Write,
    seed: u32,
    number: u64,
    content: Vec<u8>,
    items: u32,
    total: u64,
}

impl<'a> ChunkWriter<'a> {
    /// Begins behind the header of that checksum.
    pub(crate) fn new(out: &'a mut dyn Write, seed: u32) -> Self {
        Self { out, seed, number: 0, content: Vec::with_capacity(CHUNK_BYTES + 4_096), items: 0, total: 0 }
    }

    /// Adds an item, which `encode` appends to what it is given.
    pub(crate) fn push(&mut self, encode: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        encode(&mut self.content);
        self.items += 1;
        self.total += 1;
        if self.content.len() >= CHUNK_BYTES { self.flush() } else { Ok(()) }
    }

    /// Writes what is left and the end; gives the number of items.
    pub(crate) fn end(mut self) -> io::Result<u64> {
        if self.items > 0 {
            self.flush()?;
        }
        self.write(0, 8, &self.total.to_le_bytes())?;
        Ok(self.total)
    }

    fn flush(&mut self) -> io::Result<()> {
        let packed = zstd::bulk::compress(&self.content, LEVEL)?;
        self.write(self.items, self.content.len(), &packed)?;
        self.content.clear();
        self.items = 0;
        Ok(())
    }

    fn write(&mut self, items: u32, decompressed: usize, content: &[u8]) -> io::Result<()> {
        let mut header = [0; HEADER];
        header[..4].copy_from_slice(&items.to_le_bytes());
        header[4..8].copy_from_slice(&(content.len() as u32).to_le_bytes());
        header[8..12].copy_from_slice(&(decompressed as u32).to_le_bytes());
        let crc = chunk_crc(self.seed, self.number, &header, content);
        header[12..].copy_from_slice(&crc.to_le_bytes());
        self.number += 1;
        self.out.write_all(&header)?;
        self.out.write_all(content)
    }
}

fn chunk_crc(seed: u32, number: u64, header: &[u8; HEADER], content: &[u8]) -> u32 {
    let crc = crc32c::crc32c_append(seed, &number.to_le_bytes());
    crc32c::crc32c_append(crc32c::crc32c_append(crc, &header[..12]), content)
}

/// Reads the chunks behind a header.
pub(crate) struct ChunkReader<R> {
    from: R,
    seed: u32,
    number: u64,
    total: u64,
}

impl<R: Read> ChunkReader<R> {
    /// Begins behind the header of that checksum.
    pub(crate) fn new(from: R, seed: u32) -> Self {
        Self { from, seed, number: 0, total: 0 }
    }

    /// How many items the next chunk has, and its content; `None` after the end, where the stream must end too.
    pub(crate) fn next(&mut self) -> Result<Option<(usize, Vec<u8>)>, ChunkError> {
        let mut header = [0; HEADER];
        fill(&mut self.from, &mut header)?;
        let [items, len, decompressed] = [0, 4, 8].map(|at| number(&header, at) as usize);
        if len > CHUNK_BYTES_MAX || decompressed > CHUNK_BYTES_MAX {
            return Err(ChunkError::Damaged("a chunk is damaged"));
        }
        // Read as it comes, so that a damaged length does not make us reserve a gigabyte.
        let mut content = Vec::new();
        (&mut self.from).take(len as u64).read_to_end(&mut content).map_err(ChunkError::Stream)?;
        if content.len() < len {
            return Err(CUT);
        }
        if chunk_crc(self.seed, self.number, &header, &content) != number(&header, 12) {
            return Err(ChunkError::Damaged("a chunk is damaged"));
        }
        self.number += 1;
        if items == 0 {
            return self.end(&content);
        }
        let content = zstd::bulk::decompress(&content, decompressed)
            .map_err(|_| ChunkError::Damaged("a chunk can't be decompressed"))?;
        self.total += items as u64;
        Ok(Some((items, content)))
    }

    /// How many items there were.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    fn end(&mut self, content: &[u8]) -> Result<Option<(usize, Vec<u8>)>, ChunkError> {
        let mut beyond = [0];
        if content != self.total.to_le_bytes() {
            return Err(ChunkError::Damaged("rows are missing"));
        }
        if self.from.read(&mut beyond).map_err(ChunkError::Stream)? > 0 {
            return Err(ChunkError::Damaged("something follows its end"));
        }
        Ok(None)
    }
}

/// Fills a buffer from a stream that must have so much.
pub(crate) fn fill(from: &mut dyn Read, buffer: &mut [u8]) -> Result<(), ChunkError> {
    from.read_exact(buffer).map_err(|error| {
        if error.kind() == ErrorKind::UnexpectedEof { CUT } else { ChunkError::Stream(error) }
    })
}

/// A number inside a header.
pub(crate) fn number(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(*bytes[at..].first_chunk().expect("inside a header"))
}
