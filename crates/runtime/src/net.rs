//! Connections between the nodes of an ensemble: real sockets in production, simulated ones in simulation.
//!
//! Only traffic between nodes goes through here. What clients speak has its listeners in `transport`.

mod real;

pub use real::RealNetwork;

use std::{future::Future, io, pin::Pin, sync::Arc};
use tokio::io::{AsyncRead, AsyncWrite};

/// A future that a trait object gives.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A connected stream of bytes.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream for T {}

/// Any stream.
pub type BoxStream = Box<dyn Stream>;

/// Opens and takes connections. Addresses are `host:port`.
pub trait Network: Send + Sync + 'static {
    /// Connects; the caller sets the time limit by dropping the future.
    fn connect<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<BoxStream>>;

    /// Opens an address.
    fn listen<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Incoming>>>;
}

/// An open address.
pub trait Incoming: Send + 'static {
    /// The next connection, and whom it came from. An error is about that connection alone, unless it comes again.
    fn accept(&mut self) -> BoxFuture<'_, io::Result<(BoxStream, String)>>;

    /// The address that was opened, with the port that the system chose if 0 was asked for.
    fn address(&self) -> String;
}

/// A network that is shared.
pub type SharedNetwork = Arc<dyn Network>;
