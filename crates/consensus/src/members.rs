//! Who takes part, and how far everybody is.

use crate::types::StoredMembership;
use muster_model::NodeId;
use std::collections::{BTreeMap, BTreeSet};

/// How a node that has no log yet comes into its group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bootstrap {
    /// As a group of one, which others may join later.
    Alone {
        /// Where peers reach this node; empty while it has no address for them.
        address: String,
    },
    /// Together with others, all of which begin with exactly these voters and their addresses.
    Members(BTreeMap<NodeId, String>),
    /// Not by itself: it waits for a leader that adds it.
    Join,
}

/// The members as of the last applied entry; the same on all nodes that have applied as much.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members {
    /// Who votes. While voters are being changed, those before and those after the change.
    pub voters: BTreeSet<NodeId>,
    /// Who only receives entries.
    pub learners: BTreeSet<NodeId>,
    /// Where peers reach each of them; empty where that was not said.
    pub addresses: BTreeMap<NodeId, String>,
    /// Whether voters are being changed: both the old and the new ones must agree to anything.
    pub is_joint: bool,
}

impl Members {
    pub(crate) fn new(stored: &StoredMembership) -> Self {
        let membership = stored.membership();
        Self {
            voters: membership.voter_ids().map(NodeId).collect(),
            learners: membership.learner_ids().map(NodeId).collect(),
            addresses: membership.nodes().map(|(id, node)| (NodeId(*id), node.addr.clone())).collect(),
            is_joint: membership.get_joint_config().len() > 1,
        }
    }

    /// How many voters may fail at once so that writes still go on.
    pub fn survivable_losses(&self) -> usize {
        self.voters.len().saturating_sub(1) / 2
    }
}

/// What a node does in its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Role {
    /// Receives entries, does not vote. Also a node that nobody has added yet.
    #[default]
    Learner,
    /// Votes and follows.
    Follower,
    /// Asks for votes.
    Candidate,
    /// Leads.
    Leader,
}

/// How far this node is, and what it knows of the others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// What this node does.
    pub role: Role,
    /// Who leads, if that is known. Itself only while a majority answers.
    pub leader: Option<NodeId>,
    /// The newest term this node has heard of.
    pub term: u64,
    /// The last entry in its log.
    pub last_index: u64,
    /// The last entry it knows to be committed.
    pub committed: u64,
    /// The last entry it has applied.
    pub applied: u64,
    /// The other members, as the leader sees them; empty on other nodes.
    pub followers: Vec<FollowerStanding>,
    /// For how long no leader was heard, or, on a leader, no majority answered: everything this node shows may be
    /// older than that. `None` while there is a leader.
    pub without_leader_ms: Option<u64>,
}

/// How far another member is, as the leader knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FollowerStanding {
    /// Which.
    pub node: NodeId,
    /// The last entry that is known to be in its log as in the leader's.
    pub matched: Option<u64>,
    /// How long ago it answered last; `None`: never, in this life of the leader.
    pub last_contact_ms: Option<u64>,
    /// The newest format level that it knows; 0 before its first answer.
    pub level: u32,
}
