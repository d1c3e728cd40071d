//! The newest entries in memory, so that an entry that was just written need not be read back to be applied; and so
//! that it keeps those who wait for it.

use crate::types::RaftEntry;
use openraft::EntryPayload;
use std::collections::VecDeque;

/// Beyond so many bytes of operations the oldest entries are forgotten, ...
const BYTES_MAX: usize = 1 << 20;
/// ... except for so many of the newest, which are not applied yet or just about.
const KEPT: usize = 4;

/// A gapless run of entries up to the last one.
#[derive(Default)]
pub(crate) struct Recent {
    entries: VecDeque<RaftEntry>,
    bytes: usize,
}

impl Recent {
    /// Adds entries that were written.
    pub(crate) fn push(&mut self, entries: Vec<RaftEntry>) {
        for entry in entries {
            if self.entries.back().is_some_and(|last| last.log_id.index + 1 != entry.log_id.index) {
                self.clear();
            }
            self.bytes += bytes(&entry);
            self.entries.push_back(entry);
        }
        while self.bytes > BYTES_MAX && self.entries.len() > KEPT {
            self.pop_front();
        }
    }

    /// The index of the oldest one.
    pub(crate) fn first(&self) -> Option<u64> {
        self.entries.front().map(|entry| entry.log_id.index)
    }

    /// The entries from `from` to before `end`, if all of them are here.
    pub(crate) fn range(&self, from: u64, end: u64) -> Option<Vec<RaftEntry>> {
        let first = self.entries.front()?.log_id.index;
        let skip = usize::try_from(from.checked_sub(first)?).ok()?;
        let count = usize::try_from(end.checked_sub(from)?).ok()?;
        let upto = skip.checked_add(count)?;
        (upto <= self.entries.len()).then(|| self.entries.range(skip..upto).cloned().collect())
    }

    /// The entries from `from` on, before `end`, while they have no more than so many bytes together, but at least one;
    /// `None` if the first of them is not here.
    pub(crate) fn prefix(&self, from: u64, end: u64, bytes_max: usize) -> Option<Vec<RaftEntry>> {
        let first = self.entries.front()?.log_id.index;
        let skip = usize::try_from(from.checked_sub(first)?).ok()?;
        let count = usize::try_from(end.checked_sub(from)?).ok()?;
        self.entries.get(skip)?;
        let mut sum = 0;
        let fits = |entry: &&RaftEntry| {
            let is_first = sum == 0;
            sum += bytes(entry) + 1;
            is_first || sum <= bytes_max
        };
        Some(self.entries.iter().skip(skip).take(count).take_while(fits).cloned().collect())
    }

    /// Forgets the entries up to and including an index.
    pub(crate) fn clear_to(&mut self, index: u64) {
        while self.entries.front().is_some_and(|entry| entry.log_id.index <= index) {
            self.pop_front();
        }
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.bytes = 0;
    }

    fn pop_front(&mut self) {
        if let Some(entry) = self.entries.pop_front() {
            self.bytes -= bytes(&entry);
        }
    }
}

fn bytes(entry: &RaftEntry) -> usize {
    match &entry.payload {
        EntryPayload::Normal(batch) => batch.payload.len(),
        EntryPayload::Blank | EntryPayload::Membership(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{codec::log_id, types::Batch};

    fn entry(index: u64, bytes: usize) -> RaftEntry {
        let payload = EntryPayload::Normal(Batch::new(vec![0; bytes].into(), None));
        RaftEntry { log_id: log_id(1, 1, index), payload }
    }

    fn indexes(recent: &Recent, from: u64, end: u64) -> Option<Vec<u64>> {
        Some(recent.range(from, end)?.iter().map(|entry| entry.log_id.index).collect())
    }

    #[test]
    fn only_whole_ranges_are_served() {
        let mut recent = Recent::default();
        assert_eq!(indexes(&recent, 0, 1), None);
        recent.push(vec![entry(5, 1), entry(6, 1)]);
        recent.push(vec![entry(7, 1)]);
        assert_eq!(indexes(&recent, 5, 8), Some(vec![5, 6, 7]));
        assert_eq!(indexes(&recent, 6, 7), Some(vec![6]));
        assert_eq!(indexes(&recent, 4, 7), None);
        assert_eq!(indexes(&recent, 6, 9), None);
        assert_eq!(indexes(&recent, 6, u64::MAX), None);
        let prefix = |from, end, bytes| Some(recent.prefix(from, end, bytes)?.len());
        assert_eq!((prefix(5, 9, 100), prefix(6, 7, 100), prefix(5, 8, 4)), (Some(3), Some(1), Some(2)));
        assert_eq!((prefix(4, 8, 100), prefix(8, 9, 100), prefix(7, 8, 0)), (None, None, Some(1)));
        recent.clear_to(5);
        assert_eq!((indexes(&recent, 5, 6), indexes(&recent, 6, 8)), (None, Some(vec![6, 7])));
        recent.push(vec![entry(9, 1)]);
        assert_eq!((indexes(&recent, 7, 8), indexes(&recent, 9, 10)), (None, Some(vec![9])), "no gaps");
    }

    #[test]
    fn bytes_are_bounded() {
        let mut recent = Recent::default();
        for index in 0..100 {
            recent.push(vec![entry(index, BYTES_MAX / 8)]);
        }
        assert_eq!(recent.entries.len(), 8);
        for index in 100..110 {
            recent.push(vec![entry(index, 10 * BYTES_MAX)]);
        }
        assert_eq!(recent.entries.len(), KEPT, "in flight and just applied");
    }
}
