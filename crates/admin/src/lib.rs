//! Muster's own HTTP API: health for load balancers, metrics, the status page, history and backup for operators.
//!
//! What reads or takes data beyond health and metrics is answered to this machine only, as long as there is no
//! access control. It speaks no protocol of Nacos or Eureka. Start at [`router`].

mod backup;
mod brakes;
mod cluster;
mod doctor;
mod health;
mod history;
mod import;
mod local;
mod metrics;
mod page;
mod routes;

pub use routes::{openapi_paths, router};

use muster_node::Node;
use muster_transport::ConnectionTable;
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
    /// The OpenAPI description that is served.
    pub openapi: &'static str,
}
