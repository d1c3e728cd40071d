//! The bytes of a snapshot.
//!
//! ```text
//! header   magic "MUSTERSN", u8 version, 7 zeros, u32 length of the marker, u32 CRC32C of what is before and of
//!          the marker, marker
//! chunk    u32 rows, u32 length, u32 length when decompressed, u32 CRC32C, zstd of rows
//! row      u8 table, u32 length of key, u32 length of value, key, value
//! end      a chunk of 0 rows whose content is u64 rows in all, uncompressed
//! ```
//!
//! Numbers are little endian. A chunk's checksum begins with its number and the header's checksum, so that chunks
//! can't change places, in one file or between two.

use super::SnapshotError;
use crate::{FORMAT_VERSION, state::Export};
use bytes::Bytes;
use muster_model::{Row, Table};
use std::io::{ErrorKind, Read, Write};

const MAGIC: [u8; 8] = *b"MUSTERSN";
const HEADER: usize = 24;
const CHUNK_HEADER: usize = 16;
/// Rows are gathered to a chunk of this size before compression; a larger row makes a larger one.
const CHUNK_BYTES: usize = 1 << 20;
/// What a chunk may claim to be; far above any row.
const CHUNK_BYTES_MAX: usize = 1 << 30;
const LEVEL: i32 = 1;
const MARKER_BYTES_MAX: usize = 1 << 20;

/// Writes a header and returns the seed of the chunks' checksums.
fn write_header(out: &mut dyn Write, applied: &[u8]) -> Result<u32, SnapshotError> {
    let mut header = Vec::with_capacity(HEADER + applied.len());
    header.extend_from_slice(&MAGIC);
    header.extend_from_slice(&[FORMAT_VERSION, 0, 0, 0, 0, 0, 0, 0]);
    header.extend_from_slice(&(applied.len() as u32).to_le_bytes());
    let crc = crc32c::crc32c_append(crc32c::crc32c(&header), applied);
    header.extend_from_slice(&crc.to_le_bytes());
    header.extend_from_slice(applied);
    out.write_all(&header)?;
    Ok(crc)
}

/// Reads a header: the marker, and the seed of the chunks' checksums.
pub(super) fn read_header(from: &mut dyn Read) -> Result<(Bytes, u32), SnapshotError> {
    let mut header = [0; HEADER];
    fill(from, &mut header)?;
    if header[..8] != MAGIC {
        return Err(SnapshotError::Damaged("it does not begin as a snapshot does"));
    }
    let len = number(&header, 16) as usize;
    if len > MARKER_BYTES_MAX {
        return Err(SnapshotError::Damaged("the header is damaged"));
    }
    let mut applied = vec![0; len];
    fill(from, &mut applied)?;
    let crc = crc32c::crc32c_append(crc32c::crc32c(&header[..20]), &applied);
    if crc != number(&header, 20) {
        return Err(SnapshotError::Damaged("the header is damaged"));
    }
    if header[8] != FORMAT_VERSION {
        return Err(SnapshotError::NewerFormat { found: header[8] });
    }
    Ok((applied.into(), crc))
}

/// Writes a whole snapshot. How many rows there were.
pub(super) fn write(export: Export, out: &mut dyn Write) -> Result<u64, SnapshotError> {
    let seed = write_header(out, export.applied.as_deref().unwrap_or_default())?;
    let mut chunks = Chunks { out, seed, number: 0 };
    let (mut content, mut rows, mut total) = (Vec::with_capacity(CHUNK_BYTES + 4_096), 0_u32, 0_u64);
    for row in export.rows {
        encode_row(&row?, &mut content);
        rows += 1;
        total += 1;
        if content.len() >= CHUNK_BYTES {
            chunks.write(rows, content.len(), &zstd::bulk::compress(&content, LEVEL)?)?;
            content.clear();
            rows = 0;
        }
    }
    if rows > 0 {
        chunks.write(rows, content.len(), &zstd::bulk::compress(&content, LEVEL)?)?;
    }
    chunks.write(0, 8, &total.to_le_bytes())?;
    Ok(total)
}

struct Chunks<'a> {
    out: &'a mut dyn Write,
    seed: u32,
    number: u64,
}

