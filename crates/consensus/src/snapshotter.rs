//! Makes, finds and brings back snapshots.

use crate::{
    ConsensusError, SnapshotInfo,
    marker::Marker,
    status::{Status, deduct},
};
use muster_storage::{
    snapshot::{Snapshot, Snapshots},
    state::{StateError, StateStore},
};
use parking_lot::Mutex;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};
use tokio::sync::{Notify, watch};

/// Snapshot files kept after a new one is finished.
const KEPT: usize = 1;

/// The snapshots of this node. All calls that touch files block.
pub(crate) struct Snapshotter {
    files: Snapshots,
    state: Arc<dyn StateStore>,
    status: Arc<Status>,
    newest: Mutex<Option<(Snapshot, Marker)>>,
    /// How the last try ended; the number counts tries.
    tries: watch::Sender<u64>,
    last_error: Mutex<Option<ConsensusError>>,
    /// How many entries a received snapshot covers that is going to be the newest.
    pending: AtomicU64,
    /// Signalled when there is a newer one.
    kept: Notify,
}

impl Snapshotter {
    /// Finds the newest snapshot whose marker can be read.
    pub(crate) fn open(
        files: Snapshots,
        state: Arc<dyn StateStore>,
        status: Arc<Status>,
    ) -> Result<Self, ConsensusError> {
        let newest = match files.list()?.into_iter().next() {
            Some(file) => {
                let marker = Marker::decode(Some(file.applied.clone()))?;
                status.snapshot_next.store(marker.next_index(), Relaxed);
                Some((file, marker))
            }
            None => None,
        };
        let (newest, last_error, tries) = (Mutex::new(newest), Mutex::default(), watch::Sender::new(0));
        let (pending, kept) = (AtomicU64::new(0), Notify::new());
        Ok(Self { files, state, status, newest, tries, last_error, pending, kept })
    }

    /// How many entries the newest snapshot covers.
    pub(crate) fn covered_next(&self) -> u64 {
        self.newest.lock().as_ref().map_or(0, |(_, marker)| marker.next_index())
    }

    /// A snapshot was received that covers so many entries, and is handed to openraft.
    pub(crate) fn expect(&self, next: u64) {
        self.pending.fetch_max(next, Relaxed);
    }

    /// Whether so many entries are covered. openraft lets the log go while it has a received snapshot put in place, but
    /// a crash between the two would leave neither: so it is waited for that.
    pub(crate) async fn wait_covered(&self, next: u64) -> bool {
        loop {
            let kept = self.kept.notified();
            if self.covered_next() >= next {
                return true;
            }
            if self.pending.load(Relaxed) < next {
                return false;
            }
            tokio::select! {
                biased;
                () = kept => {}
                () = self.status.wait_ended() => return false,
            }
        }
    }

    /// The size of the newest snapshot.
    pub(crate) fn bytes(&self) -> u64 {
        self.newest.lock().as_ref().map_or(0, |(file, _)| file.bytes)
    }

    /// The newest snapshot and the state it holds.
    pub(crate) fn newest(&self) -> Option<(Snapshot, Marker)> {
        self.newest.lock().clone()
    }

    /// The newest snapshot, for others.
    pub(crate) fn info(&self) -> Option<SnapshotInfo> {
        let (file, marker) = self.newest()?;
        Some(SnapshotInfo { path: file.path, index: marker.index() })
    }

    /// Makes a snapshot and tells those who wait for the end of a try. False: it failed, and [`Self::last_error`]
    /// says why.
    pub(crate) fn try_now(&self) -> bool {
        let result = self.make();
        let is_made = result.is_ok();
        if let Err(error) = &result {
            self.status.snapshot_failures.fetch_add(1, Relaxed);
            if error.is_disk_failure() {
                self.status.fail("make a snapshot", error);
            } else {
                tracing::error!(%error, "could not make a snapshot, the log is kept");
            }
        }
        *self.last_error.lock() = result.err();
        self.tries.send_modify(|tries| *tries += 1);
        is_made
    }

    /// Writes a snapshot of the state as it is now. When it returns, the state store is durable up to there too, so
    /// that a start needs neither the log before it nor the snapshot, unless the store gets lost.
    pub(crate) fn make(&self) -> Result<(), ConsensusError> {
        let log_bytes = self.status.log_bytes.load(Relaxed);
        let row_bytes = self.status.row_bytes.load(Relaxed);
        if self.state.applied()?.is_none() && self.status.applied_next() > 0 {
            // It found no space yet for anything of the log.
            return Err(StateError::Full.into());
        }
        let file = self.files.write(self.state.export()?)?;
        let marker = Marker::decode(Some(file.applied.clone()))?;
        self.state.checkpoint()?;
        deduct(&self.status.log_bytes, log_bytes);
        deduct(&self.status.row_bytes, row_bytes);
        self.keep(file, marker)
    }

    /// Makes a finished file the newest, and removes older ones.
    pub(crate) fn keep(&self, file: Snapshot, marker: Marker) -> Result<(), ConsensusError> {
        tracing::info!(index = marker.index(), bytes = file.bytes, path = %file.path.display(), "snapshot finished");
        self.status.snapshot_next.store(marker.next_index(), Relaxed);
        *self.newest.lock() = Some((file, marker));
        self.kept.notify_waiters();
        Ok(self.files.retain(KEPT)?)
    }

    /// Replaces the state by a snapshot's. All rows have been read when `begins` is called, and none is in the state yet.
    pub(crate) fn bring_back(&self, file: &Snapshot, begins: impl FnOnce()) -> Result<(), ConsensusError> {
        let mut begins = Some(begins);
        let end = std::iter::from_fn(|| {
            begins.take().into_iter().for_each(|begins| begins());
            None
        });
        let mut rows = self.files.rows(file)?.chain(end);
        Ok(self.state.import(&file.applied, &mut rows)?)
    }

    /// The files themselves.
    pub(crate) fn files(&self) -> &Snapshots {
        &self.files
    }

    /// Tells when a try ended.
    pub(crate) fn tries(&self) -> watch::Receiver<u64> {
        self.tries.subscribe()
    }

    /// Why the last try failed, if it did.
    pub(crate) fn last_error(&self) -> Option<ConsensusError> {
        self.last_error.lock().take()
    }
}
