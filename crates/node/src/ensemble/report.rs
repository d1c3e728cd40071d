//! How the ensemble is, for operators.

use super::{EnsembleError, EnsembleView};
use crate::{Node, NodeError};
use futures_util::future::join_all;
use muster_consensus::{Members, Role, Standing};
use muster_model::{ClusterId, NodeId, Timestamp};
use muster_peer::{Answer, Question, ask};
use prost::Message;
use std::{sync::Arc, time::Duration};

/// Who has not answered for this long is taken to be gone.
const SILENT_MS: u64 = 2_000;
/// How long a node that is asked whether it is there may take to say so.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// A node that lacks no more entries than this has caught up.
const BEHIND_MAX: u64 = 1_000;

/// How the ensemble is, as its leader knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClusterReport {
    /// The cluster; `None`: the node stands alone.
    pub cluster: Option<ClusterId>,
    /// Who says so.
    pub by: NodeId,
    /// Who leads.
    pub leader: Option<NodeId>,
    /// The term.
    pub term: u64,
    /// The last entry that is committed.
    pub committed: u64,
    /// Every member.
    pub members: Vec<MemberReport>,
}

/// One member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberReport {
    /// Which.
    pub node: NodeId,
    /// Where peers reach it.
    pub address: String,
    /// Where clients reach it.
    pub client: String,
    /// The version of its program.
    pub version: String,
    /// When it was taken in.
    pub since: Timestamp,
    /// Whether it votes.
    pub is_voter: bool,
    /// Whether it is being removed.
    pub is_leaving: bool,
    /// Whether the leader hears from it.
    pub is_answering: bool,
    /// How long ago it answered; `None`: not since that node leads.
    pub last_contact_ms: Option<u64>,
    /// The last entry that is in its log.
    pub matched: Option<u64>,
}

/// What an operator should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClusterWarning {
    /// Nobody leads: no writes.
    NoLeader,
    /// Two voters survive no loss, and are lost twice as often as one.
    TwoVoters,
    /// An even number of voters survives no more than one less.
    EvenVoters(usize),
    /// No more voter may fail.
    NoLossSurvivable,
    /// A member does not answer.
    Silent(NodeId),
    /// A member is far behind.
    Behind(NodeId),
}

impl std::fmt::Display for ClusterWarning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoLeader => write!(f, "no node leads: nothing can be written"),
            Self::TwoVoters => write!(f, "two voters survive no loss: add a third node"),
            Self::EvenVoters(voters) => {
                write!(f, "{voters} voters survive no more losses than {}: add or remove one", voters - 1)
            }
            Self::NoLossSurvivable => write!(f, "if one more voter fails, nothing can be written"),
            Self::Silent(node) => {
                write!(
                    f,
                    "node {} does not answer: start it, or run `muster cluster remove {}`",
                    node.0, node.0
                )
            }
            Self::Behind(node) => write!(f, "node {} has not caught up yet", node.0),
        }
    }
}

impl ClusterReport {
    fn voters(&self) -> impl Iterator<Item = &MemberReport> {
        self.members.iter().filter(|member| member.is_voter)
    }

    /// How many voters may fail now, one after the other without time to change the voters, until nothing can be written.
    pub fn survivable_losses(&self) -> usize {
        let majority = self.voters().count() / 2 + 1;
        let answering = self.voters().filter(|member| member.is_answering).count();
        if self.leader.is_none() { 0 } else { answering.saturating_sub(majority) }
    }

    /// Everything an operator should know.
    pub fn warnings(&self) -> Vec<ClusterWarning> {
        let mut warnings = Vec::new();
        if self.leader.is_none() {
            warnings.push(ClusterWarning::NoLeader);
        }
        match self.voters().count() {
            0 | 1 => {}
            2 => warnings.push(ClusterWarning::TwoVoters),
            even if even.is_multiple_of(2) => warnings.push(ClusterWarning::EvenVoters(even)),
            _ if self.leader.is_some() && self.survivable_losses() == 0 => {
                warnings.push(ClusterWarning::NoLossSurvivable);
            }
            _ => {}
        }
        if self.leader.is_none() {
            return warnings;
        }
        for member in &self.members {
            if !member.is_answering {
                warnings.push(ClusterWarning::Silent(member.node));
            } else if !self.has_caught_up(member) {
                warnings.push(ClusterWarning::Behind(member.node));
            }
        }
        warnings
    }

