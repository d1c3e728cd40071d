//! What the parts of consensus tell each other and the outside: how far it is, and whether it goes on.

use crate::{Fatal, Members, types::Failed};
use parking_lot::{Condvar, Mutex};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::sync::{Notify, watch};

/// Whether entries are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Entries found in the log are being applied, or there is no leader yet.
    Starting,
    /// Entries are taken.
    Running,
    /// Shut down.
    Stopped,
    /// Given up; the fatal callback was called.
    Failed,
}

/// Shared by all parts; locks in here are leaves.
pub(crate) struct Status {
    /// How many entries are applied: the index of the next one.
    applied_next: watch::Sender<u64>,
    /// How many entries are known to be committed.
    committed_next: AtomicU64,
    members: watch::Sender<Arc<Members>>,
    has_peers: AtomicBool,
    is_pristine: AtomicBool,
    /// The format level in force.
    level: AtomicU32,
    /// How many entries must be applied before memory may be served; `u64::MAX` while that is unknown.
    ready_next: watch::Sender<u64>,
    phase: watch::Sender<Phase>,
    fatal: Fatal,
    /// Guards the pauses, so that stopping ends them.
    pause: Mutex<()>,
    wake: Condvar,
    is_stopping: AtomicBool,
    /// A snapshot is being put in place of the state.
    is_installing: AtomicBool,
    /// Accepted writes that wait for disk space.
    waiting_for_space: AtomicUsize,
    /// How many entries the newest snapshot covers.
    pub(crate) snapshot_next: AtomicU64,
    /// Bytes of log written since the last snapshot.
    pub(crate) log_bytes: AtomicU64,
    /// Bytes of rows committed since the last checkpoint.
    pub(crate) row_bytes: AtomicU64,
    /// Signalled when one of the two, or the number of entries, calls for maintenance.
    pub(crate) maintenance: Notify,
    /// Something was applied that the state store has no space for yet.
    pub(crate) behind: Notify,
    pub(crate) ops: AtomicU64,
    pub(crate) entries: AtomicU64,
    pub(crate) overloaded: AtomicU64,
    pub(crate) storage_full: AtomicU64,
    pub(crate) snapshot_failures: AtomicU64,
}

impl Status {
    pub(crate) fn new(fatal: Fatal) -> Self {
        Self {
            applied_next: watch::Sender::new(0),
            committed_next: AtomicU64::new(0),
            members: watch::Sender::default(),
            has_peers: AtomicBool::new(false),
            is_pristine: AtomicBool::new(false),
            level: AtomicU32::new(1),
            ready_next: watch::Sender::new(u64::MAX),
            phase: watch::Sender::new(Phase::Starting),
            fatal,
            pause: Mutex::new(()),
            wake: Condvar::new(),
            is_stopping: AtomicBool::new(false),
            is_installing: AtomicBool::new(false),
            waiting_for_space: AtomicUsize::new(0),
            snapshot_next: AtomicU64::new(0),
            log_bytes: AtomicU64::new(0),
            row_bytes: AtomicU64::new(0),
            maintenance: Notify::new(),
            behind: Notify::new(),
            ops: AtomicU64::new(0),
            entries: AtomicU64::new(0),
            overloaded: AtomicU64::new(0),
            storage_full: AtomicU64::new(0),
            snapshot_failures: AtomicU64::new(0),
        }
    }

    pub(crate) fn applied_next(&self) -> u64 {
        *self.applied_next.borrow()
    }

    pub(crate) fn set_applied_next(&self, next: u64) {
        self.applied_next.send_replace(next);
    }

    pub(crate) fn committed_next(&self) -> u64 {
        self.committed_next.load(Relaxed)
    }

    pub(crate) fn set_committed_next(&self, next: u64) {
        self.committed_next.fetch_max(next, Relaxed);
    }

    /// How many entries must be applied before memory may be served. Only what is said first counts.
    pub(crate) fn set_ready_next(&self, next: u64) {
        self.ready_next.send_if_modified(|now| {
            let is_first = *now == u64::MAX;
            if is_first {
                *now = next;
            }
            is_first
        });
    }

    /// Whether as much is applied as must be before memory may be served.
    pub(crate) fn is_caught_up(&self) -> bool {
        !self.is_installing.load(Relaxed) && self.applied_next() >= *self.ready_next.borrow()
    }

    /// Waits until that is so; false if it will not happen any more.
    pub(crate) async fn wait_caught_up(&self) -> bool {
        let mut ready = self.ready_next.subscribe();
        let next = tokio::select! {
            biased;
            known = ready.wait_for(|next| *next != u64::MAX) => known.map_or(u64::MAX, |next| *next),
            () = self.wait_ended() => return false,
        };
        self.wait_applied(next).await
    }

    /// The members as of the last applied entry.
    pub(crate) fn members(&self) -> watch::Receiver<Arc<Members>> {
        self.members.subscribe()
    }

