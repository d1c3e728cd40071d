//! Mutation of the proof: each deliberate defect is found by the promise that it breaks, within so many seeds.

use crate::{Trace, checks::Promise, world::run};
use muster_model::mutation::{self, Mutation};

/// Seeds that are tried at most.
pub const SEEDS: u64 = 200;

/// The defects, and for each the promise whose checker is to find it.
pub const BROKEN: [(Mutation, Promise); 8] = [
    (Mutation::SkipSync, Promise::NoLostWrite),
    (Mutation::AcknowledgeEarly, Promise::NoLostWrite),
    (Mutation::ForgetResync, Promise::EqualRegistries),
    (Mutation::DropDelta, Promise::EqualRegistries),
    (Mutation::AnswerEarly, Promise::NoEmptyList),
    (Mutation::ReuseEpoch, Promise::NoEmptyList),
    (Mutation::WipedVote, Promise::NoLostWrite),
    (Mutation::ExpireBraked, Promise::BrakeHolds),
];

/// Whether a defect breaks a promise under a seed, under which the unbroken product keeps it. An assertion may
/// end the process of such a run, which is no checker's merit.
pub fn finds(mutation: Mutation, promise: Promise, seed: u64) -> bool {
    let breaks = || run(seed, &Trace::default()).breaches.iter().any(|breach| breach.promise == promise);
    mutation::set(Some(mutation));
    let is_broken = breaks();
    mutation::set(None);
    is_broken && !breaks()
}
