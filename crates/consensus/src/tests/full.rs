//! A full disk is waited out; a broken one is the end.

use super::world::{World, small};
use crate::{ProposeError, Settings};
use bytes::Bytes;
use muster_model::ErrorCode;
use muster_storage::state::StateStore as _;
use std::{sync::Arc, time::Duration};

fn op(bytes: usize) -> Bytes {
    Bytes::from(vec![b'x'; bytes])
}

/// Settings with a reserve that the tests can use up.
fn reserving(reserve_bytes: u64) -> Settings {
    Settings { reserve_bytes, snapshot_entries: 1_000, ..small() }
}

#[tokio::test]
async fn below_the_reserve_nothing_is_taken_and_space_is_noticed_at_once() {
    let world = World::new();
    let life = world.start(reserving(100_000)).await;
    life.consensus.wait_ready().await.unwrap();
    life.propose("before").await;
    world.disk.set_capacity(Some(world.disk.used() + 50_000));
    world.clock.advance(1_000);
    let refused = life.consensus.propose(op(10)).await.unwrap_err();
    assert_eq!((refused.clone(), refused.code()), (ProposeError::StorageFull, ErrorCode::StorageFull));
    assert!(life.consensus.metrics().is_full);
    life.consensus.read_barrier().await.expect("reads go on");
    world.disk.set_capacity(None);
    assert_eq!(life.propose("after").await, 2);
    let metrics = life.consensus.metrics();
    assert_eq!((metrics.storage_full, metrics.is_full), (1, false));
    life.shut_down().await;
}

#[tokio::test]
async fn an_accepted_write_waits_for_space_in_the_log() {
    let world = World::new();
    let life = world.start(reserving(1_000_000)).await;
    life.consensus.wait_ready().await.unwrap();
    life.propose("before").await;
    // Nobody has looked at the free space since.
    world.disk.set_capacity(Some(world.disk.used()));
    // More than what is left of the preallocated segment, so that the log has to grow.
    let handle = life.consensus.clone();
    let mut waiting = Box::pin(handle.propose(op(40_000)));
    while !life.consensus.metrics().is_full {
        assert!(futures_util::poll!(&mut waiting).is_pending());
        tokio::task::yield_now().await;
    }
    assert_eq!(life.consensus.propose(op(1)).await, Err(ProposeError::StorageFull), "while another waits");
    world.disk.set_capacity(None);
    waiting.await.expect("it was accepted");
    life.propose("after").await;
    assert_eq!(life.ledger.ops(), [Bytes::from("before"), op(40_000), Bytes::from("after")]);
    life.shut_down().await;
}

#[tokio::test]
async fn an_accepted_write_waits_for_space_in_the_state() {
    let world = World::new();
    let life = world.start(reserving(0)).await;
    life.consensus.wait_ready().await.unwrap();
    world.store.set_full(true);
    let handle = life.consensus.clone();
    let mut waiting = Box::pin(handle.propose(op(10)));
    while !life.consensus.metrics().is_full {
        assert!(futures_util::poll!(&mut waiting).is_pending());
        tokio::task::yield_now().await;
    }
    assert_eq!(life.ledger.committed(), 0, "no effect before the commit");
    world.store.set_full(false);
    waiting.await.expect("it was accepted");
    assert_eq!(life.ledger.committed(), 1);
    life.shut_down().await;
}

#[tokio::test]
async fn shutting_down_does_not_wait_for_space() {
    let world = World::new();
    let life = world.start(reserving(1_000_000)).await;
    life.consensus.wait_ready().await.unwrap();
    life.propose("before").await;
    world.disk.set_capacity(Some(world.disk.used()));
    let handle = life.consensus.clone();
    let mut waiting = Box::pin(handle.propose(op(40_000)));
    while !life.consensus.metrics().is_full {
        assert!(futures_util::poll!(&mut waiting).is_pending());
        tokio::task::yield_now().await;
    }
    life.consensus.shutdown(Duration::from_millis(10)).await;
    assert_eq!(waiting.await, Err(ProposeError::Timeout), "it is not known");
    assert_eq!(*life.fatal.lock(), Vec::<String>::new());

    world.disk.set_capacity(None);
    let life = world.start(reserving(1_000_000)).await;
    life.consensus.wait_ready().await.unwrap();
    assert_eq!(life.ledger.ops()[0], "before");
    life.shut_down().await;
}

#[tokio::test]
async fn a_failed_sync_is_fatal_and_acknowledges_nothing() {
    let world = World::new();
    let life = world.start(small()).await;
    life.consensus.wait_ready().await.unwrap();
    life.propose("before").await;
    world.disk.fail_syncs(1);
    assert_eq!(life.consensus.propose(op(10)).await, Err(ProposeError::Timeout), "it is not known");
    assert_eq!(life.fatal.lock().len(), 1, "said once");
    assert!(life.fatal.lock()[0].starts_with("append to the log"), "{:?}", life.fatal.lock());
    let refused = life.consensus.propose(op(10)).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::Unavailable);
    assert!(!life.consensus.is_ready());
    life.kill().await;
}

#[tokio::test]
async fn a_snapshot_that_finds_no_space_leaves_the_log_alone() {
    let world = World::new();
    let life = world.start(reserving(0)).await;
    life.consensus.wait_ready().await.unwrap();
    for count in 0..50 {
        life.propose(&count.to_string()).await;
    }
    let room = 20;
    world.disk.set_capacity(Some(world.disk.used() + room));
    let error = life.consensus.snapshot().await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::StorageFull, "{error}");
    assert_eq!((life.consensus.last_snapshot(), life.consensus.metrics().snapshot_failures), (None, 1));
    world.disk.set_capacity(None);
    life.propose("after").await;
    assert!(life.consensus.snapshot().await.unwrap().index >= 51);
    life.shut_down().await;
}

/// What was acknowledged is in the log. A start serves it from memory where the state has no room to take it in, and the
/// state follows.
#[tokio::test]
async fn a_start_without_space_for_the_state_serves_what_the_log_has() {
    let mut world = World::new();
    let life = world.start(reserving(0)).await;
    life.consensus.wait_ready().await.unwrap();
    for count in 0..200 {
        life.propose(&count.to_string()).await;
    }
    life.kill().await;
    world.store = Arc::default();
    world.store.set_full(true);
    let life = world.start(reserving(0)).await;
    life.consensus.wait_ready().await.unwrap();
    assert_eq!(life.ledger.ops().len(), 200);
    life.consensus.read_barrier().await.expect("reads need no space");
    assert_eq!(world.store.applied().unwrap(), None);
    // Nothing has to come for the state to follow.
    let error = life.consensus.snapshot().await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::StorageFull, "{error}");
    world.store.set_full(false);
    while world.store.applied().unwrap().is_none() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let snapshot = life.consensus.snapshot().await.unwrap();
    assert!(snapshot.index >= 200, "{snapshot:?}");
    life.propose("after").await;
    life.kill().await;
    let life = world.start(reserving(0)).await;
    life.consensus.wait_ready().await.unwrap();
    assert_eq!(life.ledger.ops().len(), 201);
    life.shut_down().await;
}
