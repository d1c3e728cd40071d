//! The flight recorder, for `muster history`.

use crate::AdminState;
use axum::{
    Json,
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use muster_node::{History, JournalFilter};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Which records are asked for; absent means all.
#[derive(Debug, Deserialize)]
pub(crate) struct HistoryQuery {
    namespace: Option<String>,
    group: Option<String>,
    service: Option<String>,
    instance: Option<String>,
    #[serde(default)]
    limit: usize,
}

/// One record: `{"at":1730000000000,"namespace":"public","group":"DEFAULT_GROUP","service":"order",
/// "instance":"10.0.0.1:8080@DEFAULT","what":"removed","why":"connection lost","connection":7,
/// "address":"10.0.0.1","revision":42}`.
#[derive(Debug, Serialize)]
struct Line {
    at: u64,
    namespace: String,
    group: String,
    service: String,
    instance: String,
    what: &'static str,
    why: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    connection: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    revision: u64,
}

/// The records, newest first, and what is missing of them.
#[derive(Debug, Serialize)]
struct Answer {
    changes: Vec<Line>,
    dropped: u64,
    damaged_blocks: u64,
    oldest: Option<u64>,
}

impl From<History> for Answer {
    fn from(history: History) -> Self {
        let line = |change: muster_model::Change| Line {
            at: change.at.0,
            namespace: change.service.namespace().to_string(),
            group: change.service.group().to_string(),
            service: change.service.name().to_string(),
            instance: change.instance.to_string(),
            what: change.what,
            why: change.cause.reason.as_str(),
            connection: change.cause.actor.connection.map(|id| id.0),
            address: change.cause.actor.address.map(|address| address.to_string()),
            user: change.cause.actor.user.as_deref().map(str::to_owned),
            revision: change.revision.0,
        };
        Self {
            changes: history.changes.into_iter().map(line).collect(),
            dropped: history.dropped,
            damaged_blocks: history.damaged_blocks,
            oldest: history.oldest.map(|at| at.0),
        }
    }
}

/// What [`Answer`] looks like, in the words of OpenAPI.
pub(crate) fn schema() -> Value {
    let text = || json!({ "type": "string" });
    let number = |about: &str| json!({ "type": "integer", "description": about });
    let line = json!({
        "at": number("milliseconds since 1970"),
        "namespace": text(),
        "group": text(),
        "service": text(),
        "instance": { "type": "string", "description": "`ip:port@cluster`" },
        "what": { "type": "string", "description": "what happened: added, changed, removed" },
        "why": { "type": "string", "description": "why" },
        "connection": number("on which connection, if on one"),
        "address": { "type": "string", "description": "from which address, if from one" },
        "user": { "type": "string", "description": "by whom, if that is known" },
        "revision": number("the revision it made"),
    });
    let properties = json!({
        "changes": { "type": "array", "items": { "type": "object", "properties": line } },
        "dropped": number("records that were dropped because the queue was full"),
        "damaged_blocks": number("blocks of the journal that can't be read"),
        "oldest": { "type": ["integer", "null"], "description": "how far back the journal goes" },
    });
    json!({ "type": "object", "properties": properties })
}

/// `GET /muster/v1/history?namespace=&group=&service=&instance=&limit=`.
pub(crate) async fn history(State(state): State<AdminState>, Query(query): Query<HistoryQuery>) -> Response {
    // The default namespace is recorded under its one name, however it is spelled here.
    let namespace = query.namespace.map(|id| if id.is_empty() { "public".to_owned() } else { id });
    let filter = JournalFilter {
        namespace,
        group: query.group,
        service: query.service,
        instance: query.instance.filter(|instance| !instance.is_empty()),
        since: None,
        limit: query.limit.min(10_000),
    };
    let read = tokio::task::spawn_blocking(move || state.node.history(&filter)).await;
    match read {
        Ok(Ok(history)) => Json(Answer::from(history)).into_response(),
        Ok(Err(error)) => {
            tracing::error!(%error, "read the journal");
            (StatusCode::INTERNAL_SERVER_ERROR, "the journal can't be read, see the log\n").into_response()
        }
        Err(error) => {
            tracing::error!(%error, "read the journal");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
