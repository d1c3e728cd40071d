//! Snapshots, the log they make needless, and stores that got lost.

use super::{
    lagging::noise,
    world::{LOG, Life, SNAPSHOTS, World, small},
};
use crate::{ConsensusError, Settings, snapshotter::Snapshotter};
use muster_runtime::disk::{Disk, Open};
use muster_storage::{
    log::{Log, LogSettings, Vote},
    snapshot::Snapshots,
    state::{MemoryStore, StateStore},
};
use std::{
    path::Path,
    sync::{Arc, atomic::Ordering::Relaxed},
};

fn quiet() -> Settings {
    Settings { snapshot_entries: 1_000_000, ..small() }
}

async fn fill(life: &Life, name: &str, count: usize) {
    life.consensus.wait_ready().await.unwrap();
    for number in 0..count {
        life.propose(&format!("{name}-{number}")).await;
    }
}

/// The index of the first entry in the log of a world that is not running.
pub(super) fn log_begin(world: &World) -> Option<u64> {
    let disk: Arc<dyn Disk> = Arc::new(world.disk.clone());
    let (log, _) = Log::open(disk, Path::new(LOG), LogSettings::default()).unwrap();
    log.purged().map(|purged| purged.index + 1)
}

#[tokio::test]
async fn a_snapshot_covers_what_was_applied_and_shortens_the_log() {
    let world = World::new();
    let life = world.start(quiet()).await;
    fill(&life, "a", 40).await;
    let applied = life.consensus.applied();
    let made = life.consensus.snapshot().await.unwrap();
    assert_eq!(made.index, applied);
    assert_eq!(life.consensus.last_snapshot(), Some(made.clone()));
    assert_eq!(life.consensus.snapshot().await.unwrap(), made, "nothing new to cover");
    fill(&life, "b", 5).await;
    let newer = life.consensus.snapshot().await.unwrap();
    assert_eq!(world.disk.list(Path::new(SNAPSHOTS)).unwrap().len(), 1, "the older one is gone");
    life.shut_down().await;
    assert_eq!(log_begin(&world), Some(newer.index + 1));

    let life = world.start(quiet()).await;
    fill(&life, "c", 5).await;
    assert_eq!(life.ledger.ops().len(), 50);
    assert_eq!(life.consensus.last_snapshot(), Some(newer));
    life.shut_down().await;
}

#[tokio::test]
async fn snapshots_are_made_by_themselves() {
    let world = World::new();
    let life = world.start(small()).await;
    fill(&life, "a", 100).await;
    while life.consensus.metrics().snapshot.is_none_or(|index| index < 90) {
        tokio::task::yield_now().await;
    }
    // The log is shortened a moment after a snapshot is made, but before one that is asked for is answered.
    fill(&life, "b", 1).await;
    life.consensus.snapshot().await.unwrap();
    life.shut_down().await;
    assert!(log_begin(&world).unwrap() > 80);
}

#[tokio::test]
async fn a_lost_store_is_rebuilt_from_snapshot_and_log() {
    let world = World::new();
    let life = world.start(quiet()).await;
    fill(&life, "a", 40).await;
    life.consensus.snapshot().await.unwrap();
    fill(&life, "b", 20).await;
    let ops = life.ledger.ops();
    life.kill().await;

    let world = World { store: Arc::default(), ..world };
    let life = world.start(quiet()).await;
    fill(&life, "c", 1).await;
    assert_eq!(life.ledger.ops()[..60], ops);
    assert_eq!(life.ledger.ops().len(), 61);
    life.shut_down().await;
}

