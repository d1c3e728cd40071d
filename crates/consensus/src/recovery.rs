//! What a start makes of the log, the state and the snapshots it finds.

use crate::{
    Bootstrap, ConsensusError, Machine, Members, Settings,
    applier::Applier,
    engine::{Engine, EngineParts},
    entry::{Decoded, decode_whole},
    lane::Lane,
    log_adapter::LogAdapter,
    marker::Marker,
    reading::ReadIndex,
    snapshotter::Snapshotter,
    status::Status,
    types::{LogId, Membership},
};
use muster_storage::{
    log::{Log, LogReader, Vote},
    state::StateStore,
};
use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    thread::JoinHandle,
};
use tokio::sync::oneshot;

/// Payload read at once.
const READ_BYTES: usize = 4 << 20;

/// State and log that meet, and a machine that is loaded.
pub(crate) struct Recovered {
    log: LogAdapter,
    applier: Applier,
    is_alone: bool,
}

/// Brings state and log together and has the machine load.
pub(crate) fn recover(
    settings: &Settings,
    mut log: Log,
    state: Arc<dyn StateStore>,
    machine: Arc<dyn Machine>,
    snapshots: Arc<Snapshotter>,
    status: Arc<Status>,
) -> Result<Recovered, ConsensusError> {
    let mut marker = Marker::decode(state.applied()?)?;
    if let Some((file, newest)) = snapshots.newest().filter(|(_, newest)| newest.applied > marker.applied) {
        // Whatever a finished snapshot covers was durable in the state, too: the store was lost.
        tracing::warn!(
            state = marker.index(),
            snapshot = newest.index(),
            "the state is rebuilt from a snapshot"
        );
        snapshots.bring_back(&file, || {})?;
        marker = newest;
    }
    let purged_next = log.purged().map_or(0, |purged| purged.index + 1);
    if marker.next_index() < purged_next {
        return Err(ConsensusError::Gap { applied: marker.index(), first: purged_next });
    }
    let log_next = log.last().map_or(0, |last| last.index + 1);
    if log_next < marker.next_index() && snapshots.covered_next() < marker.next_index() {
        // The engine will have the log go on after the state, so the state must not get lost any more.
        tracing::warn!(state = marker.index(), log = log_next, "the log ends before the state does");
        snapshots.make()?;
    }
    catch_up_vote(&mut log, &marker)?;
    machine.load(&*state)?;
    let membership = newest_membership(&marker, &log.reader(), log_next)?;
    let is_alone = is_alone(settings, &membership);
    if is_alone {
        status.set_ready_next(log_next);
    }
    // What a group of one has written is committed; else the leader will tell.
    let committed = if is_alone { log.last() } else { log.committed() };
    status.set_members(Members::new(&marker.membership));
    status.set_applied_next(marker.next_index());
    status.log_bytes.store(log.reader().bytes_from(snapshots.covered_next()), Relaxed);
    let reader = log.reader();
    let log = LogAdapter::new(settings, log, committed, status.clone(), snapshots.clone());
    let applier = Applier::new(settings, state, machine, status.clone(), marker, reader)?;
    Ok(Recovered { log, applier, is_alone })
}

/// What of consensus runs by itself.
pub(crate) enum Running {
    Threads(Vec<JoinHandle<()>>),
    Task(oneshot::Receiver<()>),
}

impl Recovered {
    /// Starts the threads, or a task where there is one thread; they end when `stop` is sent or dropped.
    pub(crate) fn run(
        self,
        settings: Settings,
        shared: EngineParts,
        reading: Arc<ReadIndex>,
        stop: oneshot::Receiver<()>,
    ) -> Result<Running, ConsensusError> {
        let Self { log, applier, is_alone } = self;
        let (pipeline, status, retry) = (shared.pipeline.clone(), shared.status.clone(), settings.full_retry);
        if shared.tasks.is_single_threaded() {
            let lane = Lane::inline(applier, pipeline, status, retry);
            follow(&lane, &shared);
            let engine = Engine { settings, log, lane, is_alone, shared, reading };
            return Ok(Running::Task(engine.spawn_task(stop)));
        }
        let lane = Lane::start(applier, pipeline, status, retry);
        let (lane, applying) = lane.map_err(|error| ConsensusError::Engine(error.to_string()))?;
        follow(&lane, &shared);
        let engine = Engine { settings, log, lane, is_alone, shared, reading };
        Ok(Running::Threads(vec![engine.spawn(stop)?, applying]))
    }
}

/// Has the store follow what finds no space there.
fn follow(lane: &Lane, parts: &EngineParts) {
    let following = lane.shared().clone().follow(parts.tasks.clone());
    let (status, stopping) = (parts.status.clone(), parts.tasks.stopping());
    parts.tasks.spawn("state behind", async move {
        tokio::select! {
            biased;
            // A failure was told where it happened.
            _ = following => {}
            () = stopping.cancelled() => {}
            () = status.wait_ended() => {}
        }
    });
}

/// Terms never fall, but a directory that holds a snapshot alone, as after a restore, has no vote: the next leader's
/// entries would come before those that the snapshot covers.
fn catch_up_vote(log: &mut Log, marker: &Marker) -> Result<(), ConsensusError> {
    let Some(LogId { leader_id, .. }) = marker.applied else { return Ok(()) };
    if log.vote().is_none_or(|vote| vote.term < leader_id.term) {
        log.save_vote(Vote { term: leader_id.term, node: leader_id.node_id, committed: false })?;
    }
    Ok(())
}

/// The members as of the end of the log.
pub(crate) fn newest_membership(
    marker: &Marker,
    log: &LogReader,
    log_next: u64,
) -> Result<Membership, ConsensusError> {
    let mut membership = marker.membership.membership().clone();
    let mut next = marker.next_index();
    while next < log_next {
        let entries = log.read(next..log_next, READ_BYTES)?;
        next += entries.len() as u64;
        if entries.is_empty() {
            break;
        }
        for entry in entries {
            if let Ok(Decoded::Membership(newer)) = decode_whole(&entry.payload) {
                membership = newer;
            }
        }
    }
    Ok(membership)
}

/// Whether this node is the only voter there is, or begins as that.
fn is_alone(settings: &Settings, membership: &Membership) -> bool {
    let mut voters = membership.voter_ids().peekable();
    if voters.peek().is_none() {
        return match &settings.bootstrap {
            Bootstrap::Alone { .. } => true,
            Bootstrap::Members(members) => members.keys().all(|member| *member == settings.node),
            Bootstrap::Join => false,
        };
    }
    voters.all(|voter| voter == settings.node.0)
}
