//! When this node asks for votes.
//!
//! openraft counts up its term with every campaign, so that a node that was cut off would come back with a term that ends
//! the reign of a leader that everybody else hears. So its own timer is off, and this one asks first whether a majority
//! would grant the vote; who hears a leader would not.

use crate::{
    Bootstrap, Settings,
    contact::LEASE,
    engine::{EngineParts, Raft},
    level,
    types::{Membership, Vote},
    wire::{AskVote, Request},
};
use futures_util::{StreamExt as _, stream::FuturesUnordered};
use muster_model::NodeId;
use muster_runtime::Rng;
use openraft::{ChangeMembers, ServerState, raft::VoteRequest};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tokio::time::Instant;

/// How often it is looked whether there is a leader.
const LOOK: Duration = Duration::from_millis(50);
/// A node asks for votes when it was without a leader for the lease and a draw between these.
const DELAY_MIN_MS: u64 = 100;
const DELAY_MAX_MS: u64 = 1_000;
/// How long the answers may take, ...
const ASK_WITHIN: Duration = Duration::from_millis(700);
/// ... and at most if nobody answers at all: twice as long each time. A machine may be too busy to make a link in less.
const ASK_WITHIN_MAX: Duration = Duration::from_secs(3);
/// By so many delays of its own a node that gets no leader by its campaigns puts off the next one at most: votes that
/// come in late would be for an earlier one.
const DELAYS_MAX: u32 = 4;
/// How often a leader looks for what another one left unfinished.
const TIDY: Duration = Duration::from_millis(500);
/// How long a node without disk space leaves it to others to lead.
const FULL_PATIENCE: Duration = Duration::from_secs(10);

/// Watches over the leadership.
pub(crate) struct Elections {
    pub(crate) own: u64,
    level: u32,
    /// Whether this life began the group. Its first operations may come before all have answered, and the level with them.
    founds: bool,
    raft: Raft,
    parts: EngineParts,
    rng: Rng,
    /// When it was looked for unfinished things.
    tidied: Instant,
    /// Questions to which nobody answered, one after the other.
    unanswered: u32,
    /// Campaigns since there was a leader.
    campaigns: u32,
    /// The leader that was logged last.
    told: Option<u64>,
    /// The members, if they were being changed then.
    joint: Option<Membership>,
}

impl Elections {
    pub(crate) fn new(settings: &Settings, raft: Raft, parts: EngineParts, rng: Rng) -> Self {
        let (own, level) = (settings.node.0, settings.level);
        let founds = matches!(settings.bootstrap, Bootstrap::Members(_)) && parts.status.is_pristine();
        let (unanswered, campaigns, told, joint) = (0, 0, None, None);
        let tidied = Instant::now();
        Self { own, level, founds, raft, parts, rng, tidied, unanswered, campaigns, told, joint }
    }

    /// Goes on until it is dropped.
    pub(crate) async fn run(mut self) {
        let mut delay = self.draw();
        let mut put_off = Instant::now();
        loop {
            tokio::time::sleep(LOOK).await;
            let (state, membership, vote, leader) = {
                let metrics = self.raft.server_metrics();
                let metrics = metrics.borrow();
                let membership = metrics.membership_config.membership().clone();
                (metrics.state, membership, metrics.vote, metrics.current_leader)
            };
            self.tell(leader, vote);
            if state == ServerState::Leader {
                self.campaigns = 0;
                self.lead(&membership, vote);
                self.tidy_up(&membership).await;
                continue;
            }
            self.resign(false);
            let is_voter = membership.voter_ids().any(|voter| voter == self.own);
            let since = self.parts.contacts.since_leader();
            if since < LEASE {
                self.campaigns = 0;
            }
            let is_full = self.is_full() && since < FULL_PATIENCE;
            if !is_voter || since < LEASE + delay || Instant::now() < put_off || is_full {
                continue;
            }
            delay = self.draw();
            if self.may_win(&membership, vote).await {
                self.campaigns = DELAYS_MAX.min(self.campaigns + 1);
                if self.raft.trigger().elect().await.is_err() {
                    return;
                }
            }
            // Time for the votes to come in, and for others to try if they do not.
            put_off = Instant::now() + delay * self.campaigns.max(1);
        }
    }

    /// openraft's own words go nowhere: it says much, and calls a peer that is down an error each time.
    fn tell(&mut self, leader: Option<u64>, vote: Vote) {
        if std::mem::replace(&mut self.told, leader) == leader {
            return;
        }
        match leader {
            Some(leader) => tracing::info!(leader, term = vote.leader_id.term, "a node leads"),
            None => tracing::warn!(term = vote.leader_id.term, "no node leads"),
        }
    }

    fn draw(&mut self) -> Duration {
        Duration::from_millis(DELAY_MIN_MS + self.rng.below(DELAY_MAX_MS - DELAY_MIN_MS))
    }

    fn is_full(&self) -> bool {
        self.parts.status.is_waiting_for_space() || self.parts.space.is_full()
    }

