//! The ensemble's operations, outcomes and rows as bytes.
//!
//! Keys of rows: `e` the cluster and the next id, `m` and a node (u64, big-endian) a member, `r` and a node a removed
//! one, `t` and an id a token. Values begin with a version byte.

use super::{
    core::{Ensemble, EnsembleError, EnsembleOp, EnsembleOutcome},
    record::{Candidate, MemberRecord, RemovedNode, TokenRecord, TokenState},
};
use bytes::{BufMut, Bytes, BytesMut};
use muster_model::{ClusterId, NodeId, Row, Table, Timestamp};
use muster_peer::{KeyHash, SecretHash, TokenId};
use prost::Message;

const VERSION: u8 = 1;

#[derive(Clone, PartialEq, Message)]
struct CandidateMessage {
    #[prost(string, tag = "1")]
    address: String,
    #[prost(string, tag = "2")]
    client: String,
    #[prost(string, tag = "3")]
    version: String,
    #[prost(bytes = "vec", optional, tag = "4")]
    key: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
struct MemberMessage {
    #[prost(uint64, tag = "1")]
    node: u64,
    #[prost(message, required, tag = "2")]
    is: CandidateMessage,
    #[prost(uint64, tag = "3")]
    since: u64,
    #[prost(bool, tag = "4")]
    is_leaving: bool,
}

#[derive(Clone, PartialEq, Message)]
struct RemovedMessage {
    #[prost(string, tag = "1")]
    address: String,
    #[prost(bytes = "vec", optional, tag = "2")]
    key: Option<Vec<u8>>,
    #[prost(uint64, tag = "3")]
    at: u64,
}

#[derive(Clone, PartialEq, Message)]
struct TokenMessage {
    #[prost(fixed64, tag = "1")]
    id: u64,
    #[prost(bytes = "vec", tag = "2")]
    hash: Vec<u8>,
    #[prost(uint64, tag = "3")]
    made: u64,
    #[prost(uint64, tag = "4")]
    expires: u64,
    /// Given: it has ended then, by that node, or revoked if that is 0.
    #[prost(uint64, optional, tag = "5")]
    ended: Option<u64>,
    #[prost(uint64, tag = "6")]
    used_by: u64,
}

#[derive(Clone, PartialEq, Message)]
struct HeadMessage {
    #[prost(bytes = "vec", tag = "1")]
    cluster: Vec<u8>,
    #[prost(uint64, tag = "2")]
    next: u64,
}

/// An operation; `kind` says which, and what is not of that kind is empty.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct OpMessage {
    #[prost(uint32, tag = "1")]
    kind: u32,
    #[prost(bytes = "vec", tag = "2")]
    cluster: Vec<u8>,
    #[prost(message, repeated, tag = "3")]
    members: Vec<MemberMessage>,
    #[prost(message, optional, tag = "4")]
    token: Option<TokenMessage>,
    #[prost(uint64, tag = "5")]
    node: u64,
}

#[derive(Clone, PartialEq, Message)]
struct OutcomeMessage {
    /// 0: done.
    #[prost(uint32, tag = "1")]
    error: u32,
    #[prost(uint64, tag = "2")]
    node: u64,
}

impl From<&Candidate> for CandidateMessage {
    fn from(candidate: &Candidate) -> Self {
        Self {
            address: candidate.address.clone(),
            client: candidate.client.clone(),
            version: candidate.version.clone(),
            key: candidate.key.map(|key| key.0.to_vec()),
        }
    }
}

fn candidate(message: CandidateMessage) -> Option<Candidate> {
    Some(Candidate {
        address: message.address,
        client: message.client,
        version: message.version,
        key: key_hash(message.key)?,
    })
}

/// `None`: malformed.
fn key_hash(bytes: Option<Vec<u8>>) -> Option<Option<KeyHash>> {
    bytes.map_or(Some(None), |bytes| Some(Some(KeyHash(bytes.try_into().ok()?))))
}

fn cluster(bytes: Vec<u8>) -> Option<ClusterId> {
    Some(ClusterId(u128::from_be_bytes(bytes.try_into().ok()?)))
}

fn token_message(token: &TokenRecord) -> TokenMessage {
    let (ended, used_by) = match token.state {
        TokenState::Open => (None, 0),
        TokenState::Used { node, at } => (Some(at.0), node.0),
        TokenState::Revoked { at } => (Some(at.0), 0),
    };
    TokenMessage {
        id: token.id.0,
        hash: token.hash.0.to_vec(),
        made: token.made.0,
        expires: token.expires.0,
        ended,
        used_by,
    }
}

fn token(message: TokenMessage) -> Option<TokenRecord> {
    let state = match (message.ended, message.used_by) {
        (None, _) => TokenState::Open,
        (Some(at), 0) => TokenState::Revoked { at: Timestamp(at) },
        (Some(at), node) => TokenState::Used { node: NodeId(node), at: Timestamp(at) },
    };
    Some(TokenRecord {
        id: TokenId(message.id),
        hash: SecretHash(message.hash.try_into().ok()?),
        made: Timestamp(message.made),
        expires: Timestamp(message.expires),
        state,
    })
}

