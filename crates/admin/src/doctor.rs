//! Whether the nodes agree, and are well.

use crate::AdminState;
use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use muster_node::{Finding, NodeReport};
use serde::Serialize;
use serde_json::{Value, json};

/// Something that is wrong: `{"check":"disks","node":2,"what":"…","advice":"…"}`.
#[derive(Debug, Serialize)]
struct Found<'a> {
    check: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<u64>,
    what: &'a str,
    advice: &'a str,
}

impl<'a> From<&'a Finding> for Found<'a> {
    fn from(finding: &'a Finding) -> Self {
        let Finding { check, node, what, advice } = finding;
        Self { check, node: node.map(|node| node.0), what, advice }
    }
}

/// A node that answered.
#[derive(Debug, Serialize)]
struct Reported<'a> {
    node: u64,
    version: &'a str,
    ready: bool,
    applied: u64,
    /// Instances and the like that it holds: its own, and those of each peer.
    publications: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    disk_free_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate_until: Option<u64>,
}

impl<'a> From<&'a NodeReport> for Reported<'a> {
    fn from(report: &'a NodeReport) -> Self {
        Self {
            node: report.node.0,
            version: &report.version,
            ready: report.is_ready,
            applied: report.applied,
            publications: report.mirrors.iter().map(|mirror| mirror.count).sum(),
            disk_free_bytes: report.disk.map(|disk| disk.free),
            certificate_until: report.certificate_until.map(|until| until.0),
        }
    }
}

/// `GET /muster/v1/cluster/doctor`: examines every node, which takes seconds, or as long as reading all durable data takes:
/// `{"healthy":true,"findings":[],"checked":[{"check":"state","what":"…"}],"nodes":[…]}`.
pub(crate) async fn doctor(State(state): State<AdminState>) -> Response {
    if !state.node.is_ready() {
        return (StatusCode::SERVICE_UNAVAILABLE, "the node is starting\n").into_response();
    }
    let examination = state.node.examine().await;
    let findings: Vec<Found<'_>> = examination.findings.iter().map(Into::into).collect();
    let checked: Vec<Value> =
        examination.checked.iter().map(|(check, what)| json!({ "check": check, "what": what })).collect();
    let nodes: Vec<Reported<'_>> = examination.nodes.iter().map(Into::into).collect();
    let healthy = findings.is_empty();
    let body = json!({ "healthy": healthy, "findings": findings, "checked": checked, "nodes": nodes });
    Json(body).into_response()
}

/// What [`doctor`] answers, in the words of OpenAPI.
pub(crate) fn schema() -> Value {
    let number = |about: &str| json!({ "type": "integer", "description": about });
    let text = |about: &str| json!({ "type": "string", "description": about });
    let list = |of: Value| json!({ "type": "array", "items": { "type": "object", "properties": of } });
    let finding = json!({
        "check": text("which check found it"),
        "node": number("with which node; missing: with several"),
        "what": text("what is wrong"),
        "advice": text("what to do"),
    });
    let node = json!({
        "node": number("its id"),
        "version": text("its version"),
        "ready": { "type": "boolean", "description": "whether it answers clients" },
        "applied": number("the last log entry it has applied"),
        "publications": number("what it holds of instances: its own, and those of its peers"),
        "disk_free_bytes": number("free bytes on the disk of its data"),
        "certificate_until": number("when its certificate ends, milliseconds since 1970"),
    });
    let properties = json!({
        "healthy": { "type": "boolean", "description": "whether nothing is wrong" },
        "findings": list(finding),
        "checked": list(json!({ "check": text("a check"), "what": text("what was looked at") })),
        "nodes": list(node),
    });
    json!({ "type": "object", "properties": properties })
}
