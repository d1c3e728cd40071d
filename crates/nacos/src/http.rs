//! Nacos over HTTP, in its three generations: v1, v2, and v3 for clients, administration and the console.
//!
//! All paths of a generation come in at [`serve`]: it reads the parameters, and the routes of the path's area
//! (`areas.rs`) name the handler. A generation's area is one file with its routes (`v1/ns.rs`), its handlers beside it
//! (`v1/ns/instance.rs`); what generations share is one level up (`naming.rs`, `configs.rs`). What is refused is a [`Trouble`], worded for the generation that asked (nacos-http.md 0.5).

mod actuator;
mod areas;
mod call;
mod cluster;
mod configs;
mod core_ops;
mod cors;
mod gate;
mod lacking;
mod loader;
mod log_level;
mod namespaces;
mod naming;
mod openapi;
mod reply;
mod route;
mod server;
mod trouble;
mod udp;
mod users;
mod v1;
mod v2;
mod v3;

use crate::Sessions;
use ::http::header::ORIGIN;
use areas::AREAS;
use axum::{
    Router,
    extract::{Request, State},
    response::Response,
    routing::any,
};
use call::Call;
pub use log_level::LogLevels;
use muster_model::{ErrorCode, Timestamp};
use muster_nacos_wire::http::{Refusal, error_page};
use muster_node::Node;
use muster_runtime::{Machine, Tasks};
use muster_transport::consistency;
pub use openapi::openapi;
use reply::Reply;
use route::{Area, Handled, Handler};
use std::{collections::BTreeSet, sync::Arc};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use trouble::{Family, NO_MESSAGE, Trouble};

/// What an operator may set about Nacos's HTTP paths.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// What all paths begin with (`/nacos`): `/` and segments, no `/` at the end; may be empty.
    pub context_path: String,
    /// Whether UDP pushes go to the address a client names (`clientIP`), and not only to the one its request came
    /// from (false). Then anyone who reaches the server can have it send datagrams to others.
    pub udp_push_anywhere: bool,
    /// Whether pages of any origin may call these paths from a browser, as the original lets them (true).
    pub cors: bool,
    /// Whether v1 and v2 are answered 410 with a hint, as 3.x does by default, except for what clients call (false).
    pub gate_v1_v2: bool,
    /// The port that is shown as the server's (8848).
    pub main_port: u16,
    /// The version that is shown as the server's.
    pub version: String,
    /// Changes log levels; without it that is refused.
    pub log_levels: Option<Arc<dyn LogLevels>>,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            context_path: "/nacos".to_owned(),
            udp_push_anywhere: false,
            cors: true,
            gate_v1_v2: false,
            main_port: 8848,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            log_levels: None,
        }
    }
}

/// The HTTP edge.
pub(crate) struct Http {
    pub(crate) node: Arc<Node>,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) settings: HttpSettings,
    /// How busy the machine is.
    pub(crate) machine: Machine,
    datagrams: Arc<udp::Datagrams>,
    /// Held by imports and exports, each of which may take hundreds of megabytes; further ones wait.
    archives: Arc<Semaphore>,
    /// Cancelled when held requests should end.
    draining: CancellationToken,
}

/// Imports and exports at one moment.
const ARCHIVES_MAX: usize = 2;

/// What the path of an address server begins with.
const ADDRESS_SERVER: &str = "/nacos";

/// What the routes begin with, after the context path.
const GENERATIONS: [&str; 4] = ["v1", "v2", "v3", "actuator"];

/// The HTTP routes.
pub(crate) fn routes(
    node: Arc<Node>,
    sessions: Arc<Sessions>,
    tasks: Tasks,
    settings: HttpSettings,
) -> Router {
    let context_path = settings.context_path.clone();
    let draining = sessions.draining();
    let datagrams = udp::Datagrams::new(node.clone(), tasks, settings.udp_push_anywhere);
    let archives = Arc::new(Semaphore::new(ARCHIVES_MAX));
    let machine = Machine::default();
    let http = Arc::new(Http { node, sessions, settings, machine, datagrams, archives, draining });
    // The console's own port has no context path.
    let prefixes = BTreeSet::from([context_path.as_str(), ""]);
    let paths =
        prefixes.iter().flat_map(|prefix| GENERATIONS.map(|path| format!("{prefix}/{path}/{{*rest}}")));
    let lists = prefixes.iter().copied().chain([ADDRESS_SERVER]).collect::<BTreeSet<_>>();
    let lists = lists.into_iter().map(|prefix| format!("{prefix}/serverlist"));
    paths.chain(lists).fold(Router::new(), |router, path| router.route(&path, any(serve))).with_state(http)
}

/// Answers any request to one of the generations.
fn serve(State(http): State<Arc<Http>>, request: Request) -> impl Future<Output = Response> + Send {
    let is_asked = http.settings.cors;
    let preflight = is_asked.then(|| cors::preflight(request.method(), request.headers())).flatten();
    let origin = request.headers().get(ORIGIN).filter(|_| is_asked).cloned();
    // In a box of its own: the request, and what reading it takes, are not kept while its answer is held.
    let reading = Box::pin({
        let http = http.clone();
        async move { Call::read(request, &http).await }
    });
    async move {
        if let Some(response) = preflight {
            return response;
        }
        let mut response = match reading.await {
            Ok(call) => answer(&http, &call).await,
            Err(reply) => reply.into_response(),
        };
        if let Some(origin) = origin {
            cors::allow(response.headers_mut(), &origin);
        }
        consistency::tell_staleness(response.headers_mut(), http.node.stale_ms());
        response
    }
}

async fn answer(http: &Http, call: &Call) -> Response {
    let found = Area::of(AREAS, &call.path);
    let family = found.map_or(Family::V1Config, |(area, _)| area.family);
    let handled = match found {
        Some((area, rest)) => http.handle(area, rest, call).await,
        None => Err(Trouble::NoPath),
    };
    let reply = handled.unwrap_or_else(|trouble| trouble.reply(family, call, http.node.now().wall));
    reply.into_response()
}

impl Http {
    async fn handle(&self, area: &Area, rest: &str, call: &Call) -> Handled {
        let route = area.route(call, rest)?;
        if self.settings.gate_v1_v2
            && let Some(hint) = gate::hint(call)
        {
            return Err(Trouble::Gone(hint));
        }
        if area.is_naming {
            self.check_traffic(call)?;
        }
        if !route.early {
            self.ready()?;
        }
        let refused =
            |error: consistency::UnknownConsistency| refuse(ErrorCode::InvalidParameter, error.to_string());
        if call.is_linearizable.map_err(refused)? {
            // Few ask: its future is not part of every other one.
            Box::pin(self.node.read_barrier()).await?;
        }
        match route.handler {
            Handler::Now(handle) => handle(self, call),
            Handler::Later(handle) => handle(self, call).await,
            Handler::Lacking(why) => Err(Trouble::Lacking(why)),
        }
    }

    /// Sends clients to the next server while this one starts.
    fn ready(&self) -> Result<(), Refusal> {
        if self.node.is_ready() { Ok(()) } else { Err(trouble::starting()) }
    }

    fn metadata_chars_max(&self) -> usize {
        self.node.settings().limits.metadata_chars_max
    }
}

/// The answer to a path of nobody.
pub(crate) fn unknown_path(path: &str, at: Timestamp) -> Response {
    Reply::from(error_page(404, NO_MESSAGE, path, at)).into_response()
}

/// A refusal with an error code and a text of ours.
fn refuse(error: ErrorCode, detail: impl Into<String>) -> Trouble {
    Trouble::Refused(Refusal::failed(error, detail))
}
