//! What can go wrong, by what the caller can do about it.

use muster_model::{ErrorCode, NodeId};
use muster_storage::{log::LogError, snapshot::SnapshotError, state::StateError};

/// Why a proposal, or a read barrier, was not answered with a result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProposeError {
    /// Nothing was written: the node is starting, shutting down or has failed. Try another node, or later.
    #[error("consensus is not available: {0}")]
    Unavailable(&'static str),
    /// Nothing was written: another node leads, if one is known.
    #[error("this node does not lead the ensemble")]
    NotLeader {
        /// The leader to go to.
        leader: Option<NodeId>,
    },
    /// Nothing was written: too much is waiting already. Try later.
    #[error("{queued_bytes} bytes of operations are waiting already")]
    Overloaded {
        /// Bytes that wait or are in flight.
        queued_bytes: usize,
    },
    /// Nothing was written: free disk space is below the reserve. Reads go on, writes resume with space.
    #[error("free disk space is below the reserve")]
    StorageFull,
    /// Nothing was written: the operation does not fit between nodes.
    #[error("the operation is larger than {bytes_max} bytes")]
    TooLarge {
        /// The most.
        bytes_max: usize,
    },
    /// The result is unknown: the operation may have been applied, or may yet be.
    #[error("no result in time; the operation may or may not be applied")]
    Timeout,
}

/// Why nothing was written when nobody leads, and what to do, for whoever ran a command.
const LEADERLESS: &str = "no node leads now; try again in a few seconds, and if that goes on see \
                          `muster cluster status`: more than half of the voters must answer each other";

impl ProposeError {
    /// Nothing was written, as nobody led for as long as it could wait.
    pub(crate) const LEADERLESS: Self = Self::Unavailable(LEADERLESS);

    /// The error as protocols map it.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Unavailable(_) | Self::NotLeader { .. } | Self::Overloaded { .. } => ErrorCode::Unavailable,
            Self::StorageFull => ErrorCode::StorageFull,
            Self::TooLarge { .. } => ErrorCode::LimitExceeded,
            Self::Timeout => ErrorCode::Timeout,
        }
    }
}

/// Why consensus does not start, or why a snapshot was not made.
#[derive(Debug, thiserror::Error)]
pub enum ConsensusError {
    /// The log can't be read or written.
    #[error("use the log: {0}")]
    Log(#[from] LogError),
    /// The state store can't be read or written.
    #[error("use the state store: {0}")]
    State(#[from] StateError),
    /// A snapshot file can't be read or written.
    #[error("use a snapshot file: {0}")]
    Snapshot(#[from] SnapshotError),
    /// The state store was written by a newer version of this program.
    #[error("the state store has format {found}, this program knows up to {known}: use the newer program")]
    NewerFormat {
        /// The version found.
        found: u8,
        /// The newest version this program reads.
        known: u8,
    },
    /// What consensus itself keeps in the store does not read.
    #[error(
        "the {what} is damaged: restore a backup, or remove state.db to rebuild it from snapshot and log"
    )]
    Damaged {
        /// Which value.
        what: &'static str,
    },
    /// State and log do not meet: entries between them are gone.
    #[error("the state ends at entry {applied}, the log begins at {first}: restore a backup")]
    Gap {
        /// Last entry the state holds, 0 if none.
        applied: u64,
        /// First entry in the log.
        first: u64,
    },
    /// The consensus engine stopped or can't be started.
    #[error("run the consensus engine: {0}")]
    Engine(String),
}

impl ConsensusError {
    /// The error as protocols map it.
    pub fn code(&self) -> ErrorCode {
        if self.is_full() { ErrorCode::StorageFull } else { ErrorCode::Internal }
    }

    /// Whether the same may succeed when there is disk space again.
    pub fn is_full(&self) -> bool {
        match self {
            Self::Log(error) => error.is_full(),
            Self::State(error) => error.is_full(),
            Self::Snapshot(error) => match error {
                SnapshotError::Full(_) => true,
                SnapshotError::State(error) => error.is_full(),
                SnapshotError::Failed(_)
                | SnapshotError::Stream(_)
                | SnapshotError::Damaged(_)
                | SnapshotError::NewerFormat { .. } => false,
            },
            Self::NewerFormat { .. } | Self::Damaged { .. } | Self::Gap { .. } | Self::Engine(_) => false,
        }
    }

    /// Whether a disk failed, so that nothing of it can be trusted from now on.
    pub(crate) fn is_disk_failure(&self) -> bool {
        matches!(
            self,
            Self::Log(LogError::Failed(_) | LogError::Stopped)
                | Self::State(StateError::Failed(_))
                | Self::Snapshot(SnapshotError::Failed(_) | SnapshotError::State(StateError::Failed(_)))
        )
    }
}
