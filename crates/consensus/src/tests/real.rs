//! On a real disk with SQLite.

use super::world::{Ledger, number};
use crate::{Consensus, Parts, Settings, marker_index};
use bytes::Bytes;
use muster_runtime::{
    SystemClock, Tasks,
    disk::{Disk, RealDisk},
};
use muster_storage::{
    data_dir::{DataDir, StateOrigin},
    log::{Log, LogSettings},
};
use std::{path::Path, sync::Arc, time::Duration};

pub(super) struct Real {
    pub(super) consensus: Consensus,
    pub(super) ledger: Arc<Ledger>,
    tasks: Tasks,
    origin: StateOrigin,
    /// Holds the directory's lock.
    _dir: DataDir,
}

impl Real {
    pub(super) async fn start(path: &Path, settings: Settings) -> Self {
        let disk: Arc<dyn Disk> = Arc::new(RealDisk);
        let dir = DataDir::open(disk.clone(), path).unwrap();
        let (log, _) = Log::open(disk.clone(), &dir.log_dir(), LogSettings::default()).unwrap();
        let (state, origin) = dir.open_state(&log.reader(), &marker_index).unwrap();
        let (ledger, tasks) = (Arc::new(Ledger::default()), Tasks::new());
        let parts = Parts {
            disk,
            data_dir: path.to_owned(),
            log,
            state: Arc::new(state),
            snapshots: dir.snapshots().unwrap(),
            machine: ledger.clone(),
            clock: Arc::new(SystemClock::new()),
            tasks: tasks.clone(),
            links: None,
            fatal: Arc::new(|text: &str| panic!("{text}")),
        };
        let consensus = Consensus::start(settings, parts).await.unwrap();
        consensus.wait_ready().await.unwrap();
        Self { consensus, ledger, tasks, origin, _dir: dir }
    }

    async fn fill(&self, name: &str, count: usize) {
        let ops = (0..count).map(|number| Bytes::from(format!("{name}-{number}")));
        let results = futures_util::future::join_all(ops.map(|op| self.consensus.propose(op))).await;
        assert!(results.iter().all(Result::is_ok));
    }

    pub(super) async fn shut_down(self) {
        self.consensus.shutdown(Duration::from_secs(5)).await;
        assert!(self.tasks.shutdown(Duration::from_secs(5)).await);
    }

    async fn kill(self) {
        self.consensus.halt().await;
        assert!(self.tasks.shutdown(Duration::from_secs(5)).await);
    }
}

/// Everything is there after a start whatever was done to the state file in between.
async fn check(spoil: impl Fn(&Path), is_expected: impl Fn(&StateOrigin) -> bool) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data");
    let real = Real::start(&path, Settings::default()).await;
    assert_eq!(real.origin, StateOrigin::New);
    real.fill("a", 300).await;
    real.consensus.snapshot().await.unwrap();
    real.fill("b", 300).await;
    let ops = real.ledger.ops();
    real.kill().await;
    spoil(&path);
    let real = Real::start(&path, Settings::default()).await;
    assert!(is_expected(&real.origin), "{:?}", real.origin);
    assert_eq!(real.ledger.ops(), ops);
    let next = real.consensus.propose(Bytes::from_static(b"next")).await.unwrap();
    assert_eq!(number(&next), 601);
    real.shut_down().await;
}

fn state_file(path: &Path) -> std::path::PathBuf {
    path.join("state.db")
}

#[tokio::test]
async fn a_restart_brings_back_everything() {
    check(|_| (), |origin| *origin == StateOrigin::Intact).await;
}

#[tokio::test]
async fn a_removed_state_file_is_rebuilt() {
    let remove = |path: &Path| {
        for file in std::fs::read_dir(path).unwrap().map(Result::unwrap) {
            if file.file_name().to_string_lossy().starts_with("state.db") {
                std::fs::remove_file(file.path()).unwrap();
            }
        }
    };
    check(remove, |origin| matches!(origin, StateOrigin::Snapshot { .. })).await;
}

#[tokio::test]
async fn a_damaged_state_file_is_rebuilt() {
    let damage = |path: &Path| {
        let file = state_file(path);
        let mut content = std::fs::read(&file).unwrap();
        for at in (200..content.len()).step_by(1_000) {
            content[at] ^= 0x40;
        }
        std::fs::write(&file, content).unwrap();
    };
    check(damage, |origin| matches!(origin, StateOrigin::Snapshot { .. })).await;
}

#[tokio::test]
async fn a_backup_is_brought_back_into_an_empty_directory() {
    let dir = tempfile::tempdir().unwrap();
    let real = Real::start(&dir.path().join("data"), Settings::default()).await;
    real.fill("a", 300).await;
    let backup = real.consensus.snapshot().await.unwrap().path;
    let ops = real.ledger.ops();
    let path = dir.path().join("restored");
    DataDir::restore(Arc::new(RealDisk), &path, &mut std::fs::File::open(backup).unwrap()).unwrap();
    real.shut_down().await;

    for round in 1..=2 {
        let real = Real::start(&path, Settings::default()).await;
        assert_eq!(real.ledger.ops()[..300], ops);
        let next = real.consensus.propose(Bytes::from_static(b"next")).await.unwrap();
        assert_eq!(number(&next), 300 + round);
        real.kill().await;
    }
}
