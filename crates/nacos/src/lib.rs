//! The Nacos protocols over the use cases of a node: gRPC as 2.x and 3.x clients speak it, HTTP as 1.x clients,
//! scripts and load balancers do.
//!
//! A handler decodes with `nacos-wire`, calls one use case, and encodes the answer; what a request means is decided
//! nowhere here. Start at [`router`], then `grpc.rs` and `http.rs`.

mod failure;
mod grpc;

pub use grpc::{SessionSummary, Sessions};

use muster_node::Node;
use muster_runtime::Tasks;
use std::sync::Arc;

/// All routes of the Nacos protocols.
pub fn router(node: Arc<Node>, sessions: Arc<Sessions>, tasks: Tasks) -> axum::Router {
    grpc::routes(node, sessions, tasks)
}
