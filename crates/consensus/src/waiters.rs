//! Those who wait for the results of one log entry.

use crate::{ProposeError, pipeline::Pipeline};
use bytes::Bytes;
use parking_lot::Mutex;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};
use tokio::sync::oneshot;

/// What an operation came to, and in which entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Applied {
    pub(crate) index: u64,
    pub(crate) result: Bytes,
}

/// Where one proposer waits for its result.
pub(crate) type Answer = oneshot::Sender<Result<Applied, ProposeError>>;

/// What became of one operation of an entry; `None`: it may have been applied before, nobody knows any more.
pub(crate) type Outcome = Option<Bytes>;

/// The proposers of one entry, in the order of its operations. Whoever settles them first wins; when the last
/// handle is dropped unsettled, nobody knows what became of the entry, and they are told so; or that it was refused, if
/// it never came to the log.
pub(crate) struct Waiters {
    answers: Mutex<Option<Vec<Answer>>>,
    /// Whether the entry went to the log: only then it may take effect.
    is_logged: AtomicBool,
    bytes: usize,
    pipeline: Arc<Pipeline>,
}

impl Waiters {
    /// Proposers of an entry whose operations hold `bytes` of the queue's room.
    pub(crate) fn new(answers: Vec<Answer>, bytes: usize, pipeline: Arc<Pipeline>) -> Arc<Self> {
        let answers = Mutex::new(Some(answers));
        Arc::new(Self { answers, is_logged: AtomicBool::new(false), bytes, pipeline })
    }

    /// The entry goes to the log: what becomes of it is unknown from now on.
    pub(crate) fn logged(&self) {
        self.is_logged.store(true, Relaxed);
    }

    /// Gives each proposer its result.
    pub(crate) fn answer(&self, index: u64, results: Vec<Outcome>) {
        let Some(answers) = self.answers.lock().take() else { return };
        assert_eq!(answers.len(), results.len(), "every operation of an entry has one result");
        for (answer, result) in answers.into_iter().zip(results) {
            // A proposer that is gone does not want its result.
            let applied = result.map(|result| Applied { index, result });
            answer.send(applied.ok_or(ProposeError::Timeout)).ok();
        }
        self.pipeline.settled(self.bytes);
    }

    /// Tells each proposer why there is no result.
    pub(crate) fn fail(&self, error: &ProposeError) {
        let Some(answers) = self.answers.lock().take() else { return };
        for answer in answers {
            answer.send(Err(error.clone())).ok();
        }
        self.pipeline.settled(self.bytes);
    }
}

impl Drop for Waiters {
    fn drop(&mut self) {
        let is_logged = self.is_logged.load(Relaxed);
        self.fail(&if is_logged { ProposeError::Timeout } else { ProposeError::NotLeader { leader: None } });
    }
}
