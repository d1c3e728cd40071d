//! openraft's state machine over the applier and the snapshots.

use crate::{
    ConsensusError,
    lane::{Lane, Shared},
    marker::Marker,
    snapshotter::Snapshotter,
    status::Status,
    types::{Failed, LogId, RaftEntry, StorageError, StoredMembership, TypeConfig},
};
use muster_runtime::Tasks;
use openraft::{OptionalSend, RaftSnapshotBuilder, Snapshot, SnapshotMeta, storage::RaftStateMachine};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// The state machine as openraft sees it.
pub(crate) struct StateAdapter {
    pub(crate) lane: Lane,
    pub(crate) snapshots: Arc<Snapshotter>,
    pub(crate) status: Arc<Status>,
    pub(crate) tasks: Tasks,
}

/// Makes snapshots beside the applying.
pub(crate) struct Builder {
    snapshots: Arc<Snapshotter>,
    status: Arc<Status>,
    tasks: Tasks,
}

pub(crate) fn to_raft(path: PathBuf, marker: Marker) -> Snapshot<TypeConfig> {
    let id = marker.applied.map(|id| format!("{}-{}-{}", id.leader_id.term, id.leader_id.node_id, id.index));
    let meta = SnapshotMeta {
        last_log_id: marker.applied,
        last_membership: marker.membership,
        snapshot_id: id.unwrap_or_default(),
    };
    Snapshot { meta, snapshot: Box::new(path) }
}

impl RaftSnapshotBuilder<TypeConfig> for Builder {
    /// A try that fails is no reason for openraft to stop: the newest snapshot there is is reported instead, so that
    /// no more of the log is removed than that covers.
    async fn build_snapshot(&mut self) -> Result<Snapshot<TypeConfig>, StorageError> {
        let snapshots = self.snapshots.clone();
        self.tasks
            .blocking(move || snapshots.try_now())
            .await
            .map_err(|error| self.status.fail("make a snapshot", &error))?;
        let newest = self.snapshots.newest();
        Ok(newest.map_or_else(
            || to_raft(PathBuf::new(), Marker::default()),
            |(file, marker)| to_raft(file.path, marker),
        ))
    }
}

/// Puts a received file in place of the state, and has everything load it.
fn install(path: &Path, snapshots: &Snapshotter, applier: &Shared) -> Result<(), Failed> {
    // From then on until it is loaded memory must not be served. To read a large one takes long, and a node that runs
    // goes on meanwhile with what it has.
    let mut installing = None;
    let installed = (|| {
        let files = snapshots.files().list()?;
        let file = files.into_iter().find(|file| file.path == *path);
        let missing = || ConsensusError::Engine(format!("there is no snapshot {}", path.display()));
        let file = file.ok_or_else(missing)?;
        let marker = Marker::decode(Some(file.applied.clone()))?;
        snapshots.bring_back(&file, || installing = Some(applier.status().installs()))?;
        snapshots.keep(file, marker)
    })();
    installed.map_err(|error| applier.status().fail("install a snapshot", &error))?;
    applier.applier().lock().reload()
}

impl RaftStateMachine<TypeConfig> for StateAdapter {
    type SnapshotBuilder = Builder;

    async fn applied_state(&mut self) -> Result<(Option<LogId>, StoredMembership), StorageError> {
        let applier = self.lane.shared().applier().lock();
        let Marker { applied, membership, .. } = applier.marker();
        Ok((*applied, membership.clone()))
    }

    async fn apply<I>(&mut self, entries: I) -> Result<Vec<()>, StorageError>
    where
        I: IntoIterator<Item = RaftEntry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let entries: Vec<_> = entries.into_iter().collect();
        let results = vec![(); entries.len()];
        self.lane.apply(entries).await?;
        Ok(results)
    }

    async fn get_snapshot_builder(&mut self) -> Builder {
        Builder { snapshots: self.snapshots.clone(), status: self.status.clone(), tasks: self.tasks.clone() }
    }

    /// Snapshots are received by whoever receives them, as files of the snapshot directory, and handed over whole:
    /// what is returned here is only a place for the path.
    async fn begin_receiving_snapshot(&mut self) -> Result<Box<PathBuf>, StorageError> {
        Ok(Box::default())
    }

    async fn install_snapshot(
        &mut self,
        _meta: &SnapshotMeta<u64, openraft::BasicNode>,
        snapshot: Box<PathBuf>,
    ) -> Result<(), StorageError> {
        let (snapshots, shared) = (self.snapshots.clone(), self.lane.shared().clone());
        let installed = self.tasks.blocking(move || install(&snapshot, &snapshots, &shared)).await;
        Ok(installed.map_err(|error| self.status.fail("install a snapshot", &error))??)
    }

    async fn get_current_snapshot(&mut self) -> Result<Option<Snapshot<TypeConfig>>, StorageError> {
        Ok(self.snapshots.newest().map(|(file, marker)| to_raft(file.path, marker)))
    }
}
