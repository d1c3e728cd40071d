//! The checkpoint of what is ephemeral: one file, replaced as a whole, that lets a restarted node show what it showed.
//!
//! Nothing acknowledged depends on it: one that is missing, damaged or of a newer format costs the registrations
//! that clients are about to repeat, and is no reason not to start.
//!
//! ```text
//! header   magic "MUSTERCP", u8 version, 7 zeros, u64 when it was begun (Unix ms), u32 CRC32C of what is before
//! chunks   of records, see chunks.rs
//! record   u32 length, bytes
//! ```
//!
//! Numbers are little endian. What a record means is known by whoever wrote it.

use crate::{
    FORMAT_VERSION,
    chunks::{ChunkError, ChunkReader, ChunkWriter, fill, number},
    stream::{FileReader, FileWriter},
};
use bytes::Bytes;
use muster_model::Timestamp;
use muster_runtime::disk::{Disk, DiskError, Open, beside};
use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

const MAGIC: [u8; 8] = *b"MUSTERCP";
const HEADER: usize = 28;

/// Why a checkpoint can't be written or read.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The disk failed, or is full.
    #[error("the checkpoint's disk failed: {0}")]
    Disk(#[from] DiskError),
    /// Packing failed.
    #[error("the checkpoint can't be packed: {0}")]
    Stream(#[from] io::Error),
    /// The content is damaged or cut: do without.
    #[error("the checkpoint is damaged: {0}")]
    Damaged(&'static str),
    /// A newer version of Muster wrote it: do without.
    #[error(
        "the checkpoint has format version {found}, and this version of muster reads up to {FORMAT_VERSION}"
    )]
    NewerFormat {
        /// Its version.
        found: u8,
    },
}

impl From<ChunkError> for CheckpointError {
    fn from(error: ChunkError) -> Self {
        match error {
            ChunkError::Damaged(problem) => Self::Damaged(problem),
            ChunkError::Stream(error) => Self::Stream(error),
        }
    }
}

/// The file.
#[derive(Clone, Debug)]
pub struct CheckpointFile {
    disk: Arc<dyn Disk>,
    path: PathBuf,
}

/// What was in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// When its writing was begun.
    pub at: Timestamp,
    /// The records, in the order in which they were written.
    pub records: Vec<Bytes>,
}

