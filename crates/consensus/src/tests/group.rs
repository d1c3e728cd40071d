//! A group of one: order, results, time limits, restarts.

use super::world::{Ledger, World, number, small};
use crate::{LEVEL_NEWEST, ProposeError, Settings};
use bytes::Bytes;
use muster_model::ErrorCode;
use std::{sync::Arc, time::Duration};

#[tokio::test]
async fn operations_are_applied_in_order_with_their_results() {
    let world = World::new();
    let life = world.start(Settings::default()).await;
    life.consensus.wait_ready().await.unwrap();
    let ops: Vec<Bytes> = (0..500).map(|count| Bytes::from(format!("op {count}"))).collect();
    let results =
        futures_util::future::join_all(ops.iter().map(|op| life.consensus.propose(op.clone()))).await;
    let results: Vec<u64> = results.into_iter().map(|result| number(&result.unwrap())).collect();
    assert_eq!(results, (1..=500).collect::<Vec<_>>());
    assert_eq!(life.ledger.ops(), ops);
    assert_eq!(life.ledger.committed(), 500, "effects ran before the answers");
    let metrics = life.consensus.metrics();
    assert_eq!((metrics.ops, metrics.queued_bytes), (500, 0));
    // How few depends on when threads of a busy machine get their turn; not collected there would be 500.
    assert!(metrics.entries < 100, "collected into few entries: {}", metrics.entries);
    life.shut_down().await;
}

#[tokio::test]
async fn time_grows_with_every_entry_though_the_clock_stands() {
    let world = World::new();
    let life = world.start(Settings::default()).await;
    life.consensus.wait_ready().await.unwrap();
    life.propose("a").await;
    life.propose("b").await;
    world.clock.advance(500);
    life.propose("c").await;
    let before: Vec<u64> = life.ledger.times().iter().map(|time| time.0).collect();
    assert_eq!(before, [1_000, 1_001, 1_500]);
    life.shut_down().await;

    let life = world.start(Settings::default()).await;
    life.consensus.wait_ready().await.unwrap();
    life.propose("d").await;
    assert_eq!(life.ledger.times().last().map(|time| time.0), Some(1_501), "also over a restart");
    life.shut_down().await;
}

#[tokio::test]
async fn a_restart_brings_back_everything_and_goes_on() {
    let world = World::new();
    for round in 0..5 {
        let life = world.start(small()).await;
        life.consensus.wait_ready().await.unwrap();
        assert_eq!(life.ledger.ops().len(), 30 * round);
        for count in 0..30 {
            let sequence = life.propose(&format!("{round}-{count}")).await;
            assert_eq!(sequence as usize, 30 * round + count + 1);
        }
        if round % 2 == 0 { life.kill().await } else { life.shut_down().await }
    }
}

#[tokio::test]
async fn it_is_ready_only_after_what_the_log_holds_is_applied() {
    let world = World::new();
    let life = world.start(Settings::default()).await;
    life.consensus.wait_ready().await.unwrap();
    for count in 0..200 {
        life.propose(&count.to_string()).await;
    }
    let applied = life.consensus.applied();
    life.kill().await;
    // Nothing of the state was synced.
    let world = World { store: Arc::default(), ..world };

    let ledger = Arc::new(Ledger::default());
    ledger.hold();
    let life = world.start_with(Settings::default(), ledger).await;
    assert!(!life.consensus.is_ready());
    let early = life.consensus.propose(Bytes::from_static(b"early")).await;
    assert_eq!(early, Err(ProposeError::Unavailable("starting")));
    assert_eq!(early.unwrap_err().code(), ErrorCode::Unavailable);
    assert!(life.consensus.read_barrier().await.is_err());
    life.ledger.release();
    life.consensus.wait_ready().await.unwrap();
    assert!(life.consensus.is_ready());
    assert!(life.consensus.applied() >= applied);
    assert_eq!(life.ledger.ops().len(), 200);
    life.shut_down().await;
}

