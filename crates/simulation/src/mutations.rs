//! Mutation of the proof: each deliberate defect is found by the promise that it breaks, within so many seeds.

use crate::{Trace, checks::Promise, world::run};
use muster_model::mutation::{self, Mutation};

/// Seeds that are tried at most.
pub const SEEDS: u64 = 200;

/// The defects and which promise they break; what is not here is not tried yet.
pub const BROKEN: [(Mutation, Promise); 5] = [
    (Mutation::SkipSync, Promise::NoLostWrite),
    (Mutation::ForgetResync, Promise::EqualRegistries),
    (Mutation::DropDelta, Promise::EqualRegistries),
    (Mutation::AnswerEarly, Promise::NoEmptyList),
    (Mutation::ReuseEpoch, Promise::EqualRegistries),
];

/// The first seed under which a defect breaks a promise that the unbroken product keeps; `None`: it is not found.
pub fn find(mutation: Mutation, promise: Promise) -> Option<u64> {
    let breaks = |seed: &u64| {
        mutation::set(Some(mutation));
        let outcome = run(*seed, &Trace::default());
        mutation::set(None);
        outcome.breaches.iter().any(|breach| breach.promise == promise)
    };
    let keeps =
        |seed: &u64| run(*seed, &Trace::default()).breaches.iter().all(|breach| breach.promise != promise);
    (0..SEEDS).find(|seed| breaks(seed) && keeps(seed))
}
