//! Whole ensembles in one thread, under virtual time and faults, from a seed: what clients saw is held against what was
//! promised to them.
//!
//! It is deliberately *not* a test of protocols or of real disks: nodes are called by their use cases, and what they store
//! is in memory that forgets what was not synced. Start at `history.rs`, then `world.rs`, `schedule.rs` and `checks.rs`.

pub mod checks;
mod clients;
mod clock;
mod disk;
pub mod history;
pub mod linearizability;
mod machine;
#[cfg(feature = "mutations")]
pub mod mutations;
mod network;
pub mod record;
pub mod schedule;
#[cfg(test)]
mod seeds;
mod trace;
mod world;

pub use clock::HostClock;
pub use disk::HostDisk;
pub use network::{HostNetwork, Wire};
pub use trace::Trace;
pub use world::{Outcome, run, run_schedule};
