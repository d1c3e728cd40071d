//! Opening a log: what is valid, what was torn, what is corrupt.

use super::{
    Corruption, EntryId, LogError, LogSettings, record,
    segment::{self, Header, Segment},
};
use muster_runtime::disk::{Disk, DiskError, DiskFile, Open};
use std::{
    collections::VecDeque,
    fmt,
    path::{Path, PathBuf},
};

/// What opening a log found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Entries in the log.
    pub entries: u64,
    /// The torn tail that was cut, if there was one: say so to the operator.
    pub cut: Option<Cut>,
    /// Small files of which one of the two copies was damaged; it has been restored from the other.
    pub repaired: Vec<PathBuf>,
}

/// A torn tail: the last append was not complete, so it was not acknowledged, unless the disk damaged it
/// afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The segment file.
    pub segment: PathBuf,
    /// Where the valid part of it ends.
    pub offset: u64,
    /// Bytes from there to the last one that is not zero.
    pub bytes: u64,
    /// The index of the first entry that was cut.
    pub first: u64,
    /// How many entries were cut, as far as it can be told; at least 1.
    pub entries: u64,
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self { segment, offset, bytes, first, entries }, last) = (self, self.first + self.entries - 1);
        let segment = segment.display();
        write!(
            f,
            "cut {bytes} bytes from the end of {segment} at offset {offset}: {entries} entries, {first} to {last}, \
             whose append was not complete, or which the disk has damaged"
        )
    }
}

/// The names of the segment files in a directory, by their first index.
pub(super) fn segment_files(disk: &dyn Disk, dir: &Path) -> Result<Vec<(u64, PathBuf)>, LogError> {
    let names = disk.list(dir)?;
    Ok(names.iter().filter_map(|name| Some((segment::parse_name(name)?, dir.join(name)))).collect())
}

/// What the scan of all segments is told and what it has found so far.
pub(super) struct Scan<'a> {
    pub(super) disk: &'a dyn Disk,
    pub(super) dir: &'a Path,
    pub(super) settings: &'a LogSettings,
    pub(super) purged: Option<EntryId>,
    /// Entries up to here were durable once.
    pub(super) committed: Option<EntryId>,
    pub(super) recovery: &'a mut Recovery,
}

/// Where the records of a segment stop.
enum Stop {
    /// Only zeros follow.
    End,
    /// What follows is not the record that is expected.
    Bad,
}

