//! Segment files of the journal: writing, rolling, keeping to the cap.

use super::block;
use crate::FORMAT_VERSION;
use muster_model::Change;
use muster_runtime::disk::{Disk, DiskError, DiskFile, Open};
use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    sync::Arc,
};

const SUFFIX: &str = ".journal";
const MAGIC: [u8; 8] = *b"MUSTERJN";
/// Size of a segment's header: magic, version, zeros.
pub(super) const HEADER: usize = 16;
const SEGMENT_BYTES_MIN: u64 = 4 << 10;
const SEGMENT_BYTES_MAX: u64 = 8 << 20;
/// A list of records that has grown beyond this is given back when it was written.
const SPARE_MAX: usize = 4_096;

/// The files of the journal and their only writer.
#[derive(Debug)]
pub(super) struct Sink {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    bytes_max: u64,
    segment_bytes: u64,
    /// Number and size, oldest first; the last one is `current`, if that is there.
    segments: VecDeque<(u64, u64)>,
    current: Option<Arc<dyn DiskFile>>,
    spare: Vec<Change>,
    buffer: Vec<u8>,
    /// Dropped, and not yet in a block.
    lost: u64,
    /// Dropped because of the disk, since the start.
    lost_ever: u64,
}

impl Sink {
    /// Finds the segments that are there; a new one is begun with the first block.
    pub(super) fn open(disk: Arc<dyn Disk>, dir: &Path, bytes_max: u64) -> Result<Self, DiskError> {
        let mut segments = VecDeque::new();
        for number in disk.list(dir)?.iter().filter_map(|name| parse(name)) {
            let file = disk.open(&path(dir, number), Open::Read)?;
            segments.push_back((number, file.len()?));
        }
        Ok(Self {
            disk,
            dir: dir.to_owned(),
            bytes_max,
            segment_bytes: (bytes_max / 32).clamp(SEGMENT_BYTES_MIN, SEGMENT_BYTES_MAX),
            segments,
            current: None,
            spare: Vec::new(),
            buffer: Vec::new(),
            lost: 0,
            lost_ever: 0,
        })
    }

    /// The segments, oldest first.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        self.segments.iter().map(|(number, _)| path(&self.dir, *number)).collect()
    }

    /// Dropped, and not yet in a block.
    pub(super) fn lost(&self) -> u64 {
        self.lost
    }

    /// Dropped because of the disk, since the start.
    pub(super) fn lost_ever(&self) -> u64 {
        self.lost_ever
    }

    /// An empty list to swap for a full one.
    pub(super) fn take_spare(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.spare)
    }

    /// Writes records and how many were dropped after the last block. What the disk refuses is dropped too.
    pub(super) fn write(&mut self, mut records: Vec<Change>, dropped: u64) {
        self.lost += dropped;
        let mut rest = &records[..];
        while !rest.is_empty() || self.lost > 0 {
            let max = self.segment_bytes as usize / 2;
            let count = block::encode(rest, self.lost, max, &mut self.buffer);
            if let Err(error) = self.write_block() {
                tracing::warn!(%error, records = rest.len(), "drop records of the flight recorder");
                self.lost += rest.len() as u64;
                self.lost_ever += rest.len() as u64;
                break;
            }
            self.lost = 0;
            rest = &rest[count..];
        }
        records.clear();
        if records.capacity() <= SPARE_MAX {
            self.spare = records;
        }
        if self.buffer.capacity() > self.segment_bytes as usize {
            self.buffer = Vec::new();
        }
    }

    fn write_block(&mut self) -> Result<(), DiskError> {
        let size = self.buffer.len() as u64;
        let full = self.segments.back().is_none_or(|(_, bytes)| bytes + size > self.segment_bytes);
        if full {
            self.current = None;
        }
        self.keep_to_cap(size + HEADER as u64)?;
        let file = match &self.current {
            Some(file) => file.clone(),
            None => self.begin()?,
        };
        let (_, end) = self.segments.back_mut().expect("a segment was begun");
        file.write_at(*end, &self.buffer)?;
        *end += size;
        Ok(())
    }

    fn begin(&mut self) -> Result<Arc<dyn DiskFile>, DiskError> {
        let number = self.segments.back().map_or(1, |(number, _)| number + 1);
        let file = self.disk.open(&path(&self.dir, number), Open::OrCreate)?;
        let mut header = [0; HEADER];
        header[..8].copy_from_slice(&MAGIC);
        header[8] = FORMAT_VERSION;
        file.write_at(0, &header)?;
        self.segments.push_back((number, HEADER as u64));
        self.current = Some(file.clone());
        Ok(file)
    }

    /// Removes the oldest segments until there is room under the cap; the current one stays.
    fn keep_to_cap(&mut self, incoming: u64) -> Result<(), DiskError> {
        let kept = usize::from(self.current.is_some());
        while self.segments.len() > kept
            && self.segments.iter().map(|(_, bytes)| bytes).sum::<u64>() + incoming > self.bytes_max
        {
            let (number, _) = self.segments[0];
            match self.disk.remove(&path(&self.dir, number)) {
                Ok(()) | Err(DiskError::NotFound { .. }) => _ = self.segments.pop_front(),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// What follows the header of a segment; `None` if another version wrote it.
pub(super) fn body(content: &[u8]) -> Option<&[u8]> {
    let is_ours = content.starts_with(&MAGIC);
    if is_ours && content.get(8).is_some_and(|version| *version != FORMAT_VERSION) {
        return None;
    }
    // With a damaged header the blocks are still found by their own.
    Some(content.get(HEADER..).unwrap_or_default())
}

fn path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:010}{SUFFIX}"))
}

fn parse(name: &str) -> Option<u64> {
    name.strip_suffix(SUFFIX).filter(|digits| digits.len() == 10)?.parse().ok()
}
