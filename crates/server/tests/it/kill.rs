//! kill -9 during writes: nothing acknowledged is lost, nothing is half there.

use crate::{
    figures::{figure, rng, say},
    node::Node,
    offline::Stored,
    oracle::{HISTORY_MAX, Readers},
    writer::{WRITES, Writer},
};
use muster_runtime::Rng;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::Notify,
    task::JoinSet,
    time::{Instant, sleep},
};

const WRITERS: u64 = 8;
/// A directory is used for so many kills.
const ROUNDS_A_DIRECTORY: u64 = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_by_kill_9() {
    let mut rng = rng("kill -9");
    let rounds = figure("MUSTER_KILL_ROUNDS", 50);
    let begun = Instant::now();
    let mut counts = [0; WRITES.len()];
    let mut left = rounds;
    while left > 0 {
        let here = left.min(ROUNDS_A_DIRECTORY);
        left -= here;
        // Every other directory compacts its log while it is killed.
        let compact = (left / ROUNDS_A_DIRECTORY) % 2 == 1 || rounds <= ROUNDS_A_DIRECTORY;
        let more = directory(&mut rng, here, compact).await;
        counts.iter_mut().zip(more).for_each(|(count, more)| *count += more);
    }
    let writes: Vec<String> =
        WRITES.iter().zip(counts).map(|(name, count)| format!("{name} {count}")).collect();
    say(&format!(
        "kill -9: {rounds} kills in {:.0?}, {} writes acknowledged ({}), 0 lost, 0 half there",
        begun.elapsed(),
        counts.iter().sum::<u64>(),
        writes.join(", ")
    ));
    assert!(counts.iter().all(|count| *count > 0), "every kind of write must be among them: {counts:?}");
}

/// Kills the node of one directory again and again; gives what was acknowledged.
async fn directory(rng: &mut Rng, rounds: u64, compact: bool) -> [u64; WRITES.len()] {
    let base = tempfile::tempdir().unwrap();
    let dir = base.path().join("data");
    let history = format!("history_per_config_max={HISTORY_MAX}");
    let settings = if compact { vec![&*history, "snapshot_every=300"] } else { vec![&*history] };
    let mut writers: Vec<Writer> =
        (0..WRITERS).map(|id| Writer::new(id, Rng::seeded(rng.next_u64()))).collect();
    for _ in 0..rounds {
        let node = Node::start(&dir, &settings).await;
        let readers = Readers::open(&node.address()).await;
        for writer in &mut writers {
            writer.check_served(&readers).await;
        }
        drop(readers);
        let begun = Arc::new(Notify::new());
        let mut tasks = JoinSet::new();
        for writer in writers.drain(..) {
            tasks.spawn(writer.run(node.port, begun.clone()));
        }
        begun.notified().await;
        sleep(Duration::from_micros(rng.below(150_000))).await;
        node.kill();
        writers = tasks.join_all().await;
        let stored = Stored::read(&dir);
        writers.iter().for_each(|writer| writer.check_stored(&stored));
    }
    let node = Node::start(&dir, &settings).await;
    let readers = Readers::open(&node.address()).await;
    for writer in &mut writers {
        writer.check_served(&readers).await;
    }
    let mut counts = [0; WRITES.len()];
    for writer in &writers {
        counts.iter_mut().zip(writer.counts).for_each(|(count, more)| *count += more);
    }
    counts
}