    /// Whether there are other members.
    pub(crate) fn has_peers(&self) -> bool {
        self.has_peers.load(Relaxed)
    }

    /// Whether no operation was ever applied, here or before.
    pub(crate) fn is_pristine(&self) -> bool {
        self.is_pristine.load(Relaxed)
    }

    pub(crate) fn set_pristine(&self, is_pristine: bool) {
        self.is_pristine.store(is_pristine, Relaxed);
    }

    /// The format level in force.
    pub(crate) fn level(&self) -> u32 {
        self.level.load(Relaxed)
    }

    pub(crate) fn set_level(&self, level: u32) {
        self.level.store(level, Relaxed);
    }

    pub(crate) fn set_members(&self, members: Members) {
        self.has_peers.store(members.addresses.len() > 1, Relaxed);
        self.members.send_if_modified(|now| {
            let is_new = **now != members;
            if is_new {
                *now = Arc::new(members);
            }
            is_new
        });
    }

    pub(crate) fn phase(&self) -> Phase {
        *self.phase.borrow()
    }

    /// Enters a phase, except that what has ended stays ended.
    pub(crate) fn enter(&self, phase: Phase) {
        self.phase.send_if_modified(|now| {
            let may = matches!(*now, Phase::Starting | Phase::Running);
            if may {
                *now = phase;
            }
            may
        });
    }

    /// Waits until `next` entries are applied; false if that will not happen any more.
    pub(crate) async fn wait_applied(&self, next: u64) -> bool {
        let mut applied = self.applied_next.subscribe();
        tokio::select! {
            biased;
            reached = applied.wait_for(|applied| *applied >= next) => reached.is_ok(),
            () = self.wait_ended() => false,
        }
    }

    /// Waits until consensus has ended.
    pub(crate) async fn wait_ended(&self) {
        let mut phase = self.phase.subscribe();
        // The sender is a field of this, so it can't go away meanwhile.
        phase.wait_for(|phase| matches!(phase, Phase::Stopped | Phase::Failed)).await.ok();
    }

    /// Waits until consensus runs or has ended.
    pub(crate) async fn wait_started(&self) -> Phase {
        let mut phase = self.phase.subscribe();
        let started = phase.wait_for(|phase| *phase != Phase::Starting).await;
        started.map_or(Phase::Stopped, |phase| *phase)
    }

    /// A snapshot is put in place of the state until the guard is dropped.
    pub(crate) fn installs(&self) -> impl Drop + use<'_> {
        self.is_installing.store(true, Relaxed);
        Installs(self)
    }

    /// Ends every pause, now and later.
    pub(crate) fn stop(&self) {
        let _pause = self.pause.lock();
        self.is_stopping.store(true, Relaxed);
        self.wake.notify_all();
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.is_stopping.load(Relaxed)
    }

    /// Blocks the thread for a while, or until consensus stops.
    pub(crate) fn pause(&self, duration: Duration) {
        let mut pause = self.pause.lock();
        if !self.is_stopping() {
            self.wake.wait_for(&mut pause, duration);
        }
    }

    /// Counts a write as waiting for space until the guard is dropped.
    pub(crate) fn wait_for_space(&self, what: &'static str) -> impl Drop + '_ {
        tracing::warn!(what, "the disk is full, an accepted write waits for space");
        self.waiting_for_space.fetch_add(1, Relaxed);
        WaitsForSpace(self, what)
    }

    pub(crate) fn is_waiting_for_space(&self) -> bool {
        self.waiting_for_space.load(Relaxed) > 0
    }

    /// Consensus can't go on: tells the owner, once, and makes the error that stops openraft.
    pub(crate) fn fail(&self, what: &'static str, error: &dyn std::fmt::Display) -> Failed {
        let text = format!("{what}: {error}");
        if self.is_stopping.swap(true, Relaxed) {
            tracing::debug!(error = text, "failed while stopping");
        } else {
            tracing::error!(error = text, "consensus can not go on");
            // First of all: whoever sees that it has failed may end the process and would not know why.
            (self.fatal)(&text);
            self.enter(Phase::Failed);
        }
        self.stop();
        Failed(text)
    }
}

/// Takes off what is settled; never below 0, since several may settle the same.
pub(crate) fn deduct(counter: &AtomicU64, amount: u64) {
    counter.fetch_update(Relaxed, Relaxed, |now| Some(now.saturating_sub(amount))).ok();
}

struct Installs<'a>(&'a Status);

impl Drop for Installs<'_> {
    fn drop(&mut self) {
        self.0.is_installing.store(false, Relaxed);
    }
}

struct WaitsForSpace<'a>(&'a Status, &'static str);

impl Drop for WaitsForSpace<'_> {
    fn drop(&mut self) {
        self.0.waiting_for_space.fetch_sub(1, Relaxed);
        tracing::info!(what = self.1, "the write that waited for disk space is done");
    }
}
