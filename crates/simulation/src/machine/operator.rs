//! What operators do: nodes are taken in and removed, however often it has to be tried.

use super::{Machine, Reply};
use muster_model::NodeId;
use muster_node::{Candidate, EnsembleError, Node, NodeError};
use muster_runtime::Rng;
use std::{future::Future, sync::Arc, time::Duration};

/// Before it is tried again, perhaps at another node.
const PAUSE_MS: u64 = 300;

/// Has the ensemble take a node in; its new id.
pub(super) async fn admit(machines: &[Arc<Machine>], candidate: &Candidate, rng: &mut Rng) -> NodeId {
    loop {
        let candidate = candidate.clone();
        match ask(machines, rng, move |node| async move { node.admit_node(None, candidate).await }).await {
            Some(Ok(node)) => return node,
            // An admission whose answer was lost: nobody has that id.
            Some(Err(NodeError::Ensemble(EnsembleError::AddressTaken { node, .. }))) => {
                remove(machines, NodeId(node), rng).await;
            }
            Some(Err(_)) | None => {}
        }
    }
}

/// Has the ensemble remove a node.
pub(crate) async fn remove(machines: &[Arc<Machine>], gone: NodeId, rng: &mut Rng) {
    loop {
        let answer = ask(machines, rng, move |node| async move { node.remove_node(gone).await }).await;
        // Unknown: it never came so far, or is long gone.
        if let Some(Ok(()) | Err(NodeError::Ensemble(EnsembleError::UnknownNode(_)))) = answer {
            return;
        }
    }
}

/// Has some node do something, after a pause.
async fn ask<T, F>(
    machines: &[Arc<Machine>],
    rng: &mut Rng,
    work: impl FnOnce(Arc<Node>) -> F + Send + 'static,
) -> Option<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    tokio::time::sleep(Duration::from_millis(1 + rng.below(PAUSE_MS))).await;
    let running: Vec<_> = machines.iter().filter_map(|machine| machine.process()).collect();
    let place = rng.below(running.len().max(1) as u64) as usize;
    match running.get(place)?.ask(work).await {
        Reply::Answer(answer) => Some(answer),
        Reply::Unreachable | Reply::Lost => None,
    }
}
