//! A process that runs, and how it is asked to do something.

use muster_node::Node;
use muster_runtime::{Tasks, net::BoxFuture};
use std::{future::Future, sync::Arc, time::Duration};
use tokio::sync::{mpsc, oneshot};

/// How long whoever asks waits for an answer.
const PATIENCE: Duration = Duration::from_secs(7);

/// Something that a client asks a node to do.
pub(super) type Job = Box<dyn FnOnce(Arc<Node>) -> BoxFuture<'static, ()> + Send>;

/// A process that runs.
#[derive(Clone)]
pub(crate) struct Process {
    pub(crate) life: u64,
    pub(crate) node: Arc<Node>,
    door: mpsc::Sender<Job>,
}

/// What became of a question.
pub(crate) enum Reply<T> {
    /// It was answered.
    Answer(T),
    /// Nobody took it.
    Unreachable,
    /// It was taken, and no answer came.
    Lost,
}

impl Process {
    /// A process, and what is asked of it; so much may wait, beyond it is refused.
    pub(super) fn new(life: u64, node: Arc<Node>, requests_max: usize) -> (Self, mpsc::Receiver<Job>) {
        let (door, requests) = mpsc::channel(requests_max);
        (Self { life, node, door }, requests)
    }

    /// Has the node do something, on its machine.
    pub(crate) async fn ask<T, F>(&self, work: impl FnOnce(Arc<Node>) -> F + Send + 'static) -> Reply<T>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |node| {
            Box::pin(async move {
                // Whoever asked may be gone.
                answer.send(work(node).await).ok();
            })
        });
        if self.door.try_send(job).is_err() {
            return Reply::Unreachable;
        }
        match tokio::time::timeout(PATIENCE, answered).await {
            Ok(Ok(answer)) => Reply::Answer(answer),
            Ok(Err(_)) | Err(_) => Reply::Lost,
        }
    }
}

/// Has the node do what is asked, until nobody can ask any more.
pub(super) async fn serve_requests(mut requests: mpsc::Receiver<Job>, node: Arc<Node>, tasks: Tasks) {
    while let Some(job) = requests.recv().await {
        tasks.spawn("client", job(node.clone()));
    }
}