/// Registrations were refused by a node that had been cut off, for as long as it read the snapshot that it was sent.
#[tokio::test]
async fn a_snapshot_is_in_the_way_only_when_all_of_it_was_read() {
    let world = World::new();
    let life = world.start(quiet()).await;
    fill(&life, "a", 40).await;
    life.consensus.snapshot().await.unwrap();
    let store = Arc::new(MemoryStore::new());
    let disk: Arc<dyn Disk> = Arc::new(world.disk.clone());
    let files = Snapshots::open(disk, Path::new(SNAPSHOTS)).unwrap();
    let file = files.list().unwrap().remove(0);
    let status = life.consensus.status().clone();
    let snapshots = Snapshotter::open(files, store.clone(), status).unwrap();

    let whole = world.disk.open(&file.path, Open::Existing).unwrap();
    let end = whole.len().unwrap() - 40;
    let mut byte = [0];
    whole.read_at(end, &mut byte).unwrap();
    whole.write_at(end, &[!byte[0]]).unwrap();
    snapshots.bring_back(&file, || panic!("it is damaged")).unwrap_err();
    whole.write_at(end, &byte).unwrap();

    let mut before = None;
    snapshots.bring_back(&file, || before = Some(store.applied().unwrap())).unwrap();
    assert_eq!(before, Some(None), "nothing is there when it begins");
    assert_eq!(store.applied().unwrap(), Some(file.applied));
    life.shut_down().await;
}

#[tokio::test]
async fn a_store_that_does_not_reach_the_log_is_refused() {
    let world = World::new();
    let life = world.start(quiet()).await;
    fill(&life, "a", 40).await;
    let made = life.consensus.snapshot().await.unwrap();
    life.shut_down().await;
    world.disk.remove(&made.path).unwrap();
    let world = World { store: Arc::default(), ..world };
    let refused = world.try_start(quiet(), Arc::new(world.disk.clone()), Arc::default()).await;
    let Err(ConsensusError::Gap { applied: 0, first }) = refused.map(|_| ()) else { panic!("it starts") };
    assert_eq!(first, made.index + 1);
}

