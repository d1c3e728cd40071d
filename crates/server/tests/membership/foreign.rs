//! Nodes that belong elsewhere.

use crate::group::{Group, copy};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_with_another_secret_is_no_peer() {
    let mut group = Group::new(3);
    for index in 0..2 {
        let (list, secret) = (group.list(), group.secret("of this cluster"));
        group.start(index, &["--set", &list, "--set", &secret]);
        group.nodes[index].wait_logged("this node waits to begin its cluster").await;
    }
    let (list, file) =
        (group.list(), group.file("other-secret", "another secret, of 32 bytes and more, too"));
    let other = format!("cluster_secret_file={}", file.display());
    group.start(2, &["--set", &list, "--set", &other]);
    group.nodes[2].wait_logged("this node waits to begin its cluster").await;
    group.nodes[2].wait_logged("certificate").await;
    assert!(group.nodes[0].ready("/ready").await.is_none_or(|answer| answer.status != 200));
    assert!(!group.publish(0, "early", "1").await, "nothing has begun");
    assert!(!group.nodes[0].log().contains("this node is in the cluster"));

    // With the secret of the others it is one of them.
    group.nodes[2].kill();
    group.start_listed(2);
    for node in &mut group.nodes {
        node.wait_ready().await;
    }
    group.wait_voters(2, 3).await;
    group.publish_soon(2, "late", "1").await;

    // It does not help to join a cluster that has begun, either.
    let mut stranger = group.with(4);
    let by = stranger.nodes[0].cluster.to_string();
    stranger.start(3, &["--join", &by, "--set", &other]);
    let (code, log) = stranger.nodes[3].wait_end().await;
    assert_eq!(code, Some(1), "{log}");
    assert!(log.contains("certificate"), "{log}");
    assert_eq!(stranger.members(0).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_of_another_cluster_is_no_peer() {
    let mut group = Group::of(3).await;
    group.publish_soon(0, "ours", "1").await;
    let other = Group::of(3).await;
    other.publish_soon(0, "theirs", "1").await;
    let ours = (group.id(1).await, other.id(1).await);
    assert_eq!(ours.0, ours.1, "the ids are alike, the clusters are not");

    // The data of the other cluster's node come to be where ours were.
    let mut other = other;
    other.nodes[1].kill();
    group.nodes[1].kill();
    let (data, away) = (group.nodes[1].data.clone(), group.path("away"));
    std::fs::rename(&data, &away).unwrap();
    copy(&other.nodes[1].data, &data);
    group.start_again(1);
    group.nodes[1].wait_ready().await;
    group
        .wait_status(0, "node 2 down", |status| {
            status["members"].as_array().unwrap().iter().any(|one| one["node"] == 2 && one["state"] == "down")
        })
        .await;
    assert_eq!(group.read(0, "theirs").await, None);
    group.publish_soon(0, "without", "1").await;
    // A leader of ours asks for no vote there: with one more of us gone, nobody leads.
    group.nodes[2].kill();
    assert!(!group.publish(0, "alone", "1").await, "a node of another cluster does not vote");
    let doctor = group.ask(0, &["doctor"]).await;
    assert_eq!(doctor.code, Some(1), "{}", doctor.out);
    group.start_again(2);

    group.nodes[1].kill();
    std::fs::remove_dir_all(&data).unwrap();
    std::fs::rename(&away, &data).unwrap();
    group.start_again(1);
    group.nodes[1].wait_ready().await;
    group.publish_soon(1, "again", "1").await;
    assert_eq!(group.read(1, "without").await.as_deref(), Some("1"));
}
