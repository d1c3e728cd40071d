//! Starts, fresh ones and after a kill in the first half second: each serves what it acknowledged.

use crate::{
    client::Session,
    figures::{figure, rng, say},
    node::{Node, Started},
    sequence::Sequence,
};
use muster_client::ClientError;
use std::{path::Path, time::Duration};
use tokio::time::{Instant, sleep, sleep_until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fresh_start_serves_what_it_acknowledges() {
    let starts = figure("MUSTER_STARTS", 20);
    let mut acknowledged = 0;
    for _ in 0..starts {
        let base = tempfile::tempdir().unwrap();
        let dir = base.path().join("data");
        let mut writes = Sequence::new("fresh", 40);
        let node = Node::start(&dir, &[]).await;
        let session = Session::open(&node.address()).await.unwrap();
        // Read at once, and again after a restart.
        writes.write_many(&session, 9).await;
        assert_eq!(writes.missing(&session).await, [0; 0], "served at once");
        node.kill();
        assert!(serves(&dir, &writes).await, "refused after a kill");
        acknowledged += writes.acknowledged;
    }
    say(&format!("starts: {starts} fresh ones, {acknowledged} writes acknowledged, 0 lost, 0 refused"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_after_an_early_kill_serves_what_was_acknowledged() {
    let mut rng = rng("early kill");
    let starts = figure("MUSTER_STARTS", 20);
    let (mut acknowledged, mut served, mut before_ready) = (0, 0, 0);
    for number in 0..starts {
        let base = tempfile::tempdir().unwrap();
        let dir = base.path().join("data");
        let mut writes = Sequence::new("early", 40);
        // Half of the kills hit the start itself, which is over in some ten milliseconds.
        let longest = if number % 2 == 0 { 500_000 } else { 60_000 };
        killed_early(&dir, &mut writes, Duration::from_micros(rng.below(longest))).await;
        before_ready += u64::from(writes.acknowledged == 0);
        // A second start that is killed early, on what the first left.
        killed_early(&dir, &mut writes, Duration::from_micros(rng.below(longest))).await;
        served += u64::from(serves(&dir, &writes).await);
        acknowledged += writes.acknowledged;
    }
    say(&format!(
        "starts: {starts} after two kills within 500 ms ({before_ready} before the first write), {acknowledged} \
         writes acknowledged, 0 lost, {} refused",
        starts - served
    ));
    assert_eq!(served, starts, "a kill alone is no reason to refuse");
}

/// Starts a node, writes as soon as it lets one, and kills it some time after its begin.
async fn killed_early(dir: &Path, writes: &mut Sequence, after: Duration) {
    let end = Instant::now() + after;
    let node = Node::spawn(dir, &[]);
    let address = node.address();
    let write = async {
        loop {
            if let Ok(session) = Session::open(&address).await {
                while let Ok(()) | Err(ClientError::Refused { .. }) = writes.write(&session).await {}
            }
            sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::select! {
        () = write => {}
        () = sleep_until(end) => {}
    }
    node.kill();
}

/// Whether a start comes up; then it serves everything.
async fn serves(dir: &Path, writes: &Sequence) -> bool {
    match Node::try_start(dir, &[]).await {
        Started::Ready(node) => {
            let session = Session::open(&node.address()).await.unwrap();
            assert_eq!(writes.missing(&session).await, [0; 0], "acknowledged, and not served");
            true
        }
        Started::Refused(refusal) => {
            say(&format!("refused: {refusal:?}"));
            false
        }
    }
}
