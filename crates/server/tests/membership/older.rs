//! A state file that is older than the log, as a checkpoint of any time leaves it: the log or a snapshot has the rest.

use crate::group::Group;
use std::{
    fs,
    path::{Path, PathBuf},
};

const STATE: [&str; 3] = ["state.db", "state.db-wal", "state.db-shm"];
/// So many configs are written between two checkpoints; some snapshots are made meanwhile, and the log is shortened.
const STEP: usize = 15;
const CHECKPOINTS: usize = 5;

/// Puts the state files of one place in another, and nothing else.
fn put_state(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in STATE {
        fs::remove_file(to.join(file)).ok();
        if from.join(file).exists() {
            fs::copy(from.join(file), to.join(file)).unwrap();
        }
    }
}

/// Writes, and keeps what a kill of a node leaves of its state, several times.
async fn run(group: &mut Group, node: usize) -> Vec<PathBuf> {
    let mut kept = Vec::new();
    for checkpoint in 0..CHECKPOINTS {
        for number in 0..STEP {
            group.publish_soon(node, &format!("older-{checkpoint}-{number}"), "1").await;
            group.publish_soon(node, "older", &format!("{checkpoint}-{number}")).await;
        }
        group.nodes[node].kill();
        let place = group.path(&format!("checkpoint-{checkpoint}"));
        put_state(&group.nodes[node].data, &place);
        kept.push(place);
        group.start_again(node);
        group.nodes[node].wait_ready().await;
    }
    kept
}

async fn check(group: &Group, node: usize, context: &str) {
    for checkpoint in 0..CHECKPOINTS {
        for number in 0..STEP {
            let data_id = format!("older-{checkpoint}-{number}");
            assert_eq!(group.read(node, &data_id).await.as_deref(), Some("1"), "{context}: {data_id}");
        }
    }
    let last = format!("{}-{}", CHECKPOINTS - 1, STEP - 1);
    assert_eq!(group.read(node, "older").await, Some(last), "{context}");
}

async fn any_checkpoint(mut group: Group, node: usize) {
    let kept = run(&mut group, node).await;
    for place in kept {
        group.nodes[node].kill();
        put_state(&place, &group.nodes[node].data);
        group.start_again(node);
        group.nodes[node].wait_ready().await;
        let context = place.display().to_string();
        check(&group, node, &context).await;
        if group.nodes.len() > 1 {
            group.wait_voters(node, group.nodes.len()).await;
            // All nodes compute what their state comes to at one entry.
            let told = group.ask(node, &["doctor"]).await;
            assert_eq!(told.code, Some(0), "{context}: {}{}", told.out, told.err);
        }
    }
}

fn short(count: usize) -> Group {
    let mut group = Group::new(count);
    for node in &mut group.nodes {
        node.set_environment(&[("MUSTER_SNAPSHOT_EVERY", "40")]);
    }
    group
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_alone_goes_on_from_any_older_checkpoint() {
    let mut group = short(1);
    group.start(0, &["--cluster-init"]);
    group.nodes[0].wait_ready().await;
    any_checkpoint(group, 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_goes_on_from_any_older_checkpoint_and_has_the_same_digest() {
    let mut group = short(3);
    group.start(0, &["--cluster-init"]);
    group.nodes[0].wait_ready().await;
    group.join(1, 0).await;
    group.join(2, 0).await;
    group.wait_voters(2, 3).await;
    any_checkpoint(group, 2).await;
}
