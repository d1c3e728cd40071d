//! What protects a connection and proves who is at the other end.

use crate::KeyHash;
use muster_model::{ClusterId, NodeId, Timestamp};
use muster_runtime::net::{BoxFuture, BoxStream};
use std::io;

/// A protected connection, and what the other end proved of itself.
pub type Secured = (BoxStream, Box<dyn Proof>);

/// Wraps fresh connections.
pub trait Security: Send + Sync + 'static {
    /// On the connecting side; fails if the other end does not prove to be `to`. `None`: any node of the ensemble.
    fn connected<'a>(&'a self, stream: BoxStream, to: Option<NodeId>) -> BoxFuture<'a, io::Result<Secured>>;

    /// On the accepting side, before the other end has said who it is.
    fn accepted<'a>(&'a self, stream: BoxStream) -> BoxFuture<'a, io::Result<Secured>>;

    /// When this node's own certificate ends; `None`: there is none.
    fn certificate_until(&self) -> Option<Timestamp> {
        None
    }
}

/// What the other end proved of itself.
pub trait Proof: Send {
    /// Whether it is that node of that cluster. 0 is a node that has no id yet.
    fn is(&self, cluster: ClusterId, node: NodeId) -> bool;

    /// Whether it proved anything.
    fn is_proven(&self) -> bool;

    /// The key it proved to have.
    fn key(&self) -> Option<KeyHash>;

    /// When the certificate that it showed ends; `None`: it showed none.
    fn certificate_until(&self) -> Option<Timestamp> {
        None
    }
}

/// No protection at all: for simulations and tests.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plaintext;

struct Claimed;

impl Proof for Claimed {
    fn is(&self, _cluster: ClusterId, _node: NodeId) -> bool {
        true
    }

    fn is_proven(&self) -> bool {
        true
    }

    fn key(&self) -> Option<KeyHash> {
        None
    }
}

fn claimed(stream: BoxStream) -> BoxFuture<'static, io::Result<Secured>> {
    Box::pin(async { Ok((stream, Box::new(Claimed) as Box<dyn Proof>)) })
}

impl Security for Plaintext {
    fn connected<'a>(&'a self, stream: BoxStream, _to: Option<NodeId>) -> BoxFuture<'a, io::Result<Secured>> {
        claimed(stream)
    }

    fn accepted<'a>(&'a self, stream: BoxStream) -> BoxFuture<'a, io::Result<Secured>> {
        claimed(stream)
    }
}
