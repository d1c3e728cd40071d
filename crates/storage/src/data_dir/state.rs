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

/// Reads the log index out of an applied marker; `None` if it is not a marker.
type IndexOf<'a> = &'a dyn Fn(&[u8]) -> Option<u64>;

impl DataDir {
    /// Opens the state file, verified. One that is damaged, missing, or ends before what the log still has is
    /// rebuilt from the newest whole snapshot that reaches the log, or from the log alone if that has everything;
    /// else [`DataDirError::Unrecoverable`]. The old file stays beside it as `state.db.damaged`.
    ///
    /// `index_of` reads the log index out of an applied marker; `None`: not a marker. SQLite uses the real file
    /// system, whatever disk the rest is on.
    pub fn open_state(
        &self,
        log: &LogReader,
        index_of: &dyn Fn(&[u8]) -> Option<u64>,
    ) -> Result<(SqliteStore, StateOrigin), DataDirError> {
        let snapshots = self.snapshots()?;
        let path = self.path.join(STATE);
        let existed = self.disk.exists(&path)?;
        let why = match SqliteStore::open(&path) {
            Ok(store) => match unfit(&store, log, &snapshots, index_of)? {
                None => {
                    let origin = match (existed, log.last()) {
                        (true, _) => StateOrigin::Intact,
                        (false, None) => StateOrigin::New,
                        (false, Some(_)) => StateOrigin::Log { why: "it is missing".to_owned() },
                    };
                    return Ok((store, origin));
                }
                Some(_) if !existed => "it is missing".to_owned(),
                Some(why) => why,
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

/// Why a whole store can't be gone on with, if it can't.
fn unfit(
    store: &SqliteStore,
    log: &LogReader,
    snapshots: &Snapshots,
    index_of: IndexOf<'_>,
) -> Result<Option<String>, DataDirError> {
    let purged = log.purged().map(|id| id.index);
    let Some(marker) = store.applied()? else {
        let something = purged.is_some() || !snapshots.is_empty()?;
        return Ok(something.then(|| "it is empty".to_owned()));
    };
    let Some(index) = index_of(&marker) else {
        return Ok(Some("its marker makes no sense".to_owned()));
    };
    let behind = purged.is_some_and(|purged| index < purged);
    Ok(behind.then(|| format!("it ends with entry {index}")))
}

fn newest_whole(
    snapshots: &Snapshots,
    purged: Option<u64>,
    index_of: IndexOf<'_>,
) -> Result<Option<Snapshot>, DataDirError> {
    for snapshot in snapshots.list()? {
        let index = index_of(&snapshot.applied);
        if index.is_none() || index < purged {
            continue;
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
