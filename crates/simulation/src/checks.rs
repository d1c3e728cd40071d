//! What was promised to clients, one file a promise.

mod bounded_queues;
mod brake_holds;
mod equal_registries;
mod linearizable;
mod mirrors_agree;
mod no_empty_list;
mod no_lost_write;
mod nothing_fails;
mod pushes_arrive;
mod revisions_grow;

use crate::record::Seen;
use std::fmt;

/// A promise that is held against what was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Promise {
    /// Each config is a linearizable register.
    Linearizable,
    /// What was acknowledged is there, on every node.
    NoLostWrite,
    /// On one connection no revision is older than one before.
    RevisionsGrow,
    /// No list is empty while an instance of it lives.
    NoEmptyList,
    /// All nodes show the same 2 s after everything is well again.
    EqualRegistries,
    /// A mirror has what its owner had at the same place.
    MirrorsAgree,
    /// Subscribers are told of the newest state.
    PushesArrive,
    /// A crowd that falls silent is not given up.
    BrakeHolds,
    /// No queue holds more than it may.
    BoundedQueues,
    /// No process ends by itself, and every node gets ready.
    NothingFails,
}

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// Which.
    pub promise: Promise,
    /// How.
    pub text: String,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.promise, self.text)
    }
}

type Check = fn(&Seen) -> Option<String>;

const CHECKS: [(Promise, Check); 10] = [
    (Promise::NothingFails, nothing_fails::check),
    (Promise::Linearizable, linearizable::check),
    (Promise::NoLostWrite, no_lost_write::check),
    (Promise::RevisionsGrow, revisions_grow::check),
    (Promise::NoEmptyList, no_empty_list::check),
    (Promise::EqualRegistries, equal_registries::check),
    (Promise::MirrorsAgree, mirrors_agree::check),
    (Promise::PushesArrive, pushes_arrive::check),
    (Promise::BrakeHolds, brake_holds::check),
    (Promise::BoundedQueues, bounded_queues::check),
];

/// Every promise that was broken.
pub fn check(seen: &Seen) -> Vec<Breach> {
    CHECKS
        .iter()
        .filter_map(|(promise, check)| Some(Breach { promise: *promise, text: check(seen)? }))
        .collect()
}
