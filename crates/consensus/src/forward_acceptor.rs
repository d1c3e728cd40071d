//! Does at the leader what other nodes ask it for.

use crate::{
    ProposeError,
    engine::EngineParts,
    forward_wire::{AnswerBody, ChangeBody, OpBody, Request, Response},
    level, membership,
    pipeline::Pushed,
    reading::ReadIndex,
    waiters::Applied,
};
use bytes::Bytes;
use muster_model::NodeId;
use muster_peer::{Acceptor, Link};
use muster_runtime::net::BoxFuture;
use prost::Message as _;
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// Serves links for `Purpose::Forward`.
pub(crate) struct ForwardAcceptor {
    pub(crate) own: NodeId,
    pub(crate) parts: EngineParts,
    pub(crate) reading: Arc<ReadIndex>,
}

impl Acceptor for ForwardAcceptor {
    fn serve(self: Arc<Self>, mut link: Link) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            loop {
                let frame = tokio::select! {
                    biased;
                    () = self.parts.status.wait_ended() => return,
                    frame = link.receive() => frame,
                };
                let Ok(Some(frame)) = frame else { return };
                let Ok(request) = Request::decode(frame) else { return };
                let response = Response { answers: self.answer(request).await };
                if link.send(&response.encode_to_vec()).await.is_err() {
                    return;
                }
            }
        })
    }
}

impl ForwardAcceptor {
    async fn answer(&self, request: Request) -> Vec<AnswerBody> {
        let Request { ops, wait_ms, read_index, change, level } = request;
        let deadline = Instant::now() + Duration::from_millis(wait_ms.min(WAIT_MAX_MS));
        if read_index {
            let index = self.reading.at_leader(&self.parts).await;
            return vec![AnswerBody::new(index.map(|index| Applied { index, result: Bytes::new() }))];
        }
        if let Some(change) = change {
            return vec![self.change(change, deadline).await];
        }
        if let Some(level) = level {
            let raised = self.within(deadline, level::raise(self.own, &self.parts, level)).await;
            return vec![AnswerBody::new(raised)];
        }
        self.propose(ops, deadline).await
    }

    async fn propose(&self, ops: Vec<OpBody>, deadline: Instant) -> Vec<AnswerBody> {
        let count = ops.len();
        let ops: Vec<_> = ops.into_iter().map(OpBody::read).collect();
        let bytes: usize = ops.iter().map(|(_, op)| op.len()).sum();
        if let Err(error) = self.may_propose(bytes as u64) {
            return (0..count).map(|_| AnswerBody::new(Err(error.clone()))).collect();
        }
        let pushed = self.parts.pipeline.push_all(ops.into_iter());
        let answers = pushed.into_iter().map(|pushed| self.within(deadline, settled(pushed)));
        futures_util::future::join_all(answers).await.into_iter().map(AnswerBody::new).collect()
    }

    fn may_propose(&self, bytes: u64) -> Result<(), ProposeError> {
        let leader = self.parts.current_leader();
        if leader != Some(self.own) || self.parts.contacts.is_resigning() {
            let leader = leader.filter(|leader| *leader != self.own);
            return Err(ProposeError::NotLeader { leader });
        }
        self.parts.check_room(bytes)
    }

    async fn change(&self, change: ChangeBody, deadline: Instant) -> AnswerBody {
        let (Some(change), Some(raft)) = (change.read(), self.parts.raft.get()) else {
            return AnswerBody::changed(Err(ProposeError::Unavailable("starting").into()));
        };
        let changed = tokio::time::timeout_at(deadline, membership::make(raft, change)).await;
        AnswerBody::changed(changed.unwrap_or_else(|_| Err(ProposeError::Timeout.into())))
    }

    async fn within<T>(
        &self,
        deadline: Instant,
        answer: impl Future<Output = Result<T, ProposeError>>,
    ) -> Result<T, ProposeError> {
        tokio::time::timeout_at(deadline, answer).await.unwrap_or(Err(ProposeError::Timeout))
    }
}

/// Nobody waits longer.
const WAIT_MAX_MS: u64 = 600_000;

/// What a pushed operation came to.
pub(crate) async fn settled(pushed: Result<Pushed, ProposeError>) -> Result<Applied, ProposeError> {
    // If the one who should answer is gone, nobody knows.
    pushed?.await.unwrap_or(Err(ProposeError::Timeout))
}
