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
/// node drains. With `?for=write` also 503 while durable writes are refused, for want of disk space or of a leader. A node that
/// hears no leader goes on serving: it is ready, and says that it is degraded.
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
    let standing = state.node.consensus().map(|consensus| consensus.standing()).unwrap_or_default();
    let without_leader = standing.without_leader_ms.map(|ms| format!("no leader for {} s", ms / 1_000));
    let is_full = state.node.consensus().is_ok_and(|consensus| consensus.metrics().is_full);
    if !["", "write"].contains(&query.purpose.as_str()) {
        return (StatusCode::BAD_REQUEST, "for: expected write\n").into_response();
    }
    if query.purpose == "write" && is_full {
        return refused("free disk space is below the reserve");
    }
    if let (true, Some(why)) = (query.purpose == "write", &without_leader) {
        return refused(&format!("{why}: durable writes wait for one"));
    }
    let mut body = json!({ "ready": true });
    let full = is_full.then(|| "free disk space is below the reserve: durable writes are refused".to_owned());
    let degraded: Vec<String> = without_leader.into_iter().chain(full).collect();
    if !degraded.is_empty() {
        body["degraded"] = json!(degraded.join("; "));
    }
    Json(body).into_response()
}
