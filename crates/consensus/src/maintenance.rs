//! Checkpoints of the state store and snapshots, when enough has come together.

use crate::{
    ConsensusError, Settings,
    engine::EngineParts,
    status::{Phase, Status, deduct},
};
use muster_runtime::Tasks;
use muster_storage::state::StateStore;
use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

/// How often openraft is asked to begin a snapshot while none ends.
const TRIGGER_AGAIN: Duration = Duration::from_millis(200);

struct Maintenance {
    settings: Settings,
    tasks: Tasks,
    state: Arc<dyn StateStore>,
    status: Arc<Status>,
    parts: EngineParts,
}

/// Starts the task that does it; it ends with consensus, or when the tasks are stopped.
pub(crate) fn start(settings: &Settings, tasks: &Tasks, state: &Arc<dyn StateStore>, shared: &EngineParts) {
    let status = &shared.status;
    let maintenance = Maintenance {
        settings: settings.clone(),
        tasks: tasks.clone(),
        state: state.clone(),
        status: status.clone(),
        parts: shared.clone(),
    };
    let stopping = tasks.stopping();
    let status = status.clone();
    tasks.spawn("consensus maintenance", async move {
        tokio::select! {
            biased;
            () = maintenance.run() => {}
            () = stopping.cancelled() => {}
            () = status.wait_ended() => {}
        }
    });
}

/// Has openraft make a snapshot and waits for the end of that try, or of one that is under way; then shortens the log.
/// Nothing is done before the engine has started.
pub(crate) async fn try_snapshot(parts: &EngineParts) -> Result<(), ConsensusError> {
    let EngineParts { snapshots, status, trimming, raft, .. } = parts;
    let Some(raft) = raft.get() else { return Ok(()) };
    let mut tries = snapshots.tries();
    tries.mark_unchanged();
    let stopped = || ConsensusError::Engine("it has stopped".to_owned());
    loop {
        // openraft ignores this while it takes a try for unfinished, which it may do a little longer than it is.
        raft.trigger().snapshot().await.map_err(|_| stopped())?;
        tokio::select! {
            biased;
            ended = tries.changed() => break ended.map_err(|_| stopped())?,
            () = tokio::time::sleep(TRIGGER_AGAIN) => {}
            () = status.wait_ended() => return Err(stopped()),
        }
    }
    if let Some(error) = snapshots.last_error() {
        return Err(error);
    }
    // Before openraft shows it, it removes nothing that is covered.
    let covered = snapshots.covered_next();
    let mut shown = raft.data_metrics();
    let shortening = async {
        let is_shown = shown.wait_for(|shown| shown.snapshot.is_some_and(|id| id.index + 1 >= covered));
        is_shown.await.is_ok() && trimming.trim(raft, status, covered).await
    };
    tokio::select! {
        biased;
        is_done = shortening => is_done.then_some(()).ok_or_else(stopped),
        () = status.wait_ended() => Err(stopped()),
    }
}

impl Maintenance {
    async fn run(&self) {
        if self.status.wait_started().await != Phase::Running {
            return;
        }
        loop {
            self.checkpoint_if_due().await;
            self.snapshot_if_due().await;
            self.status.maintenance.notified().await;
        }
    }

    async fn checkpoint_if_due(&self) {
        let bytes = self.status.row_bytes.load(Relaxed);
        if bytes < self.settings.checkpoint_bytes && !self.state.is_checkpoint_due() {
            return;
        }
        let state = self.state.clone();
        match self.tasks.blocking(move || state.checkpoint()).await {
            Ok(Ok(_)) => deduct(&self.status.row_bytes, bytes),
            Ok(Err(error)) if error.is_full() => {
                // Counted anew, so that it is tried again after as much more.
                deduct(&self.status.row_bytes, bytes);
                tracing::warn!(%error, "could not write the state back, it is tried again later");
            }
            Ok(Err(error)) => drop(self.status.fail("write the state back", &error)),
            Err(error) => drop(self.status.fail("write the state back", &error)),
        }
    }

    async fn snapshot_if_due(&self) {
        let uncovered = self.status.applied_next().saturating_sub(self.status.snapshot_next.load(Relaxed));
        let bytes = self.status.log_bytes.load(Relaxed);
        // Each costs as much as there is state.
        let bytes_due = self.settings.snapshot_bytes.max(self.parts.snapshots.bytes() / 2);
        if uncovered < self.settings.snapshot_entries && bytes < bytes_due {
            return;
        }
        if let Err(error) = try_snapshot(&self.parts).await {
            tracing::warn!(%error, "no snapshot was made, it is tried again later");
            tokio::time::sleep(self.settings.snapshot_retry).await;
            self.status.maintenance.notify_one();
        }
    }
}
