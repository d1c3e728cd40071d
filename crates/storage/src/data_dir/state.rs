//! Where the state of a start comes from: the state file if it is whole, else a snapshot and the log.

use super::{DataDir, DataDirError, STATE};
use crate::{
    log::LogReader,
    snapshot::{Snapshot, SnapshotError, Snapshots},
    state::{SqliteStore, StateError, StateStore},
};
use muster_runtime::disk::beside;
use std::path::{Path, PathBuf};

/// Where the state of a start comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StateOrigin {
    /// The state file was whole.
    Intact,
    /// There was nothing: a first start.
    New,
    /// The state file was unusable, or missing after a restore; it was rebuilt from this snapshot, and the log has
    /// the rest.
    Snapshot {
        /// The snapshot file.
        path: PathBuf,
        /// What was wrong with the state file.
        why: String,
    },
    /// The state file was unusable; it begins empty, and the log has everything.
    Log {
        /// What was wrong with the state file.
        why: String,
    },
}

/// What an applied marker says to who can read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkerIndex {
    /// It stands for this log entry.
    Entry(u64),
    /// It is no marker, or stands before the first entry.
    None,
    /// A newer version of Muster wrote it, in this format.
    Newer(u32),
}

/// Reads the log index out of an applied marker.
type IndexOf<'a> = &'a dyn Fn(&[u8]) -> MarkerIndex;

impl DataDir {
    /// Opens the state file, verified. One that is damaged, missing, or ends before what the log still has is
    /// rebuilt from the newest whole snapshot that reaches the log, or from the log alone if that has everything;
    /// else [`DataDirError::Unrecoverable`]. The old file stays beside it as `state.db.damaged`. What a newer version
    /// wrote is refused and stays as it is.
    ///
    /// `index_of` reads the log index out of an applied marker. SQLite uses the real file system, whatever disk the
    /// rest is on.
    pub fn open_state(
        &self,
        log: &LogReader,
        index_of: IndexOf<'_>,
    ) -> Result<(SqliteStore, StateOrigin), DataDirError> {
        let snapshots = self.snapshots()?;
        let path = self.path.join(STATE);
        let existed = self.disk.exists(&path)?;
        if !existed {
            refuse_newer(&snapshots, index_of)?;
        }
        let why = match SqliteStore::open(&path) {
            Ok(store) => match unfit(&store, log, &snapshots, index_of)? {
                Fitness::Newer(found) => {
                    store.close_untouched()?;
                    return Err(DataDirError::NewerFormat { path, found });
                }
                Fitness::Fit => {
                    let origin = match (existed, log.last()) {
                        (true, _) => StateOrigin::Intact,
                        (false, None) => StateOrigin::New,
                        (false, Some(_)) => StateOrigin::Log { why: "it is missing".to_owned() },
                    };
                    return Ok((store, origin));
                }
                Fitness::Unfit(_) if !existed => "it is missing".to_owned(),
                Fitness::Unfit(why) => why,
            },
            Err(StateError::Damaged(why)) => why,
            Err(error) => return Err(error.into()),
        };
        self.rebuild(&path, &snapshots, log, index_of, why)
    }

    fn rebuild(
        &self,
        path: &Path,
        snapshots: &Snapshots,
        log: &LogReader,
        index_of: IndexOf<'_>,
        why: String,
    ) -> Result<(SqliteStore, StateOrigin), DataDirError> {
        let purged = log.purged().map(|id| id.index);
        let Some(snapshot) = newest_whole(snapshots, purged, index_of)? else {
            // A log with its first entry has everything; an empty one has not what a snapshot had.
            if purged.is_some() || log.first().is_none() && !snapshots.is_empty()? {
                let log = purged.map_or("the log is empty".to_owned(), |purged| {
                    format!("the log was purged up to entry {purged}")
                });
                return Err(DataDirError::Unrecoverable { path: path.to_owned(), why, log });
            }
            self.put_aside(path)?;
            return Ok((SqliteStore::open(path)?, StateOrigin::Log { why }));
        };
        self.put_aside(path)?;
        let store = SqliteStore::open(path)?;
        store.import(&snapshot.applied, &mut snapshots.rows(&snapshot)?)?;
        Ok((store, StateOrigin::Snapshot { path: snapshot.path, why }))
    }

    /// Renames the state file and removes what belongs to it.
    fn put_aside(&self, path: &Path) -> Result<(), DataDirError> {
        for (file, suffix) in SqliteStore::files(path).iter().zip(["", "-wal", "-shm"]) {
            if self.disk.exists(file)? {
                self.disk.rename(file, &beside(path, &format!(".damaged{suffix}")))?;
            }
        }
        Ok(self.disk.sync_dir(&self.path)?)
    }
}

/// Whether a whole store can be gone on with.
enum Fitness {
    Fit,
    /// Not, and why.
    Unfit(String),
    /// A newer version's, of this format.
    Newer(u32),
}

fn unfit(
    store: &SqliteStore,
    log: &LogReader,
    snapshots: &Snapshots,
    index_of: IndexOf<'_>,
) -> Result<Fitness, DataDirError> {
    let purged = log.purged().map(|id| id.index);
    let Some(marker) = store.applied()? else {
        let something = purged.is_some() || !snapshots.is_empty()?;
        return Ok(if something { Fitness::Unfit("it is empty".to_owned()) } else { Fitness::Fit });
    };
    Ok(match index_of(&marker) {
        MarkerIndex::Newer(found) => Fitness::Newer(found),
        MarkerIndex::None => Fitness::Unfit("its marker makes no sense".to_owned()),
        MarkerIndex::Entry(index) if purged.is_some_and(|purged| index < purged) => {
            Fitness::Unfit(format!("it ends with entry {index}"))
        }
        MarkerIndex::Entry(_) => Fitness::Fit,
    })
}

/// Before a missing state is created, which would leave a trace.
fn refuse_newer(snapshots: &Snapshots, index_of: IndexOf<'_>) -> Result<(), DataDirError> {
    for snapshot in snapshots.list()? {
        if let MarkerIndex::Newer(found) = index_of(&snapshot.applied) {
            return Err(DataDirError::NewerFormat { path: snapshot.path, found });
        }
    }
    Ok(())
}

fn newest_whole(
    snapshots: &Snapshots,
    purged: Option<u64>,
    index_of: IndexOf<'_>,
) -> Result<Option<Snapshot>, DataDirError> {
    for snapshot in snapshots.list()? {
        match index_of(&snapshot.applied) {
            MarkerIndex::Newer(found) => {
                return Err(DataDirError::NewerFormat { path: snapshot.path, found });
            }
            MarkerIndex::Entry(index) if purged.is_none_or(|purged| index >= purged) => {}
            MarkerIndex::Entry(_) | MarkerIndex::None => continue,
        }
        match snapshots.verify(&snapshot) {
            Ok(_) => return Ok(Some(snapshot)),
            Err(SnapshotError::Damaged(problem)) => {
                tracing::warn!(path = %snapshot.path.display(), problem, "snapshot is unusable");
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(None)
}
