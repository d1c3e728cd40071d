//! The bytes of a snapshot.
//!
//! ```text
//! header   magic "MUSTERSN", u8 version, 7 zeros, u32 length of the marker, u32 CRC32C of what is before and of
//!          the marker, marker
//! chunks   of rows, see chunks.rs
//! row      u8 table, u32 length of key, u32 length of value, key, value
//! ```
//!
//! Numbers are little endian.

use super::SnapshotError;
use crate::{
    FORMAT_VERSION,
    chunks::{ChunkError, ChunkReader, ChunkWriter, fill, number},
    state::Export,
};
use bytes::Bytes;
use muster_model::{Row, Table};
use std::io::{Read, Write};

const MAGIC: [u8; 8] = *b"MUSTERSN";
const HEADER: usize = 24;
const MARKER_BYTES_MAX: usize = 1 << 20;

impl From<ChunkError> for SnapshotError {
    fn from(error: ChunkError) -> Self {
        match error {
            ChunkError::Damaged(problem) => Self::Damaged(problem),
            ChunkError::Stream(error) => Self::Stream(error),
        }
    }
}

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
    let mut chunks = ChunkWriter::new(out, seed);
    for row in export.rows {
        let row = row?;
        chunks.push(|out| encode_row(&row, out))?;
    }
    Ok(chunks.end()?)
}

fn encode_row(row: &Row, out: &mut Vec<u8>) {
    let value = row.value.as_deref().unwrap_or_default();
    out.push(row.table as u8);
    out.extend_from_slice(&(row.key.len() as u32).to_le_bytes());
    out.extend_from_slice(&(value.len() as u32).to_le_bytes());
    out.extend_from_slice(&row.key);
    out.extend_from_slice(value);
}

/// Reads the rows behind a header.
pub(super) struct Chunked<R>(ChunkReader<R>);

impl<R: Read> Chunked<R> {
    /// Begins behind the header of that seed.
    pub(super) fn new(from: R, seed: u32) -> Self {
        Self(ChunkReader::new(from, seed))
    }

    /// The rows of the next chunk; `None` after the end, where the stream must end too.
    pub(super) fn next(&mut self) -> Result<Option<Vec<Row>>, SnapshotError> {
        let Some((rows, content)) = self.0.next()? else { return Ok(None) };
        let rows = decode_rows(&content.into(), rows);
        rows.map(Some).ok_or(SnapshotError::Damaged("a chunk makes no sense"))
    }

    /// How many rows there were.
    pub(super) fn total(&self) -> u64 {
        self.0.total()
    }
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
