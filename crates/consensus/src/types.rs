//! How openraft is told about our types. Nothing of this leaves the crate.

use crate::waiters::Waiters;
use bytes::Bytes;
use openraft::{AnyError, StorageIOError};
use std::{fmt, path::PathBuf, sync::Arc};

openraft::declare_raft_types!(
    /// openraft's type parameters.
    pub(crate) TypeConfig:
        D = Batch,
        R = (),
        NodeId = u64,
        Node = openraft::BasicNode,
        Entry = openraft::Entry<TypeConfig>,
        SnapshotData = PathBuf,
        Responder = openraft::raft::responder::OneshotResponder<TypeConfig>,
        AsyncRuntime = crate::engine_runtime::EngineRuntime,
);

pub(crate) type Vote = openraft::Vote<u64>;
pub(crate) type LogId = openraft::LogId<u64>;
pub(crate) type RaftEntry = openraft::Entry<TypeConfig>;
pub(crate) type Membership = openraft::Membership<u64, openraft::BasicNode>;
pub(crate) type StoredMembership = openraft::StoredMembership<u64, openraft::BasicNode>;
pub(crate) type StorageError = openraft::StorageError<u64>;

/// Consensus has been told to stop, by [`crate::status::Status::fail`] alone: for openraft it is the end.
#[derive(Debug)]
pub(crate) struct Failed(pub(crate) String);

impl From<Failed> for StorageError {
    fn from(failed: Failed) -> Self {
        StorageIOError::write(AnyError::error(failed.0)).into()
    }
}

/// The operations of one log entry, encoded as they are stored ([`crate::entry`]).
///
/// On the node that proposed it, it carries those who wait for the results: the state machine answers them itself.
/// openraft's own way of answering goes through its core task, which sleeps while the next entry is synced. If it is
/// refused, it is dropped, and that tells them, too.
#[derive(Clone)]
pub(crate) struct Batch {
    pub(crate) payload: Bytes,
    /// The payload was left in the log, to be read when it is applied: openraft asks for many entries at once, however
    /// large they are.
    pub(crate) is_left: bool,
    pub(crate) waiters: Option<Arc<Waiters>>,
}

impl Batch {
    pub(crate) fn new(payload: Bytes, waiters: Option<Arc<Waiters>>) -> Self {
        Self { payload, is_left: false, waiters }
    }

    /// Forgets the payload, which the log has.
    pub(crate) fn leave(&mut self) {
        self.payload = Bytes::new();
        self.is_left = true;
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Batch({} bytes)", self.payload.len())
    }
}
