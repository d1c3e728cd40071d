//! Who publishes.

use crate::{Host, Kind};
use std::{fmt, sync::Arc};

/// A node of the ensemble; 1 on a node of its own, 0 for none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub u64);

/// The nodes that form one ensemble, told from any others that ever were; 0 for none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClusterId(pub u128);

impl fmt::Display for ClusterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// One life of a node: no two lives share it, whatever happened to the disk in between. A greater boot counter is a
/// later life; an equal one with another random part is a life on lost or copied data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Epoch {
    /// Counted up and synced before the first message of a life.
    pub boot: u64,
    /// Drawn anew in each life.
    pub random: u64,
}

/// Where ephemeral publications come from: one life of one node, their single writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin {
    /// The node.
    pub node: NodeId,
    /// Its life.
    pub epoch: Epoch,
}

/// Which of two registrations of the same client to the same service came later, on all nodes alike.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Incarnation {
    /// A hybrid logical clock: milliseconds since 1970 UTC in the upper 48 bits, a counter in the lower 16.
    pub at: u64,
    /// The node that took the registration; 0 for none.
    pub node: u64,
}

/// One accepted TCP connection, unique while the process lives. Never derived from an address: two clients
/// behind one proxy are two connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub u64);

impl ConnectionId {
    /// The upper 16 bits tell whose connection it is: 0 for one of this life of this node.
    const PLACE_SHIFT: u32 = 48;

    /// A connection of another life or node, which is known here by a number from 1 on.
    pub fn elsewhere(place: u16, number: u64) -> Self {
        Self(u64::from(place) << Self::PLACE_SHIFT | number & ((1 << Self::PLACE_SHIFT) - 1))
    }

    /// Whose connection it is; 0 for one of this life of this node.
    pub fn place(self) -> u16 {
        (self.0 >> Self::PLACE_SHIFT) as u16
    }

    /// Its number there.
    pub fn number(self) -> u64 {
        self.0 & ((1 << Self::PLACE_SHIFT) - 1)
    }
}

/// The owner of publications. A client publishes at most one instance, or one batch, to a service.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ClientId {
    /// A gRPC connection: its publications live as long as it does.
    Connection(ConnectionId),
    /// An HTTP client, or any publisher of a persistent instance: known by the address it registers
    /// (`ip:port#true` ephemeral, kept by beats; `ip:port#false` persistent).
    Address(Host, u16, Kind),
    /// An application instance that registers over Eureka, by its instance id: it publishes one ephemeral instance to
    /// the service that its application is, kept by renewals. Equal ids of different applications are one client with
    /// a publication and a lease for each.
    Eureka(Arc<str>),
}

impl ClientId {
    /// Whether what the client publishes lives by a lease.
    pub fn is_ephemeral(&self) -> bool {
        !matches!(self, Self::Address(_, _, Kind::Persistent))
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connection(id) if id.place() != 0 => {
                write!(f, "connection-{}-{}", id.place(), id.number())
            }
            Self::Connection(id) => write!(f, "connection-{}", id.0),
            Self::Address(host, port, kind) => write!(f, "{host}:{port}#{}", *kind == Kind::Ephemeral),
            Self::Eureka(id) => write!(f, "eureka-{id}"),
        }
    }
}
