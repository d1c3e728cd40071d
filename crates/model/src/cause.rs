//! Why something changed: carried by every change of the registry, shown by the flight recorder.

use crate::{ConnectionId, Revision, ServiceKey, Timestamp};
use std::{net::IpAddr, sync::Arc};

/// What kind of event made a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// A client registered, or registered anew.
    Registered,
    /// A client asked for removal.
    Deregistered,
    /// The connection that was the lease closed.
    ConnectionLost,
    /// The connection did not answer a detection and was closed by us.
    ConnectionSilent,
    /// Beats stopped: unhealthy first, then removed.
    BeatMissed,
    /// A beat came after the instance had been found unhealthy.
    BeatReturned,
    /// An active check changed the health.
    HealthCheck,
    /// An operator changed or removed it.
    Operator,
    /// The node that owned it is gone.
    PeerLost,
    /// It was restored from disk at start.
    Restored,
    /// The brake on mass expiry had been engaged for its longest time.
    HeldTooLong,
    /// It was restored from disk at start, and its client did not come back in time.
    NotConfirmed,
}

impl Reason {
    /// Every reason, in the order of their stored numbers.
    pub const ALL: [Self; 12] = [
        Self::Registered,
        Self::Deregistered,
        Self::ConnectionLost,
        Self::ConnectionSilent,
        Self::BeatMissed,
        Self::BeatReturned,
        Self::HealthCheck,
        Self::Operator,
        Self::PeerLost,
        Self::Restored,
        Self::HeldTooLong,
        Self::NotConfirmed,
    ];

    /// The reason in words, for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::Deregistered => "deregistered",
            Self::ConnectionLost => "connection lost",
            Self::ConnectionSilent => "connection silent",
            Self::BeatMissed => "beat missed",
            Self::BeatReturned => "beat returned",
            Self::HealthCheck => "health check",
            Self::Operator => "operator",
            Self::PeerLost => "peer lost",
            Self::Restored => "restored",
            Self::HeldTooLong => "held too long",
            Self::NotConfirmed => "not confirmed",
        }
    }
}

/// Who made a change, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actor {
    /// The connection the request came on.
    pub connection: Option<ConnectionId>,
    /// The address of the other end of that connection.
    pub address: Option<IpAddr>,
    /// The authenticated user, once there are users.
    pub user: Option<Arc<str>>,
}

/// Who and why; when is the `now` of the operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// Who.
    pub actor: Actor,
    /// Why.
    pub reason: Reason,
}

/// One line of the flight recorder: what happened to one instance.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// When.
    pub at: Timestamp,
    /// The service it happened in.
    pub service: ServiceKey,
    /// `ip:port@cluster` of the instance.
    pub instance: Arc<str>,
    /// What became of it: `added`, `updated`, `healthy`, `unhealthy`, `removed`; `expiry held` where its
    /// lease engaged the brake on mass expiry, `expiry released` when that was released.
    pub what: &'static str,
    /// Who and why.
    pub cause: Cause,
    /// The service's revision afterwards.
    pub revision: Revision,
}
