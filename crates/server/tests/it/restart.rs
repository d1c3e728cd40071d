//! Restarts: the log is compacted by snapshots and shrinks, and what is left serves everything, soon.

use crate::{
    client::Session,
    figures::{figure, say},
    node::Node,
    sequence::Sequence,
};
use std::{fs, path::Path, time::Duration};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

/// Names and sizes of the files of a folder with some ending.
fn files(folder: &Path, ending: &str) -> Vec<(String, u64)> {
    let mut files: Vec<(String, u64)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_name().to_str().unwrap().ends_with(ending))
        // A segment may be removed meanwhile.
        .filter_map(|entry| Some((entry.file_name().into_string().unwrap(), entry.metadata().ok()?.len())))
        .collect();
    files.sort();
    files
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_is_compacted_and_the_rest_serves_everything() {
    let base = tempfile::tempdir().unwrap();
    let dir = base.path().join("data");
    // 42 MB in three segments of 125 entries each: a snapshot in the third makes the others needless.
    let node = Node::start(&dir, &["snapshot_every=260"]).await;
    let session = Session::open(&node.address()).await.unwrap();
    let mut writes = Sequence::new("compacted", 180_000);
    writes.write_many(&session, 200).await;
    let before = files(&dir.join("log"), ".log");
    assert!(before.len() >= 2, "{before:?}");
    writes.write_many(&session, 80).await;
    let begun = Instant::now();
    let after = loop {
        let after = files(&dir.join("log"), ".log");
        if after.len() == 1 && after[0].0 > before[0].0 {
            break after;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "not compacted: {after:?}");
        sleep(Duration::from_millis(20)).await;
    };
    let snapshots = files(&dir.join("snapshots"), ".snapshot");
    assert_eq!(snapshots.len(), 1, "{snapshots:?}");
    say(&format!(
        "compaction: {} segments became {}, beside {} bytes of snapshot",
        before.len(),
        after.len(),
        snapshots[0].1
    ));
    node.kill();
    let node = Node::start(&dir, &[]).await;
    let session = Session::open(&node.address()).await.unwrap();
    assert_eq!(writes.missing(&session).await, [0; 0]);
    // Without its state file everything comes from the snapshot and what is left of the log.
    writes.write_many(&session, 16).await;
    drop(session);
    node.kill();
    for file in ["state.db", "state.db-wal", "state.db-shm"] {
        fs::remove_file(dir.join(file)).ok();
    }
    let node = Node::start(&dir, &[]).await;
    let session = Session::open(&node.address()).await.unwrap();
    assert_eq!(writes.missing(&session).await, [0; 0]);
}

/// Run it with `cargo test --release -p muster-server --test it -- --ignored restart`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement, of the release build"]
async fn a_restart_with_many_configs_is_soon_ready() {
    const CONNECTIONS: u64 = 16;
    let configs = figure("MUSTER_RESTART_CONFIGS", 100_000);
    let base = tempfile::tempdir().unwrap();
    let dir = base.path().join("data");
    let node = Node::start(&dir, &[]).await;
    let mut writers = JoinSet::new();
    let begun = Instant::now();
    for connection in 0..CONNECTIONS {
        let address = node.address();
        writers.spawn(async move {
            let session = Session::open(&address).await.unwrap();
            for number in (connection..configs).step_by(CONNECTIONS as usize) {
                let content = format!("{number:01024}");
                session.publish(&format!("config-{number}"), &content).await.unwrap();
            }
        });
    }
    writers.join_all().await;
    say(&format!("restart: {configs} configs of 1 KiB published in {:.1?}", begun.elapsed()));
    node.kill();
    for how in ["after kill -9", "after a stop", "after a stop, again"] {
        let begun = Instant::now();
        let node = Node::start(&dir, &[]).await;
        let ready = begun.elapsed();
        let session = Session::open(&node.address()).await.unwrap();
        for number in (0..configs).step_by(997) {
            let seen = session.read(&format!("config-{number}"), "").await.unwrap().unwrap();
            assert_eq!(seen.content, format!("{number:01024}"));
        }
        drop(session);
        say(&format!("restart: ready {ready:.0?} {how}"));
        assert!(ready < Duration::from_secs(3), "{ready:?} {how}");
        node.stop().await;
    }
}
