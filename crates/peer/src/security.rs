//! What protects a connection and proves who is at the other end.

use muster_model::NodeId;
use muster_runtime::net::{BoxFuture, BoxStream};
use std::io;

/// Wraps fresh connections.
pub trait Security: Send + Sync + 'static {
    /// On the connecting side; fails if the other end does not prove to be `to`. `None`: any node of the ensemble.
    fn connected<'a>(&'a self, stream: BoxStream, to: Option<NodeId>)
    -> BoxFuture<'a, io::Result<BoxStream>>;

    /// On the accepting side, before the other end has said who it is.
    fn accepted<'a>(&'a self, stream: BoxStream) -> BoxFuture<'a, io::Result<(BoxStream, Box<dyn Proof>)>>;
}

/// What the connecting side proved of itself.
pub trait Proof: Send {
    /// Whether it is that node. 0 is a node that has no id yet.
    fn is(&self, node: NodeId) -> bool;
}

/// No protection at all: for simulations and tests.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plaintext;

struct Claimed;

impl Proof for Claimed {
    fn is(&self, _node: NodeId) -> bool {
        true
    }
}

impl Security for Plaintext {
    fn connected<'a>(
        &'a self,
        stream: BoxStream,
        _to: Option<NodeId>,
    ) -> BoxFuture<'a, io::Result<BoxStream>> {
        Box::pin(async { Ok(stream) })
    }

    fn accepted<'a>(&'a self, stream: BoxStream) -> BoxFuture<'a, io::Result<(BoxStream, Box<dyn Proof>)>> {
        Box::pin(async { Ok((stream, Box::new(Claimed) as Box<dyn Proof>)) })
    }
}
