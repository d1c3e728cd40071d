//! Who belongs to the ensemble, as the log says: pure, and the same on every node. Time is that of the entry.

use super::{
    codec,
    record::{Candidate, MemberRecord, RemovedNode, TokenRecord, TokenState},
};
use muster_model::{ClusterId, NodeId, Row, Timestamp};
use muster_peer::{KeyHash, SecretHash, TokenId};
use std::collections::BTreeMap;

/// Tokens that are remembered; beyond it the oldest that have ended are forgotten, and if none has, no more are made.
const TOKENS_MAX: usize = 256;
/// Removed nodes that are remembered for those who ask; ids that were given and belong to nobody are refused anyway.
const REMOVED_MAX: usize = 256;

/// A change of the ensemble.
#[derive(Clone, Debug)]
pub(crate) enum EnsembleOp {
    /// The first members. Without effect where there are some.
    Found { cluster: ClusterId, members: Vec<(NodeId, Candidate)> },
    /// One member alone goes on as another cluster; all others are removed, and no token holds any more.
    Recover { cluster: ClusterId, node: NodeId, candidate: Candidate },
    /// A new token that ends after a time.
    CreateToken { id: TokenId, hash: SecretHash, lifetime_ms: u64 },
    /// A token ends at once.
    RevokeToken { id: TokenId },
    /// A node joins: with a token, or because it proved that it may.
    Admit { token: Option<(TokenId, SecretHash)>, candidate: Candidate },
    /// A member says what it is now.
    Announce { node: NodeId, candidate: Candidate },
    /// A member shall leave.
    Leave { node: NodeId },
    /// A member has left.
    Remove { node: NodeId },
}

/// What a change came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EnsembleOutcome {
    /// It is done, or was so before.
    Done,
    /// A node joined under this id.
    Admitted(NodeId),
}

/// Why a change of the ensemble is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnsembleError {
    /// The node stands alone.
    #[error(
        "this node stands alone: start it with --cluster-init and a cluster_listen address to begin a cluster"
    )]
    StandsAlone,
    /// The first members are not in the log yet.
    #[error("the cluster is only just beginning, try again")]
    NotFounded,
    /// There is no such token, or its secret is another.
    #[error("there is no such join token: make one with `muster cluster token create`")]
    UnknownToken,
    /// A node joined with it.
    #[error(
        "the join token was used by node {0}, each is for one node: make another with `muster cluster token create`"
    )]
    TokenUsed(u64),
    /// Its time is over.
    #[error("the join token has expired: make another with `muster cluster token create`")]
    TokenExpired,
    /// An operator revoked it.
    #[error("the join token was revoked: make another with `muster cluster token create`")]
    TokenRevoked,
    /// As many open tokens as may be.
    #[error("there are {TOKENS_MAX} open join tokens: revoke some with `muster cluster token revoke`")]
    TooManyTokens,
    /// Another member has this address for peers.
    #[error(
        "{address} is the address of node {node}: if that one is lost, run `muster cluster remove {node}` first"
    )]
    AddressTaken {
        /// The address.
        address: String,
        /// Whose it is.
        node: u64,
    },
    /// The key belongs to a member, or to a node that was removed.
    #[error("its key was used by node {0}: start with an empty data directory")]
    KeyTaken(u64),
    /// No member has this id.
    #[error("there is no node {0} in the cluster")]
    UnknownNode(u64),
    /// The node is the last one.
    #[error("node {0} is the only voter: there would be nobody left")]
    LastVoter(u64),
    /// Those who would be left could not agree on anything.
    #[error(
        "without node {node} the cluster has {voters} voters, and {answering} of them answer: it would lose its quorum. \
         Bring back others first"
    )]
    WouldLoseQuorum {
        /// Who should leave.
        node: u64,
        /// The voters that would be left.
        voters: usize,
        /// How many of them answer.
        answering: usize,
    },
    /// A node can't become a voter.
    #[error("node {node} can't become a voter: {why}")]
    NotPromotable {
        /// Which.
        node: u64,
        /// Why.
        why: String,
    },
}

/// Members, removed nodes and tokens.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ensemble {
    pub(crate) cluster: Option<ClusterId>,
    /// The first id that was never given.
    pub(crate) next: u64,
    pub(crate) members: BTreeMap<NodeId, MemberRecord>,
    pub(crate) removed: BTreeMap<NodeId, RemovedNode>,
    pub(crate) tokens: BTreeMap<TokenId, TokenRecord>,
}

