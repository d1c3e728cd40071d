//! The binary as people and scripts use it: what it prints, how it ends, what its settings do.
#![expect(clippy::unwrap_used, reason = "a test that meets an error has failed")]

mod clients;
mod import;
mod limits;
mod process;
mod serve;
mod settings;
