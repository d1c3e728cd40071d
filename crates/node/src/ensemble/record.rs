//! What the ensemble remembers of its nodes and of tokens.

use muster_model::{NodeId, Timestamp};
use muster_peer::{KeyHash, SecretHash, TokenId};

/// What a node says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Candidate {
    /// Where peers connect to, `host:port`.
    pub address: String,
    /// Where clients connect to, `host:port`.
    pub client: String,
    /// The version of the program.
    pub version: String,
    /// The hash of its public key; `None` where links are not protected (simulations) or operators own the certificates.
    pub key: Option<KeyHash>,
}

/// A node of the ensemble.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberRecord {
    /// Its id, never given again.
    pub node: NodeId,
    /// What it said last.
    pub is: Candidate,
    /// When it was taken in.
    pub since: Timestamp,
    /// Whether it was asked to leave, which its voters still have to agree to.
    pub is_leaving: bool,
}

/// A node that was removed. It never comes back under that id or with that key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemovedNode {
    /// Its id.
    pub node: NodeId,
    /// Where it was.
    pub address: String,
    /// The key it had.
    pub key: Option<KeyHash>,
    /// When it was removed.
    pub at: Timestamp,
}

/// What became of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenState {
    /// It may be used until it expires.
    Open,
    /// A node joined with it.
    Used {
        /// Which.
        node: NodeId,
        /// When.
        at: Timestamp,
    },
    /// An operator revoked it.
    Revoked {
        /// When.
        at: Timestamp,
    },
}

/// A join token, without its secret.
#[derive(Clone, Debug)]
pub struct TokenRecord {
    /// Its name.
    pub id: TokenId,
    /// The hash of its secret.
    pub hash: SecretHash,
    /// When it was made.
    pub made: Timestamp,
    /// When it ends, if it is not used or revoked before.
    pub expires: Timestamp,
    /// What became of it.
    pub state: TokenState,
}

impl TokenRecord {
    /// Whether a node may join with it.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.state == TokenState::Open && now < self.expires
    }
}
