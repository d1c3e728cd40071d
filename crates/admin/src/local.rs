//! Keeping operators' calls to this machine.

use axum::{
    extract::Request,
    http::StatusCode,
    middleware::Next,
    response::{IntoResponse, Response},
};
use muster_transport::ConnectionInfo;

/// Answers 403 to connections from other machines.
pub(crate) async fn only_this_machine(request: Request, next: Next) -> Response {
    let is_local = request
        .extensions()
        .get::<ConnectionInfo>()
        .is_some_and(|connection| connection.remote.ip().to_canonical().is_loopback());
    if is_local {
        next.run(request).await
    } else {
        (StatusCode::FORBIDDEN, "this path is answered to the machine the node runs on only\n")
            .into_response()
    }
}
