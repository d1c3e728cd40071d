//! One file of the log: a header of 64 bytes, then records, then zeros.
//!
//! ```text
//!  0  magic "MUSTERLG"
//!  8  u8   format version, then 7 zeros
//! 16  u64  index of the first entry
//! 24  u64  salt of the records' checksums
//! 32  zeros
//! 60  u32  CRC32C of the 60 bytes before; so in every version
//! ```

use super::{LogError, record};
use crate::FORMAT_VERSION;
use muster_runtime::disk::{Disk, DiskError, DiskFile, Open};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// Size of a segment's header: where its first record begins.
pub(super) const HEADER: usize = 64;

const MAGIC: [u8; 8] = *b"MUSTERLG";
const SUFFIX: &str = ".log";

/// A segment file and where its records lie.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    pub(super) path: PathBuf,
    pub(super) file: Arc<dyn DiskFile>,
    pub(super) first: u64,
    pub(super) salt: u64,
    /// Where the records begin, in units of [`record::ALIGN`].
    offsets: Vec<u32>,
    /// Where the last record ends.
    pub(super) end: u64,
}

/// What the header of a segment says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Header {
    Valid { first: u64, salt: u64 },
    Newer(u8),
    Damaged,
}

impl Segment {
    /// A segment that is whole except that its records are not known yet.
    pub(super) fn new(path: PathBuf, file: Arc<dyn DiskFile>, first: u64, salt: u64) -> Self {
        Self { path, file, first, salt, offsets: Vec::new(), end: HEADER as u64 }
    }

    /// Creates the file, durably; when it fails there is none, or one that recovery removes.
    pub(super) fn create(
        disk: &dyn Disk,
        dir: &Path,
        first: u64,
        salt: u64,
        bytes: u64,
    ) -> Result<Self, LogError> {
        let path = dir.join(format!("{first:020}{SUFFIX}"));
        let made = Self::fill(disk, dir, &path, first, salt, bytes);
        if made.as_ref().is_err_and(DiskError::is_full) {
            // What is left of it would only take space; if it can't be removed, recovery will.
            if let Err(error) = disk.remove(&path) {
                tracing::debug!(%error, "remove unfinished segment");
            }
        }
        Ok(Self::new(path, made?, first, salt))
    }

    fn fill(
        disk: &dyn Disk,
        dir: &Path,
        path: &Path,
        first: u64,
        salt: u64,
        bytes: u64,
    ) -> Result<Arc<dyn DiskFile>, DiskError> {
        let file = disk.open(path, Open::OrCreate)?;
        file.set_len(0)?;
        file.preallocate(bytes)?;
        file.write_at(0, &encode_header(first, salt))?;
        file.sync_data()?;
        disk.sync_dir(dir)?;
        Ok(file)
    }

    /// The index after its last entry.
    pub(super) fn next(&self) -> u64 {
        self.first + self.offsets.len() as u64
    }

    pub(super) fn is_empty(&self) -> bool {
        self.offsets.is_empty()
    }

    /// Notes a record that begins where the last one ends.
    pub(super) fn push(&mut self, bytes: usize) {
        let unit = self.end / record::ALIGN as u64;
        self.offsets.push(u32::try_from(unit).expect("a segment is below 32 GiB"));
        self.end += bytes as u64;
    }

    /// Forgets the records from an index on.
    pub(super) fn cut(&mut self, index: u64) {
        if index < self.next() {
            self.end = self.offset(index);
            self.offsets.truncate((index - self.first) as usize);
        }
    }

    /// Where the record of an index begins; the end for the index after the last.
    pub(super) fn offset(&self, index: u64) -> u64 {
        let unit = self.offsets.get((index - self.first) as usize);
        unit.map_or(self.end, |unit| u64::from(*unit) * record::ALIGN as u64)
    }

    /// The first index whose record begins there or later; the index after the last if none does.
    pub(super) fn first_from(&self, offset: u64) -> u64 {
        let before = |unit: &u32| u64::from(*unit) * (record::ALIGN as u64) < offset;
        self.first + self.offsets.partition_point(before) as u64
    }
}

/// The first index in the name of a segment file.
pub(super) fn parse_name(name: &str) -> Option<u64> {
    name.strip_suffix(SUFFIX).filter(|digits| digits.len() == 20)?.parse().ok()
}

fn encode_header(first: u64, salt: u64) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[..8].copy_from_slice(&MAGIC);
    header[8] = FORMAT_VERSION;
    header[16..24].copy_from_slice(&first.to_le_bytes());
    header[24..32].copy_from_slice(&salt.to_le_bytes());
    let crc = crc32c::crc32c(&header[..60]);
    header[60..].copy_from_slice(&crc.to_le_bytes());
    header
}

pub(super) fn decode_header(content: &[u8]) -> Header {
    let Some(header) = content.first_chunk::<HEADER>() else { return Header::Damaged };
    if header[..8] != MAGIC || header[60..] != crc32c::crc32c(&header[..60]).to_le_bytes() {
        return Header::Damaged;
    }
    if header[8] != FORMAT_VERSION {
        return Header::Newer(header[8]);
    }
    let number = |at: usize| u64::from_le_bytes(*header[at..].first_chunk().expect("inside the header"));
    Header::Valid { first: number(16), salt: number(24) }
}
