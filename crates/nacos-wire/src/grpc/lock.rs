//! Lock requests (Java 3.x only).

use crate::{Text, lenient};
use serde::{Deserialize, Serialize};

/// What is done to a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockOperation {
    /// `ACQUIRE`: true if it was free, never waits.
    Acquire,
    /// `RELEASE`: by anybody; true if it was held.
    Release,
}

impl LockOperation {
    /// The operation of a name. `EXPIRE` and all else is `None`: resultCode 500, `There is no Handler of such operations!`.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "ACQUIRE" => Some(Self::Acquire),
            "RELEASE" => Some(Self::Release),
            _ => None,
        }
    }
}

/// A lock and for how long.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LockInstance<'a> {
    /// Name of the lock.
    #[serde(borrow)]
    pub key: Text<'a>,
    /// Milliseconds until it is free by itself; negative or absent is the server's default.
    #[serde(deserialize_with = "lenient::optional")]
    pub expired_time: Option<i64>,
    /// `NACOS_LOCK`.
    #[serde(borrow)]
    pub lock_type: Text<'a>,
}

/// `LockOperationRequest`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LockOperationRequest<'a> {
    /// The lock.
    #[serde(borrow, deserialize_with = "lenient::or_default")]
    pub lock_instance: LockInstance<'a>,
    /// `ACQUIRE` or `RELEASE`.
    #[serde(borrow)]
    pub lock_operation_enum: Text<'a>,
}
