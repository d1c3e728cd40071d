//! Brings an operation to whoever leads, again and again until it is applied or the time is over.

use crate::{
    ProposeError, engine::EngineParts, forward_acceptor::settled, forwarder::Forwarder, requests::RequestId,
    status::Phase, waiters::Applied,
};
use bytes::Bytes;
use muster_model::NodeId;
use muster_peer::FRAME_BYTES_MAX;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};
use tokio::time::Instant;

/// The largest operation: with what surrounds it, it must fit into a frame between nodes.
pub(crate) const OP_BYTES_MAX: usize = FRAME_BYTES_MAX - (64 << 10);

/// Proposes for this node's callers.
pub(crate) struct Proposer {
    pub(crate) own: NodeId,
    pub(crate) parts: EngineParts,
    pub(crate) forwarder: Arc<Forwarder>,
    /// Of this life; drawn at random.
    pub(crate) session: u64,
    pub(crate) next: AtomicU64,
}

impl Proposer {
    /// What the operation came to.
    pub(crate) async fn propose(&self, op: Bytes, deadline: Instant) -> Result<Bytes, ProposeError> {
        if op.len() > OP_BYTES_MAX {
            return Err(ProposeError::TooLarge { bytes_max: OP_BYTES_MAX });
        }
        match self.parts.status.phase() {
            Phase::Running => {}
            Phase::Starting => return Err(ProposeError::Unavailable("starting")),
            Phase::Stopped | Phase::Failed => {
                return Err(ProposeError::Unavailable("consensus has stopped"));
            }
        }
        self.parts.check_room(op.len() as u64)?;
        let id = RequestId { session: self.session, number: self.next.fetch_add(1, Relaxed) };
        let mut is_in_doubt = false;
        let tried =
            tokio::time::timeout_at(deadline, self.try_until(id, op, deadline, &mut is_in_doubt)).await;
        match tried {
            Ok(result) => result,
            Err(_) if is_in_doubt => Err(ProposeError::Timeout),
            Err(_) => Err(ProposeError::LEADERLESS),
        }
    }

    /// `is_in_doubt`: whether the operation may have been applied, so far.
    async fn try_until(
        &self,
        id: RequestId,
        op: Bytes,
        deadline: Instant,
        is_in_doubt: &mut bool,
    ) -> Result<Bytes, ProposeError> {
        let EngineParts { status, .. } = &self.parts;
        loop {
            // An entry without ids must not be proposed twice.
            let has_ids = status.level() >= 2 && status.has_peers();
            let was_in_doubt = std::mem::replace(is_in_doubt, true);
            match self.once(id, op.clone(), deadline).await {
                Ok(Applied { index, result }) => {
                    // A read of this node sees what was answered here.
                    let is_applied = status.wait_applied(index + 1).await;
                    return if is_applied { Ok(result) } else { Err(ProposeError::Timeout) };
                }
                Err(ProposeError::Timeout) if status.is_stopping() => return Err(ProposeError::Timeout),
                Err(_) if status.is_stopping() => {
                    let stopped = ProposeError::Unavailable("consensus has stopped");
                    return Err(if was_in_doubt { ProposeError::Timeout } else { stopped });
                }
                Err(ProposeError::NotLeader { .. }) => *is_in_doubt = was_in_doubt,
                Err(ProposeError::Timeout) if has_ids => {}
                Err(ProposeError::Timeout) => return Err(ProposeError::Timeout),
                Err(_) if was_in_doubt => {}
                Err(error) => return Err(error),
            }
            self.parts.wait_for_leader().await;
        }
    }

    async fn once(&self, id: RequestId, op: Bytes, deadline: Instant) -> Result<Applied, ProposeError> {
        match self.parts.current_leader() {
            Some(leader) if leader == self.own => settled(self.parts.pipeline.push(id, op)).await,
            Some(_) => settled(self.forwarder.push(id, op, deadline)).await,
            None => Err(ProposeError::NotLeader { leader: None }),
        }
    }
}
