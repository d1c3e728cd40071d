//! Muster's own HTTP API over a node in memory.
#![expect(clippy::unwrap_used, reason = "a test that meets an error has failed")]

mod cluster;
mod health;
mod metrics;
mod operators;
mod page;
mod world;
