//! Searching the journal, newest first.

use super::{
    History, JournalFilter,
    block::{self, Block},
    codec::Encoded,
    sink,
};
use muster_model::Timestamp;
use muster_runtime::disk::{Disk, DiskError, read_all};
use std::path::{Path, PathBuf};

const LIMIT: usize = 1_000;

/// Searches segments, given oldest first. `lost` records are dropped and not yet in a block.
pub(super) fn run(
    disk: &dyn Disk,
    dir: &Path,
    files: &[PathBuf],
    filter: &JournalFilter,
    lost: u64,
) -> Result<History, DiskError> {
    let limit = if filter.limit == 0 { LIMIT } else { filter.limit };
    let mut history = History { dropped: lost, ..History::default() };
    for path in files.iter().rev() {
        let content = match read_all(disk, path) {
            Err(DiskError::NotFound { .. }) => continue,
            other => other?,
        };
        let Some(body) = sink::body(&content) else {
            tracing::warn!(dir = %dir.display(), "a segment of the flight recorder has another version");
            history.damaged_blocks += 1;
            continue;
        };
        let (blocks, damaged) = block::blocks(body);
        history.damaged_blocks += damaged;
        for block in blocks.iter().rev() {
            search(block, filter, limit, &mut history);
            if history.changes.len() >= limit {
                return Ok(history);
            }
        }
    }
    Ok(history)
}

fn search(block: &Block<'_>, filter: &JournalFilter, limit: usize, history: &mut History) {
    if block.count > 0 {
        let earliest = Timestamp(block.earliest);
        history.oldest = Some(history.oldest.map_or(earliest, |oldest| oldest.min(earliest)));
        if filter.since.is_some_and(|since| block.latest < since.0) {
            return;
        }
    }
    history.dropped += block.dropped;
    let mut records = block.records;
    let mut found = Vec::new();
    for _ in 0..block.count {
        let Some(record) = Encoded::take(&mut records) else {
            history.damaged_blocks += 1;
            break;
        };
        if record.matches(filter) {
            found.extend(record.decode());
        }
    }
    let room = limit - history.changes.len();
    history.changes.extend(found.into_iter().rev().take(room));
}