impl Chunks<'_> {
    fn write(&mut self, rows: u32, decompressed: usize, content: &[u8]) -> Result<(), SnapshotError> {
        let mut header = [0; CHUNK_HEADER];
        header[..4].copy_from_slice(&rows.to_le_bytes());
        header[4..8].copy_from_slice(&(content.len() as u32).to_le_bytes());
        header[8..12].copy_from_slice(&(decompressed as u32).to_le_bytes());
        let crc = chunk_crc(self.seed, self.number, &header, content);
        header[12..].copy_from_slice(&crc.to_le_bytes());
        self.number += 1;
        self.out.write_all(&header)?;
        Ok(self.out.write_all(content)?)
    }
}

fn chunk_crc(seed: u32, number: u64, header: &[u8; CHUNK_HEADER], content: &[u8]) -> u32 {
    let crc = crc32c::crc32c_append(seed, &number.to_le_bytes());
    crc32c::crc32c_append(crc32c::crc32c_append(crc, &header[..12]), content)
}

fn encode_row(row: &Row, out: &mut Vec<u8>) {
    let value = row.value.as_deref().unwrap_or_default();
    out.push(row.table as u8);
    out.extend_from_slice(&(row.key.len() as u32).to_le_bytes());
    out.extend_from_slice(&(value.len() as u32).to_le_bytes());
    out.extend_from_slice(&row.key);
    out.extend_from_slice(value);
}

/// Reads the chunks behind a header.
pub(super) struct Chunked<R> {
    from: R,
    seed: u32,
    number: u64,
    total: u64,
}

impl<R: Read> Chunked<R> {
    /// Begins behind the header of that seed.
    pub(super) fn new(from: R, seed: u32) -> Self {
        Self { from, seed, number: 0, total: 0 }
    }

    /// The rows of the next chunk; `None` after the end, where the stream must end too.
    pub(super) fn next(&mut self) -> Result<Option<Vec<Row>>, SnapshotError> {
        let mut header = [0; CHUNK_HEADER];
        fill(&mut self.from, &mut header)?;
        let [rows, len, decompressed] = [0, 4, 8].map(|at| number(&header, at) as usize);
        if len > CHUNK_BYTES_MAX || decompressed > CHUNK_BYTES_MAX {
            return Err(SnapshotError::Damaged("a chunk is damaged"));
        }
        // Read as it comes, so that a damaged length does not make us reserve a gigabyte.
        let mut content = Vec::new();
        (&mut self.from).take(len as u64).read_to_end(&mut content)?;
        if content.len() < len {
            return Err(CUT);
        }
        if chunk_crc(self.seed, self.number, &header, &content) != number(&header, 12) {
            return Err(SnapshotError::Damaged("a chunk is damaged"));
        }
        self.number += 1;
        if rows == 0 {
            return self.end(&content);
        }
        let content = zstd::bulk::decompress(&content, decompressed)
            .map_err(|_| SnapshotError::Damaged("a chunk can't be decompressed"))?;
        self.total += rows as u64;
        decode_rows(&content.into(), rows).map(Some).ok_or(SnapshotError::Damaged("a chunk makes no sense"))
    }

    /// How many rows there were.
    pub(super) fn total(&self) -> u64 {
        self.total
    }

    fn end(&mut self, content: &[u8]) -> Result<Option<Vec<Row>>, SnapshotError> {
        let mut beyond = [0];
        if content != self.total.to_le_bytes() {
            return Err(SnapshotError::Damaged("rows are missing"));
        }
        if self.from.read(&mut beyond)? > 0 {
            return Err(SnapshotError::Damaged("something follows its end"));
        }
        Ok(None)
    }
}

const CUT: SnapshotError = SnapshotError::Damaged("it is cut");

fn fill(from: &mut dyn Read, buffer: &mut [u8]) -> Result<(), SnapshotError> {
    from.read_exact(buffer).map_err(|error| {
        if error.kind() == ErrorKind::UnexpectedEof { CUT } else { SnapshotError::Stream(error) }
    })
}

fn number(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(*bytes[at..].first_chunk().expect("inside a header"))
}

fn decode_rows(content: &Bytes, count: usize) -> Option<Vec<Row>> {
    let mut rows = Vec::with_capacity(count.min(content.len() / 9));
    let mut at = 0;
    for _ in 0..count {
        let head = content.get(at..at + 9)?;
        let table = Table::from_number(head[0])?;
        let key_at = at + 9;
        let value_at = key_at + number(head, 1) as usize;
        at = value_at + number(head, 5) as usize;
        content.get(..at)?;
        rows.push(Row {
            table,
            key: content.slice(key_at..value_at),
            value: Some(content.slice(value_at..at)),
        });
    }
    (at == content.len()).then_some(rows)
}
