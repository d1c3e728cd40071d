//! How much of the log stays although a snapshot covers it.

use crate::{Settings, engine::Raft, status::Status};
use muster_storage::log::LogReader;

/// Removes what nobody needs any more. openraft's own policy counts entries only, and is off.
#[derive(Clone)]
pub(crate) struct Trimming {
    entries_kept: u64,
    bytes_kept: u64,
    log: LogReader,
}

impl Trimming {
    pub(crate) fn new(settings: &Settings, log: LogReader) -> Self {
        let Settings { log_entries_kept, log_bytes_kept, .. } = *settings;
        Self { entries_kept: log_entries_kept, bytes_kept: log_bytes_kept, log }
    }

    /// Removes entries of which the newest snapshot covers this many, counted from the first ever. When it returns they
    /// are gone, unless a follower is being sent them: then openraft removes them afterwards. False: it has stopped.
    pub(crate) async fn trim(&self, raft: &Raft, status: &Status, covered: u64) -> bool {
        // Nobody catches up with a group of one.
        let is_alone = status.members().borrow().addresses.len() < 2;
        let first = if is_alone { covered } else { self.first_kept(covered) };
        let purged_next = self.log.purged().map_or(0, |purged| purged.index + 1);
        if first <= purged_next {
            return true;
        }
        // What is asked after it is answered after it.
        raft.trigger().purge_log(first - 1).await.is_ok() && raft.with_raft_state(|_| ()).await.is_ok()
    }

    fn first_kept(&self, covered: u64) -> u64 {
        let by_entries = covered.saturating_sub(self.entries_kept);
        by_entries.max(self.log.first_within(covered, self.bytes_kept))
    }
}
