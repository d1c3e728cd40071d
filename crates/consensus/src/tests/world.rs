//! A machine that remembers everything, and what it takes to start consensus under it.

use crate::{ApplyContext, Consensus, ConsensusError, Machine, Parts, Settings};
use bytes::Bytes;
use muster_model::{Monotonic, Now, Row, Table, Timestamp};
use muster_peer::Links;
use muster_runtime::{
    ManualClock, Rng, Tasks,
    disk::{Disk, MemoryDisk},
};
use muster_storage::{
    log::{Log, LogSettings},
    snapshot::Snapshots,
    state::{MemoryStore, StateError, StateStore},
};
use parking_lot::{Condvar, Mutex};
use std::{path::Path, sync::Arc, time::Duration};

pub(super) const DATA: &str = "/data";
pub(super) const LOG: &str = "/data/log";
pub(super) const SNAPSHOTS: &str = "/data/snapshots";

/// Keeps each operation under its sequence number, and answers with that number.
#[derive(Default)]
pub(super) struct Ledger {
    seen: Mutex<Seen>,
    is_held: Mutex<bool>,
    released: Condvar,
}

#[derive(Default)]
struct Seen {
    ops: Vec<Bytes>,
    times: Vec<Timestamp>,
    committed: usize,
    panic_at: Option<u64>,
}

impl Ledger {
    /// From now on operations wait before they are applied.
    pub(super) fn hold(&self) {
        *self.is_held.lock() = true;
    }

    /// Operations go on.
    pub(super) fn release(&self) {
        *self.is_held.lock() = false;
        self.released.notify_all();
    }

    /// Has it panic at an operation.
    pub(super) fn panic_at(&self, sequence: u64) {
        self.seen.lock().panic_at = Some(sequence);
    }

    /// What was applied, in order.
    pub(super) fn ops(&self) -> Vec<Bytes> {
        self.seen.lock().ops.clone()
    }

    /// How many operations `committed` was called for.
    pub(super) fn committed(&self) -> usize {
        self.seen.lock().committed
    }

    /// The times of the operations applied in this life.
    pub(super) fn times(&self) -> Vec<Timestamp> {
        self.seen.lock().times.clone()
    }
}

impl Machine for Ledger {
    fn apply(&self, op: &Bytes, at: ApplyContext, rows: &mut Vec<Row>) -> Result<Bytes, String> {
        self.released.wait_while(&mut self.is_held.lock(), |is_held| *is_held);
        let mut seen = self.seen.lock();
        assert_ne!(seen.panic_at, Some(at.sequence), "as the test wants it");
        if op.starts_with(b"newer") {
            return Err("it has version 9".to_owned());
        }
        seen.ops.push(op.clone());
        seen.times.push(at.time);
        assert_eq!(seen.ops.len() as u64, at.sequence, "sequence numbers have no gaps");
        let key = Bytes::copy_from_slice(&at.sequence.to_be_bytes());
        rows.push(Row { table: Table::Meta, key: key.clone(), value: Some(op.clone()) });
        Ok(key)
    }

    fn committed(&self) {
        let mut seen = self.seen.lock();
        seen.committed = seen.ops.len();
    }

    fn load(&self, state: &dyn StateStore) -> Result<(), StateError> {
        let rows = state.scan(Table::Meta, &[], usize::MAX)?;
        let numbers: Vec<u64> = rows.iter().map(|(key, _)| number(key)).collect();
        assert_eq!(numbers, (1..=rows.len() as u64).collect::<Vec<_>>(), "the store has no gaps");
        let mut seen = self.seen.lock();
        seen.ops = rows.into_iter().map(|(_, value)| value).collect();
        seen.committed = seen.ops.len();
        Ok(())
    }
}

/// A result of the ledger as a number.
pub(super) fn number(result: &[u8]) -> u64 {
    u64::from_be_bytes(result.try_into().expect("eight bytes"))
}

