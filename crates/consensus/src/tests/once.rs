//! What comes again under its id, from format level 2 on, is done once.

use super::{
    ensemble::Ensemble,
    forwarding::{op, patient, started},
    world::{number, small},
};
use crate::{ProposeError, Settings};
use muster_runtime::Rng;
use std::{sync::Arc, time::Duration};

/// Clients write at all nodes while leaders are killed: everything that is answered is there, once, where it was said.
async fn storm(seed: u64) {
    let mut all = started(Settings { seed: Some(seed), ..patient() }).await;
    let handles: Vec<_> = (0..6).map(|count| all.lives[&(count % 3 + 1)].consensus.clone()).collect();
    let answered = Arc::new(parking_lot::Mutex::new(Vec::new()));
    let tasks = muster_runtime::Tasks::single_threaded();
    for (client, handle) in handles.into_iter().enumerate() {
        let answered = answered.clone();
        tasks.spawn("client", async move {
            for count in 0..100 {
                let op = op(format!("{client}-{count}"));
                match handle.propose(op.clone()).await {
                    Ok(result) => answered.lock().push((number(&result), op)),
                    // Its node was killed.
                    Err(ProposeError::Unavailable(_) | ProposeError::Timeout) => return,
                    Err(error) => panic!("{error}"),
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
    }
    let mut rng = Rng::seeded(seed);
    for round in 0..4 {
        tokio::time::sleep(Duration::from_millis(300 + 77 * (seed + round) % 400)).await;
        let leader = all.leader().await;
        if round % 2 == 0 {
            all.cut_off(leader);
            tokio::time::sleep(Duration::from_millis(3_000)).await;
            all.heal();
        } else {
            // With the power, and what was not synced.
            all.kill(leader).await;
            let world = &all.worlds[&leader];
            world.disk.power_cut(&mut rng);
            world.store.power_cut(&mut rng);
            all.leader().await;
            all.boot(leader).await;
        }
    }
    tasks.shutdown(Duration::from_secs(600)).await;
    let is_equal = |all: &Ensemble| {
        let longest = all.lives.values().map(|life| life.consensus.applied()).max();
        all.lives.values().all(|life| Some(life.consensus.applied()) == longest)
    };
    all.until("agreement", is_equal).await;
    let ops = all.lives[&1].ledger.ops();
    all.converge(&ops).await;
    for (sequence, op) in &*answered.lock() {
        assert_eq!(ops.get(*sequence as usize - 1), Some(op), "seed {seed}: what was answered is there");
    }
    let mut unique = ops.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), ops.len(), "seed {seed}: nothing is there twice");
    assert!(answered.lock().len() > 200, "seed {seed}: only {} answers", answered.lock().len());
    all.end().await;
}

#[tokio::test(start_paused = true)]
async fn elections_lose_nothing_and_double_nothing() {
    for seed in 0..30 {
        storm(seed).await;
    }
}

/// The leader, or the link to it, is gone between the commit and the answer.
async fn answer_lost(is_killed: bool) {
    let mut all = started(patient()).await;
    let (leader, follower) = (all.leader().await, all.follower().await);
    // More than a hello, less than a hello and an operation.
    all.cuts.cut_own_after(follower, 40);
    let handle = all.lives[&follower].consensus.clone();
    let mut proposal = Box::pin(handle.propose(op("once")));
    let applied = all.until("the write", |all| all.lives[&follower].ledger.ops().len() == 1);
    tokio::select! {
        biased;
        early = &mut proposal => panic!("it has no way to know: {early:?}"),
        () = applied => {}
    }
    if is_killed {
        all.kill(leader).await;
    }
    all.heal();
    assert_eq!(number(&proposal.await.unwrap()), 1, "the result of the first time");
    // Also by a node that starts from what it has stored.
    if is_killed {
        all.boot(leader).await;
    }
    all.lives[&follower].consensus.propose(op("next")).await.unwrap();
    all.converge(&["once", "next"].map(op)).await;
    all.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_write_whose_answer_got_lost_is_done_once() {
    answer_lost(false).await;
}

#[tokio::test(start_paused = true)]
async fn a_write_whose_leader_died_after_the_commit_is_done_once() {
    answer_lost(true).await;
}

/// A proposer that gets its own operation by snapshot: with the answer of the leader, or without.
async fn comes_by_snapshot(is_answer_lost: bool) {
    let settings = Settings { propose_timeout: Duration::from_secs(60), ..small() };
    let all = started(settings).await;
    let (leader, proposer) = (all.leader().await, all.follower().await);
    all.lives[&leader].consensus.propose(op("before")).await.unwrap();
    all.until("the one before", |all| all.lives[&proposer].ledger.ops().len() == 1).await;
    // No entry reaches it, while what it says arrives.
    all.lives.keys().filter(|id| **id != proposer).for_each(|id| all.cut_way(*id, proposer));
    if is_answer_lost {
        all.cuts.cut_own_after(proposer, 40);
    }
    let mut proposal = Box::pin(all.lives[&proposer].consensus.propose(op("its own")));
    let others = async {
        all.until("the write", |all| all.lives[&leader].ledger.ops().len() == 2).await;
        for count in 0..60 {
            all.lives[&leader].consensus.propose(op(format!("after {count}"))).await.unwrap();
        }
        let first_kept = |all: &Ensemble| all.lives[&leader].consensus.last_snapshot().map(|info| info.index);
        all.until("a snapshot", |all| first_kept(all) > Some(40)).await;
    };
    tokio::select! {
        biased;
        early = &mut proposal => panic!("it is not applied here: {early:?}"),
        () = others => {}
    }
    all.heal();
    assert_eq!(number(&proposal.await.unwrap()), 2, "what it came to where it was applied");
    let ops = all.lives[&leader].ledger.ops();
    assert_eq!(ops.iter().filter(|one| **one == op("its own")).count(), 1);
    let came = all.lives[&proposer].ledger.times().len();
    assert!(came < 60, "most came by snapshot, {came} by entries");
    all.converge(&ops).await;
    all.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_proposer_that_gets_its_write_by_snapshot_knows_what_it_came_to() {
    comes_by_snapshot(false).await;
}

#[tokio::test(start_paused = true)]
async fn a_proposer_that_got_no_answer_and_its_write_by_snapshot_knows_it_too() {
    comes_by_snapshot(true).await;
}
