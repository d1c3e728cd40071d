//! The brakes on mass expiry: what they hold, and letting go.

use crate::AdminState;
use axum::{
    Json,
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use muster_model::{Actor, Namespace};
use muster_node::registry::{BrakeReport, LeaseKind};
use muster_transport::ConnectionInfo;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// One brake: `{"namespace":"public","kind":"beat","engaged":true,"rule":"more than 15 % …","since":1730000000000,
/// "released_in_ms":1795000,"leases":100,"silent":40,"held":40,"lost_last_minute":0,"renewals_last_minute":0,
/// "renewals_expected":1200}`. `kind` is `beat` (Nacos HTTP clients) or `eureka`; `silent` leases ran out and were not
/// renewed since, `held` of them are listed as before. `rule`, `since` and `released_in_ms` are there while it is
/// engaged; renewals are counted of Eureka leases only.
#[derive(Debug, Serialize)]
struct Line {
    namespace: String,
    kind: &'static str,
    engaged: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    released_in_ms: Option<u64>,
    leases: usize,
    silent: usize,
    held: usize,
    lost_last_minute: usize,
    renewals_last_minute: u64,
    renewals_expected: u64,
}

impl From<BrakeReport> for Line {
    fn from(report: BrakeReport) -> Self {
        Self {
            namespace: report.namespace.to_string(),
            kind: report.kind.as_str(),
            engaged: report.rule.is_some(),
            rule: report.rule.map(|rule| rule.as_str()),
            since: report.since.map(|since| since.0),
            released_in_ms: report.released_in_ms,
            leases: report.leases,
            silent: report.silent,
            held: report.held,
            lost_last_minute: report.lost_last_minute,
            renewals_last_minute: report.renewals_last_minute,
            renewals_expected: report.renewals_expected,
        }
    }
}

/// What [`brakes`] answers, in the words of OpenAPI.
pub(crate) fn schema() -> Value {
    let number = |about: &str| json!({ "type": "integer", "description": about });
    let line = json!({
        "namespace": { "type": "string" },
        "kind": { "type": "string", "description": "`beat` or `eureka`" },
        "engaged": { "type": "boolean", "description": "whether it holds" },
        "rule": { "type": "string", "description": "why it holds" },
        "since": number("since when, milliseconds since 1970"),
        "released_in_ms": number("when it lets go at the latest"),
        "leases": number("leases of this kind"),
        "silent": number("those that ran out and were not renewed since"),
        "held": number("those of them that are listed as before"),
        "lost_last_minute": number("leases lost in the last minute"),
        "renewals_last_minute": number("renewals in the last minute, of Eureka leases"),
        "renewals_expected": number("renewals expected in a minute, of Eureka leases"),
    });
    let properties = json!({
        "brakes": { "type": "array", "items": { "type": "object", "properties": line } },
        "engagements": number("how often one engaged since the start"),
    });
    json!({ "type": "object", "properties": properties })
}

/// `GET /muster/v1/brakes`: `{"brakes":[…],"engagements":1}`, a brake for each namespace and kind that has leases;
/// `engagements` counts since the start.
pub(crate) async fn brakes(State(state): State<AdminState>) -> Response {
    let lines: Vec<Line> = state.node.brakes().into_iter().map(Into::into).collect();
    Json(json!({ "brakes": lines, "engagements": state.node.brakes_summary().engagements })).into_response()
}

/// Which brake is meant.
#[derive(Debug, Deserialize)]
pub(crate) struct ReleaseQuery {
    #[serde(default)]
    namespace: String,
    kind: String,
}

/// `POST /muster/v1/brakes/release?namespace=&kind=`: `{"released":true}`, or false if it was not engaged. Instances whose
/// lease ran out are marked down or removed within a second, and so are those whose lease runs out in the minute after.
/// 400 for a kind that is none.
pub(crate) async fn release(
    State(state): State<AdminState>,
    Query(query): Query<ReleaseQuery>,
    connection: axum::Extension<ConnectionInfo>,
) -> Response {
    let refused = |text: String| (StatusCode::BAD_REQUEST, text).into_response();
    let Some(kind) = LeaseKind::from_name(&query.kind) else {
        return refused("kind: expected beat or eureka\n".into());
    };
    let namespace = match Namespace::canonical(&query.namespace) {
        Ok(namespace) => namespace,
        Err(error) => return refused(format!("namespace: {error}\n")),
    };
    let actor = Actor { connection: Some(connection.id), address: Some(connection.remote.ip()), user: None };
    match state.node.release_brake(namespace, kind, actor) {
        Ok(released) => Json(json!({ "released": released })).into_response(),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")).into_response(),
    }
}
