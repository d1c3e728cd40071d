//! Nodes that come and go for good.

use super::{ensemble::Ensemble, failover::propose};
use crate::{Bootstrap, ChangeError, Role, Settings};
use bytes::Bytes;
use muster_model::NodeId;
use std::collections::BTreeSet;

fn ids(ids: &[u64]) -> BTreeSet<NodeId> {
    ids.iter().copied().map(NodeId).collect()
}

/// A group of one that became one of three.
async fn grown() -> Ensemble {
    let all = Ensemble::grow_virtual(3, Settings::default()).await;
    let first = &all.lives[&1];
    first.consensus.wait_ready().await.unwrap();
    propose(first, "a").await;
    for id in [2, 3] {
        first.consensus.add_learner(NodeId(id), all.address(id)).await.unwrap();
    }
    let is_caught_up = |all: &Ensemble| all.lives.values().all(|life| life.ledger.ops().len() == 1);
    all.until("catching up", is_caught_up).await;
    let members = first.consensus.members().borrow().clone();
    assert_eq!((&members.voters, &members.learners), (&ids(&[1]), &ids(&[2, 3])));
    assert_eq!(all.lives[&2].consensus.standing().role, Role::Learner);
    first.consensus.change_voters(ids(&[1, 2, 3])).await.unwrap();
    all
}

#[tokio::test(start_paused = true)]
async fn one_becomes_three_without_migration_and_survives_a_loss() {
    let mut all = grown().await;
    let members = all.lives[&1].consensus.members().borrow().clone();
    assert_eq!((&members.voters, members.survivable_losses()), (&ids(&[1, 2, 3]), 1));
    assert_eq!(members.addresses[&NodeId(3)], all.address(3));
    all.kill(1).await;
    let leader = all.leader().await;
    propose(&all.lives[&leader], "b").await;
    // As it was started first.
    all.settings.bootstrap = Bootstrap::Alone { address: all.address(1) };
    all.boot(1).await;
    all.lives[&1].consensus.wait_ready().await.unwrap();
    all.converge(&["a", "b"].map(|op| Bytes::copy_from_slice(op.as_bytes()))).await;
    all.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_leader_can_be_removed() {
    let all = grown().await;
    all.lives[&1].consensus.remove(NodeId(1)).await.unwrap();
    let is_other = |all: &Ensemble| [2, 3].iter().any(|id| all.lives[id].consensus.is_leader());
    all.until("another leader", is_other).await;
    let leader = if all.lives[&2].consensus.is_leader() { 2 } else { 3 };
    propose(&all.lives[&leader], "b").await;
    let members = all.lives[&leader].consensus.members().borrow().clone();
    assert_eq!((&members.voters, members.learners.len()), (&ids(&[2, 3]), 0));
    all.lives[&leader].consensus.remove(NodeId(1)).await.unwrap();
    assert_eq!(all.lives[&1].ledger.ops().len(), 1, "it gets nothing any more");
    all.end().await;
}

#[tokio::test(start_paused = true)]
async fn changes_that_can_not_be_are_refused() {
    let all = grown().await;
    let first = &all.lives[&1].consensus;
    assert_eq!(first.change_voters(BTreeSet::new()).await, Err(ChangeError::NoVoters));
    assert_eq!(first.change_voters(ids(&[1, 9])).await, Err(ChangeError::UnknownNode(NodeId(9))));
    assert_eq!(first.set_address(NodeId(9), "x:1".into()).await, Err(ChangeError::UnknownNode(NodeId(9))));
    first.set_address(NodeId(1), "here:1".into()).await.unwrap();
    let is_told = |all: &Ensemble| {
        all.lives.values().all(|life| life.consensus.members().borrow().addresses[&NodeId(1)] == "here:1")
    };
    all.until("the address everywhere", is_told).await;
    all.end().await;
}
