//! What the environment decides about a run, and saying what happened.

use muster_runtime::Rng;
use std::io::Write;

/// A number from the environment, or its default.
pub(crate) fn figure(name: &str, default: u64) -> u64 {
    std::env::vars().find(|(key, _)| key == name).map_or(default, |(_, value)| {
        value.parse().unwrap_or_else(|_| panic!("{name} must be a whole number, not {value:?}"))
    })
}

/// The randomness of a test; its seed is told, so that a failure can be repeated.
pub(crate) fn rng(test: &str) -> Rng {
    let seed = figure("MUSTER_SEED", Rng::from_system().next_u64());
    say(&format!("{test}: MUSTER_SEED={seed}"));
    Rng::seeded(seed)
}

/// Writes a line that the test harness does not swallow.
pub(crate) fn say(line: &str) {
    std::io::stderr().write_all(format!("{line}\n").as_bytes()).unwrap();
}
