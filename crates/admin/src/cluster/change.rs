//! Changing who belongs to the ensemble: tokens, removals, promotions. Answered to this machine only.

use crate::AdminState;
use axum::{
    Json,
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use muster_model::{ErrorCode, NodeId};
use muster_node::{NodeError, TokenRecord, TokenState};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;

/// A refusal in words: 404 for what does not exist, 409 for what can't be now, 503 for what may pass later or elsewhere.
fn refused(error: &NodeError) -> Response {
    let status = match error.code() {
        ErrorCode::NotFound => StatusCode::NOT_FOUND,
        ErrorCode::ParameterMissing | ErrorCode::InvalidParameter => StatusCode::BAD_REQUEST,
        ErrorCode::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        ErrorCode::StorageFull => StatusCode::INSUFFICIENT_STORAGE,
        ErrorCode::Timeout => StatusCode::GATEWAY_TIMEOUT,
        ErrorCode::KindClash
        | ErrorCode::AlreadyExists
        | ErrorCode::NotEmpty
        | ErrorCode::Conflict
        | ErrorCode::LimitExceeded
        | ErrorCode::QuotaReached
        | ErrorCode::Disconnected
        | ErrorCode::Forbidden => StatusCode::CONFLICT,
    };
    (status, format!("{error}\n")).into_response()
}

fn wrong(text: &str) -> Response {
    (StatusCode::BAD_REQUEST, format!("{text}\n")).into_response()
}

fn answered<T: Serialize>(result: Result<T, NodeError>) -> Response {
    match result {
        Ok(answer) => Json(answer).into_response(),
        Err(error) => refused(&error),
    }
}

/// How long a token shall hold.
#[derive(Debug, Deserialize)]
pub(crate) struct TokenQuery {
    lifetime_s: Option<u64>,
}

/// `POST /muster/v1/cluster/tokens?lifetime_s=`: `{"id":"…","token":"…","expires":1730000000000,"join":"10.0.0.1:7848"}`.
/// The token is shown here and never again.
pub(crate) async fn create_token(
    State(state): State<AdminState>,
    Query(query): Query<TokenQuery>,
) -> Response {
    let created = state.node.create_join_token(query.lifetime_s.map(Duration::from_secs)).await;
    let token = match created {
        Ok(token) => token,
        Err(error) => return refused(&error),
    };
    let expires =
        state.node.list_join_tokens().iter().find(|one| one.id == token.id).map(|one| one.expires.0);
    let view = state.node.members_view();
    let join = view.members.get(&state.node.id()).map(|member| member.is.address.clone());
    let answer = json!({
        "id": token.id.to_string(),
        "token": token.reveal(),
        "expires": expires.unwrap_or_default(),
        "join": join.unwrap_or_default(),
    });
    Json(answer).into_response()
}

/// A token, without its secret.
#[derive(Debug, Serialize)]
struct TokenLine {
    id: String,
    made: u64,
    expires: u64,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    used_by: Option<u64>,
}

impl From<TokenRecord> for TokenLine {
    fn from(token: TokenRecord) -> Self {
        let (state, used_by) = match token.state {
            TokenState::Open => ("open", None),
            TokenState::Used { node, .. } => ("used", Some(node.0)),
            TokenState::Revoked { .. } => ("revoked", None),
        };
        Self { id: token.id.to_string(), made: token.made.0, expires: token.expires.0, state, used_by }
    }
}

/// `GET /muster/v1/cluster/tokens`.
pub(crate) async fn list_tokens(State(state): State<AdminState>) -> Response {
    let tokens: Vec<TokenLine> = state.node.list_join_tokens().into_iter().map(Into::into).collect();
    Json(json!({ "tokens": tokens })).into_response()
}

/// Which token.
#[derive(Debug, Deserialize)]
pub(crate) struct RevokeQuery {
    id: String,
}

/// `POST /muster/v1/cluster/tokens/revoke?id=`.
pub(crate) async fn revoke_token(
    State(state): State<AdminState>,
    Query(query): Query<RevokeQuery>,
) -> Response {
    let Ok(id) = query.id.parse() else {
        return wrong("id: expected 16 digits, as `muster cluster token list` prints them");
    };
    answered(state.node.revoke_join_token(id).await.map(|()| json!({ "revoked": query.id })))
}

/// Which node.
#[derive(Debug, Deserialize)]
pub(crate) struct RemoveQuery {
    node: u64,
}

/// `POST /muster/v1/cluster/remove?node=`: when this is answered nobody listens to the node any more.
pub(crate) async fn remove(State(state): State<AdminState>, Query(query): Query<RemoveQuery>) -> Response {
    let removed = state.node.remove_node(NodeId(query.node)).await;
    answered(removed.map(|()| json!({ "node": query.node })))
}

/// Which nodes.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct PromoteQuery {
    #[serde(default)]
    nodes: String,
}

/// `POST /muster/v1/cluster/promote?nodes=2,3`: `{"voters":[1,2,3]}`. Without nodes, all that have caught up.
pub(crate) async fn promote(State(state): State<AdminState>, Query(query): Query<PromoteQuery>) -> Response {
    let ids = query.nodes.split(',').map(str::trim).filter(|id| !id.is_empty());
    let Ok(nodes) = ids.map(|id| id.parse().map(NodeId)).collect::<Result<Vec<_>, _>>() else {
        return wrong("nodes: expected ids with commas between, as `muster cluster status` prints them");
    };
    if let Err(error) = state.node.promote_nodes(&nodes).await {
        return refused(&error);
    }
    answered(state.node.cluster_status().map(|status| {
        let voters = status.members.iter().filter(|member| member.is_voter);
        json!({ "voters": voters.map(|member| member.node.0).collect::<Vec<_>>() })
    }))
}

/// `POST /muster/v1/cluster/upgrade`: `{"level":2}`, the format level in force from now on.
pub(crate) async fn upgrade(State(state): State<AdminState>) -> Response {
    answered(state.node.upgrade_cluster().await.map(|level| json!({ "level": level })))
}

/// What [`create_token`] answers, in the words of OpenAPI.
pub(crate) fn token_schema() -> Value {
    let text = |about: &str| json!({ "type": "string", "description": about });
    json!({ "type": "object", "properties": {
        "id": text("its id, no secret"),
        "token": text("the token; it is not shown again"),
        "expires": { "type": "integer", "description": "when it ends, milliseconds since 1970" },
        "join": text("the address that the new node joins at"),
    } })
}

/// What [`list_tokens`] answers.
pub(crate) fn tokens_schema() -> Value {
    let number = |about: &str| json!({ "type": "integer", "description": about });
    let token = json!({
        "id": { "type": "string" },
        "made": number("when it was made, milliseconds since 1970"),
        "expires": number("when it ends"),
        "state": { "type": "string", "description": "`open`, `used` or `revoked`" },
        "used_by": number("the node that joined with it"),
    });
    let tokens = json!({ "type": "array", "items": { "type": "object", "properties": token } });
    json!({ "type": "object", "properties": { "tokens": tokens } })
}
