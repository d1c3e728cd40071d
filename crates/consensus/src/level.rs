//! Which formats nodes may write, so that programs of different ages can work together.
//!
//! The level in force is replicated state. A new group starts at the newest level that its nodes know; one that was
//! begun by an older program stays at its level, so that going back to that program works, until it is raised.

use crate::{
    ProposeError, contact::LEASE, engine::EngineParts, entry::encode_level, forward_wire::Request,
    forwarder::Forwarder, types::Batch, waiters::Applied,
};
use bytes::Bytes;
use muster_model::NodeId;
use std::collections::BTreeSet;
use tokio::time::{Instant, timeout_at};

/// The newest level that this program knows. 1: entries without request ids. 2: with them.
pub const NEWEST: u32 = if cfg!(feature = "previous-format") { 1 } else { 2 };

/// Raises the level from any node, again and again until a moment while nobody leads: to raise it twice does no harm.
pub(crate) async fn raise_anywhere(
    own: NodeId,
    parts: &EngineParts,
    forwarder: &Forwarder,
    level: u32,
    deadline: Instant,
) -> Result<Applied, ProposeError> {
    loop {
        let raised = if parts.current_leader() == Some(own) {
            let raised = timeout_at(deadline, raise(own, parts, level)).await;
            raised.unwrap_or(Err(ProposeError::Timeout))
        } else {
            ask(forwarder, level, deadline).await
        };
        let is_late = Instant::now() >= deadline || parts.status.is_stopping();
        match raised {
            Err(ProposeError::NotLeader { .. }) if is_late => return Err(ProposeError::LEADERLESS),
            Err(ProposeError::NotLeader { .. }) => parts.wait_for_leader().await,
            raised => return raised,
        }
    }
}

async fn ask(forwarder: &Forwarder, level: u32, deadline: Instant) -> Result<Applied, ProposeError> {
    let wait_ms = deadline.saturating_duration_since(Instant::now()).as_millis() as u64;
    let request = Request { level: Some(level), wait_ms, ..Default::default() };
    match forwarder.ask(request, deadline).await?.read() {
        // Answers carry no words.
        Err(ProposeError::Unavailable(_)) => {
            let why = "the leader does not know yet that every member knows that format level";
            Err(ProposeError::Unavailable(why))
        }
        answered => answered,
    }
}

/// Raises the level, as the leader, if every member knows the new one. It is in force when this returns.
pub(crate) async fn raise(own: NodeId, parts: &EngineParts, level: u32) -> Result<Applied, ProposeError> {
    let raft = parts.raft.get().ok_or(ProposeError::Unavailable("starting"))?;
    if level > parts.known_level {
        return Err(ProposeError::Unavailable("this program does not know that format level"));
    }
    let others: BTreeSet<u64> = {
        let metrics = raft.server_metrics();
        let metrics = metrics.borrow();
        metrics.membership_config.nodes().map(|(id, _)| *id).filter(|id| *id != own.0).collect()
    };
    // Not what it knew before it was replaced by an older program.
    let knows = |node: &u64| {
        let answer = parts.contacts.follower(*node);
        answer.is_some_and(|answer| answer.level >= level && answer.sent.elapsed() < LEASE)
    };
    if !others.iter().all(knows) {
        return Err(ProposeError::Unavailable("not every member is known to know that format level"));
    }
    if parts.status.level() < level {
        let batch = Batch::new(encode_level(level), None);
        let answer = raft.client_write_ff(batch).await.map_err(|_| stopped())?;
        let written = answer.await.map_err(|_| ProposeError::Timeout)?;
        let written = written.map_err(|_| ProposeError::NotLeader { leader: None })?;
        return Ok(Applied { index: written.log_id.index, result: Bytes::new() });
    }
    Ok(Applied { index: parts.status.applied_next().saturating_sub(1), result: Bytes::new() })
}

fn stopped() -> ProposeError {
    ProposeError::Unavailable("consensus has stopped")
}
