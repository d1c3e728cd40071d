//! Nodes that lost their data: none of them votes again under the id it had.

use crate::group::Group;
use std::fs;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wiped_node_comes_back_as_a_new_one_after_it_was_removed() {
    let mut group = Group::of(3).await;
    group.publish_soon(1, "before", "1").await;
    group.nodes[1].kill();
    group.nodes[1].wipe();

    // It was let in with that token, which is no reason to let it in again.
    group.start_again(1);
    let (code, log) = group.nodes[1].wait_end().await;
    assert_eq!(code, Some(1), "{log}");
    assert!(log.contains("the join token was used by node 2"), "{log}");
    let token = group.token(0, &[]).await;
    group.join_with(1, 0, &token);
    let (code, log) = group.nodes[1].wait_end().await;
    assert_eq!(code, Some(1), "{log}");
    assert!(log.contains("run `muster cluster remove 2` first"), "{log}");
    assert!(!log.contains("node=4"), "{log}");

    group.ask(2, &["cluster", "remove", "2"]).await.ok();
    group.wait_voters(0, 2).await;
    group.join_with(1, 0, &token);
    group.nodes[1].wait_ready().await;
    group.wait_voters(1, 3).await;
    assert_eq!(group.id(1).await, 4);
    assert_eq!(group.read(1, "before").await.as_deref(), Some("1"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_lost_a_part_of_its_data_does_not_start() {
    let mut group = Group::of(3).await;
    group.publish_soon(1, "before", "1").await;
    group.nodes[1].kill();
    let data = group.nodes[1].data.clone();
    let away = group.path("away");

    fs::rename(data.join("node"), &away).unwrap();
    group.start_again(1);
    let (code, log) = group.nodes[1].wait_end().await;
    assert_eq!(code, Some(4), "{log}");
    assert!(log.contains("which says which node of a cluster this is, is gone"), "{log}");
    fs::rename(&away, data.join("node")).unwrap();

    for name in ["log", "state.db", "state.db-wal", "state.db-shm", "snapshots"] {
        let path = data.join(name);
        if path.is_dir() {
            fs::remove_dir_all(path).unwrap();
        } else if path.exists() {
            fs::remove_file(path).unwrap();
        }
    }
    group.start_again(1);
    let (code, log) = group.nodes[1].wait_end().await;
    assert_eq!(code, Some(4), "{log}");
    assert!(log.contains("the data of node 2 is gone"), "{log}");
    assert!(log.contains("muster cluster remove 2"), "{log}");
    assert!(group.publish(0, "after", "1").await, "two of three are enough");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wiped_node_of_a_list_waits_until_it_is_removed() {
    let mut group = Group::listed(3).await;
    let lost = group.id(2).await;
    group.nodes[2].kill();
    group.nodes[2].wipe();
    group.start_again(2);
    group.nodes[2].wait_logged("does not know this node, whose data directory is empty").await;
    group.nodes[2].wait_logged(&format!("run `muster cluster remove {lost}` first")).await;
    // With one of the others gone it does not help to a majority.
    group.nodes[1].kill();
    assert!(!group.publish(0, "alone", "1").await, "one of three is no majority");
    group.start_again(1);
    group.nodes[1].wait_ready().await;

    group.publish_soon(1, "back", "1").await;
    group.ask(1, &["cluster", "remove", &lost.to_string()]).await.ok();
    group.nodes[2].wait_ready().await;
    group.wait_voters(2, 3).await;
    assert_eq!(group.id(2).await, 4);
    assert_eq!(group.read(2, "back").await.as_deref(), Some("1"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_wiped_of_three_neither_vote_nor_begin_anew() {
    let mut group = Group::listed(3).await;
    group.publish_soon(0, "before", "1").await;
    for lost in [0, 1] {
        group.nodes[lost].kill();
        group.nodes[lost].wipe();
    }
    for lost in [0, 1] {
        group.start_again(lost);
    }
    for lost in [0, 1] {
        group.nodes[lost].wait_logged("does not know this node, whose data directory is empty").await;
    }
    assert!(!group.publish(2, "alone", "1").await, "one of three is no majority");

    // Nor do they when nobody is left who knows of the cluster.
    group.nodes[2].kill();
    for lost in [0, 1] {
        group.nodes[lost].kill();
        group.start_again(lost);
        group.nodes[lost].wait_logged("every node of cluster_peers must answer").await;
    }

    // The way out: who is left goes on as a new cluster, and the others come to it.
    let words = recover(&group, 2);
    let words: Vec<_> = words.iter().map(String::as_str).chain(["--yes"]).collect();
    crate::group::muster(&words).await.ok();
    group.start_again(2);
    group.nodes[2].wait_ready().await;
    for lost in [0, 1] {
        group.nodes[lost].wait_ready().await;
    }
    group.wait_voters(0, 3).await;
    assert_eq!(group.read(0, "before").await.as_deref(), Some("1"));
    let ids: Vec<_> = group.members(0).await.into_iter().map(|(id, ..)| id).collect();
    assert!(ids.contains(&4) && ids.contains(&5), "{ids:?}");
}

/// The words of `muster cluster recover` for a node.
pub(crate) fn recover(group: &Group, index: usize) -> Vec<String> {
    let words = ["cluster", "recover", "--from-this-node", "--data-dir"].map(str::to_owned);
    let data = group.nodes[index].data.display().to_string();
    words.into_iter().chain([data]).chain(group.nodes[index].arguments.clone()).collect()
}
