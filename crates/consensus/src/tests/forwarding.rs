//! What is asked of a node that does not lead.

use super::{
    ensemble::Ensemble,
    world::{Life, number},
};
use crate::{LEVEL_NEWEST, ProposeError, Settings};
use bytes::Bytes;
use muster_model::NodeId;
use std::time::Duration;

pub(super) fn op(text: impl AsRef<str>) -> Bytes {
    Bytes::copy_from_slice(text.as_ref().as_bytes())
}

pub(super) fn patient() -> Settings {
    Settings { propose_timeout: Duration::from_secs(30), ..Settings::default() }
}

/// Waits until the group has its format level, so that operations have ids where they can.
pub(super) async fn started(settings: Settings) -> Ensemble {
    let all = Ensemble::start_virtual(3, settings).await;
    all.leader().await;
    all.until("the level", |all| all.lives.values().all(|life| life.consensus.level() == LEVEL_NEWEST)).await;
    all
}

#[tokio::test(start_paused = true)]
async fn any_node_takes_a_write_and_shows_it_when_it_is_answered() {
    let all = started(patient()).await;
    for round in 0..20 {
        for life in all.lives.values() {
            let text = format!("{round}-{}", life.ledger.ops().len());
            let sequence = number(&life.consensus.propose(op(&text)).await.unwrap());
            assert_eq!(life.ledger.ops()[sequence as usize - 1], op(&text));
        }
    }
    let ops = all.lives[&1].ledger.ops();
    assert_eq!(ops.len(), 60);
    all.converge(&ops).await;
    all.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_waits_at_a_follower_goes_together() {
    let all = started(patient()).await;
    let life = &all.lives[&all.follower().await];
    let before = life.consensus.metrics();
    let proposals = (0..500).map(|count| life.consensus.propose(op(format!("op {count}"))));
    let results = futures_util::future::join_all(proposals).await;
    assert!(results.iter().all(Result::is_ok));
    let after = life.consensus.metrics();
    assert_eq!(after.ops - before.ops, 500);
    assert!(after.entries - before.entries < 10, "{} entries", after.entries - before.entries);
    let refused = life.consensus.propose(Bytes::from(vec![0; 16 << 20])).await;
    assert!(matches!(refused, Err(ProposeError::TooLarge { .. })), "{refused:?}");
    all.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_read_of_any_node_sees_what_was_answered_by_another() {
    let all = started(patient()).await;
    for round in 1..=30 {
        let writer = &all.lives[&(round % 3 + 1)];
        let reader = &all.lives[&((round / 3) % 3 + 1)];
        writer.consensus.propose(op(round.to_string())).await.unwrap();
        reader.consensus.read_barrier().await.unwrap();
        assert_eq!(reader.ledger.ops().len() as u64, round);
    }
    all.end().await;
}

#[tokio::test(start_paused = true)]
async fn without_a_majority_nothing_is_answered_and_the_error_says_whether_it_may_be_done() {
    let all = started(Settings { propose_timeout: Duration::from_secs(3), ..Settings::default() }).await;
    let leader = all.leader().await;
    let follower = all.follower().await;
    for id in [1, 2, 3] {
        all.cut_off(id);
    }
    let at_leader = all.lives[&leader].consensus.propose(op("a")).await;
    assert_eq!(at_leader, Err(ProposeError::Timeout), "it is in the log");
    // The leader is not reached, so nothing was written.
    let at_follower = all.lives[&follower].consensus.propose(op("b")).await;
    assert!(matches!(at_follower, Err(ProposeError::Unavailable(_))), "{at_follower:?}");
    assert!(all.lives[&follower].consensus.read_barrier().await.is_err());
    assert!(all.lives[&leader].consensus.read_barrier().await.is_err());
    all.heal();
    // What nobody answered may be lost with its leader, or not; what was refused is not there.
    super::failover::propose(&all.lives[&follower], "c").await;
    let ops = all.lives[&follower].ledger.ops();
    assert!(ops == [op("c")] || ops == [op("a"), op("c")], "{ops:?}");
    all.converge(&ops).await;
    all.end().await;
}

#[tokio::test(start_paused = true)]
async fn members_are_changed_at_any_node() {
    let all = started(patient()).await;
    let follower = &all.lives[&all.follower().await];
    let leader = all.leader().await;
    follower.consensus.set_address(NodeId(leader), "elsewhere:1".into()).await.unwrap();
    let told = |life: &Life| life.consensus.members().borrow().addresses[&NodeId(leader)] == "elsewhere:1";
    all.until("the address", |all| all.lives.values().all(told)).await;
    all.end().await;
}