/// What outlives a process.
pub(super) struct World {
    pub(super) disk: MemoryDisk,
    pub(super) store: Arc<MemoryStore>,
    pub(super) clock: Arc<ManualClock>,
}

/// A running process.
pub(super) struct Life {
    pub(super) consensus: Consensus,
    pub(super) ledger: Arc<Ledger>,
    pub(super) fatal: Arc<Mutex<Vec<String>>>,
    pub(super) tasks: Tasks,
}

impl World {
    pub(super) fn new() -> Self {
        let disk = MemoryDisk::new();
        for dir in [LOG, SNAPSHOTS] {
            disk.create_dir_all(Path::new(dir)).unwrap();
        }
        let clock = ManualClock::at(Now { wall: Timestamp(1_000), mono: Monotonic(1) });
        Self { disk, store: Arc::new(MemoryStore::new()), clock: Arc::new(clock) }
    }

    pub(super) async fn start(&self, settings: Settings) -> Life {
        self.start_with(settings, Arc::default()).await
    }

    pub(super) async fn start_with(&self, settings: Settings, ledger: Arc<Ledger>) -> Life {
        self.try_start(settings, Arc::new(self.disk.clone()), ledger).await.expect("state and log are whole")
    }

    /// Starts with the log and the snapshots on another disk, usually a wrapper of this one's.
    pub(super) async fn try_start(
        &self,
        settings: Settings,
        disk: Arc<dyn Disk>,
        ledger: Arc<Ledger>,
    ) -> Result<Life, ConsensusError> {
        self.start_linked(settings, disk, ledger, Tasks::new(), None).await
    }

    /// Starts with links to others.
    pub(super) async fn start_linked(
        &self,
        settings: Settings,
        disk: Arc<dyn Disk>,
        ledger: Arc<Ledger>,
        tasks: Tasks,
        links: Option<Links>,
    ) -> Result<Life, ConsensusError> {
        let log_settings = LogSettings { segment_bytes: 16 << 10, rng: Rng::seeded(1) };
        let (log, _) = Log::open(disk.clone(), Path::new(LOG), log_settings)?;
        let snapshots = Snapshots::open(disk.clone(), Path::new(SNAPSHOTS))?;
        let fatal = Arc::<Mutex<Vec<String>>>::default();
        let parts = Parts {
            disk,
            data_dir: DATA.into(),
            log,
            state: self.store.clone(),
            snapshots,
            machine: ledger.clone(),
            clock: self.clock.clone(),
            tasks: tasks.clone(),
            links,
            fatal: {
                let fatal = fatal.clone();
                Arc::new(move |text: &str| fatal.lock().push(text.to_owned()))
            },
        };
        let consensus = Consensus::start(settings, parts).await?;
        Ok(Life { consensus, ledger, fatal, tasks })
    }
}

impl Life {
    /// Proposes an operation and expects a result.
    pub(super) async fn propose(&self, op: &str) -> u64 {
        number(&self.consensus.propose(Bytes::copy_from_slice(op.as_bytes())).await.unwrap())
    }

    /// Ends it in order.
    pub(super) async fn shut_down(self) {
        self.consensus.shutdown(Duration::from_secs(5)).await;
        assert!(self.tasks.shutdown(Duration::from_secs(5)).await, "tasks end");
        assert_eq!(*self.fatal.lock(), Vec::<String>::new());
    }

    /// Ends it at once.
    pub(super) async fn kill(self) {
        self.consensus.halt().await;
        assert!(self.tasks.shutdown(Duration::from_secs(5)).await, "tasks end");
    }
}

/// Settings under which a few operations are much.
pub(super) fn small() -> Settings {
    Settings {
        entry_ops_max: 4,
        snapshot_entries: 9,
        checkpoint_bytes: 200,
        snapshot_retry: Duration::from_millis(5),
        full_retry: Duration::from_millis(2),
        log_entries_kept: 0,
        propose_timeout: Duration::from_secs(20),
        ..Settings::default()
    }
}
