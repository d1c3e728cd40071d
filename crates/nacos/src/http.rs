//! Nacos over HTTP: v1 as 1.x clients, scripts and load balancers speak it, and the client and administration
//! calls of v3.
//!
//! All paths of a generation come in at [`serve`]: it reads the parameters, and one `match` an area finds the
//! handler. What is refused is a [`Trouble`], worded for the generation that asked (nacos-http.md 0.5).

mod call;
mod reply;
mod trouble;
mod udp;
mod v1;
mod v2;
mod v3;

use crate::Sessions;
use axum::{
    Router,
    extract::{Request, State},
    response::Response,
    routing::any,
};
use call::Call;
use muster_model::{ErrorCode, Timestamp};
use muster_nacos_wire::http::{Refusal, error_page};
use muster_node::Node;
use muster_runtime::Tasks;
use reply::Reply;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use trouble::{Family, Trouble};

/// What an operator may set about Nacos's HTTP paths.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// What all paths begin with (`/nacos`): `/` and segments, no `/` at the end; may be empty.
    pub context_path: String,
    /// Whether UDP pushes go to the address a client names (`clientIP`), and not only to the one its request came
    /// from (false). Then anyone who reaches the server can have it send datagrams to others.
    pub udp_push_anywhere: bool,
    /// The port that is shown as the server's (8848).
    pub main_port: u16,
    /// The version that is shown as the server's.
    pub version: String,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            context_path: "/nacos".to_owned(),
            udp_push_anywhere: false,
            main_port: 8848,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

/// The HTTP edge.
pub(crate) struct Http {
    pub(crate) node: Arc<Node>,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) settings: HttpSettings,
    datagrams: Arc<udp::Datagrams>,
    /// Cancelled when held requests should end.
    draining: CancellationToken,
}

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
    let http = Arc::new(Http { node, sessions, settings, datagrams, draining });
    GENERATIONS
        .iter()
        .fold(Router::new(), |router, generation| {
            router.route(&format!("{context_path}/{generation}/{{*rest}}"), any(serve))
        })
        .with_state(http)
}

/// Answers any request to one of the generations.
async fn serve(State(http): State<Arc<Http>>, request: Request) -> Response {
    let call = match Call::read(request, &http).await {
        Ok(call) => call,
        Err(reply) => return reply.into_response(),
    };
    let reply = match http.dispatch(&call).await {
        Ok(reply) => reply,
        Err(trouble) => trouble.reply(Family::of(&call.path), &call, http.node.now().wall),
    };
    reply.into_response()
}

impl Http {
    async fn dispatch(&self, call: &Call) -> Result<Reply, Trouble> {
        let path = call.path.as_str();
        // What is asked about the server itself is answered while it starts, too.
        if let Some(path) = path.strip_prefix("/v1/console") {
            return self.v1_console(call, path);
        }
        if let Some(path) = path.strip_prefix("/v2") {
            return self.v2(call, path);
        }
        if let Some(path) = path.strip_prefix("/actuator") {
            return self.actuator(call, path);
        }
        if let Some(path) = path.strip_prefix("/v1/auth") {
            return v1::auth(call, path);
        }
        if let Some(path) = path.strip_prefix("/v1/ns") {
            return self.v1_naming(call, path).await;
        }
        if let Some(path) = path.strip_prefix("/v1/cs") {
            self.ready()?;
            return self.v1_config(call, path).await;
        }
        match path.strip_prefix("/v3") {
            Some(path) => self.v3(call, path).await,
            None => Err(Trouble::NoPath),
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
    Reply::from(error_page(404, "No message available", path, at)).into_response()
}

/// A refusal with an error code and a text of ours.
fn refuse(error: ErrorCode, detail: impl Into<String>) -> Trouble {
    Trouble::Refused(Refusal::failed(error, detail))
}
