//! Puts together how far this node is.

use crate::{
    FollowerStanding, Role, Standing,
    contact::{Contacts, LEASE},
    engine::Raft,
    status::Status,
};
use muster_model::NodeId;
use openraft::ServerState;
use std::time::Duration;

/// How far a node is, as of now.
pub(crate) fn standing(own: NodeId, raft: Option<&Raft>, status: &Status, contacts: &Contacts) -> Standing {
    let applied = status.applied_next().saturating_sub(1);
    let committed = status.committed_next().saturating_sub(1).max(applied);
    let Some(raft) = raft else {
        return Standing { applied, committed, last_index: committed, ..Standing::default() };
    };
    let metrics = raft.metrics();
    let metrics = metrics.borrow();
    let membership = metrics.membership_config.membership();
    let role = role(metrics.state);
    let since = if role == Role::Leader {
        contacts.since_majority(own.0, membership)
    } else if metrics.current_leader.is_some() {
        contacts.since_leader()
    } else {
        contacts.since_leader().max(LEASE)
    };
    let is_led = since < LEASE;
    let replication = metrics.replication.iter().flatten();
    let followers = replication.filter(|(node, _)| **node != own.0).map(|(node, matched)| FollowerStanding {
        node: NodeId(*node),
        matched: matched.map(|id| id.index),
        last_contact_ms: contacts.follower(*node).map(|answer| millis(answer.sent.elapsed())),
        level: contacts.follower(*node).map_or(0, |answer| answer.level),
    });
    Standing {
        role,
        leader: metrics.current_leader.filter(|_| is_led).map(NodeId),
        term: metrics.vote.leader_id.term,
        last_index: metrics.last_log_index.unwrap_or(0),
        committed,
        applied,
        followers: followers.collect(),
        without_leader_ms: (!is_led).then(|| millis(since)),
    }
}

fn role(state: ServerState) -> Role {
    match state {
        ServerState::Leader => Role::Leader,
        ServerState::Candidate => Role::Candidate,
        ServerState::Follower => Role::Follower,
        ServerState::Learner | ServerState::Shutdown => Role::Learner,
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
