//! How a node comes into its ensemble, as `server` does it.

use super::{Machine, operator};
use muster_consensus::Bootstrap;
use muster_model::{ClusterId, NodeId};
use muster_node::{Candidate, EnsembleParts};
use muster_peer::Links;
use muster_runtime::Rng;
use muster_storage::data_dir::{DataDir, NodeIdentity};
use std::collections::BTreeMap;

/// The ensemble.
const CLUSTER: ClusterId = ClusterId(0xC1);

/// Who a node is and how it begins.
pub(super) struct Entered {
    pub(super) identity: NodeIdentity,
    pub(super) bootstrap: Bootstrap,
}

impl Machine {
    /// Finds out who the node is, and has it join if it is nobody yet. `None`: it must not start.
    pub(super) async fn enter(
        &self,
        dir: &DataDir,
        has_data: bool,
        rng: &mut Rng,
    ) -> anyhow::Result<Option<Entered>> {
        let identity = match dir.identity()? {
            Some(identity) if identity.has_lost_log(has_data) => return Ok(None),
            Some(identity) => identity,
            None => {
                let before = self.state.lock().node;
                let is_founder = before.is_none() && self.place <= self.founders;
                let node =
                    if is_founder { NodeId(self.place as u64) } else { self.join_others(before, rng).await };
                let identity = NodeIdentity { cluster: CLUSTER, node, is_member: true, has_begun: false };
                dir.set_identity(identity)?;
                identity
            }
        };
        // One of those who begin makes the first entry; the others get it from there.
        let begins = identity.node == NodeId(1) && !identity.has_begun;
        let bootstrap = if begins {
            Bootstrap::Members(
                self.founders().map(|(node, is)| (node, is.address)).collect::<BTreeMap<_, _>>(),
            )
        } else {
            Bootstrap::Join
        };
        Ok(Some(Entered { identity, bootstrap }))
    }

    /// Has the others take this machine in under a new id; what ran on it before is removed.
    async fn join_others(&self, before: Option<NodeId>, rng: &mut Rng) -> NodeId {
        let others = self.others();
        if let Some(before) = before {
            operator::remove(&others, before, rng).await;
        }
        let node = operator::admit(&others, &candidate(self.address()), rng).await;
        self.note(&format_args!("joins as node {}", node.0));
        node
    }

    pub(super) fn ensemble_parts(&self, links: &Links) -> EnsembleParts {
        EnsembleParts {
            links: links.clone(),
            cluster: CLUSTER,
            itself: candidate(self.address()),
            founders: self.founders().collect(),
            authority: None,
            needs_token: false,
            voters_max: muster_node::VOTERS_MAX,
        }
    }

    fn founders(&self) -> impl Iterator<Item = (NodeId, Candidate)> {
        (1..=self.founders).map(|place| (NodeId(place as u64), candidate(super::address(place))))
    }
}

fn candidate(address: String) -> Candidate {
    Candidate { address, client: String::new(), version: "simulated".to_owned(), key: None }
}
