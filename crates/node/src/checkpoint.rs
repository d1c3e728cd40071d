//! The checkpoint of ephemeral registrations: written while the node runs and when it ends, read when it starts.
//!
//! It spares clients that read a list after a restart from seeing fewer instances than before. What a crash costs are
//! the registrations of the last moments, which their clients repeat.

mod records;

use crate::Node;
use muster_mirror::Known;
use muster_registry::{Effect, Outcome, Registry};
use muster_storage::checkpoint::{CheckpointError, CheckpointFile};
use parking_lot::Mutex;
use records::{Pages, Records};
use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// The pause between two checkpoints is so many times as long as one took: they cost at most a fiftieth of a core.
const PAUSE_FACTOR: u64 = 50;
/// The shortest and the longest pause, milliseconds. With the time a checkpoint takes it is never older than 5 s.
const PAUSE_MS: std::ops::RangeInclusive<u64> = 500..=4_000;
/// Publications put back under the registry's lock at a time.
const RESTORE_PAGE: usize = 1_024;

/// What is known of the checkpoints of this process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CheckpointFigures {
    /// Checkpoints written.
    pub written: u64,
    /// Checkpoints that could not be written.
    pub failures: u64,
    /// Publications in the last one.
    pub publications: u64,
    /// Bytes of the last one.
    pub bytes: u64,
    /// Milliseconds the last one took, most of them without the registry's lock.
    pub took_ms: u64,
    /// Publications restored at the start.
    pub restored: u64,
}

/// What became of the publications in a checkpoint.
#[derive(Debug, Default)]
struct RestoreCounts {
    restored: usize,
    /// Left out, because something newer is known: the client has registered since, or the node that owned it is back and
    /// tells itself. So it is with what a peer owned that starts at the same time and is a little faster.
    known: usize,
    /// Not taken: the service is of the other kind by now, or a limit is reached.
    refused: usize,
}

/// The file, and where the node is with it.
#[derive(Debug, Default)]
pub(crate) struct Checkpoints {
    /// Set once before the node joins, or never: then there are none.
    file: OnceLock<CheckpointFile>,
    /// The file was not read yet, so the node is not ready.
    is_unread: AtomicBool,
    /// Connections that end now are ended by us: what they published is kept.
    is_draining: AtomicBool,
    state: Mutex<State>,
    /// For those who ask meanwhile.
    figures: Mutex<CheckpointFigures>,
}

/// Held while a checkpoint is written, so that there is one at a time.
#[derive(Debug, Default)]
struct State {
    /// The registry's revision when the last one was begun.
    revision: Option<muster_model::Revision>,
    /// The last one failed, and that was said.
    is_failing: bool,
}

impl Checkpoints {
    /// Whether what was registered before the start is back, as far as it is known.
    pub(crate) fn are_read(&self) -> bool {
        !self.is_unread.load(Ordering::Acquire)
    }

    /// Whether connections end because the node does.
    pub(crate) fn is_draining(&self) -> bool {
        self.is_draining.load(Ordering::Acquire)
    }
}

impl Node {
    /// Keeps a checkpoint in that file. Call it before [`Node::join`]; from then on the node is not ready before
    /// [`Node::restore_ephemeral`] has ended.
    pub fn keep_checkpoint(&self, file: CheckpointFile) {
        assert!(self.checkpoints.file.set(file).is_ok(), "a node has one checkpoint");
        self.checkpoints.is_unread.store(true, Ordering::Release);
    }

    /// Puts back what the checkpoint holds, as far as the peers do not know better. One that can't be used is named in the
    /// log and ignored.
    pub(crate) async fn read_checkpoint(self: &Arc<Self>, known: Known) {
        let node = self.clone();
        if let Err(error) = self.tasks.blocking(move || node.restore(&known)).await {
            tracing::error!(%error, "restore ephemeral registrations");
        }
        self.checkpoints.is_unread.store(false, Ordering::Release);
    }

    /// Begins to write checkpoints, if there are any.
    pub(crate) fn write_checkpoints(self: &Arc<Self>) {
        if self.checkpoints.file.get().is_some() {
            self.tasks.spawn("checkpoints", self.clone().run_checkpoints());
        }
    }

    /// From now on connections end because the node does: what they published is kept for the last checkpoint.
    pub fn begin_drain(&self) {
        self.checkpoints.is_draining.store(true, Ordering::Release);
    }

    /// Writes a checkpoint now, unless nothing changed since the last one.
    pub async fn write_checkpoint(self: &Arc<Self>) {
        let node = self.clone();
        if let Err(error) = self.tasks.blocking(move || node.checkpoint()).await {
            tracing::error!(%error, "write the checkpoint");
        }
    }

    /// What is known of the checkpoints of this process.
    pub fn checkpoint_figures(&self) -> CheckpointFigures {
        *self.checkpoints.figures.lock()
    }

