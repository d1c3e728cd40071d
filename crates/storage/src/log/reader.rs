//! Reading entries beside the writer.

use super::{Entry, EntryId, LogError};
use std::ops::Range;

/// Reads the log. Clones are cheap; entries show once they are durable.
#[derive(Clone, Debug)]
pub struct LogReader {}

impl LogReader {
    /// Entries from a range of indexes, in order: at least one if there is one in the range, then as many as
    /// fit in `bytes_max` of payload. It ends early where the log ends; a range that begins before the first
    /// entry is [`LogError::Purged`].
    pub fn read(&self, range: Range<u64>, bytes_max: usize) -> Result<Vec<Entry>, LogError> {
        unimplemented!()
    }

    /// What identifies one entry; `None` if it is not in the log.
    pub fn id(&self, index: u64) -> Result<Option<EntryId>, LogError> {
        unimplemented!()
    }

    /// The last purged entry.
    pub fn purged(&self) -> Option<EntryId> {
        unimplemented!()
    }

    /// The index of the first entry.
    pub fn first(&self) -> Option<u64> {
        unimplemented!()
    }

    /// The last entry, or the last purged one if there is none.
    pub fn last(&self) -> Option<EntryId> {
        unimplemented!()
    }
}
