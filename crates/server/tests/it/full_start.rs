//! A node whose disk is full already when it starts: it starts, serves what it has, and refuses writes.

use crate::{
    client::{GROUP, Session},
    disk_full::{Small, check_the_rest, fill, resumes},
    node::{Node, free_port, http},
    sequence::Sequence,
};
use muster_client::{Client, Publish};
use std::{fs, time::Duration};
use tokio::{task::JoinSet, time::sleep};

/// Fills a node's disk while it is down, which `kill` says how it went, and starts it.
async fn starts_full(kill: bool, settings: &[&str]) {
    let Some(small) = Small::mount(96) else { return };
    let dir = small.path.join("data");
    let settings: Vec<_> =
        settings.iter().copied().chain(["reserve_bytes=16 MiB", "write_timeout=2s"]).collect();
    let node = Node::start(&dir, &settings).await;
    let session = Session::open(&node.address()).await.unwrap();
    let mut writes = Sequence::without_locks("full-start", 1_000);
    writes.write_many(&session, 40).await;
    if kill {
        node.kill();
    } else {
        assert!(node.stop().await.success());
    }
    let ballast = fill(&small.path);

    let node = Node::start_logging(&dir, &settings, small.beside()).await;
    let log = node.log();
    assert!(log.contains("the disk is full: what is there is served"), "{log}");
    let session = Session::open(&node.address()).await.unwrap();
    let refused = writes.write(&session).await.unwrap_err();
    assert!(refused.code().is_some(), "refused, not cut off: {refused}");
    let form = "/nacos/v3/admin/cs/config?dataId=a&groupName=g&content=b";
    let (status, answer) = http(node.port, "POST", form).await.unwrap();
    assert_eq!(status, 503, "{answer}");
    assert!(answer.contains("\"code\":"), "{answer}");
    check_the_rest(&session, &writes, node.port).await;

    fs::remove_file(ballast).unwrap();
    resumes(&session, &mut writes).await;
    writes.write_many(&session, 20).await;
    assert_eq!(writes.missing(&session).await, [0; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_node_starts_on_a_full_disk() {
    starts_full(true, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_ended_in_order_starts_on_a_full_disk() {
    starts_full(false, &[]).await;
}

/// Publishes configs one after the other; those that were acknowledged.
async fn write_until_refused(client: Client, name: String) -> Vec<String> {
    let content = "x".repeat(4_000);
    let mut acknowledged = Vec::new();
    loop {
        let data_id = format!("{name}-{}", acknowledged.len());
        let publish = Publish { group: GROUP, data_id: &data_id, content: &content, ..Publish::default() };
        if client.publish(publish).await.is_err() {
            return acknowledged;
        }
        acknowledged.push(data_id);
    }
}

/// What was written last may be in the log alone: the state has no room to take it in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entries_that_only_the_log_has_are_served_on_a_full_disk() {
    let Some(small) = Small::mount(96) else { return };
    let dir = small.path.join("data");
    let settings = ["reserve_bytes=16 MiB", "write_timeout=2s"];
    for round in 0..5 {
        let node = Node::start(&dir, &settings).await;
        let session = Session::open(&node.address()).await.unwrap();
        let mut writers = JoinSet::new();
        for writer in 0..8 {
            writers.spawn(write_until_refused(session.client.clone(), format!("full-{round}-{writer}")));
        }
        sleep(Duration::from_millis(300 + 37 * round)).await;
        node.kill();
        let ballast = fill(&small.path);
        let node = Node::start_logging(&dir, &settings, small.beside()).await;
        let session = Session::open(&node.address()).await.unwrap();
        for data_id in writers.join_all().await.iter().flatten() {
            assert!(session.read(data_id, "").await.unwrap().is_some(), "{data_id} is gone");
        }
        fs::remove_file(ballast).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_starts_on_a_full_disk() {
    let listen = format!("cluster_listen=127.0.0.1:{}", free_port());
    for kill in [true, false] {
        starts_full(kill, &["cluster_init=true", &listen]).await;
    }
}