fn member_message(node: NodeId, is: &Candidate) -> MemberMessage {
    MemberMessage { node: node.0, is: is.into(), since: 0, is_leaving: false }
}

/// A token as it travels with an operation: its name, the hash of its secret, and how long it lives.
fn bare_token(id: TokenId, hash: Option<SecretHash>, lifetime_ms: u64) -> TokenMessage {
    let hash = hash.map_or_else(Vec::new, |hash| hash.0.to_vec());
    TokenMessage { id: id.0, hash, expires: lifetime_ms, ..Default::default() }
}

impl From<&EnsembleOp> for OpMessage {
    fn from(op: &EnsembleOp) -> Self {
        let of = |kind| Self { kind, ..Default::default() };
        match op {
            EnsembleOp::Found { cluster, members } => Self {
                cluster: cluster.0.to_be_bytes().to_vec(),
                members: members.iter().map(|(node, is)| member_message(*node, is)).collect(),
                ..of(1)
            },
            EnsembleOp::CreateToken { id, hash, lifetime_ms } => {
                Self { token: Some(bare_token(*id, Some(*hash), *lifetime_ms)), ..of(2) }
            }
            EnsembleOp::RevokeToken { id } => Self { token: Some(bare_token(*id, None, 0)), ..of(3) },
            EnsembleOp::Admit { token, candidate } => Self {
                token: token.map(|(id, hash)| bare_token(id, Some(hash), 0)),
                members: vec![member_message(NodeId(0), candidate)],
                ..of(4)
            },
            EnsembleOp::Announce { node, candidate } => {
                Self { members: vec![member_message(*node, candidate)], ..of(5) }
            }
            EnsembleOp::Leave { node } => Self { node: node.0, ..of(6) },
            EnsembleOp::Remove { node } => Self { node: node.0, ..of(7) },
            EnsembleOp::Recover { cluster, node, candidate } => Self {
                cluster: cluster.0.to_be_bytes().to_vec(),
                members: vec![member_message(*node, candidate)],
                ..of(8)
            },
        }
    }
}

impl OpMessage {
    /// The operation; `None`: malformed, or of a newer version.
    pub(crate) fn read(self) -> Option<EnsembleOp> {
        let node = NodeId(self.node);
        let mut members = Vec::new();
        for member in self.members {
            members.push((NodeId(member.node), candidate(member.is)?));
        }
        Some(match self.kind {
            1 => EnsembleOp::Found { cluster: cluster(self.cluster)?, members },
            2 => {
                let token = self.token?;
                let lifetime_ms = token.expires;
                let TokenRecord { id, hash, .. } = self::token(token)?;
                EnsembleOp::CreateToken { id, hash, lifetime_ms }
            }
            3 => EnsembleOp::RevokeToken { id: TokenId(self.token?.id) },
            4 => {
                let token = match self.token {
                    Some(token) => Some((TokenId(token.id), SecretHash(token.hash.try_into().ok()?))),
                    None => None,
                };
                EnsembleOp::Admit { token, candidate: members.pop()?.1 }
            }
            5 => {
                let (node, candidate) = members.pop()?;
                EnsembleOp::Announce { node, candidate }
            }
            6 => EnsembleOp::Leave { node },
            7 => EnsembleOp::Remove { node },
            8 => {
                let (node, candidate) = members.pop()?;
                EnsembleOp::Recover { cluster: cluster(self.cluster)?, node, candidate }
            }
            _ => return None,
        })
    }
}

/// What an operation came to, for whoever proposed it, on whichever node: a version byte and a message of a few bytes.
/// They are equal on every node, so a change of them needs a format level of its own.
pub(crate) fn encode_outcome(outcome: &Result<EnsembleOutcome, EnsembleError>) -> Bytes {
    let with = |error, node| OutcomeMessage { error, node };
    let message = match outcome {
        Ok(EnsembleOutcome::Done) => with(0, 0),
        Ok(EnsembleOutcome::Admitted(node)) => with(0, node.0),
        Err(EnsembleError::NotFounded) => with(1, 0),
        Err(EnsembleError::UnknownToken) => with(2, 0),
        Err(EnsembleError::TokenUsed(node)) => with(3, *node),
        Err(EnsembleError::TokenExpired) => with(4, 0),
        Err(EnsembleError::TokenRevoked) => with(5, 0),
        Err(EnsembleError::TooManyTokens) => with(6, 0),
        // Whose address was in the operation.
        Err(EnsembleError::AddressTaken { node, .. }) => with(7, *node),
        Err(EnsembleError::KeyTaken(node)) => with(8, *node),
        Err(EnsembleError::UnknownNode(node)) => with(9, *node),
        Err(
            EnsembleError::StandsAlone
            | EnsembleError::LastVoter(_)
            | EnsembleError::WouldLoseQuorum { .. }
            | EnsembleError::NotPromotable { .. },
        ) => unreachable!("these are found before anything is proposed"),
    };
    versioned(&message)
}

