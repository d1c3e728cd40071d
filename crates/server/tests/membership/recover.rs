//! `muster cluster recover --from-this-node`.

use crate::{
    group::{Group, muster},
    wiped::recover,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_goes_on_alone_only_when_most_are_lost() {
    let mut group = Group::of(3).await;
    group.publish_soon(0, "before", "1").await;
    assert_eq!(group.read(2, "before").await.as_deref(), Some("1"));
    let words = recover(&group, 2);
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let sure: Vec<_> = words.iter().copied().chain(["--yes"]).collect();
    muster(&sure).await.refused(4, "in use");

    group.nodes[2].kill();
    muster(&sure).await.refused(1, "3 of 3 voters are there");
    group.nodes[0].kill();
    muster(&sure).await.refused(1, "2 of 3 voters are there, which is a majority. Start this node");
    group.nodes[1].kill();

    let plan = muster(&words).await;
    plan.refused(1, "nothing was changed: add --yes to do it");
    for said in
        ["Kept: everything up to entry", "Lost: every config", "Node 1 (", "Node 2 (", "does not answer"]
    {
        assert!(plan.out.contains(said), "{said}: {}", plan.out);
    }
    // It was only said, not done.
    group.start_again(1);
    group.start_again(2);
    group.publish_soon(2, "between", "1").await;
    group.nodes[1].kill();
    group.nodes[2].kill();

    let done = muster(&sure).await.ok();
    assert!(done.contains("this node is the only one of cluster"), "{done}");
    group.start_again(2);
    group.nodes[2].wait_ready().await;
    group.publish_soon(2, "after", "1").await;
    for key in ["before", "between"] {
        assert_eq!(group.read(2, key).await.as_deref(), Some("1"), "{key}");
    }
    assert_eq!(group.members(2).await.len(), 1);

    // Those that it left behind are of another cluster now, and agree among themselves.
    group.start_again(0);
    group.start_again(1);
    group.publish_soon(0, "old", "1").await;
    assert_eq!(group.read(2, "old").await, None);
    assert_eq!(group.read(0, "after").await, None);
    // One comes over, with an empty directory.
    group.nodes[0].kill();
    group.nodes[0].wipe();
    group.join(0, 2).await;
    assert_eq!(group.read(0, "after").await.as_deref(), Some("1"));
    assert_eq!(group.id(0).await, 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_belongs_to_no_cluster_has_nothing_to_recover() {
    let mut group = Group::new(1);
    group.nodes[0].spawn();
    group.nodes[0].wait_ready().await;
    group.nodes[0].kill();
    let words = recover(&group, 0);
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    muster(&words).await.refused(4, "belongs to no cluster");
}
