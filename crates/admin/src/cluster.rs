//! The ensemble: who takes part, and how everybody is.

pub(crate) mod change;

use crate::AdminState;
use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use muster_node::{ClusterStatus, MemberStatus, Role};
use serde::Serialize;
use serde_json::{Value, json};

/// A member. `state` is `up`, `starting`, `suspicious` (it did not answer the last question) or `down`; what it has never
/// said is missing.
#[derive(Debug, Serialize)]
struct Member {
    node: u64,
    /// `leader`, `voter` or `learner`.
    role: &'static str,
    state: &'static str,
    address: String,
    client_address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    applied: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lag: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seen_ms_ago: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    clients: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate_until: Option<u64>,
}

/// The ensemble as one node sees it.
#[derive(Debug, Serialize)]
struct Status {
    node: u64,
    role: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    leader: Option<u64>,
    term: u64,
    committed: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    without_leader_ms: Option<u64>,
    voters: usize,
    /// Missing: too many voters have failed already.
    #[serde(skip_serializing_if = "Option::is_none")]
    survivable_losses: Option<usize>,
    changing: bool,
    members: Vec<Member>,
    warnings: Vec<String>,
}

impl From<MemberStatus> for Member {
    fn from(member: MemberStatus) -> Self {
        let role = match (member.is_leader, member.is_voter) {
            (true, _) => "leader",
            (false, true) => "voter",
            (false, false) => "learner",
        };
        let figures = member.figures;
        Self {
            node: member.node.0,
            role,
            state: member.state.as_str(),
            address: member.address,
            client_address: member.client_address,
            applied: figures.as_ref().map(|figures| figures.applied),
            clients: figures.as_ref().map(|figures| figures.load.clients),
            version: figures.map(|figures| figures.version),
            lag: member.lag,
            seen_ms_ago: member.seen_ms_ago,
            certificate_until: member.certificate_until.map(|until| until.0),
        }
    }
}

/// What a node does, in one word.
pub(crate) fn role_name(role: Role) -> &'static str {
    match role {
        Role::Leader => "leader",
        Role::Follower => "follower",
        Role::Candidate => "candidate",
        Role::Learner => "learner",
    }
}

/// What an operator should know, and do.
pub(crate) fn warnings(status: &ClusterStatus) -> Vec<String> {
    let mut warnings = Vec::new();
    if let Some(ms) = status.without_leader_ms {
        warnings.push(format!(
            "no leader for {} s: nothing durable can be written here, and what is read may be as old; start the \
             nodes that are down, or see `muster cluster recover --help` if they are lost for good",
            ms / 1_000
        ));
    }
    if status.voters == 2 {
        warnings.push(
            "two voters survive no loss, as one alone does: add a third node (`muster cluster add`), or remove one"
                .to_owned(),
        );
    }
    if status.voters > 2 && status.survivable_losses == Some(0) {
        warnings.push(
            "one more loss and nothing durable can be written: start the nodes that are down".to_owned(),
        );
    }
    if status.is_changing {
        warnings.push(
            "voters are being changed: until that is done both the old and the new ones are needed"
                .to_owned(),
        );
    }
    warnings
}

/// `GET /muster/v1/cluster`: asks every node how it is, which takes a second if one does not answer.
pub(crate) async fn status(State(state): State<AdminState>) -> Response {
    state.node.ask_nodes().await;
    let status = match state.node.cluster_status() {
        Ok(status) => status,
        Err(error) => return (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")).into_response(),
    };
    let warnings = warnings(&status);
    let status = Status {
        node: status.node.0,
        role: role_name(status.role),
        leader: status.leader.map(|leader| leader.0),
        term: status.term,
        committed: status.committed,
        without_leader_ms: status.without_leader_ms,
        voters: status.voters,
        survivable_losses: status.survivable_losses,
        changing: status.is_changing,
        members: status.members.into_iter().map(Into::into).collect(),
        warnings,
    };
    Json(status).into_response()
}

/// What [`status`] answers, in the words of OpenAPI.
pub(crate) fn schema() -> Value {
    let number = |about: &str| json!({ "type": "integer", "description": about });
    let text = |about: &str| json!({ "type": "string", "description": about });
    let member = json!({
        "node": number("its id"),
        "role": text("`leader`, `voter` or `learner`"),
        "state": text("`up`, `starting`, `suspicious` (it did not answer the last question) or `down`"),
        "address": text("where peers reach it"),
        "client_address": text("where clients reach it"),
        "version": text("its version"),
        "applied": number("the last log entry it has applied"),
        "lag": number("entries it has yet to apply"),
        "seen_ms_ago": number("how long ago it answered last"),
        "clients": number("clients with a gRPC connection to it"),
        "certificate_until": number("when its certificate ends, milliseconds since 1970"),
    });
    let properties = json!({
        "node": number("the node that says so"),
        "role": text("`leader`, `follower`, `candidate` or `learner`"),
        "leader": number("who leads, if it knows one"),
        "term": number("the newest term it has heard of"),
        "committed": number("the last log entry a majority has"),
        "without_leader_ms": number("for how long it has heard no leader"),
        "voters": number("how many nodes vote"),
        "survivable_losses": number("how many voters may fail from now on; missing: too many have failed"),
        "changing": json!({ "type": "boolean", "description": "whether voters are being changed" }),
        "members": { "type": "array", "items": { "type": "object", "properties": member } },
        "warnings": { "type": "array", "items": text("what to know, and to do") },
    });
    json!({ "type": "object", "properties": properties })
}
