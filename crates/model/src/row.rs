//! What a durable core asks storage to write.

use bytes::Bytes;

/// The tables of the state store. The numbers are stored: never reuse one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Table {
    /// What consensus itself keeps: membership, request ids.
    Consensus = 1,
    /// Namespaces.
    Namespace = 2,
    /// Explicitly created or changed services: metadata, threshold, selector, clusters.
    Service = 3,
    /// Persistent instances.
    Instance = 4,
    /// Config metadata: everything but contents.
    Config = 5,
    /// Config contents, formal and gray.
    ConfigContent = 6,
    /// Config history.
    ConfigHistory = 7,
    /// Distributed locks.
    Lock = 8,
    /// Counters and other single values of the state machine.
    Meta = 9,
    /// What operators laid over instances.
    Override = 10,
    /// What groups and namespaces may hold of configs, where an operator said so.
    ConfigCapacity = 11,
    /// Who belongs to the ensemble, who was removed, and tokens to join it.
    Ensemble = 12,
}

impl Table {
    /// Every table.
    pub const ALL: [Self; 12] = [
        Self::Consensus,
        Self::Namespace,
        Self::Service,
        Self::Instance,
        Self::Config,
        Self::ConfigContent,
        Self::ConfigHistory,
        Self::Lock,
        Self::Meta,
        Self::Override,
        Self::ConfigCapacity,
        Self::Ensemble,
    ];

    /// The table of a stored number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|table| *table as u8 == number)
    }
}

/// One change of durable state: a put where there is a value, a delete where there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The table.
    pub table: Table,
    /// The key, ordered bytewise inside its table.
    pub key: Bytes,
    /// The new value; `None` deletes the row.
    pub value: Option<Bytes>,
}
