//! The one table of what can go wrong, from which each protocol maps its own codes.

/// What a caller can do about a failure. Texts and numbers are each protocol's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// A required value is absent or blank: send it.
    ParameterMissing,
    /// A value is malformed or out of range: correct it.
    InvalidParameter,
    /// The request does not fit the service's kind (ephemeral or persistent).
    KindClash,
    /// What was named does not exist.
    NotFound,
    /// What should be created exists.
    AlreadyExists,
    /// What should be removed is still in use.
    NotEmpty,
    /// The compare-and-set condition did not hold: read again.
    Conflict,
    /// A count or size limit is reached.
    LimitExceeded,
    /// What an operator allows a group or namespace is used up: remove something, or ask for more.
    QuotaReached,
    /// The connection a request relies on is gone or not set up.
    Disconnected,
    /// No rights.
    Forbidden,
    /// The node can't serve this now (starting, no leader, draining): try another node, or later.
    Unavailable,
    /// The disk is full; reads go on, writes resume when there is space.
    StorageFull,
    /// The result is unknown: the write may or may not have happened.
    Timeout,
    /// A defect or a broken machine; details are in the log.
    Internal,
}
