//! What an operator may set.

use crate::{Bootstrap, level};
use muster_model::NodeId;
use std::time::Duration;

/// Settings of consensus. `Default` is the one place of the defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// This node (1). Written into every entry it proposes; never change it in a data directory that was used.
    pub node: NodeId,
    /// How a node without a log comes into its group (alone).
    pub bootstrap: Bootstrap,
    /// The newest format level that a new group is begun with and that is said to be known (the newest there is).
    pub level: u32,
    /// Where draws of randomness start (at random); simulations choose.
    pub seed: Option<u64>,
    /// Operations in one log entry at most (1,024).
    pub entry_ops_max: usize,
    /// Bytes of operations in one log entry at most (1 MiB). A larger operation goes alone.
    pub entry_bytes_max: usize,
    /// Entries that are written or applied at one moment at most (2); what arrives meanwhile goes into the next.
    pub entries_in_flight_max: usize,
    /// Bytes of operations that wait or are in flight at most (64 MiB); beyond it proposals are refused as
    /// [`crate::ProposeError::Overloaded`].
    pub queue_bytes_max: usize,
    /// How long a proposer waits for its result (5 s), then [`crate::ProposeError::Timeout`].
    pub propose_timeout: Duration,
    /// Free space of the data directory's file system (64 MiB) below which proposals are refused as
    /// [`crate::ProposeError::StorageFull`]. Raised space is noticed without a restart.
    pub reserve_bytes: u64,
    /// Between two tries of an accepted write that found the disk full (200 ms).
    pub full_retry: Duration,
    /// Log entries after which a snapshot is made and the log before it removed (100,000).
    pub snapshot_entries: u64,
    /// Bytes of log after which a snapshot is made (256 MiB), or half the size of the last one if that is more;
    /// whichever of entries and bytes comes first.
    pub snapshot_bytes: u64,
    /// How long no snapshot is tried after one failed (30 s).
    pub snapshot_retry: Duration,
    /// Bytes of rows committed after which the state store is told to write its own journal back (16 MiB).
    pub checkpoint_bytes: u64,
    /// Entries kept in the log although a snapshot covers them (1,000; none in a group of one), for followers that are
    /// a little behind.
    pub log_entries_kept: u64,
    /// Bytes of such entries kept at most (256 MiB): whoever is further behind is sent the snapshot.
    pub log_bytes_kept: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            node: NodeId(1),
            bootstrap: Bootstrap::Alone { address: String::new() },
            level: level::NEWEST,
            seed: None,
            entry_ops_max: 1_024,
            entry_bytes_max: 1 << 20,
            entries_in_flight_max: 2,
            queue_bytes_max: 64 << 20,
            propose_timeout: Duration::from_secs(5),
            reserve_bytes: 64 << 20,
            full_retry: Duration::from_millis(200),
            snapshot_entries: 100_000,
            snapshot_bytes: 256 << 20,
            snapshot_retry: Duration::from_secs(30),
            checkpoint_bytes: 16 << 20,
            log_entries_kept: 1_000,
            log_bytes_kept: 256 << 20,
        }
    }
}
