//! What operators take out of a node: the flight recorder's history, and backups.

use crate::{Node, NodeError};
use muster_storage::snapshot::write_to;
use std::io::Write;

pub use muster_storage::journal::{History, JournalFilter};

impl Node {
    /// What happened to instances, newest first. It reads files: call it on a blocking thread.
    pub fn history(&self, filter: &JournalFilter) -> Result<History, NodeError> {
        self.journal.query(filter).map_err(|error| NodeError::Files(error.to_string()))
    }

    /// Records the flight recorder dropped since the start, because its queue was full.
    pub fn history_dropped(&self) -> u64 {
        self.journal.dropped()
    }

    /// Makes a snapshot of everything applied before the call, so that a restart replays less of the log. Writes go
    /// on meanwhile; nothing is done if there is one already.
    pub async fn make_snapshot(&self) -> Result<(), NodeError> {
        self.ready()?;
        let made = self.consensus()?.snapshot().await;
        made.map(drop).map_err(|error| NodeError::Files(error.to_string()))
    }

    /// Writes all durable data as of now, for `muster restore`; everything acknowledged before the call is in it.
    /// Gives the number of rows. Writes go on meanwhile. It blocks: call it on a blocking thread.
    pub fn backup(&self, out: &mut dyn Write) -> Result<u64, NodeError> {
        self.ready()?;
        let export = self.state.export()?;
        write_to(export, out).map_err(|error| NodeError::Files(error.to_string()))
    }
}
