//! Join tokens: each lets one node in, for a time, and is not to be seen on a command line.

use crate::group::Group;
use muster_peer::{JoinToken, KeyHash};
use std::time::Duration;
use tokio::time::sleep;

/// Has node 1 try to join with a token, in vain; gives what it says.
async fn refused(group: &mut Group, token: &str) -> String {
    group.join_with(1, 0, token);
    let (code, log) = group.nodes[1].wait_end().await;
    assert_eq!(code, Some(1), "{log}");
    log
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn used_expired_revoked_and_unknown_tokens_let_nobody_in() {
    let mut group = Group::new(3);
    group.start(0, &["--cluster-init"]);
    group.nodes[0].wait_ready().await;

    let token = group.token(0, &["--for", "1s"]).await;
    sleep(Duration::from_millis(1_100)).await;
    let log = refused(&mut group, &token).await;
    assert!(log.contains("the join token has expired"), "{log}");

    let token = group.token(0, &[]).await;
    let id = token.split('.').nth(1).unwrap().to_owned();
    group.ask(0, &["cluster", "token", "revoke", &id]).await.ok();
    let log = refused(&mut group, &token).await;
    assert!(log.contains("the join token was revoked"), "{log}");

    // Of the right cluster, and made by nobody.
    let authority = token.split('.').next().unwrap();
    let invented = JoinToken::new(KeyHash([1; 32])).reveal();
    let (_, rest) = invented.split_once('.').unwrap();
    let log = refused(&mut group, &format!("{authority}.{rest}")).await;
    assert!(log.contains("there is no such join token"), "{log}");

    // It pins the authority: the node does not even say it to another one.
    let log = refused(&mut group, &invented).await;
    assert!(log.contains("the join token is of another cluster"), "{log}");
    let log = refused(&mut group, "no token").await;
    assert!(log.contains("join_token: "), "{log}");

    let token = group.token(0, &[]).await;
    group.join_with(2, 0, &token);
    group.nodes[2].wait_ready().await;
    let log = refused(&mut group, &token).await;
    assert!(log.contains("the join token was used by node 2"), "{log}");

    let list = group.ask(0, &["cluster", "token", "list"]).await.ok();
    for state in ["expired", "revoked", "used by node 2"] {
        assert!(list.contains(state), "{state}: {list}");
    }
    let secret = token.rsplit('.').next().unwrap();
    assert!(!list.contains(secret), "a secret is shown once: {list}");
    assert!(group.nodes.iter().all(|node| !node.log().contains(secret)), "no secret is logged");
    let members = group.members(0).await;
    assert_eq!(members.iter().map(|(id, ..)| *id).collect::<Vec<_>>(), [1, 2], "no id was given in vain");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_comes_from_file_environment_or_flag_and_the_flag_warns() {
    const WARNING: &str = "whoever may list the processes of this machine can read --join-token";
    let mut group = Group::of(1).await;
    group = group.with(3);
    let by = group.nodes[0].cluster.to_string();
    group.start(1, &["--join", &by]);
    let (code, log) = group.nodes[1].wait_end().await;
    assert_eq!(code, Some(4), "{log}");
    assert!(log.contains("run `muster cluster token create`"), "{log}");

    let token = group.token(0, &[]).await;
    group.nodes[1].set_environment(&[("MUSTER_JOIN_TOKEN", &token)]);
    group.start(1, &["--join", &by]);
    group.nodes[1].wait_ready().await;
    assert!(!group.nodes[1].log().contains(WARNING));

    // By way of a node that does not lead.
    let token = group.token(1, &[]).await;
    let follower = group.nodes[1].cluster.to_string();
    group.start(2, &["--join", &follower, "--join-token", &token]);
    group.nodes[2].wait_ready().await;
    assert!(group.nodes[2].log().contains(WARNING));
    group.wait_voters(2, 3).await;
    // Started again, it is a member, and what the settings say of joining has no effect.
    group.nodes[2].kill();
    group.start_again(2);
    group.nodes[2].wait_ready().await;
    assert_eq!(group.id(2).await, 3);
}