impl Ensemble {
    /// Applies a change.
    pub(crate) fn apply(
        &mut self,
        op: &EnsembleOp,
        now: Timestamp,
        rows: &mut Vec<Row>,
    ) -> Result<EnsembleOutcome, EnsembleError> {
        match op {
            EnsembleOp::Found { cluster, members } => self.found(*cluster, members, now, rows),
            _ if self.cluster.is_none() => return Err(EnsembleError::NotFounded),
            EnsembleOp::CreateToken { id, hash, lifetime_ms } => {
                self.make_room_for_a_token(now, rows)?;
                let expires = Timestamp(now.0.saturating_add(*lifetime_ms));
                let token = TokenRecord { id: *id, hash: *hash, made: now, expires, state: TokenState::Open };
                self.put_token(token, rows);
            }
            EnsembleOp::RevokeToken { id } => {
                let token = self.tokens.get(id).ok_or(EnsembleError::UnknownToken)?;
                if token.state == TokenState::Open {
                    self.put_token(
                        TokenRecord { state: TokenState::Revoked { at: now }, ..token.clone() },
                        rows,
                    );
                }
            }
            EnsembleOp::Admit { token, candidate } => {
                return self.admit(*token, candidate, now, rows).map(EnsembleOutcome::Admitted);
            }
            EnsembleOp::Announce { node, candidate } => {
                let member = self.member(*node)?;
                // A link with another key may have been made before the first was in the log.
                let is = Candidate { key: member.is.key.or(candidate.key), ..candidate.clone() };
                self.put_member(MemberRecord { is, ..member.clone() }, rows);
            }
            EnsembleOp::Leave { node } => {
                let member = self.member(*node)?;
                self.put_member(MemberRecord { is_leaving: true, ..member.clone() }, rows);
            }
            EnsembleOp::Remove { node } => self.remove(*node, now, rows)?,
            EnsembleOp::Recover { cluster, node, candidate } => {
                self.recover(*cluster, *node, candidate, now, rows)?;
            }
        }
        Ok(EnsembleOutcome::Done)
    }

    fn found(
        &mut self,
        cluster: ClusterId,
        members: &[(NodeId, Candidate)],
        now: Timestamp,
        rows: &mut Vec<Row>,
    ) {
        if self.cluster.is_some() {
            return;
        }
        self.cluster = Some(cluster);
        for (node, is) in members {
            self.next = self.next.max(node.0 + 1);
            let member = MemberRecord { node: *node, is: is.clone(), since: now, is_leaving: false };
            self.put_member(member, rows);
        }
        rows.push(codec::head_row(self));
    }

    fn admit(
        &mut self,
        token: Option<(TokenId, SecretHash)>,
        candidate: &Candidate,
        now: Timestamp,
        rows: &mut Vec<Row>,
    ) -> Result<NodeId, EnsembleError> {
        let token = token.map(|(id, hash)| self.check_token(id, hash, candidate, now)).transpose()?;
        if let Some(Token::UsedBySame(node)) = token {
            return Ok(node);
        }
        self.check_free(candidate)?;
        let node = NodeId(self.next);
        self.next += 1;
        if let Some(Token::Good(token)) = token {
            self.put_token(TokenRecord { state: TokenState::Used { node, at: now }, ..token }, rows);
        }
        let member = MemberRecord { node, is: candidate.clone(), since: now, is_leaving: false };
        self.put_member(member, rows);
        rows.push(codec::head_row(self));
        Ok(node)
    }

    fn check_token(
        &self,
        id: TokenId,
        hash: SecretHash,
        candidate: &Candidate,
        now: Timestamp,
    ) -> Result<Token, EnsembleError> {
        let known = self.tokens.get(&id).filter(|known| known.hash.is(&hash));
        let known = known.ok_or(EnsembleError::UnknownToken)?;
        match known.state {
            TokenState::Revoked { .. } => Err(EnsembleError::TokenRevoked),
            // The answer to the first try may have been lost on its way.
            TokenState::Used { node, .. }
                if self.members.get(&node).is_some_and(|one| is_same(one, candidate)) =>
            {
                Ok(Token::UsedBySame(node))
            }
            TokenState::Used { node, .. } => Err(EnsembleError::TokenUsed(node.0)),
            TokenState::Open if now >= known.expires => Err(EnsembleError::TokenExpired),
            TokenState::Open => Ok(Token::Good(known.clone())),
        }
    }

