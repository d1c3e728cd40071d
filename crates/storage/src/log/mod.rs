//! The replicated log on this node's disk: what was acknowledged is here.
//!
//! Entries are records in segment files (`record` has the layout), every record checksummed. An append is one
//! write and one `fdatasync`; segments are preallocated with zeros, so that an append changes no file size.
//!
//! On opening, a bad record with a valid one after it, anywhere in the log, is corruption: the log is refused. A
//! bad record with nothing after it is a torn tail: it is cut and reported. The records of one append become
//! durable together, and a power cut may keep any of them, so those of the bad record's own append do not count as
//! "after it". A bad record at or before the noted commit point was durable once, so it is corruption too.
//!
//! Files: `<first index, 20 digits>.log`, `marks` (vote and purge point, in two copies) and `committed`.

mod error;
mod marks;
mod reader;
mod record;
mod recover;
mod segment;

pub use error::{Corruption, LogError};
pub use reader::LogReader;
pub use recover::{Cut, Recovery};

use bytes::Bytes;
use marks::Marks;
use muster_model::mutation::{self, Mutation};
use muster_runtime::{Rng, disk::Disk};
use parking_lot::RwLock;
use reader::Index;
use segment::Segment;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// Identifies an entry: its place, and the term and leader it was proposed under.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId {
    /// The place in the log; the first entry is 0.
    pub index: u64,
    /// The term of the leader that proposed it.
    pub term: u64,
    /// That leader.
    pub node: u64,
}

/// One entry of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The place in the log; the first entry is 0.
    pub index: u64,
    /// The term of the leader that proposed it.
    pub term: u64,
    /// That leader.
    pub node: u64,
    /// The content, opaque here; it may be empty.
    pub payload: Bytes,
}

impl Entry {
    /// What identifies it.
    pub fn id(&self) -> EntryId {
        EntryId { index: self.index, term: self.term, node: self.node }
    }
}

/// For whom this node has voted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Vote {
    /// The term.
    pub term: u64,
    /// The candidate.
    pub node: u64,
    /// Whether a majority has granted it, so that it is the leader.
    pub committed: bool,
}

/// How a log is kept.
#[derive(Clone, Debug)]
pub struct LogSettings {
    /// Size of a segment file (16 MiB); a larger append gets a segment of its own.
    pub segment_bytes: u64,
    /// Draws the number that ties records to their log.
    pub rng: Rng,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self { segment_bytes: 16 << 20, rng: Rng::from_system() }
    }
}

/// The log, and its only writer. Reading goes on beside it through [`Log::reader`].
///
/// After [`LogError::Full`] the log is as before the call, and the call may be repeated. After
/// [`LogError::Failed`] nothing is known about what is on the disk: every further write is refused with
/// [`LogError::Stopped`], and the process must stop.
#[derive(Debug)]
pub struct Log {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    settings: LogSettings,
    marks: Marks,
    /// Written by this log only, so that reading it here needs no care.
    index: Arc<RwLock<Index>>,
    /// Something may lie behind the last record: a write that failed for lack of space.
    untidy: bool,
    stopped: bool,
}

impl Log {
    /// Opens the log in a directory that exists, or begins one there.
    pub fn open(
        disk: Arc<dyn Disk>,
        dir: &Path,
        settings: LogSettings,
    ) -> Result<(Self, Recovery), LogError> {
        let mut recovery = Recovery::default();
        let has_segments = !recover::segment_files(&*disk, dir)?.is_empty();
        let marks = Marks::open(&*disk, dir, has_segments, &mut recovery)?;
        let (purged, committed) = (marks.purged(), marks.committed());
        let scan = recover::Scan {
            disk: &*disk,
            dir,
            settings: &settings,
            purged,
            committed,
            recovery: &mut recovery,
        };
        let (segments, tail) = scan.run()?;
        let index = Arc::new(RwLock::new(Index { segments, purged, tail, removals: 0 }));
        let dir = dir.to_owned();
        let mut log = Self { disk, dir, settings, marks, index, untidy: true, stopped: false };
        // An interrupted purge may have left a segment of purged entries only.
        log.remove_purged()?;
        Ok((log, recovery))
    }

    /// Adds entries after the last one; they are durable when it returns. Terms never fall.
    pub fn append(&mut self, entries: &[Entry]) -> Result<(), LogError> {
        if entries.is_empty() {
            return Ok(());
        }
        self.check_order(entries)?;
        self.guard(|log| log.append_in_order(entries))
    }

    fn check_order(&self, entries: &[Entry]) -> Result<(), LogError> {
        let next = self.index.read().next();
        let wrong = (next..).zip(entries).find(|(expected, entry)| *expected != entry.index);
        match wrong {
            Some((expected, entry)) => Err(LogError::OutOfOrder { expected, found: entry.index }),
            None => Ok(()),
        }
    }

    fn append_in_order(&mut self, entries: &[Entry]) -> Result<(), LogError> {
        let size: usize = entries.iter().map(|entry| record::size(entry.payload.len())).sum();
        self.make_room(entries[0].index, size as u64)?;
        let (file, salt, start) = {
            let index = self.index.read();
            let segment = index.segments.back().expect("room was made");
            (segment.file.clone(), segment.salt, segment.end)
        };
        let mut content = Vec::with_capacity(size);
        for (position, entry) in (0..).zip(entries) {
            record::encode(entry, position, salt, start + content.len() as u64, &mut content);
        }
        self.untidy = true;
        file.write_at(start, &content)?;
        if !mutation::is_on(Mutation::SkipSync) {
            file.sync_data()?;
        }
        self.untidy = false;
        let mut index = self.index.write();
        let segment = index.segments.back_mut().expect("room was made");
        entries.iter().for_each(|entry| segment.push(record::size(entry.payload.len())));
        index.tail = entries.last().map(Entry::id);
        Ok(())
    }

