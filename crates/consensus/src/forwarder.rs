//! Takes what this node may not decide to the leader.

use crate::{
    ProposeError, Settings,
    engine::Raft,
    forward_wire::{AnswerBody, OpBody, Request, Response},
    network::Peers,
    pipeline::{OP_OVERHEAD, Pushed},
    requests::RequestId,
    waiters::Answer,
};
use bytes::Bytes;
use muster_model::NodeId;
use muster_peer::{Link, Purpose};
use muster_runtime::Tasks;
use parking_lot::Mutex;
use prost::Message as _;
use std::{
    collections::VecDeque,
    sync::{Arc, OnceLock},
    time::Duration,
};
use tokio::{
    sync::{Notify, oneshot},
    time::Instant,
};

/// Links that carry operations, each with one frame under way at most.
const CARRIERS: usize = 2;

/// Operations on their way to the leader, and questions to it.
pub(crate) struct Forwarder {
    own: u64,
    settings: Settings,
    peers: Arc<Peers>,
    raft: Arc<OnceLock<Raft>>,
    queue: Mutex<Queue>,
    came: Notify,
    /// A link for questions, while nobody asks.
    idle: Mutex<Option<(u64, Link)>>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    bytes: usize,
}

struct Waiting {
    id: RequestId,
    op: Bytes,
    deadline: Instant,
    answer: Answer,
}

/// Why the leader did not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unanswered {
    /// It did not get the question.
    NotAsked,
    /// It may have got it.
    Unknown,
}

impl From<Unanswered> for ProposeError {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered {
            Unanswered::NotAsked => Self::NotLeader { leader: None },
            Unanswered::Unknown => Self::Timeout,
        }
    }
}

impl Forwarder {
    pub(crate) fn new(settings: &Settings, peers: Arc<Peers>, raft: Arc<OnceLock<Raft>>) -> Arc<Self> {
        Arc::new(Self {
            own: settings.node.0,
            settings: settings.clone(),
            peers,
            raft,
            queue: Mutex::default(),
            came: Notify::new(),
            idle: Mutex::default(),
        })
    }

    /// Starts the tasks that carry.
    pub(crate) fn start(self: &Arc<Self>, tasks: &Tasks) {
        if self.peers.links.is_none() {
            return;
        }
        for _ in 0..CARRIERS {
            let (this, stopping) = (self.clone(), tasks.stopping());
            tasks.spawn("forwarding", async move {
                tokio::select! {
                    biased;
                    () = stopping.cancelled() => {}
                    () = this.carry() => {}
                }
            });
        }
    }

    /// Queues an operation for the leader.
    pub(crate) fn push(&self, id: RequestId, op: Bytes, deadline: Instant) -> Result<Pushed, ProposeError> {
        let (answer, pushed) = oneshot::channel();
        let mut queue = self.queue.lock();
        let room = op.len() + OP_OVERHEAD;
        if queue.bytes > 0 && queue.bytes + room > self.settings.queue_bytes_max {
            return Err(ProposeError::Overloaded { queued_bytes: queue.bytes });
        }
        queue.bytes += room;
        queue.waiting.push_back(Waiting { id, op, deadline, answer });
        drop(queue);
        self.came.notify_one();
        Ok(pushed)
    }

    /// Asks the leader something, at most until a moment.
    pub(crate) async fn ask(&self, request: Request, deadline: Instant) -> Result<AnswerBody, Unanswered> {
        let (leader, address) = self.leader().ok_or(Unanswered::NotAsked)?;
        let kept = self.idle.lock().take().filter(|(node, _)| *node == leader);
        let mut link = match kept {
            Some((_, link)) => link,
            None => self.connect(leader, &address).await?,
        };
        let mut response = self.exchange(&mut link, leader, &request, deadline).await?;
        *self.idle.lock() = Some((leader, link));
        response.answers.pop().ok_or(Unanswered::Unknown)
    }

