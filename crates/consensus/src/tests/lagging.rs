//! Followers that were away for long.

use super::{
    ensemble::Ensemble,
    failover::propose,
    snapshots::log_begin,
    world::{SNAPSHOTS, small},
};
use crate::{Settings, level};
use bytes::Bytes;
use muster_model::NodeId;
use muster_runtime::{Rng, disk::Disk};
use std::{collections::BTreeMap, path::Path, time::Duration};
use tokio::time::Instant;

/// Bytes that do not get smaller.
pub(super) fn noise(seed: u64, bytes: usize) -> Bytes {
    let mut rng = Rng::seeded(seed);
    (0..bytes / 8).flat_map(|_| rng.next_u64().to_le_bytes()).collect()
}

/// The last entry that the log of the leader lacks.
fn purged(all: &Ensemble, id: u64) -> u64 {
    all.lives[&id].consensus.last_snapshot().map_or(0, |snapshot| snapshot.index)
}

async fn fill(all: &Ensemble, at: u64, count: usize, bytes: usize) {
    for number in 0..count {
        all.lives[&at].consensus.propose(noise(number as u64, bytes)).await.unwrap();
    }
}

/// A follower that is behind what the leader's log begins with gets everything.
async fn catches_up(settings: Settings, is_killed: bool) {
    let mut all = Ensemble::start_virtual(3, settings).await;
    let follower = all.follower().await;
    let leader = all.leader().await;
    propose(&all.lives[&leader], "first").await;
    all.until("the first", |all| all.lives[&follower].ledger.ops().len() == 1).await;
    let before = all.lives[&follower].consensus.applied();
    if is_killed {
        all.kill(follower).await;
    } else {
        all.cut_off(follower);
    }
    fill(&all, leader, 100, 64).await;
    all.until("a snapshot", |all| purged(all, leader) > before + 80).await;
    if is_killed {
        all.boot(follower).await;
        all.lives[&follower].consensus.wait_ready().await.unwrap();
        assert_eq!(all.lives[&follower].ledger.ops().len(), 101, "ready with all of it, and not before");
    } else {
        all.heal();
    }
    let ops = all.lives[&leader].ledger.ops();
    all.converge(&ops).await;
    propose(&all.lives[&follower], "last").await;
    assert_eq!(all.lives[&follower].ledger.ops().len(), 102);
    // It starts from what it has got.
    all.kill(follower).await;
    all.boot(follower).await;
    all.lives[&follower].consensus.wait_ready().await.unwrap();
    assert_eq!(all.lives[&follower].ledger.ops().len(), 102);
    all.end().await;
}

#[tokio::test(start_paused = true)]
async fn one_that_was_cut_off_catches_up_by_snapshot() {
    catches_up(small(), false).await;
}

#[tokio::test(start_paused = true)]
async fn one_that_starts_catches_up_by_snapshot_and_is_not_ready_before() {
    catches_up(small(), true).await;
}

