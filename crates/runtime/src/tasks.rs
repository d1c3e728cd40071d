//! Tasks that somebody owns and waits for.

use std::{future::Future, time::Duration};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{Instrument, info_span};

/// The tasks of one process: each is spawned with a name, told to stop by one token, and awaited at shutdown.
/// A clone is another handle to the same set.
#[derive(Clone, Debug, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    stop: CancellationToken,
    is_single_threaded: bool,
}

/// What ran beside the tasks panicked, or the runtime is ending.
#[derive(Debug, thiserror::Error)]
#[error("a call that may block did not end: {0}")]
pub struct BlockingError(String);

impl Tasks {
    /// An empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty set for a process that must do one thing at a time in an order that a seed decides: a simulation. Nothing
    /// of it runs on a thread of its own.
    pub fn single_threaded() -> Self {
        Self { is_single_threaded: true, ..Self::default() }
    }

    /// Whether no other thread may be used.
    pub fn is_single_threaded(&self) -> bool {
        self.is_single_threaded
    }

    /// Does what may block for long, such as reading files, beside the tasks; or at once, where there is one thread.
    pub async fn blocking<T: Send + 'static>(
        &self,
        call: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, BlockingError> {
        if self.is_single_threaded {
            return Ok(call());
        }
        tokio::task::spawn_blocking(call).await.map_err(|error| BlockingError(error.to_string()))
    }

    /// Starts a task. It should end soon after [`Tasks::stopping`] is cancelled.
    pub fn spawn<F>(&self, name: &'static str, task: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.tracker.spawn(task.instrument(info_span!("task", name)));
    }

    /// The token that is cancelled when shutdown begins.
    pub fn stopping(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Cancels the token and waits for all tasks, at most for `grace`. False: some were still running.
    pub async fn shutdown(&self, grace: Duration) -> bool {
        self.stop.cancel();
        self.tracker.close();
        tokio::time::timeout(grace, self.tracker.wait()).await.is_ok()
    }
}