    /// Sees to it that the last segment has room for `size` bytes, and that only zeros lie behind all records.
    fn make_room(&mut self, next: u64, size: u64) -> Result<(), LogError> {
        let last = self.index.read().segments.back().map(|s| (s.file.clone(), s.end, s.is_empty()));
        if self.untidy
            && let Some((file, end, _)) = &last
        {
            // Synced, so that no power cut can mix what lies there with what comes now; also when this segment is
            // left, since it would be corruption then.
            file.set_len(*end)?;
            file.sync_data()?;
            self.untidy = false;
        }
        if let Some((file, end, is_empty)) = last
            && (is_empty || end + size <= self.settings.segment_bytes)
        {
            return Ok(file.preallocate(self.settings.segment_bytes.max(end + size))?);
        }
        let bytes = self.settings.segment_bytes.max(segment::HEADER as u64 + size);
        let salt = self.settings.rng.next_u64();
        let segment = Segment::create(&*self.disk, &self.dir, next, salt, bytes)?;
        self.untidy = false;
        self.index.write().segments.push_back(segment);
        Ok(())
    }

    /// Removes the entries from an index on, durably.
    pub fn truncate_from(&mut self, index: u64) -> Result<(), LogError> {
        let (start, next) = {
            let state = self.index.read();
            (state.start(), state.next())
        };
        if index >= next {
            return Ok(());
        }
        if index < start {
            return Err(LogError::Purged { index, first: start });
        }
        let tail = if index == start { None } else { self.reader().id(index - 1)? };
        self.guard(|log| log.remove_tail(index, tail))
    }

    fn remove_tail(&mut self, index: u64, tail: Option<EntryId>) -> Result<(), LogError> {
        let mut removed = Vec::new();
        let last = {
            let mut state = self.index.write();
            state.removals += 1;
            state.tail = tail;
            while let Some(segment) = state.segments.pop_back_if(|segment| segment.first >= index) {
                removed.push(segment.path);
            }
            state.segments.back_mut().map(|segment| {
                segment.cut(index);
                (segment.file.clone(), segment.end)
            })
        };
        // The newest first, so that what is left after a crash is one piece.
        for path in &removed {
            self.disk.remove(path)?;
        }
        if !removed.is_empty() {
            self.disk.sync_dir(&self.dir)?;
        }
        if let Some((file, end)) = last {
            file.set_len(end)?;
            file.sync_data()?;
        }
        Ok(())
    }

    /// Forgets the entries up to and including one, durably: a snapshot covers them. It may lie beyond the last
    /// entry; the log is empty then and goes on after it.
    pub fn purge_to(&mut self, id: EntryId) -> Result<(), LogError> {
        if self.purged().is_some_and(|purged| purged.index >= id.index) {
            return Ok(());
        }
        self.guard(|log| {
            log.marks.save_purged(id)?;
            {
                let mut index = log.index.write();
                index.removals += 1;
                index.purged = Some(id);
                index.tail = index.tail.filter(|tail| tail.index > id.index);
            }
            log.remove_purged()
        })
    }

    /// Removes segments in which every entry is purged, the oldest first; one that is empty and continues the
    /// log stays.
    fn remove_purged(&mut self) -> Result<(), LogError> {
        let removed: Vec<Segment> = {
            let mut index = self.index.write();
            let start = index.start();
            let purged = |s: &mut Segment| s.next() <= start && !(s.is_empty() && s.first == start);
            std::iter::from_fn(|| index.segments.pop_front_if(purged)).collect()
        };
        for segment in &removed {
            self.disk.remove(&segment.path)?;
        }
        if !removed.is_empty() {
            self.disk.sync_dir(&self.dir)?;
        }
        Ok(())
    }

    /// Stores the vote, durably.
    pub fn save_vote(&mut self, vote: Vote) -> Result<(), LogError> {
        self.guard(|log| log.marks.save_vote(vote))
    }

    /// The stored vote.
    pub fn vote(&self) -> Option<Vote> {
        self.marks.vote()
    }

    /// Notes how far the log is known to be committed. It survives the end of the process but is not synced: a
    /// power cut may turn it back. On opening it tells a damaged entry from a torn one.
    pub fn save_committed(&mut self, committed: Option<EntryId>) -> Result<(), LogError> {
        let durable = committed.is_none_or(|id| id.index < self.index.read().next());
        self.guard(|log| log.marks.save_committed(committed, durable))
    }

    /// What was noted last.
    pub fn committed(&self) -> Option<EntryId> {
        self.marks.committed()
    }

    /// A handle for reading.
    pub fn reader(&self) -> LogReader {
        LogReader(self.index.clone())
    }

    /// The last purged entry.
    pub fn purged(&self) -> Option<EntryId> {
        self.marks.purged()
    }

    /// The index of the first entry.
    pub fn first(&self) -> Option<u64> {
        self.reader().first()
    }

    /// The last entry, or the last purged one if there is none.
    pub fn last(&self) -> Option<EntryId> {
        self.reader().last()
    }

    /// Bytes of the entries in the log, with their headers: what a restart has to read.
    pub fn bytes(&self) -> u64 {
        self.index.read().segments.iter().map(|segment| segment.end - segment::HEADER as u64).sum()
    }

    /// Runs a write, refused after one has failed for good.
    fn guard<T>(&mut self, write: impl FnOnce(&mut Self) -> Result<T, LogError>) -> Result<T, LogError> {
        if self.stopped {
            return Err(LogError::Stopped);
        }
        let result = write(self);
        self.stopped = result.as_ref().is_err_and(|error| !error.is_full());
        result
    }
}

#[cfg(test)]
mod tests;