/// The outcome of an operation; `None`: malformed, or of a newer version.
pub(crate) fn decode_outcome(
    bytes: &[u8],
    op: &EnsembleOp,
) -> Option<Result<EnsembleOutcome, EnsembleError>> {
    let Some((&VERSION, message)) = bytes.split_first() else { return None };
    let OutcomeMessage { error, node } = OutcomeMessage::decode(message).ok()?;
    Some(Err(match error {
        0 if node == 0 => return Some(Ok(EnsembleOutcome::Done)),
        0 => return Some(Ok(EnsembleOutcome::Admitted(NodeId(node)))),
        1 => EnsembleError::NotFounded,
        2 => EnsembleError::UnknownToken,
        3 => EnsembleError::TokenUsed(node),
        4 => EnsembleError::TokenExpired,
        5 => EnsembleError::TokenRevoked,
        6 => EnsembleError::TooManyTokens,
        7 => {
            let EnsembleOp::Admit { candidate, .. } = op else { return None };
            EnsembleError::AddressTaken { address: candidate.address.clone(), node }
        }
        8 => EnsembleError::KeyTaken(node),
        9 => EnsembleError::UnknownNode(node),
        _ => return None,
    }))
}

fn key(prefix: u8, id: u64) -> Bytes {
    [&[prefix][..], &id.to_be_bytes()].concat().into()
}

fn row(key: Bytes, message: Option<&impl Message>) -> Row {
    Row { table: Table::Ensemble, key, value: message.map(versioned) }
}

fn versioned(message: &impl Message) -> Bytes {
    let mut bytes = BytesMut::with_capacity(1 + message.encoded_len());
    bytes.put_u8(VERSION);
    message.encode(&mut bytes).expect("a growing buffer has room");
    bytes.freeze()
}

fn gone(key: Bytes) -> Row {
    Row { table: Table::Ensemble, key, value: None }
}

pub(super) fn head_row(ensemble: &Ensemble) -> Row {
    let cluster = ensemble.cluster.unwrap_or_default().0.to_be_bytes().to_vec();
    row(Bytes::from_static(b"e"), Some(&HeadMessage { cluster, next: ensemble.next }))
}

pub(super) fn member_row(member: &MemberRecord) -> Row {
    let message = MemberMessage {
        since: member.since.0,
        is_leaving: member.is_leaving,
        ..member_message(member.node, &member.is)
    };
    row(key(b'm', member.node.0), Some(&message))
}

pub(super) fn no_member(node: NodeId) -> Row {
    gone(key(b'm', node.0))
}

pub(super) fn removed_row(removed: &RemovedNode) -> Row {
    let message = RemovedMessage {
        address: removed.address.clone(),
        key: removed.key.map(|key| key.0.to_vec()),
        at: removed.at.0,
    };
    row(key(b'r', removed.node.0), Some(&message))
}

pub(super) fn no_removed(node: NodeId) -> Row {
    gone(key(b'r', node.0))
}

pub(super) fn token_row(token: &TokenRecord) -> Row {
    row(key(b't', token.id.0), Some(&token_message(token)))
}

pub(super) fn no_token(id: TokenId) -> Row {
    gone(key(b't', id.0))
}

/// Takes up a stored row.
pub(super) fn load(ensemble: &mut Ensemble, key: &[u8], value: &[u8]) -> Result<(), String> {
    let malformed = || "it is malformed".to_owned();
    let Some((&VERSION, value)) = value.split_first() else { return Err("its version is unknown".into()) };
    match key.split_first() {
        Some((b'e', [])) => {
            let head = HeadMessage::decode(value).map_err(|error| error.to_string())?;
            ensemble.cluster = Some(cluster(head.cluster).ok_or_else(malformed)?);
            ensemble.next = head.next;
        }
        Some((b'm', _)) => {
            let message = MemberMessage::decode(value).map_err(|error| error.to_string())?;
            let member = MemberRecord {
                node: NodeId(message.node),
                is: candidate(message.is).ok_or_else(malformed)?,
                since: Timestamp(message.since),
                is_leaving: message.is_leaving,
            };
            ensemble.members.insert(member.node, member);
        }
        Some((b'r', id)) => {
            let message = RemovedMessage::decode(value).map_err(|error| error.to_string())?;
            let node = NodeId(u64::from_be_bytes(id.try_into().map_err(|_| malformed())?));
            let key = key_hash(message.key).ok_or_else(malformed)?;
            let removed = RemovedNode { node, address: message.address, key, at: Timestamp(message.at) };
            ensemble.removed.insert(node, removed);
        }
        Some((b't', _)) => {
            let message = TokenMessage::decode(value).map_err(|error| error.to_string())?;
            let token = token(message).ok_or_else(malformed)?;
            ensemble.tokens.insert(token.id, token);
        }
        Some(_) | None => return Err("its key is unknown".into()),
    }
    Ok(())
}
