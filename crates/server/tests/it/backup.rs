//! `muster backup` of a node under load, `muster restore`, and what is refused.

use crate::{
    client::Session,
    figures::{rng, say},
    node::{MUSTER, Node, complaint, muster},
    sequence::Sequence,
};
use std::{
    ffi::OsStr,
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Output,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};
use tokio::task::JoinSet;

async fn backup(node: &Node, file: &Path) -> Output {
    let address = node.address();
    muster(&[OsStr::new("backup"), file.as_os_str(), OsStr::new("--server"), OsStr::new(&address)]).await
}

async fn restore(file: &Path, dir: &Path) -> Output {
    muster(&[OsStr::new("restore"), file.as_os_str(), OsStr::new("--data-dir"), dir.as_os_str()]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_under_load_has_everything_from_before_it() {
    let base = tempfile::tempdir().unwrap();
    let node = Node::start(&base.path().join("data"), &["snapshot_every=100"]).await;
    let session = Session::open(&node.address()).await.unwrap();
    let mut before = Sequence::new("before", 2_000);
    before.write_many(&session, 200).await;

    // Others write all the time.
    let stop = Arc::new(AtomicBool::new(false));
    let mut load = JoinSet::new();
    for number in 0..3 {
        let (stop, address) = (stop.clone(), node.address());
        load.spawn(async move {
            let session = Session::open(&address).await.unwrap();
            let mut writes = Sequence::new(&format!("beside-{number}"), 500);
            while !stop.load(Relaxed) {
                writes.write(&session).await.unwrap();
            }
            writes.acknowledged
        });
    }
    for round in 0..3 {
        before.write_many(&session, 8).await;
        let file = base.path().join(format!("backup-{round}"));
        let output = backup(&node, &file).await;
        assert!(output.status.success(), "{}", complaint(&output));
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o077, 0, "its owner's alone");

        let dir = base.path().join(format!("restored-{round}"));
        let output = restore(&file, &dir).await;
        assert!(output.status.success(), "{}", complaint(&output));
        let restored = Node::start(&dir, &[]).await;
        let reader = Session::open(&restored.address()).await.unwrap();
        let mut there = before.clone();
        assert_eq!(there.missing(&reader).await, [0; 0], "acknowledged before the backup began");
        // It is a node like any other.
        there.write_many(&reader, 8).await;
        restored.kill();
        let restored = Node::start(&dir, &[]).await;
        let reader = Session::open(&restored.address()).await.unwrap();
        assert_eq!(there.missing(&reader).await, [0; 0]);
    }
    stop.store(true, Relaxed);
    let beside: u64 = load.join_all().await.into_iter().sum();
    say(&format!("backup: 3 round trips, {beside} writes beside them"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_refused() {
    let base = tempfile::tempdir().unwrap();
    let dir = base.path().join("data");
    let node = Node::start(&dir, &[]).await;
    let session = Session::open(&node.address()).await.unwrap();
    let mut writes = Sequence::new("kept", 300);
    writes.write_many(&session, 60).await;
    let file = base.path().join("backup");
    assert!(backup(&node, &file).await.status.success());

    let output = backup(&node, &file).await;
    assert_eq!(output.status.code(), Some(2), "a file that is there is not written over");
    let output = restore(&file, &dir).await;
    assert_eq!(output.status.code(), Some(4), "the directory is in use");
    assert!(complaint(&output).contains("in use"), "{}", complaint(&output));
    let last = base.path().join("after");
    let address = node.address();
    node.stop().await;
    let output = restore(&file, &dir).await;
    assert_eq!(output.status.code(), Some(4), "the directory holds data");
    assert!(complaint(&output).contains("holds data already"), "{}", complaint(&output));
    let output =
        muster(&[OsStr::new("backup"), last.as_os_str(), OsStr::new("--server"), OsStr::new(&address)]).await;
    assert_eq!(output.status.code(), Some(1), "nobody is there");
    assert!(!last.exists() && !last.with_extension("partial").exists(), "nothing is left behind");

    damaged(base.path(), &file, &writes).await;
}

/// No damage of a backup is restored, and a directory that was tried in vain takes a whole one.
async fn damaged(base: &Path, file: &Path, writes: &Sequence) {
    let mut rng = rng("damaged backup");
    let content = fs::read(file).unwrap();
    let (bad, dir) = (base.join("bad"), base.join("restored"));
    for number in 0..30 {
        let at = rng.below(content.len() as u64) as usize;
        let mut other = content.clone();
        if number % 3 == 0 {
            other.truncate(at);
        } else {
            other[at] ^= 1 << rng.below(8);
        }
        fs::write(&bad, other).unwrap();
        let output = restore(&bad, &dir).await;
        let text = complaint(&output);
        assert_eq!(output.status.code(), Some(1), "byte {at} of {}: {text}", content.len());
        assert!(text.contains(bad.to_str().unwrap()) && text.contains("damaged"), "{text}");
    }
    let output = restore(file, &dir).await;
    assert!(output.status.success(), "{MUSTER}: {}", complaint(&output));
    let node = Node::start(&dir, &[]).await;
    let session = Session::open(&node.address()).await.unwrap();
    assert_eq!(writes.missing(&session).await, [0; 0]);
}
