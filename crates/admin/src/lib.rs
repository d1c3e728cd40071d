//! Muster's own HTTP API: health for load balancers, metrics, the status page, history and backup for operators.
//!
//! What reads or takes data beyond health and metrics is answered to this machine only, as long as there is no
//! access control. It speaks no protocol of Nacos or Eureka. Start at [`router`].

mod backup;
mod brakes;
mod health;
mod history;
mod local;
mod metrics;
mod page;

use axum::{
    Router,
    http::{StatusCode, header},
    middleware,
    routing::{get, post},
};
use muster_node::Node;
use muster_transport::{ConnectionTable, Surface, Surfaces, only_on};
use std::sync::Arc;

/// What the handlers read.
#[derive(Clone)]
pub struct AdminState {
    /// The node.
    pub node: Arc<Node>,
    /// Open connections.
    pub connections: Arc<ConnectionTable>,
    /// Version, commit and stored format, as `muster --version` prints them.
    pub version: &'static str,
    /// The prefix of Nacos paths, where browsers look for a page too.
    pub context_path: String,
}

/// All routes of this crate. Health is answered on every listener, the rest where its surface is shown.
pub fn router(state: AdminState) -> Router {
    let page = format!("{}/", state.context_path);
    let local = Router::new()
        .route("/muster/v1/history", get(history::history))
        .route("/muster/v1/backup", get(backup::backup))
        .route("/muster/v1/brakes", get(brakes::brakes))
        .route("/muster/v1/brakes/release", post(brakes::release))
        .layer(middleware::from_fn(local::only_this_machine));
    let mut console = Router::new().route("/", get(page::page));
    if page != "/" {
        // 302, as the original sends it.
        let to_page = (StatusCode::FOUND, [(header::LOCATION, page.clone())]);
        console = console.route(&page, get(page::page)).route(page.trim_end_matches('/'), get(to_page));
    }
    let health = Router::new().route("/live", get(health::live)).route("/ready", get(health::ready));
    let metrics = Router::new().route("/metrics", get(metrics::metrics));
    health
        .merge(only_on(metrics, Surfaces::of(&[Surface::Metrics])))
        .merge(only_on(console, Surfaces::of(&[Surface::Console])))
        .merge(only_on(local, Surfaces::of(&[Surface::MusterAdmin])))
        .with_state(state)
}
