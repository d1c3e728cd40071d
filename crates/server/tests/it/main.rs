//! The real binary, under everything that can happen to a process, its disk and its clients.
//!
//! Figures come from the environment: `MUSTER_KILL_ROUNDS`, `MUSTER_STARTS`, `MUSTER_DAMAGE_TRIALS`, and `MUSTER_SEED`
//! to repeat a run. What a machine can't do (no `strace`, no right to mount) is skipped, and says so.
#![allow(clippy::unwrap_used, reason = "a test that meets an error has failed")]

mod backup;
mod checkpoint;
mod client;
mod configs;
mod damage;
mod disk_full;
mod drain;
mod figures;
mod full_start;
mod harm;
mod health_checks;
mod journal;
mod kill;
mod lane;
mod node;
mod offline;
mod old_directory;
mod old_writer;
mod oracle;
mod power_cut;
mod refusals;
mod restart;
mod sequence;
mod starts;
mod surfaces;
mod trace;
mod writer;
