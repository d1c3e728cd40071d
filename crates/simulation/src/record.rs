//! Everything that clients saw in one run, for the checkers.

use crate::{
    Trace,
    history::{Call, Value},
};
use parking_lot::Mutex;
use std::{collections::BTreeMap, sync::Arc};

/// Number of a config.
pub type Key = u32;

/// Which process answered: the node, and how often it had been started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Server {
    /// The node.
    pub node: usize,
    /// Its life.
    pub life: u64,
}

/// A client was told the revision of something.
#[derive(Clone, Debug)]
pub struct Observed {
    /// Milliseconds of virtual time.
    pub at_ms: u64,
    /// Who.
    pub client: u32,
    /// By whom.
    pub server: Server,
    /// Of what.
    pub what: String,
    /// The revision.
    pub revision: u64,
}

/// A write was acknowledged.
#[derive(Clone, Copy, Debug)]
pub struct Acknowledged {
    /// The config.
    pub key: Key,
    /// What it has since; nothing: it was removed.
    pub value: Value,
    /// Its revision since; 0 of a removal.
    pub revision: u64,
    /// When it was asked for, in the order of everything.
    pub began: u64,
    /// When it was acknowledged.
    pub ended: u64,
}

/// A list was shown.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Milliseconds of virtual time.
    pub at_ms: u64,
    /// By whom.
    pub server: Server,
    /// The service.
    pub service: String,
    /// The addresses in it.
    pub hosts: Vec<String>,
}

/// What a client did for its instance.
#[derive(Clone, Debug)]
pub struct Renewed {
    /// Milliseconds of virtual time.
    pub at_ms: u64,
    /// Which service.
    pub service: String,
    /// Its address.
    pub host: String,
    /// The node that answered.
    pub node: usize,
    /// The client is about to take it back.
    pub is_leaving: bool,
}

/// What a node held at the end, or at some moment before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Configs with value and revision.
    pub configs: BTreeMap<Key, (Value, u64)>,
    /// The history of each config: by the revision of a change, the content that its entry has, which is the one before
    /// unless it created the config.
    pub history: BTreeMap<Key, BTreeMap<u64, Value>>,
    /// The hosts of services, with what is shown of each.
    pub services: BTreeMap<String, Vec<String>>,
}

/// A persistent instance.
#[derive(Clone, Copy, Debug)]
pub struct Stored {
    /// The version that was acknowledged last.
    pub acknowledged: u32,
    /// The version that was asked for last.
    pub asked: u32,
}

/// What the subscriber of a node was told last.
#[derive(Clone, Debug, Default)]
pub struct Pushed {
    /// The hosts of services, with what is shown of each.
    pub services: BTreeMap<String, Vec<String>>,
}

/// What a node showed of a crowd when that fell silent, and when it spoke again: hosts that are healthy.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silenced {
    /// Before.
    pub before: usize,
    /// After.
    pub after: Option<usize>,
}

/// How full a queue was.
#[derive(Clone, Copy, Debug)]
pub struct Fill {
    /// The node.
    pub node: usize,
    /// Which queue.
    pub queue: &'static str,
    /// What was in it.
    pub held: u64,
    /// What may be in it.
    pub limit: u64,
}

/// All of it.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Calls on configs whose answers are linearizable.
    pub calls: BTreeMap<Key, Vec<Call>>,
    /// Acknowledged writes of configs.
    pub acknowledged: Vec<Acknowledged>,
    /// Revisions that clients were told.
    pub observed: Vec<Observed>,
    /// Lists that ready nodes showed.
    pub lists: Vec<Listed>,
    /// What clients did for their instances.
    pub renewed: Vec<Renewed>,
    /// What the nodes held 2 s after the heal, by node.
    pub healed: BTreeMap<usize, Held>,
    /// What the nodes held at the end, by node.
    pub last: BTreeMap<usize, Held>,
    /// What the subscriber of each node had been told last when `healed` was noted.
    pub told_healed: BTreeMap<usize, Pushed>,
    /// What the subscriber of each node was told last.
    pub pushed: BTreeMap<usize, Pushed>,
    /// Persistent instances, by service.
    pub stored: BTreeMap<String, Stored>,
    /// What each node showed of a crowd that was silent for a while.
    pub silenced: BTreeMap<usize, Silenced>,
    /// How often each node found, since 2 s after the heal, that a mirror differs from what its owner has at the same place.
    pub mismatches: BTreeMap<usize, u64>,
    /// Queues that were fullest.
    pub fills: BTreeMap<(usize, &'static str), Fill>,
    /// What must not happen at all: a process that ended by itself, a node that never got ready.
    pub failures: Vec<String>,
}

/// Where it is written while it happens. A clone is another handle to the same.
#[derive(Clone)]
pub(crate) struct Recorder {
    trace: Trace,
    inner: Arc<Mutex<(u64, Seen)>>,
}

impl Recorder {
    pub(crate) fn new(trace: Trace) -> Self {
        Self { trace, inner: Arc::default() }
    }

    /// The next place in the order of everything.
    pub(crate) fn moment(&self) -> u64 {
        let mut inner = self.inner.lock();
        inner.0 += 1;
        inner.0
    }

    /// Notes what happened in the trace.
    pub(crate) fn note(&self, what: &dyn std::fmt::Display) {
        self.trace.note(now_ms(), what);
    }

    /// Writes something down.
    pub(crate) fn with(&self, write: impl FnOnce(&mut Seen)) {
        write(&mut self.inner.lock().1);
    }

    /// Everything.
    pub(crate) fn take(&self) -> Seen {
        std::mem::take(&mut self.inner.lock().1)
    }
}

/// Virtual time in milliseconds, inside of the simulation.
pub(crate) fn now_ms() -> u64 {
    turmoil::sim_elapsed().unwrap_or_default().as_millis() as u64
}
