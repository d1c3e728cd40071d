//! Opening what is on disk, in the order in which each part needs the other.

use crate::{
    exit::{DATA_DIR, Exit},
    settings::Settings,
};
use muster_consensus::marker_index;
use muster_runtime::disk::{Disk, RealDisk};
use muster_storage::{
    data_dir::{DataDir, StateOrigin},
    journal::{Journal, JournalSettings, JournalTask},
    log::{Log, LogSettings, Recovery},
    snapshot::Snapshots,
    state::StateStore,
};
use std::sync::Arc;

/// The opened data directory.
pub(crate) struct Stored {
    /// Holds the lock of the directory.
    pub(crate) dir: DataDir,
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) log: Log,
    pub(crate) state: Arc<dyn StateStore>,
    pub(crate) snapshots: Snapshots,
    pub(crate) journal: Journal,
    pub(crate) journal_task: JournalTask,
    /// Whether anything was ever written here, but for who the node is.
    pub(crate) has_data: bool,
}

/// Opens the data directory; what was repaired on the way is said in the log.
pub(crate) fn open(settings: &Settings) -> anyhow::Result<Stored> {
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let dir = DataDir::open(disk.clone(), &settings.data_dir)?;
    report_space(&*disk, &dir, settings.reserve_bytes);
    let (log, recovery) = Log::open(disk.clone(), &dir.log_dir(), LogSettings::default())
        .map_err(|error| Exit::new(DATA_DIR, error.to_string()))?;
    report(&recovery);
    let (state, origin) = dir.open_state(&log.reader(), &marker_index)?;
    match &origin {
        StateOrigin::Intact | StateOrigin::New => {}
        StateOrigin::Snapshot { path, why } => {
            tracing::warn!(snapshot = %path.display(), why, "state file was unusable, rebuilt from a snapshot and the log");
        }
        StateOrigin::Log { why } => tracing::warn!(why, "state file was unusable, rebuilt from the log"),
    }
    let snapshots = dir.snapshots()?;
    let journal_settings =
        JournalSettings { bytes_max: settings.journal_bytes_max, ..JournalSettings::default() };
    let (journal, journal_task) = Journal::open(disk.clone(), &dir.journal_dir(), journal_settings)
        .map_err(|error| Exit::new(DATA_DIR, format!("open the journal: {error}")))?;
    let has_data = log.last().is_some() || state.applied()?.is_some() || !snapshots.list()?.is_empty();
    Ok(Stored { dir, disk, log, state: Arc::new(state), snapshots, journal, journal_task, has_data })
}

/// A node with a full disk starts all the same: it needs none of it to serve what it has.
fn report_space(disk: &dyn Disk, dir: &DataDir, reserve_bytes: u64) {
    match disk.free_bytes(dir.path()) {
        Ok(free_bytes) if free_bytes < reserve_bytes => tracing::warn!(
            free_bytes,
            reserve_bytes,
            "the disk is full: what is there is served, writes are refused until there is space"
        ),
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "could not ask for free disk space"),
    }
}

fn report(recovery: &Recovery) {
    if let Some(cut) = &recovery.cut {
        tracing::warn!(
            segment = %cut.segment.display(),
            offset = cut.offset,
            bytes = cut.bytes,
            first_entry = cut.first,
            entries = cut.entries,
            "the log ended in a torn write, which was cut: its entries were not acknowledged, unless the disk damaged them later"
        );
    }
    for file in &recovery.repaired {
        tracing::warn!(file = %file.display(), "one of two copies was damaged and has been restored from the other");
    }
}
