//! Durable operations as they stand in the log: a version byte, then fields by number, so that later versions
//! can add to them. Only what went through [`DurableOp::encode`] is ever proposed.

use crate::{
    doctor::marks::Mark,
    ensemble::{EnsembleOp, OpMessage},
    locks::LockOp,
};
use bytes::{BufMut, Bytes, BytesMut};
use muster_consensus::LEVEL_NEWEST;
use muster_model::{Row, Table, Timestamp};
use prost::Message;

/// The version byte of every encoded operation.
const VERSION: u8 = 1;

/// A change of durable state.
#[derive(Clone, Debug)]
pub(crate) enum DurableOp {
    /// Persistent instances, services, namespaces, overrides.
    Registry(muster_registry::Op),
    /// Configs.
    Config(muster_config::Op),
    /// Locks.
    Lock(LockOp),
    /// Removal of locks whose time is over, as of a moment.
    ExpireLocks(Timestamp),
    /// The value of a switch, as `Switches::set` reads it.
    Switch { entry: String, value: String },
    /// Members, join tokens.
    Ensemble(EnsembleOp),
    /// The row of an account.
    Account(Row),
    /// A place at which all nodes compute what their state comes to.
    Mark(Mark),
}

/// Why bytes from the log are no operation of this version. The log is checksummed, so this means a newer
/// version wrote them, or a defect.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DecodeError {
    #[error("operation has format version {0}, this program knows {VERSION}")]
    Version(u8),
    #[error("operation does not decode: {0}")]
    Malformed(String),
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("operation needs format level {0}, this program knows {LEVEL_NEWEST}: use a newer one")]
    Level(u32),
}

#[derive(Clone, PartialEq, Message)]
struct LockBody {
    #[prost(string, tag = "1")]
    key: String,
    /// Present: acquire; absent: release.
    #[prost(int64, optional, tag = "2")]
    hold_ms: Option<i64>,
}

#[derive(Clone, PartialEq, Message)]
struct SwitchBody {
    #[prost(string, tag = "1")]
    entry: String,
    #[prost(string, tag = "2")]
    value: String,
}

#[derive(Clone, PartialEq, Message)]
struct AccountBody {
    #[prost(bytes = "bytes", tag = "1")]
    key: Bytes,
    #[prost(bytes = "bytes", optional, tag = "2")]
    value: Option<Bytes>,
}

#[derive(Clone, PartialEq, Message)]
struct MarkBody {
    #[prost(fixed64, tag = "1")]
    id: u64,
    /// Pairs of table and bucket.
    #[prost(bytes = "bytes", tag = "2")]
    places: Bytes,
}

#[derive(Clone, PartialEq, Message)]
struct Envelope {
    // Tag 1 was the proposer's own number of the operation.
    #[prost(bytes = "bytes", optional, tag = "2")]
    registry: Option<Bytes>,
    #[prost(bytes = "bytes", optional, tag = "3")]
    config: Option<Bytes>,
    #[prost(message, optional, tag = "4")]
    lock: Option<LockBody>,
    #[prost(uint64, optional, tag = "5")]
    expire_locks: Option<u64>,
    #[prost(message, optional, tag = "6")]
    switch: Option<SwitchBody>,
    #[prost(message, optional, tag = "7")]
    ensemble: Option<OpMessage>,
    #[prost(message, optional, tag = "8")]
    account: Option<AccountBody>,
    #[prost(message, optional, tag = "9")]
    mark: Option<MarkBody>,
}

impl DurableOp {
    /// The bytes to propose.
    pub(crate) fn encode(&self) -> Bytes {
        let mut envelope = Envelope::default();
        match self {
            Self::Registry(op) => {
                envelope.registry = Some(op.encode().expect("only durable operations are proposed"));
            }
            Self::Config(op) => envelope.config = Some(op.encode()),
            Self::Lock(LockOp::Acquire { key, hold_ms }) => {
                envelope.lock = Some(LockBody { key: key.clone(), hold_ms: Some(*hold_ms) });
            }
            Self::Lock(LockOp::Release { key }) => {
                envelope.lock = Some(LockBody { key: key.clone(), hold_ms: None });
            }
            Self::ExpireLocks(now) => envelope.expire_locks = Some(now.0),
            Self::Switch { entry, value } => {
                envelope.switch = Some(SwitchBody { entry: entry.clone(), value: value.clone() });
            }
            Self::Ensemble(op) => envelope.ensemble = Some(op.into()),
            Self::Mark(mark) => envelope.mark = Some(MarkBody { id: mark.id, places: mark.places() }),
            Self::Account(row) => {
                envelope.account = Some(AccountBody { key: row.key.clone(), value: row.value.clone() });
            }
        }
        let mut bytes = BytesMut::with_capacity(1 + envelope.encoded_len());
        bytes.put_u8(VERSION);
        envelope.encode(&mut bytes).expect("a growing buffer has room");
        bytes.freeze()
    }

    /// The operation.
    pub(crate) fn decode(bytes: &Bytes) -> Result<Self, DecodeError> {
        match bytes.first() {
            Some(&VERSION) => {}
            version => return Err(DecodeError::Version(version.copied().unwrap_or_default())),
        }
        let envelope =
            Envelope::decode(bytes.slice(1..)).map_err(|error| DecodeError::Malformed(error.to_string()))?;
        let op = Self::read(envelope)?;
        match op.level() {
            0..=LEVEL_NEWEST => Ok(op),
            level => Err(DecodeError::Level(level)),
        }
    }

    fn read(envelope: Envelope) -> Result<Self, DecodeError> {
        Ok(match envelope {
            Envelope { registry: Some(body), .. } => {
                let op = muster_registry::Op::decode(&body);
                Self::Registry(op.map_err(|error| DecodeError::Malformed(error.to_string()))?)
            }
            Envelope { config: Some(body), .. } => Self::Config(
                muster_config::Op::decode(body).map_err(|error| DecodeError::Malformed(error.to_string()))?,
            ),
            Envelope { lock: Some(LockBody { key, hold_ms: Some(hold_ms) }), .. } => {
                Self::Lock(LockOp::Acquire { key, hold_ms })
            }
            Envelope { lock: Some(LockBody { key, hold_ms: None }), .. } => {
                Self::Lock(LockOp::Release { key })
            }
            Envelope { expire_locks: Some(now), .. } => Self::ExpireLocks(Timestamp(now)),
            Envelope { switch: Some(SwitchBody { entry, value }), .. } => Self::Switch { entry, value },
            Envelope { ensemble: Some(op), .. } => Self::Ensemble(
                op.read().ok_or_else(|| DecodeError::Malformed("a change of the ensemble".into()))?,
            ),
            Envelope { account: Some(AccountBody { key, value }), .. } => {
                Self::Account(Row { table: Table::Meta, key, value })
            }
            Envelope { mark: Some(MarkBody { id, places }), .. } => Self::Mark(Mark::from_parts(id, &places)),
            Envelope { .. } => return Err(DecodeError::Missing("operation")),
        })
    }
}

#[cfg(test)]
mod tests;
