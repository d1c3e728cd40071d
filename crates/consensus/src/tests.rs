//! Behaviour of the whole crate, on a disk and a store in memory and on real ones.

mod cutting;
mod ensemble;
mod failover;
mod forwarding;
mod full;
mod full_leader;
mod group;
mod joining;
mod lagging;
mod levels;
#[cfg(not(feature = "previous-format"))]
mod once;
mod power;
mod real;
mod snapshots;
mod speed;
mod world;
