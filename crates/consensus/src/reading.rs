//! Up to which entry a linearizable read must have applied.

use crate::{
    ProposeError, barrier::Barrier, engine::EngineParts, forward_wire::Request, forwarder::Forwarder,
};
use muster_model::NodeId;
use openraft::error::{CheckIsLeaderError, RaftError};
use std::sync::Arc;
use tokio::time::Instant;

/// Asks for the read index, once for all who ask at the same time.
#[derive(Default)]
pub(crate) struct ReadIndex {
    /// Of this node's own readers.
    here: Barrier<u64>,
    /// Of all readers, at the leader.
    leader: Barrier<u64>,
}

impl ReadIndex {
    /// As the leader: what is committed, after a majority has confirmed that this node still leads.
    pub(crate) async fn at_leader(&self, parts: &EngineParts) -> Result<u64, ProposeError> {
        let raft = parts.raft.get().ok_or(ProposeError::Unavailable("starting"))?;
        let round = async {
            let (read, _) = raft.get_read_log_id().await.map_err(refusal)?;
            Ok(read.map_or(0, |read| read.index))
        };
        self.leader.pass(round).await
    }

    /// On any node: the index, tried until a moment.
    pub(crate) async fn anywhere(
        &self,
        own: NodeId,
        parts: &EngineParts,
        forwarder: &Arc<Forwarder>,
        deadline: Instant,
    ) -> Result<u64, ProposeError> {
        let round = async {
            loop {
                match self.once(own, parts, forwarder, deadline).await {
                    Err(ProposeError::NotLeader { .. }) if !parts.status.is_stopping() => {
                        parts.wait_for_leader().await;
                    }
                    other => return other,
                }
            }
        };
        let passed = tokio::time::timeout_at(deadline, self.here.pass(round)).await;
        passed.unwrap_or(Err(ProposeError::Unavailable("no majority answers")))
    }
}

impl ReadIndex {
    async fn once(
        &self,
        own: NodeId,
        parts: &EngineParts,
        forwarder: &Forwarder,
        deadline: Instant,
    ) -> Result<u64, ProposeError> {
        match parts.current_leader() {
            None => Err(ProposeError::NotLeader { leader: None }),
            Some(leader) if leader == own => self.at_leader(parts).await,
            Some(_) => {
                let request = Request { read_index: true, ..Default::default() };
                let asked = forwarder.ask(request, deadline).await;
                // To ask twice does no harm.
                let answer = asked.map_err(|_| ProposeError::NotLeader { leader: None })?;
                answer.read().map(|applied| applied.index)
            }
        }
    }
}

fn refusal(error: RaftError<u64, CheckIsLeaderError<u64, openraft::BasicNode>>) -> ProposeError {
    match error {
        RaftError::APIError(CheckIsLeaderError::ForwardToLeader(forward)) => {
            ProposeError::NotLeader { leader: forward.leader_id.map(NodeId) }
        }
        // It may still be the leader and reach a majority later, or there will be another one.
        RaftError::APIError(CheckIsLeaderError::QuorumNotEnough(_)) => {
            ProposeError::NotLeader { leader: None }
        }
        RaftError::Fatal(_) => ProposeError::Unavailable("consensus has stopped"),
    }
}
