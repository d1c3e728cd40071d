//! Where entries are applied: on the engine's thread while nothing else is in flight, which saves a hop for a lone
//! proposal; else on a thread of its own, beside the sync of the next entry.

use crate::{
    applier::Applier,
    pipeline::Pipeline,
    status::Status,
    types::{Failed, RaftEntry},
};
use parking_lot::Mutex;
use std::{
    io,
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::{Builder, JoinHandle},
};
use tokio::sync::oneshot;

struct Job {
    entries: Vec<RaftEntry>,
    done: oneshot::Sender<Result<(), Failed>>,
}

/// Takes entries to the applier, one batch after the other. The thread ends with the lane.
pub(crate) struct Lane {
    applier: Arc<Mutex<Applier>>,
    pipeline: Arc<Pipeline>,
    status: Arc<Status>,
    jobs: SyncSender<Job>,
}

impl Lane {
    pub(crate) fn start(
        applier: Applier,
        pipeline: Arc<Pipeline>,
        status: Arc<Status>,
    ) -> io::Result<(Self, JoinHandle<()>)> {
        let applier = Arc::new(Mutex::new(applier));
        // Whoever sends waits for the answer, so there is never more than one job.
        let (jobs, todo) = sync_channel(1);
        let worker = applier.clone();
        let thread = Builder::new().name("muster-apply".to_owned()).spawn(move || run(&worker, &todo))?;
        Ok((Self { applier, pipeline, status, jobs }, thread))
    }

    pub(crate) async fn apply(&self, entries: Vec<RaftEntry>) -> Result<(), Failed> {
        if self.pipeline.in_flight() <= 1 {
            return self.applier.lock().apply(entries);
        }
        let (done, result) = oneshot::channel();
        if self.jobs.send(Job { entries, done }).is_err() {
            return Err(self.status.fail("apply an entry", &"the thread for it has ended"));
        }
        let ended = |_| Err(self.status.fail("apply an entry", &"the thread for it has ended"));
        result.await.unwrap_or_else(ended)
    }

    /// The applier, between two batches.
    pub(crate) fn applier(&self) -> &Mutex<Applier> {
        &self.applier
    }
}

fn run(applier: &Mutex<Applier>, todo: &Receiver<Job>) {
    while let Ok(Job { entries, done }) = todo.recv() {
        // The engine is gone if nobody listens.
        done.send(applier.lock().apply(entries)).ok();
    }
}
