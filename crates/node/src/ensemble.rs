//! Who belongs to the ensemble: members, join tokens, removed nodes; and how that is changed.
//!
//! What is decided is in the log ([`core`]); the leader's [`steward`] makes the voters follow it; [`door`] answers those
//! who want to join.

mod codec;
mod core;
mod door;
mod record;
mod report;
mod steward;

pub use self::core::EnsembleError;
pub use record::{Candidate, MemberRecord, RemovedNode, TokenRecord, TokenState};
pub use report::{ClusterReport, ClusterWarning, MemberReport};

pub(crate) use self::core::{Ensemble, EnsembleOp, EnsembleOutcome};
pub(crate) use codec::{OpMessage, encode_outcome};

use crate::{Node, NodeError, levels, machine::for_each_row, node::unreadable, op::DurableOp};
use muster_model::{ClusterId, NodeId, Row, Table, Timestamp};
use muster_peer::{Authority, JoinToken, KeyHash, Links, Roster, SecretHash, TokenId};
use muster_storage::state::{StateError, StateStore};
use parking_lot::RwLock;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, OnceLock},
    time::Duration,
};
use tokio::sync::watch;

/// How long a join token holds if nobody says otherwise.
pub const TOKEN_LIFETIME: Duration = Duration::from_secs(3_600);
/// The longest it may hold.
const TOKEN_LIFETIME_MAX: Duration = Duration::from_secs(30 * 86_400);
/// How long a removal may take: a leader that is removed is followed by another one first.
const REMOVED_WITHIN: Duration = Duration::from_secs(15);
/// How long what was asked of a cluster waits for its beginning.
const FOUNDED_WITHIN: Duration = Duration::from_secs(5);
/// Voters beyond it are not made by themselves.
pub const VOTERS_MAX: usize = 5;

/// What makes a node one of an ensemble.
pub struct EnsembleParts {
    /// Links to the others; this node is identified on them.
    pub links: Links,
    /// The cluster.
    pub cluster: ClusterId,
    /// What this node says of itself.
    pub itself: Candidate,
    /// With whom the cluster began: whoever leads first writes it to the log. Empty on nodes that joined later.
    pub founders: Vec<(NodeId, Candidate)>,
    /// Signs nodes; `None` where operators do, or nobody.
    pub authority: Option<Authority>,
    /// Whether nodes join by token only; else what protects the link may prove enough.
    pub needs_token: bool,
    /// Caught-up nodes become voters by themselves up to this many (5).
    pub voters_max: usize,
}

/// The node's part in an ensemble.
pub(crate) struct Membership {
    state: RwLock<Ensemble>,
    parts: OnceLock<EnsembleParts>,
    view: watch::Sender<Arc<EnsembleView>>,
}

/// Members, removed nodes and tokens as of the last applied entry. Empty on a node that stands alone.
#[derive(Clone, Debug, Default)]
pub struct EnsembleView {
    /// The cluster, once it is in the log.
    pub cluster: Option<ClusterId>,
    /// Its members; those it began with as long as they are not in the log, which takes a format level.
    pub members: BTreeMap<NodeId, MemberRecord>,
    /// Who was removed; the last 256.
    pub removed: Vec<RemovedNode>,
}

impl Default for Membership {
    fn default() -> Self {
        Self { state: RwLock::default(), parts: OnceLock::new(), view: watch::Sender::new(Arc::default()) }
    }
}

impl Membership {
    pub(crate) fn apply(
        &self,
        op: &EnsembleOp,
        now: Timestamp,
        rows: &mut Vec<Row>,
    ) -> Result<EnsembleOutcome, EnsembleError> {
        self.state.write().apply(op, now, rows)
    }

    /// Empties memory, before rows are loaded.
    pub(crate) fn reset(&self) {
        *self.state.write() = Ensemble::default();
    }

    pub(crate) fn load(&self, key: &[u8], value: &[u8]) -> Result<(), String> {
        self.state.write().load(key, value)
    }

    /// Lets everybody see what the rows are by now: links of removed nodes end.
    pub(crate) fn changed(&self) {
        let (view, roster) = {
            let state = self.state.read();
            let view = EnsembleView {
                cluster: state.cluster,
                members: if state.cluster.is_some() { state.members.clone() } else { self.founders() },
                removed: state.removed.values().cloned().collect(),
            };
            let keys = state.members.iter().map(|(node, member)| (*node, member.is.key)).collect();
            (view, Roster { keys, next: NodeId(state.next), barred: state.removed_keys() })
        };
        // In a snapshot from before a cluster was restored from a backup are nodes of another one, under other keys.
        if let Some(parts) = self.parts.get().filter(|parts| view.cluster == Some(parts.cluster)) {
            parts.links.set_roster(roster);
        }
        self.view.send_replace(Arc::new(view));
    }

    /// Who is there before anybody is in the log.
    fn founders(&self) -> BTreeMap<NodeId, MemberRecord> {
        let founders = self.parts.get().map_or(&[][..], |parts| &parts.founders);
        let record = |(node, is): &(NodeId, Candidate)| {
            (*node, MemberRecord { node: *node, is: is.clone(), since: Timestamp(0), is_leaving: false })
        };
        founders.iter().map(record).collect()
    }

    fn parts(&self) -> Result<&EnsembleParts, NodeError> {
        self.parts.get().ok_or(EnsembleError::StandsAlone.into())
    }
}

/// The members as the rows of a stopped node say.
pub fn stored_ensemble(state: &dyn StateStore) -> Result<EnsembleView, StateError> {
    let membership = Membership::default();
    for_each_row(state, Table::Ensemble, |key, value| membership.load(key, value))?;
    membership.changed();
    Ok((**membership.view.borrow()).clone())
}

