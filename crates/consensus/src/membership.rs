//! Changing who takes part. All of it happens at the leader.

use crate::{
    ProposeError,
    engine::{EngineParts, Raft},
    forward_wire::{ChangeBody, Request},
    forwarder::Forwarder,
};
use muster_model::NodeId;
use openraft::{
    BasicNode, ChangeMembers,
    error::{ChangeMembershipError, ClientWriteError, RaftError},
};
use std::collections::{BTreeMap, BTreeSet};
use tokio::time::Instant;

/// A change of the members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// A node receives entries from now on.
    AddLearner(NodeId, String),
    /// Exactly these vote; whoever voted before becomes a learner.
    SetVoters(BTreeSet<NodeId>),
    /// A node is no member any more.
    Remove(NodeId),
    /// A member is reached elsewhere.
    SetAddress(NodeId, String),
}

/// Why the members were not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// There is no leader to do it, or its answer did not come; the change may or may not have been made.
    #[error(transparent)]
    Propose(#[from] ProposeError),
    /// An earlier change is not finished. Try again.
    #[error("another change of the members is not finished yet")]
    Busy,
    /// Only members can become voters.
    #[error("node {} is not a member", .0.0)]
    UnknownNode(NodeId),
    /// No voter would be left.
    #[error("no voter would be left")]
    NoVoters,
}

/// Makes a change at the leader. It is committed when this returns.
pub(crate) async fn make(raft: &Raft, change: Change) -> Result<(), ChangeError> {
    let (first, retain) = match change {
        Change::AddLearner(node, address) => {
            let nodes = BTreeMap::from([(node.0, BasicNode::new(address))]);
            (ChangeMembers::AddNodes(nodes), true)
        }
        Change::SetAddress(node, address) => {
            let metrics = raft.server_metrics();
            if metrics.borrow().membership_config.membership().get_node(&node.0).is_none() {
                return Err(ChangeError::UnknownNode(node));
            }
            let nodes = BTreeMap::from([(node.0, BasicNode::new(address))]);
            (ChangeMembers::SetNodes(nodes), true)
        }
        Change::SetVoters(voters) => {
            (ChangeMembers::ReplaceAllVoters(voters.into_iter().map(|node| node.0).collect()), true)
        }
        Change::Remove(node) => {
            let gone = BTreeSet::from([node.0]);
            let (is_voter, is_member) = {
                let metrics = raft.server_metrics();
                let metrics = metrics.borrow();
                let membership = metrics.membership_config.membership();
                (membership.voter_ids().any(|id| id == node.0), membership.get_node(&node.0).is_some())
            };
            match (is_voter, is_member) {
                (true, _) => (ChangeMembers::RemoveVoters(gone), false),
                (false, true) => (ChangeMembers::RemoveNodes(gone), true),
                // It was done before.
                (false, false) => return Ok(()),
            }
        }
    };
    raft.change_membership(first, retain).await.map(drop).map_err(refusal)
}

/// Makes a change from any node, again and again until a moment: to make one twice does no harm.
pub(crate) async fn make_anywhere(
    own: NodeId,
    parts: &EngineParts,
    forwarder: &Forwarder,
    change: Change,
    deadline: Instant,
) -> Result<(), ChangeError> {
    let mut last = ChangeError::Propose(ProposeError::LEADERLESS);
    while Instant::now() < deadline && !parts.status.is_stopping() {
        let left = deadline.saturating_duration_since(Instant::now());
        let made = match (parts.current_leader(), parts.raft.get()) {
            (Some(leader), Some(raft)) if leader == own => {
                let made = tokio::time::timeout_at(deadline, make(raft, change.clone())).await;
                made.unwrap_or_else(|_| Err(ProposeError::Timeout.into()))
            }
            (Some(_), _) => {
                let request = Request {
                    change: Some(ChangeBody::new(&change)),
                    wait_ms: left.as_millis() as u64,
                    ..Default::default()
                };
                match forwarder.ask(request, deadline).await {
                    Ok(answer) => answer.read_change(),
                    Err(unanswered) => Err(ProposeError::from(unanswered).into()),
                }
            }
            (None, _) => Err(ProposeError::NotLeader { leader: None }.into()),
        };
        last = match made {
            Err(ChangeError::Propose(ProposeError::NotLeader { .. })) => last,
            Err(again @ (ChangeError::Propose(ProposeError::Timeout) | ChangeError::Busy)) => again,
            other => return other,
        };
        parts.wait_for_leader().await;
    }
    Err(last)
}

fn refusal(error: RaftError<u64, ClientWriteError<u64, BasicNode>>) -> ChangeError {
    match error {
        RaftError::APIError(ClientWriteError::ForwardToLeader(forward)) => {
            ProposeError::NotLeader { leader: forward.leader_id.map(NodeId) }.into()
        }
        RaftError::APIError(ClientWriteError::ChangeMembershipError(error)) => match error {
            ChangeMembershipError::InProgress(_) => ChangeError::Busy,
            ChangeMembershipError::EmptyMembership(_) => ChangeError::NoVoters,
            ChangeMembershipError::LearnerNotFound(missing) => {
                ChangeError::UnknownNode(NodeId(missing.node_id))
            }
        },
        RaftError::Fatal(_) => ProposeError::Unavailable("consensus has stopped").into(),
    }
}
