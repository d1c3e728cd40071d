//! A client that reads the lists of one node, over and over.

use super::{Desk, Reply, services};
use crate::record::{Listed, Observed, now_ms};
use muster_model::ServiceKey;
use muster_node::Node;
use std::{sync::Arc, time::Duration};

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Number of the reader of the first node, for people.
const FIRST: u32 = 100;

pub(crate) async fn run(desk: Desk, node: usize) {
    let services = services();
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let wanted = services.clone();
        let Reply::Answer(Some(lists), server) =
            desk.ask(node, move |node| async move { look(&node, &wanted) }).await
        else {
            continue;
        };
        let (at_ms, client) = (now_ms(), FIRST + node as u32);
        for (service, revision, hosts) in lists {
            desk.recorder.note(&format_args!("r{node} {service} {revision}: {hosts:?}"));
            let what = format!("service {service}");
            desk.recorder.with(|seen| {
                // One that is gone has no revision.
                if !hosts.is_empty() {
                    seen.observed.push(Observed { at_ms, client, server, what, revision });
                }
                seen.lists.push(Listed { at_ms, server, service, hosts });
            });
        }
    }
}

/// What a node shows; `None` if it is not ready to.
fn look(node: &Arc<Node>, services: &[ServiceKey]) -> Option<Vec<(String, u64, Vec<String>)>> {
    if !node.is_ready() {
        return None;
    }
    let show = |service: &ServiceKey| {
        let view = node.view(service);
        let hosts = view.hosts.iter().map(|host| host.host.as_str().to_owned()).collect();
        (service.name().as_str().to_owned(), view.revision.0, hosts)
    };
    Some(services.iter().map(show).collect())
}
