//! Leaders without disk space.

use super::{ensemble::Ensemble, failover::propose};
use crate::{ProposeError, Settings};
use bytes::Bytes;

/// Leaves a node less than its reserve.
fn fill(all: &Ensemble, id: u64) {
    all.worlds[&id].disk.set_capacity(Some(8 << 20));
}

/// Has everybody look at their disks again.
fn look(all: &Ensemble) {
    all.worlds.values().for_each(|world| world.clock.advance(1_000));
}

#[tokio::test(start_paused = true)]
async fn a_full_leader_leaves_its_place_to_one_that_has_room() {
    let all = Ensemble::start_virtual(3, Settings::default()).await;
    let full = all.leader().await;
    propose(&all.lives[&full], "a").await;
    fill(&all, full);
    look(&all);
    all.until("another leader", |all| {
        all.lives.iter().any(|(id, life)| *id != full && life.consensus.is_leader())
    })
    .await;
    let other = all.follower().await;
    let other = if other == full { all.leader().await } else { other };
    propose(&all.lives[&other], "b").await;
    let refused = all.lives[&full].consensus.propose(Bytes::from_static(b"c")).await;
    assert_eq!(refused, Err(ProposeError::StorageFull));
    all.worlds[&full].disk.set_capacity(None);
    propose(&all.lives[&full], "d").await;
    all.converge(&["a", "b", "d"].map(|op| Bytes::copy_from_slice(op.as_bytes()))).await;
    all.end().await;
}

#[tokio::test(start_paused = true)]
async fn where_all_are_full_the_leader_stays_and_reads_go_on() {
    let all = Ensemble::start_virtual(3, Settings::default()).await;
    let leader = all.leader().await;
    propose(&all.lives[&leader], "a").await;
    (1..=3).for_each(|id| fill(&all, id));
    look(&all);
    let term = all.lives[&leader].consensus.standing().term;
    for life in all.lives.values() {
        let refused = life.consensus.propose(Bytes::from_static(b"b")).await;
        assert_eq!(refused, Err(ProposeError::StorageFull));
        life.consensus.read_barrier().await.unwrap();
    }
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    assert_eq!(all.lives[&leader].consensus.standing().term, term);
    all.end().await;
}