impl Scan<'_> {
    /// Reads every record of every segment, cuts a torn tail, and refuses corruption. The last value is the last
    /// entry that is not purged.
    pub(super) fn run(mut self) -> Result<(VecDeque<Segment>, Option<EntryId>), LogError> {
        let mut files = segment_files(self.disk, self.dir)?;
        self.drop_purged(&mut files)?;
        let mut segments = VecDeque::new();
        let mut last = None;
        let count = files.len();
        for (number, (first, path)) in files.into_iter().enumerate() {
            let is_last = number + 1 == count;
            let previous = segments.back();
            if let Some(segment) = self.segment(first, path, previous, is_last, &mut last)? {
                segments.push_back(segment);
            }
        }
        self.check_end(&segments)?;
        let last = last.filter(|last: &EntryId| last.index >= self.first_wanted());
        self.recovery.entries = last.map_or(0, |last| {
            let first = segments.front().map_or(0, |segment| segment.first);
            last.index + 1 - first.max(self.first_wanted())
        });
        Ok((segments, last))
    }

    /// The first index that is not purged.
    fn first_wanted(&self) -> u64 {
        self.purged.map_or(0, |purged| purged.index + 1)
    }

    /// Removes segments that an interrupted purge has left: those whose successor begins at or before the first
    /// entry that is not purged.
    fn drop_purged(&self, files: &mut Vec<(u64, PathBuf)>) -> Result<(), LogError> {
        let wanted = self.first_wanted();
        let keep_from = files.iter().rposition(|(first, _)| *first <= wanted).unwrap_or(0);
        for (_, path) in files.drain(..keep_from) {
            self.disk.remove(&path)?;
        }
        if keep_from > 0 {
            self.disk.sync_dir(self.dir)?;
        }
        Ok(())
    }

    fn segment(
        &mut self,
        first: u64,
        path: PathBuf,
        previous: Option<&Segment>,
        is_last: bool,
        last: &mut Option<EntryId>,
    ) -> Result<Option<Segment>, LogError> {
        let file = self.disk.open(&path, Open::Existing)?;
        let content = content(&*file)?;
        let expected = previous.map_or(self.first_wanted(), Segment::next);
        let corrupt = |offset, index, detail| Corruption { file: path.clone(), offset, index, detail };
        let salt = match segment::decode_header(&content) {
            Header::Newer(found) => return Err(LogError::NewerFormat { path, found }),
            Header::Valid { first: named, salt } if named == first => salt,
            Header::Valid { .. } => return Err(corrupt(0, expected, "a segment under another's name").into()),
            Header::Damaged => {
                // The header is synced before the first record is written: without any record the creation of
                // this segment was interrupted.
                let empty = is_zero(content.get(segment::HEADER..).unwrap_or_default());
                if !(is_last && empty) {
                    return Err(corrupt(0, expected, "a damaged segment header").into());
                }
                self.disk.remove(&path)?;
                self.disk.sync_dir(self.dir)?;
                return Ok(None);
            }
        };
        match previous {
            Some(previous) if first != expected => {
                let (file, offset) = (previous.path.clone(), previous.end);
                let detail = "the records end before the next segment begins";
                return Err(Corruption { file, offset, index: expected, detail }.into());
            }
            None if first > expected => {
                return Err(corrupt(0, expected, "the segment before this one is missing").into());
            }
            _ => {}
        }
        let mut segment = Segment::new(path.clone(), file, first, salt);
        if let Stop::Bad = records(&content, &mut segment, last) {
            let rest = &content[segment.end as usize..];
            let (cut, later) = judge(&segment, rest);
            let detail = if !is_last {
                "a bad record, though segments follow"
            } else if later {
                "a bad record, though valid ones follow"
            } else if self.committed.is_some_and(|id| id.index >= cut.first.max(self.first_wanted())) {
                "a bad record, though the entry was committed"
            } else {
                self.cut(&segment)?;
                self.recovery.cut = Some(cut);
                return Ok(Some(segment));
            };
            return Err(corrupt(cut.offset, cut.first, detail).into());
        }
        Ok(Some(segment))
    }

    /// Cuts the file where its valid records end; what was behind must never be read again.
    fn cut(&self, segment: &Segment) -> Result<(), LogError> {
        segment.file.set_len(segment.end)?;
        match segment.file.preallocate(self.settings.segment_bytes) {
            // The next append asks for the space again.
            Ok(()) | Err(DiskError::Full { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(segment.file.sync_data()?)
    }

    /// Refuses a log that ends before an entry that was committed: its end is gone without a trace.
    fn check_end(&self, segments: &VecDeque<Segment>) -> Result<(), LogError> {
        let next = segments.back().map_or(0, Segment::next).max(self.first_wanted());
        if self.committed.is_none_or(|committed| committed.index < next) {
            return Ok(());
        }
        let (file, offset) =
            segments.back().map_or((self.dir.to_owned(), 0), |segment| (segment.path.clone(), segment.end));
        let detail = "the records end, though later entries were committed";
        Err(Corruption { file, offset, index: next, detail }.into())
    }
}

fn content(file: &dyn DiskFile) -> Result<Vec<u8>, LogError> {
    let mut content = vec![0; file.len()? as usize];
    let count = file.read_at(0, &mut content)?;
    content.truncate(count);
    Ok(content)
}

/// Notes every valid record from the beginning of a segment.
fn records(content: &[u8], segment: &mut Segment, last: &mut Option<EntryId>) -> Stop {
    loop {
        let at = segment.end as usize;
        let rest = content.get(at..).unwrap_or_default();
        let header = record::decode_header(rest, segment.salt, segment.end);
        let term = last.map_or(0, |last| last.term);
        match header {
            Some(header)
                if header.index == segment.next()
                    && header.term >= term
                    && record::is_whole(rest, &header) =>
            {
                segment.push(header.size());
                *last = Some(EntryId { index: header.index, term: header.term, node: header.node });
            }
            _ if is_zero(rest) => return Stop::End,
            _ => return Stop::Bad,
        }
    }
}

/// Whether only zeros are there. A segment is mostly such, so that this is most of what a start does with the log.
fn is_zero(bytes: &[u8]) -> bool {
    const ZEROS: [u8; 4_096] = [0; 4_096];
    bytes.chunks(ZEROS.len()).all(|chunk| chunk == &ZEROS[..chunk.len()])
}

/// What lies behind the valid part of a segment, and whether there is a valid record of a later append in it. The
/// records of the append that the bad one belongs to prove nothing: they were written together with it.
fn judge(segment: &Segment, rest: &[u8]) -> (Cut, bool) {
    let first = segment.next();
    let mut entries = 1;
    let mut later = false;
    for at in (0..rest.len()).step_by(record::ALIGN) {
        let here = &rest[at..];
        let Some(header) = record::decode_header(here, segment.salt, segment.end + at as u64) else {
            continue;
        };
        if header.index >= first {
            entries = entries.max(header.index - first + 1);
            later |= header.append_first() > first && record::is_whole(here, &header);
        }
    }
    let bytes = rest.iter().rposition(|byte| *byte != 0).map_or(0, |at| at as u64 + 1);
    (Cut { segment: segment.path.clone(), offset: segment.end, bytes, first, entries }, later)
}