    async fn run_checkpoints(self: Arc<Self>) {
        let stopping = self.tasks.stopping();
        loop {
            let pause = self.checkpoint_figures().took_ms.saturating_mul(PAUSE_FACTOR);
            let pause = pause.clamp(*PAUSE_MS.start(), *PAUSE_MS.end());
            tokio::select! {
                biased;
                () = stopping.cancelled() => return,
                () = tokio::time::sleep(Duration::from_millis(pause)) => {}
            }
            self.write_checkpoint().await;
        }
    }

    fn checkpoint(&self) {
        let Some(file) = self.checkpoints.file.get() else { return };
        if !self.checkpoints.are_read() {
            // What is in the file is not in memory yet.
            return;
        }
        let mut state = self.checkpoints.state.lock();
        let revision = self.registry.lock().revision();
        if state.revision == Some(revision) {
            return;
        }
        let begun = self.now();
        let mut pages = Pages::new(self);
        let written = file.write(begun.wall, &mut || pages.next());
        let publications = pages.publications;
        let took_ms = self.now().mono.since(begun.mono);
        match written {
            Ok(bytes) => {
                state.revision = Some(revision);
                state.is_failing = false;
                let mut figures = self.checkpoints.figures.lock();
                let written = figures.written + 1;
                *figures = CheckpointFigures { written, publications, bytes, took_ms, ..*figures };
                tracing::debug!(publications, bytes, took_ms, "checkpoint");
            }
            Err(error) => {
                self.checkpoints.figures.lock().failures += 1;
                if !std::mem::replace(&mut state.is_failing, true) {
                    let path = file.path().display();
                    tracing::warn!(%path, %error, "the checkpoint can't be written, the old one stays");
                }
            }
        }
    }

    fn restore(&self, known: &Known) {
        let Some(file) = self.checkpoints.file.get() else { return };
        let path = file.path().display();
        let checkpoint = match file.read() {
            Ok(Some(checkpoint)) => checkpoint,
            Ok(None) => return,
            Err(error) => {
                let is_newer = matches!(error, CheckpointError::NewerFormat { .. });
                tracing::warn!(%path, %error, is_newer, "the checkpoint of ephemeral registrations is ignored");
                return;
            }
        };
        let Records { position, mut own, mut foreign } = match Records::read(&checkpoint.records) {
            Ok(records) => records,
            Err(error) => {
                tracing::warn!(%path, %error, "the checkpoint of ephemeral registrations is ignored");
                return;
            }
        };
        if position.is_some_and(|position| known.covers(position)) {
            own.clear();
        }
        // What others owned is told, or it is gone; unless only they have it, and are not heard.
        foreign.retain(|publication| !known.is_told(publication.owner()));
        if own.is_empty() && foreign.is_empty() {
            tracing::info!(%path, "the peers have all that is in the checkpoint of ephemeral registrations");
            return;
        }
        let mut counts = RestoreCounts::default();
        let mut own = own.into_iter().peekable();
        while own.peek().is_some() {
            let now = self.now();
            let page = own.by_ref().take(RESTORE_PAGE);
            self.restore_page(page, &mut counts, |registry, publication, effects| {
                let service = publication.service.clone();
                let put = registry.restore(publication, self.id, now, effects);
                put.map(|outcome| outcome != Outcome::Unchanged)
                    .inspect_err(|error| tracing::debug!(%service, %error, "a registration is not restored"))
                    .ok()
            });
        }
        for page in foreign.chunks(RESTORE_PAGE) {
            let now = self.now();
            self.restore_page(page.iter(), &mut counts, |registry, publication, effects| {
                let put = registry.restore_foreign(publication, now, effects);
                put.inspect_err(|error| tracing::debug!(%error, "a registration of a peer is not restored"))
                    .ok()
            });
        }
        let RestoreCounts { restored, known, refused } = counts;
        self.checkpoints.figures.lock().restored = restored as u64;
        let age_ms = self.now().wall.0.saturating_sub(checkpoint.at.0);
        tracing::info!(
            restored,
            known,
            refused,
            age_ms,
            "ephemeral registrations are restored until they are confirmed"
        );
    }

    /// Puts some back, each by `put`, which says whether it did; nothing: it was refused.
    fn restore_page<P>(
        &self,
        page: impl Iterator<Item = P>,
        counts: &mut RestoreCounts,
        put: impl Fn(&mut Registry, P, &mut Vec<Effect>) -> Option<bool>,
    ) {
        let mut effects = Vec::new();
        {
            let mut registry = self.registry.lock();
            for publication in page {
                *match put(&mut registry, publication, &mut effects) {
                    Some(true) => &mut counts.restored,
                    Some(false) => &mut counts.known,
                    None => &mut counts.refused,
                } += 1;
            }
        }
        self.run_registry_effects(effects);
        // There may be more lines than its queue takes.
        self.journal.flush();
    }
}