    fn check_free(&self, candidate: &Candidate) -> Result<(), EnsembleError> {
        let has_address = |member: &&MemberRecord| member.is.address == candidate.address;
        if let Some(member) = self.members.values().find(has_address) {
            let address = candidate.address.clone();
            return Err(EnsembleError::AddressTaken { address, node: member.node.0 });
        }
        let Some(key) = candidate.key else { return Ok(()) };
        let keys = self.members.values().map(|member| (member.node, member.is.key));
        let keys = keys.chain(self.removed.values().map(|removed| (removed.node, removed.key)));
        match keys.into_iter().find(|(_, known)| *known == Some(key)) {
            Some((node, _)) => Err(EnsembleError::KeyTaken(node.0)),
            None => Ok(()),
        }
    }

    fn remove(&mut self, node: NodeId, now: Timestamp, rows: &mut Vec<Row>) -> Result<(), EnsembleError> {
        if self.removed.contains_key(&node) {
            return Ok(());
        }
        let member = self.member(node)?.clone();
        self.members.remove(&node);
        rows.push(codec::no_member(node));
        while self.removed.len() >= REMOVED_MAX {
            let (oldest, _) = self.removed.pop_first().expect("there are some");
            rows.push(codec::no_removed(oldest));
        }
        let removed = RemovedNode { node, address: member.is.address, key: member.is.key, at: now };
        rows.push(codec::removed_row(&removed));
        self.removed.insert(node, removed);
        Ok(())
    }

    fn recover(
        &mut self,
        cluster: ClusterId,
        node: NodeId,
        candidate: &Candidate,
        now: Timestamp,
        rows: &mut Vec<Row>,
    ) -> Result<(), EnsembleError> {
        let others: Vec<_> = self.members.keys().copied().filter(|other| *other != node).collect();
        for other in others {
            self.remove(other, now, rows)?;
        }
        rows.extend(std::mem::take(&mut self.tokens).into_keys().map(codec::no_token));
        let member = MemberRecord { node, is: candidate.clone(), since: now, is_leaving: false };
        self.put_member(member, rows);
        self.next = self.next.max(node.0 + 1);
        self.cluster = Some(cluster);
        rows.push(codec::head_row(self));
        Ok(())
    }

    fn make_room_for_a_token(&mut self, now: Timestamp, rows: &mut Vec<Row>) -> Result<(), EnsembleError> {
        while self.tokens.len() >= TOKENS_MAX {
            let ended = self.tokens.values().filter(|token| !token.is_open(now));
            let oldest =
                ended.min_by_key(|token| (token.made, token.id)).ok_or(EnsembleError::TooManyTokens)?.id;
            self.tokens.remove(&oldest);
            rows.push(codec::no_token(oldest));
        }
        Ok(())
    }

    fn member(&self, node: NodeId) -> Result<&MemberRecord, EnsembleError> {
        self.members.get(&node).ok_or(EnsembleError::UnknownNode(node.0))
    }

    fn put_member(&mut self, member: MemberRecord, rows: &mut Vec<Row>) {
        rows.push(codec::member_row(&member));
        self.members.insert(member.node, member);
    }

    fn put_token(&mut self, token: TokenRecord, rows: &mut Vec<Row>) {
        rows.push(codec::token_row(&token));
        self.tokens.insert(token.id, token);
    }

    /// Takes up a stored row.
    pub(crate) fn load(&mut self, key: &[u8], value: &[u8]) -> Result<(), String> {
        codec::load(self, key, value)
    }

    /// The keys of nodes that were removed.
    pub(crate) fn removed_keys(&self) -> Vec<KeyHash> {
        self.removed.values().filter_map(|removed| removed.key).collect()
    }
}

enum Token {
    Good(TokenRecord),
    UsedBySame(NodeId),
}

/// Whether a member is who joins: it has its key, or, where there are none, its address.
fn is_same(member: &MemberRecord, candidate: &Candidate) -> bool {
    member.is.key == candidate.key && (candidate.key.is_some() || member.is.address == candidate.address)
}

#[cfg(test)]
mod tests;
