//! Leaders that come and go.

use super::{ensemble::Ensemble, world::Life};
use crate::{ProposeError, Settings};
use bytes::Bytes;
use std::time::Duration;

/// Proposes at a node until it is taken.
pub(super) async fn propose(life: &Life, op: &str) {
    let op = Bytes::copy_from_slice(op.as_bytes());
    let once = || life.consensus.propose_within(op.clone(), Duration::from_secs(30));
    while let Err(error) = once().await {
        assert!(matches!(error, ProposeError::NotLeader { .. }), "{error}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn ops(texts: &[&str]) -> Vec<Bytes> {
    texts.iter().map(|text| Bytes::copy_from_slice(text.as_bytes())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_nodes_go_on_when_the_leader_is_killed_and_takes_it_up_again() {
    let mut all = Ensemble::start(3, Settings::default()).await;
    let first = all.leader().await;
    propose(&all.lives[&first], "a").await;
    propose(&all.lives[&first], "b").await;
    all.converge(&ops(&["a", "b"])).await;
    all.kill(first).await;
    let second = all.leader().await;
    assert_ne!(first, second);
    propose(&all.lives[&second], "c").await;
    all.converge(&ops(&["a", "b", "c"])).await;
    all.boot(first).await;
    all.lives[&first].consensus.wait_ready().await.unwrap();
    assert_eq!(all.lives[&first].ledger.ops().len(), 3, "ready with everything that was acknowledged");
    propose(&all.lives[&second], "d").await;
    all.converge(&ops(&["a", "b", "c", "d"])).await;
    all.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_follower_that_was_cut_off_comes_back_without_an_election() {
    let all = Ensemble::start_virtual(3, Settings::default()).await;
    let leader = all.leader().await;
    let follower = all.follower().await;
    let term = all.lives[&leader].consensus.standing().term;
    all.cut_off(follower);
    let standing = || all.lives[&follower].consensus.standing();
    // Long enough for several campaigns.
    all.until("a campaign", |_| standing().without_leader_ms.is_some_and(|ms| ms > 6_000)).await;
    propose(&all.lives[&leader], "a").await;
    all.heal();
    all.converge(&ops(&["a"])).await;
    assert_eq!(all.lives[&leader].consensus.standing().term, term);
    assert!(all.lives[&leader].consensus.is_leader());
    assert_eq!(standing().leader.map(|node| node.0), Some(leader));
    all.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_is_cut_off_knows_and_another_one_leads() {
    let all = Ensemble::start_virtual(3, Settings::default()).await;
    let old = all.leader().await;
    all.cut_off(old);
    all.until("the loss", |all| !all.lives[&old].consensus.is_leader()).await;
    let new = all.leader().await;
    assert_ne!(old, new);
    propose(&all.lives[&new], "a").await;
    assert!(all.lives[&old].consensus.standing().without_leader_ms.is_some());
    all.heal();
    all.converge(&ops(&["a"])).await;
    all.until("the old one follows", |all| {
        all.lives[&old].consensus.leader().is_some_and(|leader| leader.0 == new)
    })
    .await;
    all.end().await;
}

/// What happened in a run: who led when, and when everything was applied.
async fn run(seed: u64) -> Vec<(u64, u64, u128)> {
    let mut all = Ensemble::start_virtual(3, Settings { seed: Some(seed), ..Settings::default() }).await;
    let (mut trace, start) = (Vec::new(), tokio::time::Instant::now());
    for round in 0..4 {
        let leader = all.leader().await;
        propose(&all.lives[&leader], &round.to_string()).await;
        trace.push((leader, all.lives[&leader].consensus.standing().term, start.elapsed().as_nanos()));
        all.kill(leader).await;
        all.leader().await;
        all.boot(leader).await;
        all.until("catching up", |all| all.lives[&leader].ledger.ops().len() == round + 1).await;
        trace.push((0, 0, start.elapsed().as_nanos()));
    }
    all.end().await;
    trace
}

/// Simulations rely on it.
#[tokio::test(start_paused = true)]
async fn on_one_thread_a_seed_decides_everything() {
    let mut traces = std::collections::BTreeSet::new();
    for seed in [1, 2, 1_000] {
        let trace = run(seed).await;
        assert_eq!(run(seed).await, trace);
        traces.insert(trace);
    }
    assert!(traces.len() > 1, "seeds differ");
}
