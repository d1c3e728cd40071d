//! The ensemble as operators are shown it.

use super::{NodeFigures, Seen};
use crate::{Node, NodeError};
use muster_consensus::Role;
use muster_model::{NodeId, Timestamp};
use muster_registry::MirrorFigures;

/// A peer that answers no question in this many rounds is down; before that it is only suspected, as in Nacos
/// (`nacos.core.member.fail-access-cnt`).
const DOWN_AFTER: u32 = 3;

/// Whether a node answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerState {
    /// It answers, and answers clients.
    Up,
    /// It answers, and is not ready for clients yet.
    Starting,
    /// It did not answer the last question, or has not been asked yet.
    Suspicious,
    /// It has not answered for a while.
    Down,
}

impl PeerState {
    /// In one word, in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Starting => "starting",
            Self::Suspicious => "suspicious",
            Self::Down => "down",
        }
    }
}

/// The ensemble, as one node sees it.
#[derive(Clone, Debug)]
pub struct ClusterStatus {
    /// The node that says so.
    pub node: NodeId,
    /// What it does.
    pub role: Role,
    /// Who leads, if it knows one.
    pub leader: Option<NodeId>,
    /// The newest term it has heard of.
    pub term: u64,
    /// The last entry that it knows a majority has.
    pub committed: u64,
    /// For how long it has heard no leader, or as a leader no majority.
    pub without_leader_ms: Option<u64>,
    /// Whether voters are being changed right now.
    pub is_changing: bool,
    /// How many nodes vote.
    pub voters: usize,
    /// How many of them may fail at once, counted from now: those that do not answer have failed already. `None`: too many
    /// have failed, nothing durable can be written.
    pub survivable_losses: Option<usize>,
    /// The members, by id.
    pub members: Vec<MemberStatus>,
}

/// A member, as one node sees it.
#[derive(Clone, Debug)]
pub struct MemberStatus {
    /// Which.
    pub node: NodeId,
    /// Whether it votes.
    pub is_voter: bool,
    /// Whether it leads.
    pub is_leader: bool,
    /// Where peers reach it; blank if it has said none.
    pub address: String,
    /// Where clients reach it; blank if that is not known.
    pub client_address: String,
    /// Whether it answers.
    pub state: PeerState,
    /// Its version, as it said last; blank if it never did.
    pub version: String,
    /// Its last figures, if it ever answered this node.
    pub figures: Option<NodeFigures>,
    /// How long ago it answered; `None`: never. 0 for the node itself.
    pub seen_ms_ago: Option<u64>,
    /// Questions since then that it did not answer.
    pub failures: u32,
    /// How many entries it has yet to apply of those this node knows to be committed.
    pub lag: Option<u64>,
    /// When its certificate ends.
    pub certificate_until: Option<Timestamp>,
}

impl Node {
    /// The ensemble as this node has seen it last: within two seconds.
    pub fn cluster_status(&self) -> Result<ClusterStatus, NodeError> {
        let consensus = self.consensus()?;
        let (standing, members) = (consensus.standing(), consensus.members().borrow().clone());
        let (seen, records) = (self.peers.seen.lock().clone(), self.members_view());
        let member = |node: &NodeId| {
            let of = seen.get(node).cloned();
            let of = if *node == self.id { self.own_seen() } else { of.unwrap_or_default() };
            let applied = of.figures.as_ref().map(|figures| figures.applied);
            let record = records.members.get(node);
            let said = |text: Option<&String>| text.cloned().unwrap_or_default();
            MemberStatus {
                node: *node,
                is_voter: members.voters.contains(node),
                is_leader: standing.leader == Some(*node),
                address: members.addresses.get(node).cloned().unwrap_or_default(),
                client_address: said(record.map(|record| &record.is.client)),
                state: state(&of),
                seen_ms_ago: of.at.map(|at| self.now().mono.since(at)),
                failures: of.failures,
                lag: applied.map(|applied| standing.committed.saturating_sub(applied)),
                version: match of.figures.as_ref().filter(|figures| !figures.version.is_empty()) {
                    Some(figures) => figures.version.clone(),
                    None => said(record.map(|record| &record.is.version)),
                },
                // Links may be older than the certificate that a node has by now.
                certificate_until: (of.figures.as_ref().and_then(|figures| figures.certificate_until))
                    .or_else(|| self.links()?.certificate_until(*node)),
                figures: of.figures,
            }
        };
        let mut nodes: Vec<NodeId> = members.voters.iter().chain(&members.learners).copied().collect();
        nodes.sort_unstable();
        let members_shown: Vec<MemberStatus> = nodes.iter().map(member).collect();
        let answering =
            members_shown.iter().filter(|member| member.is_voter && member.state != PeerState::Down).count();
        let quorum = members.voters.len() / 2 + 1;
        Ok(ClusterStatus {
            node: self.id,
            role: standing.role,
            leader: standing.leader,
            term: standing.term,
            committed: standing.committed,
            without_leader_ms: standing.without_leader_ms,
            is_changing: members.is_joint,
            voters: members.voters.len(),
            survivable_losses: answering.checked_sub(quorum),
            members: members_shown,
        })
    }

    /// What is mirrored of other nodes' ephemeral publications, and what was told of ours.
    pub fn mirror_figures(&self) -> MirrorFigures {
        self.registry.lock().mirror_figures()
    }

    /// Lets the nodes write what only this version reads, once all of them can read it; gives the format level in force.
    /// Afterwards none of them can go back to the version before.
    pub async fn upgrade_cluster(&self) -> Result<u32, NodeError> {
        self.ready()?;
        Ok(self.consensus()?.raise_level().await?)
    }

    fn own_seen(&self) -> Seen {
        Seen { figures: Some(self.figures()), at: Some(self.now().mono), failures: 0 }
    }
}

fn state(seen: &Seen) -> PeerState {
    match (&seen.figures, seen.failures) {
        (Some(figures), 0) if figures.is_ready => PeerState::Up,
        (Some(_), 0) => PeerState::Starting,
        (_, failures) if failures >= DOWN_AFTER => PeerState::Down,
        _ => PeerState::Suspicious,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_suspected_before_it_is_down() {
        let seen = |is_ready, failures| {
            let figures = NodeFigures { is_ready, ..NodeFigures::default() };
            state(&Seen { figures: Some(figures), at: None, failures })
        };
        assert_eq!((seen(true, 0), seen(false, 0)), (PeerState::Up, PeerState::Starting));
        assert_eq!((seen(true, 1), seen(true, 2)), (PeerState::Suspicious, PeerState::Suspicious));
        assert_eq!(seen(true, 3), PeerState::Down);
        assert_eq!(state(&Seen::default()), PeerState::Suspicious, "nobody has asked it yet");
    }
}
