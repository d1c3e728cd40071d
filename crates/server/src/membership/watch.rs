//! What a running member keeps an eye on: whether it was removed, and whether its log has begun.

use super::{Ensemble, Ground};
use muster_node::Node;
use muster_peer::{LinkError, Question, Refusal, ask};
use muster_runtime::Tasks;
use muster_storage::data_dir::{DataDir, NodeIdentity};
use std::{sync::Arc, time::Duration};
use tokio::sync::oneshot;

/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How often a node that hears no leader asks the others whether it was removed.
const ASK_EVERY: Duration = Duration::from_secs(2);

/// Notes that the log has begun as soon as something is applied: from then on, a directory without a log is one that lost
/// it.
pub(crate) async fn note_beginning(
    node: Arc<Node>,
    dir: &'static DataDir,
    identity: NodeIdentity,
    tasks: Tasks,
) {
    if identity.has_begun {
        return;
    }
    let stopping = tasks.stopping();
    while node.consensus().map_or(0, muster_consensus::Consensus::applied) == 0 {
        tokio::select! {
            biased;
            () = stopping.cancelled() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
    let noted = tasks.blocking(move || dir.set_identity(NodeIdentity { has_begun: true, ..identity })).await;
    match noted {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!(%error, "note that the log has begun"),
        Err(error) => tracing::error!(%error, "note that the log has begun"),
    }
}

/// Ends when another node says that this one was removed.
async fn wait_until_removed(node: Arc<Node>, removed: oneshot::Sender<()>, tasks: Tasks) {
    let stopping = tasks.stopping();
    loop {
        tokio::select! {
            biased;
            () = stopping.cancelled() => return,
            () = tokio::time::sleep(ASK_EVERY) => {}
        }
        if node.stale_ms().is_some() && is_removed(&node).await {
            // Nobody waits for it while the process ends.
            removed.send(()).ok();
            return;
        }
    }
}

async fn is_removed(node: &Node) -> bool {
    let Some(links) = node.links() else { return false };
    for (peer, member) in &node.members_view().members {
        if *peer == node.id() {
            continue;
        }
        let asked = ask(links, Some(*peer), &member.is.address, &Question::Standing).await;
        if matches!(asked, Err(LinkError::Refused { refusal: Refusal::Removed, .. })) {
            return true;
        }
    }
    false
}

impl Ensemble {
    /// Has the node be a member: call it before it joins.
    pub(crate) fn attach(
        self,
        ground: &Ground<'_>,
        node: &Arc<Node>,
        removed: oneshot::Sender<()>,
    ) -> muster_peer::Links {
        let Self { links, parts, prover } = self;
        let Ground { settings, dir, clock, tasks, .. } = ground;
        node.enter_ensemble(parts);
        let renewal = prover.run(settings.cluster.clone(), dir, clock.clone(), tasks.clone());
        tasks.spawn("certificate", renewal);
        tasks.spawn("removal", wait_until_removed(node.clone(), removed, tasks.clone()));
        links
    }
}
