//! What is done at one node is seen at the others, with three real processes: pushes, Nacos's view of the cluster, the doctor.
#![allow(clippy::unwrap_used, reason = "a test that meets an error has failed")]

#[path = "../it/figures.rs"]
#[allow(dead_code, reason = "shared with tests that use more of it")]
mod figures;
#[path = "../membership/group.rs"]
#[allow(dead_code, reason = "shared with tests that use more of it")]
mod group;
#[path = "../ensemble/http.rs"]
#[allow(dead_code, reason = "shared with tests that use more of it")]
mod http;
#[path = "../ensemble/process.rs"]
#[allow(dead_code, reason = "shared with tests that use more of it")]
mod process;

mod listener;
mod pushes;

use group::Group;

/// One after the other at the same nodes: what comes later kills some of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_see_one_cluster() {
    let group = Group::listed(3).await;
    let nodes: Vec<_> = group.nodes.iter().map(|node| node.http).collect();
    // Each node is the one that is changed, and the one that is listened to.
    for (at, to) in [(0, 1), (1, 2), (2, 0)] {
        pushes::services(nodes[at], nodes[to]).await;
        pushes::names(nodes[at], nodes[to]).await;
        pushes::configs(nodes[at], nodes[to]).await;
        pushes::held_polls(nodes[at], nodes[to]).await;
    }
}
