//! Eureka over the registry that Nacos clients use: what Spring Cloud Netflix applications, and Eureka clients in Python,
//! JavaScript and Go, take for their Eureka server.
//!
//! It decodes, calls one use case of `node` and encodes; what an Eureka instance means is decided in `registry`. It keeps
//! nothing but rendered bytes. Not here: leases, status rules, the brake, and what Nacos clients see.
//!
//! Start with [`router`]; a request goes `edge` → `changes`, `reads`, `batch` or `pages`; bodies are [`wire`]'s, the lists
//! that everybody fetches are rendered and packed in `lists`.

mod batch;
mod changes;
mod edge;
mod lists;
mod negotiate;
mod pages;
mod peers;
mod query;
mod reads;
mod reply;
mod route;
mod settings;
mod shown;
pub mod wire;

pub use peers::{EurekaChange, Ourselves, PeerSettings, PeerState, PeerUrl, PeerUrlError, Peers};
pub use settings::EurekaSettings;

use axum::{
    Router,
    routing::{any, get},
};
use edge::Edge;
use lists::Lists;
use muster_node::Node;
use std::sync::Arc;

/// The routes: everything below `/eureka` and below the extra path, and `/lastn`. What is there and not known is 404
/// without a body, unlike the rest of the server. `peers` are told what clients change, and need not be started.
pub fn router(node: Arc<Node>, peers: Arc<Peers>, settings: EurekaSettings) -> Router {
    let lists = Lists::new(node.clone(), settings.rendered_bytes_max);
    let mut paths = vec![route::PATH.to_owned()];
    if !settings.extra_path.is_empty() && settings.extra_path != route::PATH {
        paths.push(settings.extra_path.clone());
    }
    let edge = Arc::new(Edge { node, peers, settings, lists });
    let router = Router::new().route("/lastn", get(pages::last_leases));
    let below = |router: Router<Arc<Edge>>, path: &String| {
        router
            .route(path, any(edge::serve))
            .route(&format!("{path}/"), any(edge::serve))
            .route(&format!("{path}/{{*rest}}"), any(edge::serve))
    };
    paths.iter().fold(router, below).with_state(edge)
}
