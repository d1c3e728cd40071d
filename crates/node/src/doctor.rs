//! Whether the nodes agree, and are well: asked of all of them by one.
//!
//! Durable state is compared at a mark in the log ([`marks`]): each node computes, from its store, what its rows come to at
//! exactly that entry. Where that differs a second mark has the rows named, and only what differs there, too, is a finding.
//! Mirrors of ephemeral publications are compared where two nodes have the same sequence of one life of their owner, and
//! what differs is named by asking both for what they have in the buckets that differ; what moves too fast for that is
//! compared all the time by the streams between them, and told of here.

mod ask;
mod diagnose;
mod digest;
mod examine;
pub(crate) mod marks;
mod mirrors;
mod names;
mod report;
mod wire;

pub use diagnose::{CHECKS, Finding};
pub use examine::Examination;
pub use report::{DiskSpace, MirrorReport, NodeReport};

use crate::Node;
use marks::{Jobs, Marks};
use muster_model::{HashMap, Monotonic, NodeId, Timestamp};
use muster_peer::{Link, Links, Purpose};
use muster_runtime::disk::Disk;
use parking_lot::Mutex;
use report::Mended;
use std::{
    path::PathBuf,
    sync::{Arc, OnceLock},
    time::Duration,
};

/// How often it is looked whether streams mended something.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// When the leader examines everybody for the first time, for the metrics.
const FIRST_AFTER: Duration = Duration::from_secs(10 * 60);
/// How often it does then. All durable data are read each time, on every node.
const EXAMINE_EVERY: Duration = Duration::from_secs(30 * 60);

/// What a node does not know of itself.
pub struct Facts {
    /// Its version, with commit and stored format.
    pub version: &'static str,
    /// The disk of its data.
    pub disk: Arc<dyn Disk>,
    /// The directory of its data.
    pub data_dir: PathBuf,
    /// When its certificate ends, if it has one.
    pub certificate_until: Box<dyn Fn() -> Option<Timestamp> + Send + Sync>,
}

impl Facts {
    fn space(&self) -> Option<DiskSpace> {
        let free = self.disk.free_bytes(&self.data_dir).ok()?;
        let total = self.disk.total_bytes(&self.data_dir).ok()?;
        Some(DiskSpace { free, total })
    }
}

/// What [`Node`] keeps for it.
#[derive(Default)]
pub(crate) struct Doctor {
    pub(crate) facts: OnceLock<Facts>,
    links: OnceLock<Links>,
    pub(crate) marks: Marks,
    pub(crate) jobs: Jobs,
    pub(crate) mended: Mutex<Mended>,
    /// Links that wait for the next question.
    idle: Mutex<HashMap<NodeId, Link>>,
    /// One examination at a time.
    turn: tokio::sync::Mutex<()>,
    /// What the last one came to.
    last: Mutex<Option<(Monotonic, Arc<Examination>)>>,
}

impl Node {
    /// From now on this node tells its peers how it is, and asks them. The first call counts.
    pub fn start_doctor(self: &Arc<Self>, facts: Facts, links: Option<Links>) {
        self.doctor.facts.set(facts).ok();
        if let Some(links) = links {
            links.handle(Purpose::Report, Arc::new(ask::Answerer::new(self)));
            self.doctor.links.set(links).ok();
        }
        self.tasks.spawn("doctor", self.clone().run_doctor());
    }

    /// What the last examination on this node came to, and how many milliseconds ago it was.
    pub fn last_examination(&self) -> Option<(u64, Arc<Examination>)> {
        let last = self.doctor.last.lock().clone();
        last.map(|(at, examination)| (self.now().mono.since(at), examination))
    }

    /// Looks after streams, and, on the leader of several nodes, examines everybody now and then.
    async fn run_doctor(self: Arc<Self>) {
        let stopping = self.tasks.stopping();
        let mut until_next = FIRST_AFTER;
        loop {
            tokio::select! {
                biased;
                () = stopping.cancelled() => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            self.watch_mending();
            until_next = until_next.saturating_sub(LOOK_EVERY);
            if !until_next.is_zero() {
                continue;
            }
            until_next = EXAMINE_EVERY;
            let leads_others = self.consensus().is_ok_and(|consensus| {
                consensus.is_leader() && consensus.members().borrow().addresses.len() > 1
            });
            if leads_others {
                let examination = self.examine().await;
                for finding in &examination.findings {
                    let node = finding.node.map(|node| node.0);
                    tracing::warn!(
                        check = finding.check,
                        node,
                        what = finding.what,
                        "the doctor found something"
                    );
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
