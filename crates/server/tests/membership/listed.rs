//! Clusters that begin from a list of all nodes.

use crate::{group::Group, process::Process};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_begins_a_cluster_when_every_node_of_it_has_answered() {
    let mut group = Group::new(3);
    for index in [1, 2] {
        group.start_listed(index);
        group.nodes[index].wait_logged("every node of cluster_peers must answer").await;
    }
    assert!(!group.publish(1, "early", "1").await, "two of three are a majority, and must not begin");
    group.start_listed(0);
    for node in &mut group.nodes {
        node.wait_ready().await;
    }
    group.wait_voters(1, 3).await;
    group.publish_soon(2, "late", "1").await;
    assert_eq!(group.read(0, "late").await.as_deref(), Some("1"));

    // They come back, whoever is first and whatever is not there any more.
    for node in &mut group.nodes {
        node.kill();
    }
    for index in [2, 1] {
        group.start_again(index);
    }
    group.publish_soon(1, "again", "1").await;
    assert_eq!(group.read(2, "late").await.as_deref(), Some("1"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_conf_of_nacos_is_such_a_list() {
    let mut group = Group::new(3);
    let lines = group.nodes.iter().enumerate().map(|(index, node)| match index {
        // Each of the ways in which it says where peers are.
        0 => format!("#it is ip\n#example\n{}\n", raft_line(node)),
        1 => format!("\n  {}  # the second\n", raft_line(node)),
        _ => format!("{}:{}\n", node.cluster.ip(), node.cluster.port() + 1_000),
    });
    let content: String = lines.collect();
    let file = group.file("cluster.conf", &content);
    let (list, secret) = (format!("cluster_peers={}", file.display()), group.secret("of this cluster"));
    for index in 0..3 {
        group.start(index, &["--set", &list, "--set", &secret]);
    }
    for node in &mut group.nodes {
        node.wait_ready().await;
    }
    group.wait_voters(0, 3).await;
    group.publish_soon(1, "listed", "1").await;
    assert_eq!(group.read(2, "listed").await.as_deref(), Some("1"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_without_proof_is_refused_with_the_command_to_run() {
    let mut group = Group::new(2);
    let list = group.list();
    group.start(0, &["--set", &list]);
    let (code, log) = group.nodes[0].wait_end().await;
    assert_eq!(code, Some(2), "{log}");
    assert!(
        log.contains("head -c 32 /dev/urandom") && log.contains("cluster_secret_file=cluster.secret"),
        "{log}"
    );
    let weak = group.file("weak", "secret");
    let weak = format!("cluster_secret_file={}", weak.display());
    group.start(0, &["--set", &list, "--set", &weak]);
    let (code, log) = group.nodes[0].wait_end().await;
    assert_eq!(code, Some(1), "{log}");
    assert!(log.contains("the cluster secret has 6 bytes, at least 32 are needed"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_begins_over_data_or_another_list() {
    let mut group = Group::new(3);
    // The third stood alone before.
    group.nodes[2].spawn();
    group.nodes[2].wait_ready().await;
    group.publish_soon(2, "own", "1").await;
    group.nodes[2].kill();
    group.start_listed(2);
    let (code, log) = group.nodes[2].wait_end().await;
    assert_eq!(code, Some(4), "{log}");
    assert!(log.contains("holds the data of a node that stands alone, which would be lost"), "{log}");

    group.start_listed(0);
    group.start_listed(1);
    // It is given an empty directory, and a list that lacks one.
    group.nodes[2].wipe();
    let short = format!("cluster_peers={},{}", group.nodes[0].cluster, group.nodes[2].cluster);
    let secret = group.secret("of this cluster");
    group.start(2, &["--set", &short, "--set", &secret]);
    group.nodes[2].wait_logged("has other cluster_peers").await;
    assert!(!group.publish(0, "early", "1").await, "nothing has begun");

    group.nodes[2].kill();
    group.start_listed(2);
    for node in &mut group.nodes {
        node.wait_ready().await;
    }
    group.wait_voters(0, 3).await;
}

/// A line of `cluster.conf` that says where peers are beside where clients are.
fn raft_line(node: &Process) -> String {
    format!("{}?raft_port={}", node.http, node.cluster.port())
}