    /// A leader without disk space leaves its place to one that has some.
    fn lead(&self, membership: &Membership, vote: Vote) {
        let last = self.raft.data_metrics().borrow().last_applied;
        if let Some(last) = last.filter(|last| last.leader_id.term == vote.leader_id.term) {
            // What it has applied of its own term covers all that was acknowledged before.
            self.parts.status.set_ready_next(last.index + 1);
        }
        let has_room = |voter: u64| self.parts.contacts.follower(voter).is_some_and(|answer| answer.has_room);
        let has_successor = membership.voter_ids().any(|voter| voter != self.own && has_room(voter));
        self.resign(self.is_full() && has_successor);
    }

    /// What a leader finds unfinished: the level of a new group, and a change of voters whose leader is gone.
    async fn tidy_up(&mut self, membership: &Membership) {
        if self.tidied.elapsed() < TIDY {
            return;
        }
        self.tidied = Instant::now();
        let EngineParts { status, .. } = &self.parts;
        if (self.founds || status.is_pristine()) && status.level() < self.level && !self.is_full() {
            // Refused until all have answered once.
            let raise = level::raise(NodeId(self.own), &self.parts, self.level);
            drop(tokio::time::timeout(TIDY, raise).await);
        }
        let configs = membership.get_joint_config();
        if configs.len() > 1 && self.joint.as_ref() == Some(membership) {
            let voters = configs.last().cloned().unwrap_or_default();
            let change = self.raft.change_membership(ChangeMembers::ReplaceAllVoters(voters), true);
            drop(tokio::time::timeout(TIDY, change).await);
        }
        self.joint = (configs.len() > 1).then(|| membership.clone());
    }

    fn resign(&self, is_resigning: bool) {
        if self.parts.contacts.is_resigning() != is_resigning {
            if is_resigning {
                tracing::warn!("this node has no disk space left, another one is to lead");
            }
            self.raft.runtime_config().heartbeat(!is_resigning);
            self.parts.contacts.set_resigning(is_resigning);
        }
    }

    /// Whether a majority would vote for this node.
    async fn may_win(&mut self, membership: &Membership, vote: Vote) -> bool {
        let within = (ASK_WITHIN * 2_u32.pow(self.unanswered.min(8))).min(ASK_WITHIN_MAX);
        let (is_granted, is_answered) = self.ask(membership, vote, within).await;
        self.unanswered = if is_answered { 0 } else { self.unanswered + 1 };
        is_granted
    }

    /// Asks all others for that. Whether a majority said so, and whether anybody said anything, for which alone it is waited
    /// longer than [`ASK_WITHIN`].
    async fn ask(&self, membership: &Membership, vote: Vote, within: Duration) -> (bool, bool) {
        let last = self.raft.data_metrics().borrow().last_log;
        let request = VoteRequest::new(Vote::new(vote.leader_id.term + 1, self.own), last);
        let addresses: BTreeMap<u64, String> =
            membership.nodes().map(|(id, node)| (*id, node.addr.clone())).collect();
        let mut asked: FuturesUnordered<_> = membership
            .voter_ids()
            .filter(|voter| *voter != self.own)
            .map(|voter| {
                let request = Request { would_vote: Some(AskVote::new(&request)), ..Default::default() };
                let address = addresses.get(&voter).cloned().unwrap_or_default();
                async move { (voter, self.parts.peers.ask(voter, &address, request).await) }
            })
            .collect();
        let mut granted = BTreeSet::from([self.own]);
        let (begun, mut is_answered) = (Instant::now(), false);
        while !is_majority(membership, &granted) {
            let until = begun + if is_answered { ASK_WITHIN } else { within };
            let Ok(Some((voter, answer))) = tokio::time::timeout_at(until, asked.next()).await else {
                return (false, is_answered);
            };
            match answer {
                Ok(response) => {
                    is_answered = true;
                    if response.would_vote == Some(true) {
                        granted.insert(voter);
                    }
                }
                Err(error) => tracing::debug!(voter, %error, "a voter was not reached"),
            }
        }
        (true, is_answered)
    }
}

/// Whether these are a majority, of both the old and the new voters while they are being changed.
fn is_majority(membership: &Membership, nodes: &BTreeSet<u64>) -> bool {
    let is_majority_of = |voters: &BTreeSet<u64>| voters.intersection(nodes).count() > voters.len() / 2;
    membership.get_joint_config().iter().all(is_majority_of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn while_voters_are_changed_both_majorities_count() {
        let membership = Membership::new(vec![BTreeSet::from([1]), BTreeSet::from([1, 2, 3])], ());
        let is = |nodes: &[u64]| is_majority(&membership, &nodes.iter().copied().collect());
        assert!(is(&[1, 2]) && is(&[1, 3]));
        assert!(!is(&[2, 3]), "not of the old ones");
        assert!(!is(&[1]), "not of the new ones");
    }
}
