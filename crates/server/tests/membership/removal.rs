//! Nodes that leave, and what removing them may not do.

use crate::group::Group;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_removed_node_ends_and_is_not_let_in_again() {
    let mut group = Group::of(3).await;
    group.publish_soon(2, "before", "1").await;
    group.ask(0, &["cluster", "remove", "3"]).await.ok();
    let (code, log) = group.nodes[2].wait_end().await;
    assert_eq!(code, Some(4), "{log}");
    assert!(log.contains("node 3 was removed from its cluster"), "{log}");

    // Its certificate has not ended, and nobody listens to it: it finds that out at its next start, too.
    group.start_again(2);
    let (code, log) = group.nodes[2].wait_end().await;
    assert_eq!(code, Some(4), "{log}");
    assert!(log.contains("node 3 was removed from its cluster"), "{log}");
    let members: Vec<_> = group.members(0).await.into_iter().map(|(id, ..)| id).collect();
    assert_eq!(members, [1, 2]);
    group.ask(0, &["cluster", "remove", "3"]).await.ok();
    group.ask(0, &["cluster", "remove", "9"]).await.refused(3, "there is no node 9");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_would_lose_the_quorum_is_refused_and_two_voters_warn() {
    let mut group = Group::of(3).await;
    let status = group.ask(0, &["cluster", "status"]).await;
    assert!(status.out.contains("3 voters, survives the loss of 1"), "{}", status.out);
    group.nodes[2].kill();
    group.wait_status(0, "the loss of a node", |status| status["survivable_losses"] == 0).await;
    group.ask(0, &["cluster", "remove", "2"]).await.refused(1, "it would lose its quorum");
    // The dead one may go, and leaves a pair that survives no loss.
    group.ask(1, &["cluster", "remove", "3"]).await.ok();
    group.wait_voters(0, 2).await;
    let status = group.ask(0, &["cluster", "status"]).await;
    assert!(status.out.contains("2 voters, survives no loss"), "{}", status.out);
    assert!(status.err.contains("warning: two voters survive no loss"), "{}", status.err);
    // Down to one, whoever of the two leads.
    group.ask(0, &["cluster", "remove", "2"]).await.ok();
    group.wait_voters(0, 1).await;
    group.ask(0, &["cluster", "remove", "1"]).await.refused(1, "node 1 is the only voter");
    group.publish_soon(0, "alone", "1").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_is_removed_by_way_of_itself() {
    let mut group = Group::of(3).await;
    let led = group.status(0).await.unwrap()["leader"].as_u64().unwrap();
    let leader = usize::try_from(led).unwrap() - 1;
    // The leader, at that: another one finishes it.
    group.ask(leader, &["cluster", "remove", &led.to_string()]).await;
    let (code, log) = group.nodes[leader].wait_end().await;
    assert_eq!(code, Some(4), "{log}");
    let other = (leader + 1) % 3;
    group.wait_voters(other, 2).await;
    group.publish_soon(other, "after", "1").await;
}