    async fn carry(&self) {
        let mut link = None;
        loop {
            let batch = self.next().await;
            match self.carry_batch(&mut link, &batch).await {
                Ok(answers) => {
                    for (waiting, answer) in batch.into_iter().zip(answers) {
                        // Who does not wait any more does not want it.
                        waiting.answer.send(answer.read()).ok();
                    }
                }
                Err(unanswered) => {
                    link = None;
                    for waiting in batch {
                        waiting.answer.send(Err(unanswered.into())).ok();
                    }
                }
            }
        }
    }

    /// What waits and fits into one entry; at least one.
    async fn next(&self) -> Vec<Waiting> {
        loop {
            let came = self.came.notified();
            {
                let mut queue = self.queue.lock();
                let mut bytes = 0;
                let fitting = queue.waiting.iter().take(self.settings.entry_ops_max).take_while(|waiting| {
                    bytes += waiting.op.len();
                    bytes <= self.settings.entry_bytes_max
                });
                let count = fitting.count().max(1).min(queue.waiting.len());
                let batch: Vec<Waiting> = queue.waiting.drain(..count).collect();
                queue.bytes -= batch.iter().map(|waiting| waiting.op.len() + OP_OVERHEAD).sum::<usize>();
                if !queue.waiting.is_empty() {
                    self.came.notify_one();
                }
                if !batch.is_empty() {
                    return batch;
                }
            }
            came.await;
        }
    }

    async fn carry_batch(
        &self,
        link: &mut Option<(u64, Link)>,
        batch: &[Waiting],
    ) -> Result<Vec<AnswerBody>, Unanswered> {
        let (leader, address) = self.leader().ok_or(Unanswered::NotAsked)?;
        let mut used = match link.take().filter(|(node, _)| *node == leader) {
            Some((_, link)) => link,
            None => self.connect(leader, &address).await?,
        };
        let deadline = batch.iter().map(|waiting| waiting.deadline).max().unwrap_or_else(Instant::now);
        let wait = deadline.saturating_duration_since(Instant::now());
        let request = Request {
            ops: batch.iter().map(|waiting| OpBody::new(waiting.id, waiting.op.clone())).collect(),
            wait_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
            ..Default::default()
        };
        let response = self.exchange(&mut used, leader, &request, deadline).await?;
        *link = Some((leader, used));
        if response.answers.len() == batch.len() { Ok(response.answers) } else { Err(Unanswered::Unknown) }
    }

    async fn connect(&self, leader: u64, address: &str) -> Result<Link, Unanswered> {
        let links = self.peers.links.as_ref().ok_or(Unanswered::NotAsked)?;
        links.connect(Some(NodeId(leader)), address, Purpose::Forward).await.map_err(|error| {
            tracing::debug!(leader, %error, "the leader is not reached");
            Unanswered::NotAsked
        })
    }

    async fn exchange(
        &self,
        link: &mut Link,
        leader: u64,
        request: &Request,
        deadline: Instant,
    ) -> Result<Response, Unanswered> {
        let frame = request.encode_to_vec();
        let exchange = async {
            link.send(&frame).await.ok()?;
            link.receive().await.ok()?
        };
        let frame = tokio::select! {
            biased;
            frame = exchange => frame,
            () = self.is_replaced(leader) => None,
            // A little later than the leader, whose answer is better than none.
            () = tokio::time::sleep_until(deadline + Duration::from_millis(50)) => None,
        };
        let response = frame.and_then(|frame| Response::decode(frame).ok());
        response.ok_or(Unanswered::Unknown)
    }

    /// Another node to ask, and its address.
    fn leader(&self) -> Option<(u64, String)> {
        let metrics = self.raft.get()?.server_metrics();
        let metrics = metrics.borrow();
        let leader = metrics.current_leader.filter(|leader| *leader != self.own)?;
        let node = metrics.membership_config.membership().get_node(&leader)?;
        Some((leader, node.addr.clone()))
    }

    /// Waits until somebody else leads, or nobody.
    async fn is_replaced(&self, leader: u64) {
        let Some(raft) = self.raft.get() else { return };
        let mut metrics = raft.server_metrics();
        // It ends when the engine does.
        metrics.wait_for(|metrics| metrics.current_leader != Some(leader)).await.ok();
    }
}