#[tokio::test(start_paused = true)]
async fn one_that_starts_catches_up_by_log_and_is_not_ready_before() {
    let mut all = Ensemble::start_virtual(3, Settings::default()).await;
    let follower = all.follower().await;
    let leader = all.leader().await;
    all.kill(follower).await;
    // More than goes in one message.
    fill(&all, leader, 30, 1 << 20).await;
    fill(&all, leader, 3, 10 << 20).await;
    all.boot(follower).await;
    all.lives[&follower].consensus.wait_ready().await.unwrap();
    assert_eq!(all.lives[&follower].ledger.ops(), all.lives[&leader].ledger.ops());
    all.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_node_joins_a_group_whose_log_was_shortened() {
    let all = Ensemble::grow_virtual(2, small()).await;
    all.lives[&1].consensus.wait_ready().await.unwrap();
    fill(&all, 1, 50, 64).await;
    all.until("a snapshot", |all| purged(all, 1) > 40).await;
    all.lives[&1].consensus.add_learner(NodeId(2), all.address(2)).await.unwrap();
    all.lives[&2].consensus.wait_ready().await.unwrap();
    assert_eq!(all.lives[&2].ledger.ops(), all.lives[&1].ledger.ops());
    all.end().await;
}

/// The leader says nothing else to whom it sends a snapshot, and that may take minutes: a node that starts must not take itself
/// for cut off then, and serve what it has.
#[tokio::test(start_paused = true)]
async fn one_that_receives_a_snapshot_for_long_hears_its_leader() {
    let mut all = Ensemble::start_virtual(3, Settings { snapshot_entries: 1_000_000, ..small() }).await;
    let (leader, follower) = (all.leader().await, all.follower().await);
    all.kill(follower).await;
    fill(&all, leader, 20, 1 << 20).await;
    for life in all.lives.values() {
        life.consensus.snapshot().await.unwrap();
    }
    *all.cuts.slow.lock() = Some(Duration::from_millis(60));
    all.boot(follower).await;
    let (begun, mut longest) = (Instant::now(), 0);
    let life = &all.lives[&follower];
    while !life.consensus.is_ready() {
        assert!(begun.elapsed() < Duration::from_secs(120), "it never is ready");
        longest = longest.max(life.consensus.standing().without_leader_ms.unwrap_or(0));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(begun.elapsed() > Duration::from_secs(10), "it was fast: {:?}", begun.elapsed());
    assert!(longest < 5_000, "for {longest} ms no leader was heard");
    assert_eq!(life.ledger.ops().len(), 20);
    all.end().await;
}

/// Whoever is a little behind gets the log, but a little is not a thousand large entries.
#[tokio::test(start_paused = true)]
async fn the_log_kept_beside_a_snapshot_is_bounded_by_entries_and_by_bytes() {
    for (log_entries_kept, log_bytes_kept, kept) in [(1_000, 100 << 10, 9), (5, 100 << 10, 5), (1_000, 0, 0)]
    {
        let settings = Settings { snapshot_entries: 1_000_000, log_entries_kept, log_bytes_kept, ..small() };
        let mut all = Ensemble::start_virtual(3, settings).await;
        all.until("the level", |all| all.lives.values().all(|life| life.consensus.level() == level::NEWEST))
            .await;
        let leader = all.leader().await;
        fill(&all, leader, 30, 10 << 10).await;
        let ops = all.lives[&leader].ledger.ops();
        all.converge(&ops).await;
        let mut snapshots = BTreeMap::new();
        for (id, life) in &all.lives {
            snapshots.insert(*id, life.consensus.snapshot().await.unwrap().index);
        }
        for (id, snapshot) in snapshots {
            all.kill(id).await;
            let begin = log_begin(&all.worlds[&id]).unwrap();
            assert_eq!(snapshot + 1 - begin, kept, "node {id} keeps so many of 10 KiB each");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_goes_on_where_the_link_broke() {
    let settings = Settings { snapshot_entries: 1_000_000, ..small() };
    let all = Ensemble::grow_virtual(2, settings).await;
    all.lives[&1].consensus.wait_ready().await.unwrap();
    fill(&all, 1, 20, 1 << 20).await;
    let snapshot = all.lives[&1].consensus.snapshot().await.unwrap();
    let bytes =
        all.worlds[&1].disk.open(&snapshot.path, muster_runtime::disk::Open::Read).unwrap().len().unwrap();
    assert!(bytes > 20 << 20);
    let sent = || all.cuts.sent.lock().get(&1).copied().unwrap_or(0);
    let before = sent();
    all.cuts.cut_after(1, 12 << 20);
    all.lives[&1].consensus.add_learner(NodeId(2), all.address(2)).await.unwrap();
    for cuts in 1..=2 {
        all.until("the cut", |_| all.cuts.is_cut(1, 2)).await;
        let names = all.worlds[&2].disk.list(Path::new(SNAPSHOTS)).unwrap();
        assert!(names.len() == 1 && names[0].starts_with("incoming-"), "a part is there: {names:?}");
        all.heal();
        if cuts < 2 {
            all.cuts.cut_after(1, 5 << 20);
        }
    }
    all.lives[&2].consensus.wait_ready().await.unwrap();
    assert_eq!(all.lives[&2].ledger.ops(), all.lives[&1].ledger.ops());
    let sent = sent() - before;
    // What was under way when the link broke goes again.
    assert!(sent < bytes + (5 << 20), "{sent} bytes were sent of {bytes}");
    all.end().await;
}
