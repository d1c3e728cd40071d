//! Whole ensembles in one thread, under virtual time and faults, from a seed: what clients saw is held against what was
//! promised to them.
//!
//! It is deliberately *not* a test of protocols or of real disks: nodes are called by their use cases, and what they store
//! is in memory that forgets what was not synced. Start at `history.rs`, then `linearizability.rs`.

mod clock;
pub mod history;
pub mod linearizability;
mod network;
mod trace;

pub use clock::HostClock;
pub use network::{HostNetwork, Wire};
pub use trace::Trace;
