//! The routes as data: the router and the OpenAPI description are both made of them.

use crate::{
    AdminState, backup, brakes, cluster, cluster::change, doctor, health, history, import, local, metrics,
    page,
};
use axum::{
    Router,
    extract::{DefaultBodyLimit, State},
    http::{StatusCode, header},
    middleware,
    response::IntoResponse,
    routing::{MethodRouter, get, post},
};
use muster_transport::{Surface, Surfaces, only_on};
use serde_json::{Map, Value, json};

/// Who is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    /// Everyone.
    Open,
    /// This machine, as long as there is no access control.
    Local,
}

/// One route.
struct Route {
    method: &'static str,
    path: &'static str,
    handler: fn() -> MethodRouter<AdminState>,
    surfaces: Surfaces,
    access: Access,
    summary: &'static str,
    /// Parameters of the query: name, type, whether it is required, meaning.
    parameters: &'static [(&'static str, &'static str, bool, &'static str)],
    /// Media type and schema of a success.
    answer: fn() -> (&'static str, Value),
    /// What else is answered: status and meaning.
    errors: &'static [(u16, &'static str)],
}

const ADMIN: Surfaces = Surfaces::of(&[Surface::MusterAdmin]);
const TEXT: fn() -> (&'static str, Value) = || ("text/plain", json!({ "type": "string" }));
const STARTING: (u16, &str) = (503, "the node starts or drains");

const ROUTES: &[Route] = &[
    Route {
        method: "GET",
        path: "/live",
        handler: || get(health::live),
        surfaces: Surfaces::ALL,
        access: Access::Open,
        summary: "Whether the process works",
        parameters: &[],
        answer: TEXT,
        errors: &[],
    },
    Route {
        method: "GET",
        path: "/ready",
        handler: || get(health::ready),
        surfaces: Surfaces::ALL,
        access: Access::Open,
        summary: "Whether everything acknowledged before the start is served",
        parameters: &[("for", "string", false, "`write`: durable writes must pass, too")],
        answer: || {
            let properties = json!({
                "ready": { "type": "boolean" },
                "degraded": { "type": "string", "description": "what does not work, if something does not" },
            });
            ("application/json", json!({ "type": "object", "properties": properties }))
        },
        errors: &[(400, "`for` is something else"), STARTING],
    },
    Route {
        method: "GET",
        path: "/metrics",
        handler: || get(metrics::metrics),
        surfaces: Surfaces::of(&[Surface::Metrics]),
        access: Access::Open,
        summary: "Figures for Prometheus",
        parameters: &[],
        answer: || ("application/openmetrics-text", json!({ "type": "string" })),
        errors: &[],
    },
    Route {
        method: "GET",
        path: "/",
        handler: || get(page::page),
        surfaces: Surfaces::of(&[Surface::Console]),
        access: Access::Open,
        summary: "A page for a browser",
        parameters: &[],
        answer: || ("text/html", json!({ "type": "string" })),
        errors: &[],
    },
    Route {
        method: "GET",
        path: "/muster/openapi.json",
        handler: || get(openapi),
        surfaces: Surfaces::of(&[Surface::MusterAdmin, Surface::NacosAdmin, Surface::Console]),
        access: Access::Open,
        summary: "This description",
        parameters: &[],
        answer: || ("application/json", json!({ "type": "object" })),
        errors: &[],
    },
    Route {
        method: "GET",
        path: "/muster/v1/history",
        handler: || get(history::history),
        surfaces: ADMIN,
        access: Access::Local,
        summary: "Who added, changed or removed instances, and why, newest first",
        parameters: &[
            ("namespace", "string", false, "only of this namespace; blank is `public`"),
            ("group", "string", false, "only of this group"),
            ("service", "string", false, "only of this service"),
            ("instance", "string", false, "only of this instance: `ip:port@cluster`"),
            ("limit", "integer", false, "records at most, up to 10,000; 1,000 if it is absent or 0"),
        ],
        answer: || ("application/json", history::schema()),
        errors: &[(500, "the journal can't be read")],
    },
    Route {
        method: "GET",
        path: "/muster/v1/backup",
        handler: || get(backup::backup),
        surfaces: ADMIN,
        access: Access::Local,
        summary: "All durable data as one stream, for `muster restore`",
        parameters: &[],
        answer: || ("application/octet-stream", json!({ "type": "string", "format": "binary" })),
        errors: &[STARTING],
    },
    Route {
        method: "GET",
        path: "/muster/v1/brakes",
        handler: || get(brakes::brakes),
        surfaces: ADMIN,
        access: Access::Local,
        summary: "Where mass expiry is held, and what it holds",
        parameters: &[],
        answer: || ("application/json", brakes::schema()),
        errors: &[],
    },
    Route {
        method: "POST",
        path: "/muster/v1/brakes/release",
        handler: || post(brakes::release),
        surfaces: ADMIN,
        access: Access::Local,
        summary: "Lets go what a brake holds",
        parameters: &[
            ("namespace", "string", false, "the namespace; blank is `public`"),
            ("kind", "string", true, "`beat` or `eureka`"),
        ],
        answer: || {
            let properties =
                json!({ "released": { "type": "boolean", "description": "whether it was engaged" } });
            ("application/json", json!({ "type": "object", "properties": properties }))
        },
        errors: &[(400, "the kind is none, or the namespace can be none"), STARTING],
    },
    Route {
        method: "GET",
        path: "/muster/v1/cluster",
        handler: || get(cluster::status),
        surfaces: ADMIN,
        access: Access::Open,
        summary: "The nodes of the cluster, and how each of them is",
        parameters: &[],
        answer: || ("application/json", cluster::schema()),
        errors: &[STARTING],
    },
    Route {
        method: "GET",
        path: "/muster/v1/cluster/doctor",
        handler: || get(doctor::doctor),
        surfaces: ADMIN,
        access: Access::Local,
        summary: "Whether the nodes agree, and are well",
        parameters: &[],
        answer: || ("application/json", doctor::schema()),
        errors: &[STARTING],
    },
    Route {
        method: "POST",
        path: "/muster/v1/cluster/tokens",
        handler: || post(change::create_token),
        surfaces: ADMIN,
        access: Access::Local,
        summary: "Makes a join token for one node",
        parameters: &[(
            "lifetime_s",
            "integer",
            false,
            "seconds that it holds, up to 30 days; 1 h if absent",
        )],
        answer: || ("application/json", change::token_schema()),
        errors: &[(409, "the node stands alone, or there are too many tokens"), STARTING],
    },
    Route {
        method: "GET",
        path: "/muster/v1/cluster/tokens",
        handler: || get(change::list_tokens),
        surfaces: ADMIN,
        access: Access::Local,
        summary: "Join tokens, without their secrets, the newest first",
        parameters: &[],
        answer: || ("application/json", change::tokens_schema()),
        errors: &[],
    },
    Route {
        method: "POST",
        path: "/muster/v1/cluster/tokens/revoke",
        handler: || post(change::revoke_token),
        surfaces: ADMIN,
        access: Access::Local,
        summary: "Ends a join token at once",
        parameters: &[("id", "string", true, "its id")],
        answer: || {
            (
                "application/json",
                json!({ "type": "object", "properties": { "revoked": { "type": "string" } } }),
            )
        },
        errors: &[(404, "there is no such token"), STARTING],
    },
    Route {
        method: "POST",
        path: "/muster/v1/cluster/remove",
        handler: || post(change::remove),
        surfaces: ADMIN,
        access: Access::Local,
        summary: "Removes a node for good, dead or alive",
        parameters: &[("node", "integer", true, "its id")],
        answer: || {
            ("application/json", json!({ "type": "object", "properties": { "node": { "type": "integer" } } }))
        },
        errors: &[(404, "there is no such node"), (409, "the others could not agree on anything"), STARTING],
    },
    Route {
        method: "POST",
        path: "/muster/v1/cluster/upgrade",
        handler: || post(change::upgrade),
        surfaces: ADMIN,
        access: Access::Local,
        summary: "Lets the nodes write what only this version reads; none can go back afterwards",
        parameters: &[],
        answer: || {
            (
                "application/json",
                json!({ "type": "object", "properties": { "level": { "type": "integer" } } }),
            )
        },
        errors: &[STARTING],
    },
    Route {
        method: "POST",
        path: "/muster/v1/cluster/promote",
        handler: || post(change::promote),
        surfaces: ADMIN,
        access: Access::Local,
        summary: "Makes learners voters, all of them in one change",
        parameters: &[("nodes", "string", false, "ids with commas between; absent: all that have caught up")],
        answer: || {
            let voters = json!({ "type": "array", "items": { "type": "integer" } });
            ("application/json", json!({ "type": "object", "properties": { "voters": voters } }))
        },
        errors: &[(404, "there is no such node"), (409, "one of them is not ready for it"), STARTING],
    },
    Route {
        method: "POST",
        path: "/muster/v1/import/configs",
        handler: || post(import::configs).layer(limited()),
        surfaces: ADMIN,
        access: Access::Local,
        summary: "Takes over configs of another server, with their history, for `muster import`",
        parameters: &[],
        answer: || ("application/json", import::schema()),
        errors: &[(400, "the body can't be read"), (413, "the body is too long"), STARTING],
    },
    Route {
        method: "POST",
        path: "/muster/v1/import/accounts",
        handler: || post(import::accounts).layer(limited()),
        surfaces: ADMIN,
        access: Access::Local,
        summary: "Keeps users, roles and permissions of another server until there is access control",
        parameters: &[],
        answer: || ("application/json", import::schema()),
        errors: &[(400, "the body can't be read"), (413, "the body is too long"), STARTING],
    },
];

/// Bodies of imports are longer than axum allows by itself.
fn limited() -> DefaultBodyLimit {
    DefaultBodyLimit::max(import::BODY_BYTES_MAX)
}

/// `GET /muster/openapi.json`.
async fn openapi(State(state): State<AdminState>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], state.openapi)
}

