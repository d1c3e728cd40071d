//! Opening listening sockets.

use crate::Surfaces;
use socket2::{Domain, Protocol, Socket, Type};
use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
};
use tokio::net::TcpListener;

/// Connections the kernel keeps for us before they are accepted.
const BACKLOG: i32 = 1024;

/// A bound, listening socket that nobody accepts from yet. It shows all surfaces unless told otherwise.
#[derive(Debug)]
pub struct Listener {
    pub(crate) socket: TcpListener,
    pub(crate) address: SocketAddr,
    pub(crate) surfaces: Surfaces,
}

impl Listener {
    /// The address it is bound to, with the port the system chose where 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The same, showing these surfaces only.
    pub fn showing(self, surfaces: Surfaces) -> Self {
        Self { surfaces, ..self }
    }
}

/// Why an address cannot be listened on.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Another process listens there.
    #[error("cannot listen on {address}: another process already uses this port")]
    InUse {
        /// The address asked for.
        address: SocketAddr,
    },
    /// Ports below 1024 need a privilege.
    #[error("cannot listen on {address}: permission denied (ports below 1024 need CAP_NET_BIND_SERVICE)")]
    NotPermitted {
        /// The address asked for.
        address: SocketAddr,
    },
    /// The address is of another machine.
    #[error("cannot listen on {address}: this machine has no such address")]
    NotOurs {
        /// The address asked for.
        address: SocketAddr,
    },
    /// Anything else.
    #[error("cannot listen on {address}: {source}")]
    Other {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

/// Binds all addresses, in their order, or none. Port 0 lets the system choose. An IPv6 wildcard takes IPv4
/// connections too, unless an IPv4 address with its port is in the list.
///
/// Must be called within a tokio runtime.
pub fn bind(addresses: &[SocketAddr]) -> Result<Vec<Listener>, BindError> {
    addresses.iter().map(|address| listen(*address, ipv6_only(*address, addresses))).collect()
}

fn ipv6_only(address: SocketAddr, addresses: &[SocketAddr]) -> bool {
    addresses.iter().any(|other| other.is_ipv4() && other.port() == address.port())
}

fn listen(address: SocketAddr, ipv6_only: bool) -> Result<Listener, BindError> {
    open(address, ipv6_only).map_err(|source| {
        let kind = source.kind();
        if kind == ErrorKind::AddrInUse {
            BindError::InUse { address }
        } else if kind == ErrorKind::PermissionDenied {
            BindError::NotPermitted { address }
        } else if kind == ErrorKind::AddrNotAvailable {
            BindError::NotOurs { address }
        } else {
            BindError::Other { address, source }
        }
    })
}

fn open(address: SocketAddr, ipv6_only: bool) -> io::Result<Listener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // A restarted server must not wait for the old one's connections to leave TIME_WAIT.
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(ipv6_only)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    let socket = TcpListener::from_std(socket.into())?;
    let address = socket.local_addr()?;
    Ok(Listener { socket, address, surfaces: Surfaces::ALL })
}
