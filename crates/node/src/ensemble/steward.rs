//! Makes consensus follow what the log says of the members. It runs on every node and acts on the one that leads.

use super::{Candidate, EnsembleOp, report::ClusterReport};
use crate::{Node, NodeError, levels};
use muster_consensus::{Consensus, Members};
use muster_model::NodeId;
use std::{collections::BTreeSet, sync::Arc, time::Duration};

/// The longest pause between two looks.
const PAUSE: Duration = Duration::from_millis(500);
/// How long one change of the members may take.
const CHANGED_WITHIN: Duration = Duration::from_secs(5);

impl Node {
    /// Runs until the node stops; at once done on a node that stands alone.
    pub(crate) async fn run_steward(self: Arc<Self>) {
        if self.links().is_none() {
            return;
        }
        let stopping = self.tasks.stopping();
        let mut changes = self.watch_members();
        loop {
            if let Err(error) = self.steward().await {
                tracing::debug!(%error, "members are looked after in the next round");
            }
            tokio::select! {
                biased;
                () = stopping.cancelled() => return,
                _ = changes.changed() => {}
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
    }

    async fn steward(&self) -> Result<(), NodeError> {
        let consensus = self.consensus()?;
        if consensus.leader().is_none() {
            return Ok(());
        }
        // Until then the founders are those who take part, and nobody joins.
        if self.needs_level(levels::MEMBERS).is_ok() {
            if consensus.is_leader() {
                self.found().await?;
            }
            self.announce().await?;
        }
        if consensus.is_leader() {
            let members: Arc<Members> = consensus.members().borrow().clone();
            self.follow_records(consensus, &members).await?;
            self.promote_caught_up(consensus, &members).await?;
        }
        Ok(())
    }

    /// The first leader of a cluster writes down who began it.
    async fn found(&self) -> Result<(), NodeError> {
        let parts = self.membership.parts()?;
        match self.members_view().cluster {
            Some(known) if known != parts.cluster => {
                // The operators had this node go on alone.
                tracing::warn!(was = %known, is = %parts.cluster, "this node goes on alone, as another cluster");
                let candidate = parts.itself.clone();
                let op = EnsembleOp::Recover { cluster: parts.cluster, node: self.id, candidate };
                return self.propose_ensemble(op).await.map(drop);
            }
            Some(_) => return Ok(()),
            None if parts.founders.is_empty() => return Ok(()),
            None => {}
        }
        let members = parts.founders.clone();
        tracing::info!(cluster = %parts.cluster, members = members.len(), "the cluster begins");
        self.propose_ensemble(EnsembleOp::Found { cluster: parts.cluster, members }).await.map(drop)
    }

    /// Says what this node is now, if the log says otherwise.
    async fn announce(&self) -> Result<(), NodeError> {
        let itself = &self.membership.parts()?.itself;
        let view = self.members_view();
        let is_news =
            |known: &Candidate| Candidate { key: known.key.or(itself.key), ..itself.clone() } != *known;
        let Some(known) = view.members.get(&self.id).filter(|known| is_news(&known.is)) else {
            return Ok(());
        };
        tracing::info!(
            was = known.is.address,
            is = itself.address,
            version = itself.version,
            "this node says what it is now"
        );
        let op = EnsembleOp::Announce { node: self.id, candidate: itself.clone() };
        self.propose_ensemble(op).await.map(drop)
    }

    async fn follow_records(&self, consensus: &Consensus, members: &Members) -> Result<(), NodeError> {
        let view = self.members_view();
        if view.cluster != Some(self.membership.parts()?.cluster) {
            return Ok(());
        }
        for (node, record) in &view.members {
            let is_member = members.voters.contains(node) || members.learners.contains(node);
            let address = record.is.address.clone();
            match (record.is_leaving, is_member) {
                (true, true) => {
                    tracing::info!(node = node.0, "a node is removed from the voters");
                    limited(consensus.remove(*node)).await?;
                }
                (true, false) => {
                    self.propose_ensemble(EnsembleOp::Remove { node: *node }).await?;
                    tracing::info!(node = node.0, address, "a node was removed from the cluster");
                }
                (false, false) => {
                    tracing::info!(node = node.0, address, "a node joins");
                    limited(consensus.add_learner(*node, address)).await?;
                }
                (false, true) if members.addresses.get(node) != Some(&address) => {
                    tracing::info!(node = node.0, address, "a node has another address");
                    limited(consensus.set_address(*node, address)).await?;
                }
                (false, true) => {}
            }
        }
        Ok(())
    }

    async fn promote_caught_up(&self, consensus: &Consensus, members: &Members) -> Result<(), NodeError> {
        let voters_max = self.membership.parts()?.voters_max;
        if members.is_joint || members.learners.is_empty() {
            return Ok(());
        }
        let report = self.own_report()?;
        let promoted = promotions(&report, members, voters_max);
        if promoted.is_empty() {
            return Ok(());
        }
        let mut voters = members.voters.clone();
        voters.extend(&promoted);
        limited(consensus.change_voters(voters.clone())).await?;
        let (promoted, voters) = (numbers(&promoted), numbers(&voters));
        tracing::info!(?promoted, ?voters, "nodes that have caught up vote from now on");
        Ok(())
    }
}

fn numbers(nodes: &BTreeSet<NodeId>) -> Vec<u64> {
    nodes.iter().map(|node| node.0).collect()
}

/// Who becomes a voter: as many that have caught up as make the number of voters odd, in one change.
fn promotions(report: &ClusterReport, members: &Members, voters_max: usize) -> BTreeSet<NodeId> {
    let ready: Vec<_> = report.caught_up().filter(|node| members.learners.contains(node)).collect();
    let now = members.voters.len();
    let most = (now + ready.len()).min(voters_max);
    let odd = if most.is_multiple_of(2) { most.saturating_sub(1) } else { most };
    ready.into_iter().take(odd.saturating_sub(now)).collect()
}

async fn limited(
    change: impl Future<Output = Result<(), muster_consensus::ChangeError>>,
) -> Result<(), NodeError> {
    let late = Err(muster_consensus::ProposeError::Timeout.into());
    Ok(tokio::time::timeout(CHANGED_WITHIN, change).await.unwrap_or(late)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ensemble::MemberReport;
    use muster_model::Timestamp;

    fn promoted(voters: u64, learners: u64, voters_max: usize) -> usize {
        let member = |node| MemberReport {
            node: NodeId(node),
            address: String::new(),
            client: String::new(),
            version: String::new(),
            since: Timestamp(0),
            is_voter: node <= voters,
            is_leaving: false,
            is_answering: true,
            last_contact_ms: Some(0),
            matched: Some(0),
        };
        let report =
            ClusterReport { members: (1..=voters + learners).map(member).collect(), ..Default::default() };
        let members = Members {
            voters: (1..=voters).map(NodeId).collect(),
            learners: (voters + 1..=voters + learners).map(NodeId).collect(),
            ..Members::default()
        };
        promotions(&report, &members, voters_max).len()
    }

    #[test]
    fn voters_become_odd_in_one_step() {
        for (voters, learners, expected) in [
            (1, 1, 0),
            (1, 2, 2),
            (2, 1, 1),
            (3, 1, 0),
            (3, 2, 2),
            (4, 1, 1),
            (1, 3, 2),
            (1, 4, 4),
            (5, 2, 0),
        ] {
            assert_eq!(promoted(voters, learners, 5), expected, "{voters} + {learners}");
        }
        assert_eq!(promoted(1, 4, 3), 2);
    }
}