/// All routes of this crate. Each is answered on the listeners that show its surfaces, health on all of them.
pub fn router(state: AdminState) -> Router {
    let mut router = Router::new();
    for route in ROUTES {
        let one = Router::new().route(route.path, (route.handler)());
        let one = match route.access {
            Access::Open => one,
            Access::Local => one.layer(middleware::from_fn(local::only_this_machine)),
        };
        router = router.merge(only_on(one, route.surfaces));
    }
    let page = format!("{}/", state.context_path);
    if page != "/" {
        // 302, as the original sends it.
        let to_page = (StatusCode::FOUND, [(header::LOCATION, page.clone())]);
        let pages =
            Router::new().route(&page, get(page::page)).route(page.trim_end_matches('/'), get(to_page));
        router = router.merge(only_on(pages, Surfaces::of(&[Surface::Console])));
    }
    router.with_state(state)
}

/// The `paths` of Muster's own API, in the words of OpenAPI 3.1.
pub fn openapi_paths() -> Map<String, Value> {
    let mut paths = Map::new();
    for route in ROUTES {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method.to_ascii_lowercase()] = route.describe();
    }
    paths
}

impl Route {
    fn describe(&self) -> Value {
        let (kind, schema) = (self.answer)();
        let mut responses = Map::new();
        responses.insert(
            "200".to_owned(),
            json!({ "description": "done", "content": { kind: { "schema": schema } } }),
        );
        for (status, about) in self.errors {
            responses.insert(status.to_string(), json!({ "description": about }));
        }
        if self.access == Access::Local {
            let about = "asked from another machine, or through a proxy";
            responses.insert("403".to_owned(), json!({ "description": about }));
        }
        let mut described = json!({ "tags": ["muster"], "summary": self.summary, "responses": responses });
        let parameter = |(name, kind, required, about): &(&str, &str, bool, &str)| json!({ "name": name, "in": "query", "required": required, "description": about, "schema": { "type": kind } });
        if !self.parameters.is_empty() {
            described["parameters"] = self.parameters.iter().map(parameter).collect();
        }
        described
    }
}
