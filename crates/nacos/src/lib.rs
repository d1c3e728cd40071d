//! The Nacos protocols over the use cases of a node: gRPC as 2.x and 3.x clients speak it, HTTP as 1.x clients,
//! scripts and load balancers do.
//!
//! A handler decodes with `nacos-wire`, calls one use case, and encodes the answer; what a request means is decided
//! nowhere here. Start at [`router`], then `grpc.rs` and `http.rs`.

mod failure;
mod grpc;
mod http;
mod service_info;

pub use grpc::{SessionSettings, SessionSummary, Sessions};
pub use http::{HttpSettings, LogLevels, openapi};

use ::http::{HeaderValue, header::CONTENT_TYPE};
use axum::{extract::Request, response::Response};
use muster_node::Node;
use muster_runtime::Tasks;
use std::{future::ready, sync::Arc};
use tonic::Status;

/// All routes of the Nacos protocols, and the answer to every path that is none of theirs. Requests must carry their
/// `ConnectionInfo`, as those of `transport` do.
pub fn router(
    node: Arc<Node>,
    sessions: Arc<Sessions>,
    tasks: Tasks,
    settings: HttpSettings,
) -> axum::Router {
    node.count_clients(sessions.clients());
    let grpc = grpc::routes(node.clone(), sessions.clone(), tasks.clone());
    let http = http::routes(node.clone(), sessions, tasks, settings);
    grpc.merge(http).fallback(move |request: Request| ready(unknown_path(&node, &request)))
}

/// gRPC clients learn that there is no such method, all others get the error page of Nacos.
fn unknown_path(node: &Node, request: &Request) -> Response {
    let content_type = request.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    if content_type.starts_with(b"application/grpc") {
        return Status::unimplemented("no such method").into_http();
    }
    http::unknown_path(request.uri().path(), node.now().wall)
}
