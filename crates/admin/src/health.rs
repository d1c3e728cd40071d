//! Health for load balancers and schedulers.

use crate::AdminState;
use axum::{
    Json,
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::json;

/// What readiness is asked for.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct ReadyQuery {
    /// `write`: durable writes must pass, too.
    #[serde(default, rename = "for")]
    purpose: String,
}

/// 200 while the process serves HTTP at all.
pub(crate) async fn live() -> &'static str {
    "ok\n"
}

/// 200 once everything acknowledged before the start is in memory; 503 with the reason before, and while the
/// node drains. With `?for=write` also 503 while durable writes are refused.
pub(crate) async fn ready(State(state): State<AdminState>, Query(query): Query<ReadyQuery>) -> Response {
    let refused = |reason: &str| {
        (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "ready": false, "reason": reason }))).into_response()
    };
    if state.connections.draining().is_cancelled() {
        return refused("draining");
    }
    if !state.node.is_ready() {
        return refused("the log is being replayed");
    }
    let is_full = state.node.consensus().is_ok_and(|consensus| consensus.metrics().is_full);
    if !["", "write"].contains(&query.purpose.as_str()) {
        return (StatusCode::BAD_REQUEST, "for: expected write\n").into_response();
    }
    if query.purpose == "write" && is_full {
        return refused("free disk space is below the reserve");
    }
    let mut body = json!({ "ready": true });
    if is_full {
        body["degraded"] = json!("free disk space is below the reserve: durable writes are refused");
    }
    Json(body).into_response()
}