    fn has_caught_up(&self, member: &MemberReport) -> bool {
        member.matched.is_some_and(|matched| matched + BEHIND_MAX >= self.committed)
    }

    /// Members that don't vote and could.
    pub(super) fn caught_up(&self) -> impl Iterator<Item = NodeId> {
        let could = |member: &&MemberReport| {
            !member.is_voter && !member.is_leaving && member.is_answering && self.has_caught_up(member)
        };
        self.members.iter().filter(could).map(|member| member.node)
    }

    fn member(&self, node: NodeId) -> Result<&MemberReport, EnsembleError> {
        self.members.iter().find(|member| member.node == node).ok_or(EnsembleError::UnknownNode(node.0))
    }

    /// Whether those who are left without it could go on.
    pub(super) fn can_lose(&self, node: NodeId) -> Result<(), EnsembleError> {
        if !self.member(node)?.is_voter {
            return Ok(());
        }
        let left = || self.voters().filter(|member| member.node != node);
        let (voters, answering) = (left().count(), left().filter(|member| member.is_answering).count());
        match voters {
            0 => Err(EnsembleError::LastVoter(node.0)),
            _ if answering > voters / 2 => Ok(()),
            _ => Err(EnsembleError::WouldLoseQuorum { node: node.0, voters, answering }),
        }
    }

    pub(super) fn can_promote(&self, node: NodeId) -> Result<(), EnsembleError> {
        let member = self.member(node)?;
        let refused = |why: &str| Err(EnsembleError::NotPromotable { node: node.0, why: why.to_owned() });
        match () {
            () if member.is_voter => Ok(()),
            () if member.is_leaving => refused("it is being removed"),
            () if !member.is_answering => refused("it does not answer"),
            () if !self.has_caught_up(member) => {
                let lacks = self.committed.saturating_sub(member.matched.unwrap_or(0));
                refused(&format!("it lacks {lacks} entries"))
            }
            () => Ok(()),
        }
    }

    fn put_together(by: NodeId, view: &EnsembleView, members: &Members, standing: &Standing) -> Self {
        let report = |record: &super::MemberRecord| {
            let follower = standing.followers.iter().find(|follower| follower.node == record.node);
            let is_leader = standing.leader == Some(record.node);
            let contact = follower.and_then(|follower| follower.last_contact_ms);
            let contact = if is_leader { Some(0) } else { contact };
            MemberReport {
                node: record.node,
                address: record.is.address.clone(),
                client: record.is.client.clone(),
                version: record.is.version.clone(),
                since: record.since,
                is_voter: members.voters.contains(&record.node),
                is_leaving: record.is_leaving,
                is_answering: contact.is_some_and(|contact| contact < SILENT_MS),
                last_contact_ms: contact,
                matched: if by == record.node {
                    Some(standing.last_index)
                } else {
                    follower.and_then(|follower| follower.matched)
                },
            }
        };
        Self {
            cluster: view.cluster,
            by,
            leader: standing.leader,
            term: standing.term,
            committed: standing.committed,
            members: view.members.values().map(report).collect(),
        }
    }
}

impl Node {
    /// How the ensemble is: as the leader knows; as this node does, if it reaches no leader.
    pub async fn cluster_report(&self) -> Result<ClusterReport, NodeError> {
        let own = self.own_report()?;
        let (Some(leader), Some(links)) = (own.leader.filter(|leader| *leader != self.id), self.links())
        else {
            return Ok(own);
        };
        let Some(address) = own.members.iter().find(|member| member.node == leader).map(|one| &one.address)
        else {
            return Ok(own);
        };
        match ask(links, Some(leader), address, &Question::Standing).await {
            Ok(Answer::Standing(bytes)) => Ok(decode(&bytes).unwrap_or(own)),
            Ok(_) => Ok(own),
            Err(error) => {
                tracing::debug!(%error, "the leader does not say how the cluster is");
                Ok(own)
            }
        }
    }

