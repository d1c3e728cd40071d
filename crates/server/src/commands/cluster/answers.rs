//! What `/muster/v1/cluster` answers.

use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Status {
    pub(super) node: u64,
    pub(super) role: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) leader: Option<u64>,
    pub(super) term: u64,
    pub(super) committed: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) without_leader_ms: Option<u64>,
    pub(super) voters: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) survivable_losses: Option<usize>,
    pub(super) changing: bool,
    pub(super) members: Vec<Member>,
    pub(super) warnings: Vec<String>,
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Member {
    pub(super) node: u64,
    pub(super) role: String,
    pub(super) state: String,
    pub(super) address: String,
    pub(super) client_address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) applied: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) lag: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) seen_ms_ago: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) clients: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) certificate_until: Option<u64>,
}

/// A token that was just made.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Token {
    pub(super) id: String,
    pub(super) token: String,
    pub(super) expires: u64,
    /// The address that a new node joins at.
    pub(super) join: String,
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Tokens {
    pub(super) tokens: Vec<TokenLine>,
}

/// A token, without its secret.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct TokenLine {
    pub(super) id: String,
    pub(super) made: u64,
    pub(super) expires: u64,
    /// `open`, `used` or `revoked`.
    pub(super) state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) used_by: Option<u64>,
}

impl TokenLine {
    /// What became of it.
    pub(super) fn said(&self, now: u64) -> String {
        match (self.state.as_str(), self.used_by) {
            ("used", Some(node)) => format!("used by node {node}"),
            ("open", _) if self.expires <= now => "expired".to_owned(),
            (state, _) => state.to_owned(),
        }
    }
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Removed {
    pub(super) node: u64,
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Upgraded {
    pub(super) level: u32,
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Voters {
    pub(super) voters: Vec<u64>,
}
