//! Reading entries beside the writer.

use super::{Corruption, Entry, EntryId, LogError, record, segment::Segment};
use bytes::Bytes;
use muster_runtime::disk::DiskFile;
use parking_lot::RwLock;
use std::{collections::VecDeque, ops::Range, path::PathBuf, sync::Arc};

/// What is in the log: written by the writer only, after the disk has it.
#[derive(Debug, Default)]
pub(super) struct Index {
    pub(super) segments: VecDeque<Segment>,
    pub(super) purged: Option<EntryId>,
    /// The last entry; `None` if all are purged.
    pub(super) tail: Option<EntryId>,
    /// Raised whenever entries are taken away, so that a read that was under way knows.
    pub(super) removals: u64,
}

impl Index {
    /// The index that comes next.
    pub(super) fn next(&self) -> u64 {
        self.tail.or(self.purged).map_or(0, |id| id.index + 1)
    }

    /// The first index that is not purged.
    pub(super) fn start(&self) -> u64 {
        self.purged.map_or(0, |purged| purged.index + 1)
    }

    fn first(&self) -> Option<u64> {
        self.tail.map(|_| self.start())
    }

    fn last(&self) -> Option<EntryId> {
        self.tail.or(self.purged)
    }

    /// The first index from which on the entries before `end` take no more than `bytes_max`.
    fn first_within(&self, end: u64, bytes_max: u64) -> u64 {
        let (mut first, mut left) = (end, bytes_max);
        for segment in self.segments.iter().rev() {
            let (from, to) = (segment.first.max(self.start()), segment.next().min(end));
            if from >= to {
                continue;
            }
            let bytes = segment.offset(to) - segment.offset(from);
            if bytes > left {
                return segment.first_from(segment.offset(to) - left).clamp(from, to);
            }
            (first, left) = (from, left - bytes);
        }
        first
    }

    /// The part of a segment that holds the entries from `range.start` on, as far as they are in one segment, end
    /// before `range.end`, and fit; one always does.
    fn plan(&self, range: Range<u64>, bytes_max: usize) -> Option<Plan> {
        let number = self.segments.partition_point(|segment| segment.next() <= range.start);
        let segment = self.segments.get(number)?;
        let from = segment.offset(range.start);
        let end = range.end.min(segment.next());
        let fits = |index: &u64| {
            let headers = (*index - range.start) * record::HEADER as u64;
            segment.offset(*index) - from <= (bytes_max as u64).saturating_add(headers)
        };
        let end = (range.start + 2..=end).take_while(fits).last().unwrap_or(range.start + 1);
        Some(Plan {
            file: segment.file.clone(),
            path: segment.path.clone(),
            salt: segment.salt,
            bytes: from..segment.offset(end),
            indexes: range.start..end,
            removals: self.removals,
        })
    }
}

struct Plan {
    file: Arc<dyn DiskFile>,
    path: PathBuf,
    salt: u64,
    bytes: Range<u64>,
    indexes: Range<u64>,
    removals: u64,
}

/// Reads the log. Clones are cheap; entries show once they are durable.
#[derive(Clone, Debug)]
pub struct LogReader(pub(super) Arc<RwLock<Index>>);

impl LogReader {
    /// Entries from a range of indexes, in order: at least one if there is one in the range, then as many as
    /// fit in `bytes_max` of payload. It ends early where the log ends; a range that begins before the first
    /// entry is [`LogError::Purged`].
    pub fn read(&self, range: Range<u64>, bytes_max: usize) -> Result<Vec<Entry>, LogError> {
        let mut entries = Vec::new();
        let mut left = bytes_max;
        let mut next = range.start;
        while next < range.end {
            let Some(plan) = self.plan(next..range.end, left)? else { break };
            match execute(&plan) {
                Ok(found) => {
                    let bytes: usize = found.iter().map(|entry| entry.payload.len()).sum();
                    if !entries.is_empty() && bytes > left {
                        break;
                    }
                    left -= bytes.min(left);
                    entries.extend(found);
                    next = plan.indexes.end;
                }
                // The writer took the entries away meanwhile: look again.
                Err(_) if self.0.read().removals != plan.removals => {}
                Err(error) => return Err(error),
            }
        }
        Ok(entries)
    }

    /// What identifies one entry; `None` if it is not in the log. The last purged entry is still known.
    pub fn id(&self, index: u64) -> Result<Option<EntryId>, LogError> {
        {
            let state = self.0.read();
            let known = [state.purged, state.tail].into_iter().flatten().find(|id| id.index == index);
            if known.is_some() || index < state.start() {
                return Ok(known);
            }
        }
        match self.read(index..index.saturating_add(1), 0) {
            Err(LogError::Purged { .. }) => Ok(None),
            other => Ok(other?.first().map(Entry::id)),
        }
    }

    /// The last purged entry.
    pub fn purged(&self) -> Option<EntryId> {
        self.0.read().purged
    }

    /// Bytes of the entries from an index on, with their headers.
    pub fn bytes_from(&self, index: u64) -> u64 {
        let state = self.0.read();
        let from =
            |segment: &Segment| segment.end - segment.offset(index.clamp(segment.first, segment.next()));
        state.segments.iter().map(from).sum()
    }

    /// The first index from which on the entries before `end` take no more than so many bytes with their headers; `end` if
    /// not even the last one does.
    pub fn first_within(&self, end: u64, bytes_max: u64) -> u64 {
        self.0.read().first_within(end, bytes_max)
    }

    /// The index of the first entry.
    pub fn first(&self) -> Option<u64> {
        self.0.read().first()
    }

    /// The last entry, or the last purged one if there is none.
    pub fn last(&self) -> Option<EntryId> {
        self.0.read().last()
    }

    fn plan(&self, range: Range<u64>, bytes_max: usize) -> Result<Option<Plan>, LogError> {
        let index = self.0.read();
        if range.start < index.start() {
            return Err(LogError::Purged { index: range.start, first: index.start() });
        }
        Ok(index.plan(range, bytes_max))
    }
}

fn execute(plan: &Plan) -> Result<Vec<Entry>, LogError> {
    let mut content = vec![0; (plan.bytes.end - plan.bytes.start) as usize];
    let count = plan.file.read_at(plan.bytes.start, &mut content)?;
    content.truncate(count);
    let content = Bytes::from(content);
    let mut entries = Vec::with_capacity((plan.indexes.end - plan.indexes.start) as usize);
    let mut at = 0;
    for index in plan.indexes.clone() {
        let rest = content.slice(at.min(content.len())..);
        let offset = plan.bytes.start + at as u64;
        let header = record::decode_header(&rest, plan.salt, offset)
            .filter(|header| header.index == index && record::is_whole(&rest, header));
        let Some(header) = header else {
            let detail = "a record that was whole is damaged";
            return Err(Corruption { file: plan.path.clone(), offset, index, detail }.into());
        };
        entries.push(header.entry(rest.slice(record::HEADER..record::HEADER + header.len)));
        at += header.size();
    }
    Ok(entries)
}