impl CheckpointFile {
    /// The file of that name, whose directory exists; it need not exist itself.
    pub fn new(disk: Arc<dyn Disk>, path: &Path) -> Self {
        Self { disk, path: path.to_owned() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Replaces the file. `next` gives records page by page, and none when there are no more. Whatever happens, there is
    /// the old file or the new one, synced. Gives its size.
    pub fn write(
        &self,
        at: Timestamp,
        next: &mut dyn FnMut() -> Option<Vec<Bytes>>,
    ) -> Result<u64, CheckpointError> {
        let new = beside(&self.path, ".new");
        let written = self.write_new(&new, at, next);
        if written.is_err()
            && let Err(error) = self.disk.remove(&new)
        {
            tracing::debug!(%error, "remove unfinished checkpoint");
        }
        let bytes = written?;
        self.disk.rename(&new, &self.path)?;
        self.disk.sync_dir(self.path.parent().unwrap_or(Path::new(".")))?;
        Ok(bytes)
    }

    fn write_new(
        &self,
        path: &Path,
        at: Timestamp,
        next: &mut dyn FnMut() -> Option<Vec<Bytes>>,
    ) -> Result<u64, CheckpointError> {
        let file = self.disk.open(path, Open::OrCreate)?;
        file.set_len(0)?;
        let mut out = FileWriter::new(file);
        let written = write_records(&mut out, at, next).and_then(|()| out.flush());
        // A failed write of ours comes back through the stream: say what it was.
        if let Some(error) = out.failure() {
            return Err(error.into());
        }
        written?;
        Ok(out.sync()?)
    }

    /// What is in the file; `None` if there is none. It is all there, or an error.
    pub fn read(&self) -> Result<Option<Checkpoint>, CheckpointError> {
        if !self.disk.exists(&self.path)? {
            return Ok(None);
        }
        let mut reader = FileReader::open(&*self.disk, &self.path)?;
        let mut header = [0; HEADER];
        fill(&mut reader, &mut header)?;
        if header[..8] != MAGIC {
            return Err(CheckpointError::Damaged("it does not begin as a checkpoint does"));
        }
        let crc = crc32c::crc32c(&header[..HEADER - 4]);
        if crc != number(&header, HEADER - 4) {
            return Err(CheckpointError::Damaged("the header is damaged"));
        }
        if header[8] != FORMAT_VERSION {
            return Err(CheckpointError::NewerFormat { found: header[8] });
        }
        let at = u64::from_le_bytes(*header[16..].first_chunk().expect("inside the header"));
        let mut chunks = ChunkReader::new(reader, crc);
        let mut records = Vec::new();
        while let Some((count, content)) = chunks.next()? {
            take_records(&content.into(), count, &mut records)
                .ok_or(CheckpointError::Damaged("a chunk makes no sense"))?;
        }
        Ok(Some(Checkpoint { at: Timestamp(at), records }))
    }
}

fn write_records(
    out: &mut dyn Write,
    at: Timestamp,
    next: &mut dyn FnMut() -> Option<Vec<Bytes>>,
) -> io::Result<()> {
    let mut header = Vec::with_capacity(HEADER);
    header.extend_from_slice(&MAGIC);
    header.extend_from_slice(&[FORMAT_VERSION, 0, 0, 0, 0, 0, 0, 0]);
    header.extend_from_slice(&at.0.to_le_bytes());
    let crc = crc32c::crc32c(&header);
    header.extend_from_slice(&crc.to_le_bytes());
    out.write_all(&header)?;
    let mut chunks = ChunkWriter::new(out, crc);
    while let Some(records) = next() {
        for record in records {
            chunks.push(|out| {
                out.extend_from_slice(&(record.len() as u32).to_le_bytes());
                out.extend_from_slice(&record);
            })?;
        }
    }
    chunks.end()?;
    Ok(())
}

fn take_records(content: &Bytes, count: usize, records: &mut Vec<Bytes>) -> Option<()> {
    let mut at = 0;
    for _ in 0..count {
        let head = content.get(at..at + 4)?;
        let from = at + 4;
        at = from + number(head, 0) as usize;
        content.get(..at)?;
        records.push(content.slice(from..at));
    }
    (at == content.len()).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use muster_runtime::{
        Rng,
        disk::{MemoryDisk, read_all},
    };

    fn file(disk: &MemoryDisk) -> CheckpointFile {
        CheckpointFile::new(Arc::new(disk.clone()), Path::new("/data/ephemeral"))
    }

    fn new_disk() -> MemoryDisk {
        let disk = MemoryDisk::new();
        disk.create_dir_all(Path::new("/data")).unwrap();
        disk
    }

    fn records(count: u32) -> Vec<Bytes> {
        (0..count).map(|number| Bytes::from(format!("{number}").repeat(number as usize % 300))).collect()
    }

    fn write(file: &CheckpointFile, at: u64, records: &[Bytes]) -> Result<u64, CheckpointError> {
        let mut pages = records.chunks(100).map(<[Bytes]>::to_vec);
        file.write(Timestamp(at), &mut || pages.next())
    }

    fn overwrite(disk: &MemoryDisk, bytes: &[u8]) {
        let file = disk.open(Path::new("/data/ephemeral"), Open::OrCreate).unwrap();
        file.set_len(bytes.len() as u64).unwrap();
        file.write_at(0, bytes).unwrap();
    }

    #[test]
    fn what_is_written_is_read_and_the_newest_only() {
        let disk = new_disk();
        let file = file(&disk);
        assert_eq!(file.read().unwrap(), None);
        for (at, count) in [(1, 20_000), (2, 0), (3, 7)] {
            let bytes = write(&file, at, &records(count)).unwrap();
            assert_eq!(bytes, read_all(&disk, file.path()).unwrap().len() as u64);
            let found = file.read().unwrap().unwrap();
            assert_eq!((found.at, found.records), (Timestamp(at), records(count)));
        }
        assert_eq!(disk.list(Path::new("/data")).unwrap(), ["ephemeral"]);
    }

    #[test]
    fn a_power_cut_leaves_the_old_or_the_new() {
        for seed in 0..50 {
            let disk = new_disk();
            let file = file(&disk);
            disk.sync_dir(Path::new("/")).unwrap();
            write(&file, 1, &records(500)).unwrap();
            // The second one is cut off at some page.
            let (mut pages, mut rng) = (seed % 5, Rng::seeded(seed));
            let mut cut = || {
                pages = pages.checked_sub(1)?;
                if pages == 0 {
                    disk.power_cut(&mut rng);
                    disk.fail_writes(1_000);
                }
                Some(records(10))
            };
            let finished = file.write(Timestamp(2), &mut cut).is_ok();
            disk.fail_writes(0);
            disk.power_cut(&mut Rng::seeded(seed));
            let found = file.read().unwrap().unwrap();
            assert_eq!(found.at, Timestamp(if finished { 2 } else { 1 }), "{seed}");
        }
    }

    #[test]
    fn a_flipped_byte_and_a_cut_are_damage() {
        let disk = new_disk();
        let file = file(&disk);
        write(&file, 1, &records(300)).unwrap();
        let bytes = read_all(&disk, file.path()).unwrap();
        for at in (0..bytes.len()).step_by(7) {
            let mut flipped = bytes.clone();
            flipped[at] ^= 0x10;
            overwrite(&disk, &flipped);
            let error = file.read().unwrap_err();
            assert!(matches!(error, CheckpointError::Damaged(_)), "byte {at}: {error}");
            overwrite(&disk, &bytes[..at]);
            let error = file.read().unwrap_err();
            assert!(matches!(error, CheckpointError::Damaged(_)), "cut at {at}: {error}");
        }
    }

    #[test]
    fn a_newer_format_is_named() {
        let disk = new_disk();
        let file = file(&disk);
        write(&file, 1, &records(3)).unwrap();
        let mut bytes = read_all(&disk, file.path()).unwrap();
        bytes[8] = FORMAT_VERSION + 1;
        let crc = crc32c::crc32c(&bytes[..HEADER - 4]);
        bytes[HEADER - 4..HEADER].copy_from_slice(&crc.to_le_bytes());
        overwrite(&disk, &bytes);
        let error = file.read().unwrap_err();
        assert!(matches!(error, CheckpointError::NewerFormat { found } if found == FORMAT_VERSION + 1));
    }

    #[test]
    fn a_full_disk_leaves_the_old_file() {
        let disk = new_disk();
        let file = file(&disk);
        let old = write(&file, 1, &records(10)).unwrap();
        disk.set_capacity(Some(old + 100));
        assert!(matches!(write(&file, 2, &records(5_000)), Err(CheckpointError::Disk(_))));
        assert_eq!(file.read().unwrap().unwrap().at, Timestamp(1));
        assert_eq!(disk.list(Path::new("/data")).unwrap(), ["ephemeral"]);
    }
}