#[tokio::test]
async fn a_marker_that_is_damaged_or_newer_is_refused() {
    for (marker, expected) in [(&[1, 7][..], "damaged"), (&[200][..], "format 200")] {
        let world = World::new();
        world.store.commit(&[], marker).unwrap();
        let refused = world.try_start(quiet(), Arc::new(world.disk.clone()), Arc::default()).await;
        let error = refused.map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[tokio::test]
async fn a_log_that_lost_its_end_goes_on_after_the_state() {
    let world = World::new();
    let life = world.start(quiet()).await;
    fill(&life, "a", 30).await;
    life.shut_down().await;
    // As if the last records, and the note that they were committed, had got lost.
    let disk: Arc<dyn Disk> = Arc::new(world.disk.clone());
    let (mut log, _) = Log::open(disk, Path::new(LOG), LogSettings::default()).unwrap();
    let last = log.last().unwrap().index;
    let kept = log.reader().id(last - 4).unwrap();
    log.save_committed(kept).unwrap();
    log.truncate_from(last - 3).unwrap();
    drop(log);

    let life = world.start(quiet()).await;
    assert_eq!(life.ledger.ops().len(), 30);
    assert_eq!(life.consensus.last_snapshot().map(|info| info.index), Some(last), "made durable first");
    fill(&life, "b", 10).await;
    life.kill().await;
    let life = world.start(quiet()).await;
    fill(&life, "c", 1).await;
    assert_eq!(life.ledger.ops().len(), 41);
    life.shut_down().await;
}

/// As a restored backup is: the terms of what it holds are in no vote of this directory.
#[tokio::test]
async fn a_snapshot_alone_of_a_group_that_has_voted_often_takes_new_operations() {
    let world = World::new();
    let life = world.start(quiet()).await;
    fill(&life, "a", 10).await;
    life.kill().await;
    // As if it had been killed in the middle of some elections.
    let disk: Arc<dyn Disk> = Arc::new(world.disk.clone());
    let (mut log, _) = Log::open(disk, Path::new(LOG), LogSettings::default()).unwrap();
    log.save_vote(Vote { term: 7, node: 1, committed: false }).unwrap();
    drop(log);
    let life = world.start(quiet()).await;
    fill(&life, "b", 10).await;
    let made = life.consensus.snapshot().await.unwrap();
    life.shut_down().await;
    for name in world.disk.list(Path::new(LOG)).unwrap() {
        world.disk.remove(&Path::new(LOG).join(name)).unwrap();
    }

    let world = World { store: Arc::default(), ..world };
    for name in ["c", "d"] {
        let life = world.start(quiet()).await;
        fill(&life, name, 10).await;
        assert!(life.consensus.applied() > made.index);
        life.kill().await;
    }
    let life = world.start(quiet()).await;
    assert_eq!(fill_one(&life).await, 41, "nothing is lost, and sequence numbers go on");
    life.shut_down().await;
}

async fn fill_one(life: &Life) -> u64 {
    life.consensus.wait_ready().await.unwrap();
    life.propose("one").await
}

/// What came while a snapshot was made may be enough for the next one already.
#[tokio::test]
async fn snapshots_go_on_although_the_log_grows_faster_than_they_are_made() {
    let world = World::new();
    let life = world.start(Settings { snapshot_bytes: 2_000, ..quiet() }).await;
    fill(&life, "a", 1).await;
    life.consensus.status().log_bytes.store(5_000, Relaxed);
    fill(&life, "b", 1).await;
    while life.consensus.last_snapshot().is_none() {
        tokio::task::yield_now().await;
    }
    life.shut_down().await;
}

/// Each costs as much as there is state: one a fixed number of bytes would write a large state over and over.
#[tokio::test]
async fn a_snapshot_waits_for_half_as_much_log_as_the_last_one_is_large() {
    let world = World::new();
    let settings = Settings { snapshot_bytes: 2_000, ..quiet() };
    let life = world.start(settings.clone()).await;
    life.consensus.wait_ready().await.unwrap();
    for number in 0..100 {
        life.consensus.propose(noise(number, 1_000)).await.unwrap();
    }
    let made = life.consensus.snapshot().await.unwrap();
    let half = world.disk.open(&made.path, Open::Read).unwrap().len().unwrap() / 2;
    assert!(half > 50_000, "{half}");
    let status = life.consensus.status();
    status.log_bytes.store(half - 5_000, Relaxed);
    for _ in 0..3 {
        // Both are looked at in turn, so that after the second checkpoint a snapshot would be there.
        status.row_bytes.store(1 << 30, Relaxed);
        fill(&life, "a", 1).await;
        while status.row_bytes.load(Relaxed) >= settings.checkpoint_bytes {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(life.consensus.last_snapshot(), Some(made.clone()), "none is due");
    status.log_bytes.store(half, Relaxed);
    fill(&life, "b", 1).await;
    while life.consensus.last_snapshot().as_ref() == Some(&made) {
        tokio::task::yield_now().await;
    }
    life.shut_down().await;
}

/// The same with what is to be written back from the store's own journal.
#[tokio::test]
async fn checkpoints_go_on_although_rows_come_faster_than_they_are_written_back() {
    let world = World::new();
    let life = world.start(quiet()).await;
    fill(&life, "a", 1).await;
    let rows = &life.consensus.status().row_bytes;
    rows.store(1_000, Relaxed);
    fill(&life, "b", 1).await;
    while rows.load(Relaxed) >= quiet().checkpoint_bytes {
        tokio::task::yield_now().await;
    }
    life.shut_down().await;
}

/// More than is read at once.
#[tokio::test]
async fn large_operations_are_replayed_from_the_log_one_by_one() {
    let world = World::new();
    let life = world.start(Settings { snapshot_bytes: u64::MAX, ..quiet() }).await;
    life.consensus.wait_ready().await.unwrap();
    for number in 0..12_u8 {
        life.consensus.propose(vec![number; 1 << 20].into()).await.unwrap();
    }
    let ops = life.ledger.ops();
    life.kill().await;
    let world = World { store: Arc::default(), ..world };
    let life = world.start(quiet()).await;
    life.consensus.wait_ready().await.unwrap();
    assert_eq!(life.ledger.ops(), ops);
    life.shut_down().await;
}