impl Node {
    /// Makes the node one of an ensemble. Call it before [`Node::join`].
    pub fn enter_ensemble(self: &Arc<Self>, parts: EnsembleParts) {
        assert!(self.membership.parts.set(parts).is_ok(), "a node enters one ensemble");
        door::open(self);
    }

    /// The links to the other nodes; `None` on a node that stands alone.
    pub fn links(&self) -> Option<&Links> {
        self.membership.parts.get().map(|parts| &parts.links)
    }

    /// Members, removed nodes and addresses, as of the last applied entry.
    pub fn members_view(&self) -> Arc<EnsembleView> {
        self.membership.view.borrow().clone()
    }

    /// As [`Node::members_view`], and every change of it.
    pub fn watch_members(&self) -> watch::Receiver<Arc<EnsembleView>> {
        self.membership.view.subscribe()
    }

    /// Makes a join token for one node (1 h unless said otherwise, 30 days at most). It is shown once: what is stored does
    /// not tell it.
    pub async fn create_join_token(&self, lifetime: Option<Duration>) -> Result<JoinToken, NodeError> {
        let parts = self.founded().await?;
        let authority = parts.authority.as_ref().map_or(KeyHash([0; 32]), Authority::hash);
        let token = JoinToken::new(authority);
        let lifetime = lifetime.unwrap_or(TOKEN_LIFETIME).min(TOKEN_LIFETIME_MAX);
        let lifetime_ms = lifetime.as_millis() as u64;
        let (id, hash) = (token.id, token.hash());
        self.propose_ensemble(EnsembleOp::CreateToken { id, hash, lifetime_ms }).await?;
        Ok(token)
    }

    /// Ends a join token at once. One that was used, or has ended, stays as it is.
    pub async fn revoke_join_token(&self, id: TokenId) -> Result<(), NodeError> {
        self.founded().await?;
        self.propose_ensemble(EnsembleOp::RevokeToken { id }).await.map(drop)
    }

    /// The join tokens that are remembered, without their secrets, the newest first.
    pub fn list_join_tokens(&self) -> Vec<TokenRecord> {
        let mut tokens: Vec<_> = self.membership.state.read().tokens.values().cloned().collect();
        tokens.sort_by_key(|token| std::cmp::Reverse((token.made, token.id)));
        tokens
    }

    /// Takes a node in, under a new id: with a token, or without one where its link proved enough. It receives entries
    /// from then on, and becomes a voter by itself when it has caught up and that makes their number odd.
    pub async fn admit_node(
        &self,
        token: Option<(TokenId, SecretHash)>,
        candidate: Candidate,
    ) -> Result<NodeId, NodeError> {
        self.founded().await?;
        match self.propose_ensemble(EnsembleOp::Admit { token, candidate }).await? {
            EnsembleOutcome::Admitted(node) => Ok(node),
            EnsembleOutcome::Done => Err(NodeError::Defect("an admission left no id")),
        }
    }

    /// Removes a node for good: it may be dead. Refused if those who are left could not agree on anything. When this
    /// returns, nobody listens to it any more.
    pub async fn remove_node(&self, node: NodeId) -> Result<(), NodeError> {
        self.founded().await?;
        let view = self.members_view();
        if view.removed.iter().any(|removed| removed.node == node) {
            return Ok(());
        }
        if !view.members.contains_key(&node) {
            return Err(EnsembleError::UnknownNode(node.0).into());
        }
        self.fresh_report().await?.can_lose(node)?;
        self.propose_ensemble(EnsembleOp::Leave { node }).await?;
        let mut changes = self.watch_members();
        let gone = changes.wait_for(|view| !view.members.contains_key(&node));
        match tokio::time::timeout(REMOVED_WITHIN, gone).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) => Err(NodeError::Starting),
            // It goes on as soon as there is a leader.
            Err(_) => Err(muster_consensus::ProposeError::Timeout.into()),
        }
    }

    /// Makes learners voters, all in one change, whatever number that makes. No ids: all that have caught up.
    pub async fn promote_nodes(&self, nodes: &[NodeId]) -> Result<(), NodeError> {
        self.founded().await?;
        let report = self.fresh_report().await?;
        let promoted: BTreeSet<NodeId> = match nodes {
            [] => report.caught_up().collect(),
            some => some.iter().copied().collect(),
        };
        for node in &promoted {
            report.can_promote(*node)?;
        }
        let consensus = self.consensus()?;
        let mut voters = consensus.members().borrow().voters.clone();
        voters.extend(promoted);
        Ok(consensus.change_voters(voters).await?)
    }

    /// What makes the node one of its ensemble, once the log says that this is the cluster: what comes before is undone
    /// where a node goes on alone with the data of another cluster.
    async fn founded(&self) -> Result<&EnsembleParts, NodeError> {
        let parts = self.membership.parts()?;
        let mut changes = self.watch_members();
        let founded = changes.wait_for(|view| view.cluster == Some(parts.cluster));
        match tokio::time::timeout(FOUNDED_WITHIN, founded).await {
            Ok(Ok(_)) => Ok(parts),
            Ok(Err(_)) | Err(_) => {
                self.needs_level(levels::MEMBERS)?;
                Err(EnsembleError::NotFounded.into())
            }
        }
    }

    /// Proposes a change of the ensemble.
    pub(crate) async fn propose_ensemble(&self, op: EnsembleOp) -> Result<EnsembleOutcome, NodeError> {
        let result = self.propose(DurableOp::Ensemble(op.clone())).await?;
        let outcome = codec::decode_outcome(&result, &op);
        Ok(outcome.ok_or_else(|| unreadable("it is none of a change of the ensemble"))??)
    }
}