#[tokio::test]
async fn a_late_result_is_reported_as_unknown_and_still_applied() {
    let world = World::new();
    let life = world.start(Settings::default()).await;
    life.consensus.wait_ready().await.unwrap();
    life.ledger.hold();
    let late = life.consensus.propose_within(Bytes::from_static(b"late"), Duration::from_millis(20)).await;
    assert_eq!(late, Err(ProposeError::Timeout));
    life.ledger.release();
    assert_eq!(life.propose("next").await, 2);
    assert_eq!(life.ledger.ops(), ["late", "next"]);
    life.shut_down().await;
}

#[tokio::test]
async fn a_full_queue_refuses() {
    let world = World::new();
    let life = world.start(Settings { queue_bytes_max: 10_000, ..Settings::default() }).await;
    life.consensus.wait_ready().await.unwrap();
    life.ledger.hold();
    let propose = || Box::pin(life.consensus.propose(Bytes::from(vec![0; 4_000])));
    let (mut first, mut second) = (propose(), propose());
    for taken in [&mut first, &mut second] {
        assert!(futures_util::poll!(taken).is_pending());
    }
    let refused = propose().await.unwrap_err();
    assert!(matches!(refused, ProposeError::Overloaded { .. }), "{refused}");
    life.ledger.release();
    first.await.unwrap();
    second.await.unwrap();
    assert_eq!(life.consensus.metrics().overloaded, 1);
    propose().await.unwrap();
    life.shut_down().await;
}

#[tokio::test]
async fn a_barrier_waits_for_what_was_acknowledged() {
    let world = World::new();
    let life = world.start(Settings::default()).await;
    life.consensus.wait_ready().await.unwrap();
    life.propose("a").await;
    let barriers = (0..50).map(|_| life.consensus.read_barrier());
    assert!(futures_util::future::join_all(barriers).await.iter().all(Result::is_ok));
    assert_eq!(life.ledger.ops(), ["a"]);
    life.shut_down().await;
}

#[tokio::test]
async fn after_shutdown_nothing_is_taken_and_what_was_taken_is_done() {
    let world = World::new();
    let life = world.start(Settings::default()).await;
    life.consensus.wait_ready().await.unwrap();
    let handle = life.consensus.clone();
    let mut taken: Vec<_> = (0..20).map(|_| Box::pin(handle.propose(Bytes::from_static(b"taken")))).collect();
    for proposal in &mut taken {
        assert!(futures_util::poll!(proposal).is_pending());
    }
    life.shut_down().await;
    for proposal in taken {
        proposal.await.unwrap();
    }
    let refused = handle.propose(Bytes::from_static(b"late")).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::Unavailable);
    assert!(handle.read_barrier().await.is_err());
    assert!(handle.snapshot().await.is_err());
    assert!(!handle.is_ready());
}

#[tokio::test]
async fn a_machine_that_panics_ends_consensus_and_says_so() {
    let world = World::new();
    let life = world.start(Settings::default()).await;
    life.consensus.wait_ready().await.unwrap();
    life.ledger.panic_at(1);
    let result = life.consensus.propose(Bytes::from_static(b"bad")).await;
    assert_eq!(result, Err(ProposeError::Timeout), "nobody knows");
    assert!(life.fatal.lock()[0].contains("panicked"));
    assert!(life.consensus.propose(Bytes::from_static(b"more")).await.is_err());
    life.kill().await;
}

#[tokio::test]
async fn an_operation_of_a_newer_program_ends_consensus_now_and_at_every_start() {
    let world = World::new();
    let life = world.start(Settings::default()).await;
    life.consensus.wait_ready().await.unwrap();
    let result = life.consensus.propose(Bytes::from_static(b"newer")).await;
    assert_eq!(result, Err(ProposeError::Timeout), "nobody knows");
    life.kill().await;
    let life = world.start(Settings::default()).await;
    life.consensus.wait_ready().await.unwrap_err();
    let fatal = life.fatal.lock()[0].clone();
    // The membership comes first, and the format level where there is one to raise.
    let at = format!("log entry {}", 1 + LEVEL_NEWEST);
    assert!(fatal.contains(&at) && fatal.contains("it has version 9"), "{fatal}");
    life.kill().await;
}
