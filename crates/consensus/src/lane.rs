//! Where entries are applied: on the engine's thread while nothing else is in flight, which saves a hop for a lone
//! proposal; else on a thread of its own, beside the sync of the next entry. Where there is one thread, on that.

use crate::{
    applier::Applier,
    pipeline::Pipeline,
    status::Status,
    types::{Failed, RaftEntry},
};
use muster_runtime::Tasks;
use parking_lot::Mutex;
use std::{
    io,
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::{Builder, JoinHandle},
    time::Duration,
};
use tokio::sync::oneshot;

struct Job {
    entries: Vec<RaftEntry>,
    done: oneshot::Sender<Result<(), Failed>>,
}

/// What the lane is made of.
pub(crate) struct Shared {
    applier: Mutex<Applier>,
    status: Arc<Status>,
    full_retry: Duration,
}

/// Takes entries to the applier, one batch after the other. The thread ends with the lane.
pub(crate) struct Lane {
    shared: Arc<Shared>,
    pipeline: Arc<Pipeline>,
    /// None where there is no thread of its own.
    jobs: Option<SyncSender<Job>>,
}

impl Lane {
    /// A lane with a thread of its own.
    pub(crate) fn start(
        applier: Applier,
        pipeline: Arc<Pipeline>,
        status: Arc<Status>,
        full_retry: Duration,
    ) -> io::Result<(Self, JoinHandle<()>)> {
        let mut lane = Self::inline(applier, pipeline, status, full_retry);
        // Whoever sends waits for the answer, so there is never more than one job.
        let (jobs, todo) = sync_channel(1);
        let worker = lane.shared.clone();
        let thread = Builder::new().name("muster-apply".to_owned()).spawn(move || run(&worker, &todo))?;
        lane.jobs = Some(jobs);
        Ok((lane, thread))
    }

    /// A lane on whatever thread calls.
    pub(crate) fn inline(
        applier: Applier,
        pipeline: Arc<Pipeline>,
        status: Arc<Status>,
        full_retry: Duration,
    ) -> Self {
        let shared = Arc::new(Shared { applier: Mutex::new(applier), status, full_retry });
        Self { shared, pipeline, jobs: None }
    }

    pub(crate) async fn apply(&self, entries: Vec<RaftEntry>) -> Result<(), Failed> {
        let Some(jobs) = self.jobs.as_ref().filter(|_| self.pipeline.in_flight() > 1) else {
            return self.apply_here(entries).await;
        };
        let ended = || self.shared.status.fail("apply an entry", &"the thread for it has ended");
        let (done, result) = oneshot::channel();
        if jobs.send(Job { entries, done }).is_err() {
            return Err(ended());
        }
        result.await.unwrap_or_else(|_| Err(ended()))
    }

    async fn apply_here(&self, entries: Vec<RaftEntry>) -> Result<(), Failed> {
        let Shared { applier, status, full_retry } = &*self.shared;
        applier.lock().begin(entries)?;
        let mut waits = None;
        while !applier.lock().finish()? {
            waits.get_or_insert_with(|| status.wait_for_space("commit to the state store"));
            tokio::time::sleep(*full_retry).await;
        }
        Ok(())
    }

    /// What it is made of.
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}

impl Shared {
    /// The applier, between two batches.
    pub(crate) fn applier(&self) -> &Mutex<Applier> {
        &self.applier
    }

    pub(crate) fn status(&self) -> &Status {
        &self.status
    }

    /// Has the store follow whenever there was no space for what was applied.
    pub(crate) async fn follow(self: Arc<Self>, tasks: Tasks) -> Result<(), Failed> {
        loop {
            self.status.behind.notified().await;
            tracing::warn!("the disk is full, what the log has more than the state is kept in memory");
            loop {
                tokio::time::sleep(self.full_retry).await;
                let shared = self.clone();
                let settled = tasks.blocking(move || shared.settle()).await;
                if settled.map_err(|error| self.status.fail("commit to the state store", &error))?? {
                    break;
                }
            }
            tracing::info!("the state has all of the log again");
        }
    }

    /// A batch that is being applied may find no space, too: it is asked again after that.
    fn settle(&self) -> Result<bool, Failed> {
        self.applier.try_lock().map_or(Ok(false), |mut applier| applier.settle())
    }

    fn apply(&self, entries: Vec<RaftEntry>) -> Result<(), Failed> {
        let mut applier = self.applier.lock();
        applier.begin(entries)?;
        let mut waits = None;
        while !applier.finish()? {
            waits.get_or_insert_with(|| self.status.wait_for_space("commit to the state store"));
            self.status.pause(self.full_retry);
        }
        Ok(())
    }
}

fn run(shared: &Shared, todo: &Receiver<Job>) {
    while let Ok(Job { entries, done }) = todo.recv() {
        // The engine is gone if nobody listens.
        done.send(shared.apply(entries)).ok();
    }
}
