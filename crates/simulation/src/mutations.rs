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
    (Mutation::ReuseEpoch, Promise::EqualRegistries),
    (Mutation::WipedVote, Promise::NoLostWrite),
    (Mutation::ExpireBraked, Promise::BrakeHolds),
];

/// The first seed under which a defect breaks a promise that the unbroken product keeps; `None`: it is not found.
pub fn find(mutation: Mutation, promise: Promise) -> Option<u64> {
    let breaks = |seed: &u64| {
        mutation::set(Some(mutation));
        // An assertion of openraft's may end such a run, which is no checker's merit.
        let outcome = std::panic::catch_unwind(|| run(*seed, &Trace::default()));
        mutation::set(None);
        outcome.is_ok_and(|outcome| outcome.breaches.iter().any(|breach| breach.promise == promise))
    };
    let keeps =
        |seed: &u64| run(*seed, &Trace::default()).breaches.iter().all(|breach| breach.promise != promise);
    (0..SEEDS).find(|seed| breaks(seed) && keeps(seed))
}
