//! What is done at one node is seen at the others, with three real processes: pushes, Nacos's view of the cluster, the doctor,
//! health checks; and what an Eureka server that is their peer is told.
#![allow(clippy::unwrap_used, reason = "a test that meets an error has failed")]

#[path = "../it/figures.rs"]
#[allow(dead_code, reason = "shared with tests that use more of it")]
mod figures;
#[path = "../membership/group.rs"]
#[allow(dead_code, reason = "shared with tests that use more of it")]
mod group;
#[path = "../it/harm.rs"]
#[allow(dead_code, reason = "shared with tests that use more of it")]
mod harm;
#[path = "../ensemble/http.rs"]
#[allow(dead_code, reason = "shared with tests that use more of it")]
mod http;
#[path = "../membership/office.rs"]
mod office;
#[path = "../ensemble/process.rs"]
#[allow(dead_code, reason = "shared with tests that use more of it")]
mod process;
#[path = "../ensemble/small.rs"]
#[allow(dead_code, reason = "shared with tests that use more of it")]
mod small;

mod checks;
mod clocks;
mod crowd;
mod damaged;
mod datagrams;
mod disks;
mod doctor;
mod foreign;
mod forger;
mod listener;
mod lost;
mod members;
mod planted;
mod pushes;
mod recorder;

use crowd::Crowd;
use group::Group;

/// One after the other at the same nodes: what comes later kills some of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_see_one_cluster() {
    let mut group = Group::listed(3).await;
    let nodes: Vec<_> = group.nodes.iter().map(|node| node.http).collect();
    let [one, two, three] = nodes[..] else { panic!("three nodes") };
    // Each node is the one that is changed, and the one that is listened to.
    for (at, to) in [(one, two), (two, three), (three, one)] {
        pushes::services(at, to).await;
        pushes::names(at, to).await;
        pushes::configs(at, to).await;
        pushes::held_polls(at, to).await;
        datagrams::pushed(at, to).await;
    }
    let crowd = Crowd::gather(30, &nodes);
    members::told(&nodes, &[(one, "UP"), (two, "UP"), (three, "UP")]).await;
    doctor::finds_nothing(&group, 0).await;
    crowd.wait_shared(&nodes).await;

    let last = group.id(2).await;
    group.nodes[2].kill();
    doctor::names_who_does_not_answer(&group, 0, (2, last)).await;
    members::told(&[one, two], &[(one, "UP"), (two, "UP"), (three, "DOWN")]).await;
    crowd.wait_shared(&[one, two]).await;
    let moves = crowd.moves();
    group.start_again(2);
    group.nodes[2].wait_ready().await;
    members::told(&nodes, &[(one, "UP"), (two, "UP"), (three, "UP")]).await;
    crowd.wait_shared(&nodes).await;
    // A third of them has to go there; nobody is sent to and fro.
    let moves = crowd.moves() - moves;
    figures::say(&format!("{moves} of 30 clients were moved to a node that came back"));
    assert!((8..=15).contains(&moves), "{moves} moves");
    doctor::finds_nothing(&group, 2).await;
    drop(crowd);

    group.nodes[2].kill();
    group.ask(0, &["cluster", "remove", &last.to_string()]).await.ok();
    members::told(&[one, two], &[(one, "UP"), (two, "UP")]).await;
}