    /// As [`Node::cluster_report`], and each member that should answer was asked once more: the leader may have heard of one
    /// a moment before it died.
    pub(super) async fn fresh_report(&self) -> Result<ClusterReport, NodeError> {
        let mut report = self.cluster_report().await?;
        let Some(links) = self.links() else { return Ok(report) };
        let others = report.members.iter_mut().filter(|member| member.node != self.id && member.is_answering);
        let asking = others.map(|member| async move {
            let asked = ask(links, Some(member.node), &member.address, &Question::Standing);
            // Whatever it says, it is there.
            member.is_answering = matches!(tokio::time::timeout(ANSWER_WITHIN, asked).await, Ok(Ok(_)));
        });
        join_all(asking).await;
        Ok(report)
    }

    /// How the ensemble is as far as this node knows; only a leader knows who answers.
    pub(crate) fn own_report(&self) -> Result<ClusterReport, NodeError> {
        let consensus = self.consensus()?;
        let members: Arc<Members> = consensus.members().borrow().clone();
        let report =
            ClusterReport::put_together(self.id, &self.members_view(), &members, &consensus.standing());
        let begun = self.membership.parts().ok().map(|parts| parts.cluster);
        Ok(ClusterReport { cluster: report.cluster.or(begun), ..report })
    }

    /// As bytes, for another node that asks.
    pub(super) fn encoded_report(&self) -> Option<Vec<u8>> {
        let is_leader = self.consensus().is_ok_and(|consensus| consensus.standing().role == Role::Leader);
        is_leader.then(|| self.own_report().ok()).flatten().map(|report| encode(&report))
    }
}

#[derive(Clone, PartialEq, Message)]
struct ReportMessage {
    #[prost(bytes = "vec", tag = "1")]
    cluster: Vec<u8>,
    #[prost(uint64, tag = "2")]
    by: u64,
    #[prost(uint64, tag = "3")]
    leader: u64,
    #[prost(uint64, tag = "4")]
    term: u64,
    #[prost(uint64, tag = "5")]
    committed: u64,
    #[prost(message, repeated, tag = "6")]
    members: Vec<MemberReportMessage>,
}

#[derive(Clone, PartialEq, Message)]
struct MemberReportMessage {
    #[prost(uint64, tag = "1")]
    node: u64,
    #[prost(string, tag = "2")]
    address: String,
    #[prost(string, tag = "3")]
    client: String,
    #[prost(string, tag = "4")]
    version: String,
    #[prost(uint64, tag = "5")]
    since: u64,
    #[prost(bool, tag = "6")]
    is_voter: bool,
    #[prost(bool, tag = "7")]
    is_leaving: bool,
    #[prost(bool, tag = "8")]
    is_answering: bool,
    #[prost(uint64, optional, tag = "9")]
    last_contact_ms: Option<u64>,
    #[prost(uint64, optional, tag = "10")]
    matched: Option<u64>,
}

fn encode(report: &ClusterReport) -> Vec<u8> {
    let member = |member: &MemberReport| MemberReportMessage {
        node: member.node.0,
        address: member.address.clone(),
        client: member.client.clone(),
        version: member.version.clone(),
        since: member.since.0,
        is_voter: member.is_voter,
        is_leaving: member.is_leaving,
        is_answering: member.is_answering,
        last_contact_ms: member.last_contact_ms,
        matched: member.matched,
    };
    let message = ReportMessage {
        cluster: report.cluster.map_or_else(Vec::new, |cluster| cluster.0.to_be_bytes().to_vec()),
        by: report.by.0,
        leader: report.leader.map_or(0, |leader| leader.0),
        term: report.term,
        committed: report.committed,
        members: report.members.iter().map(member).collect(),
    };
    message.encode_to_vec()
}

fn decode(bytes: &[u8]) -> Option<ClusterReport> {
    let message = ReportMessage::decode(bytes).ok()?;
    let member = |member: MemberReportMessage| MemberReport {
        node: NodeId(member.node),
        address: member.address,
        client: member.client,
        version: member.version,
        since: Timestamp(member.since),
        is_voter: member.is_voter,
        is_leaving: member.is_leaving,
        is_answering: member.is_answering,
        last_contact_ms: member.last_contact_ms,
        matched: member.matched,
    };
    Some(ClusterReport {
        cluster: message.cluster.try_into().ok().map(|id| ClusterId(u128::from_be_bytes(id))),
        by: NodeId(message.by),
        leader: (message.leader != 0).then_some(NodeId(message.leader)),
        term: message.term,
        committed: message.committed,
        members: message.members.into_iter().map(member).collect(),
    })
}

#[cfg(test)]
mod tests;
