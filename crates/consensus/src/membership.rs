//! Changing who takes part. All of it happens at the leader.

use crate::{ProposeError, engine::Raft};
use muster_model::NodeId;
use openraft::{
    BasicNode, ChangeMembers,
    error::{ChangeMembershipError, ClientWriteError, RaftError},
};
use std::collections::{BTreeMap, BTreeSet};

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
