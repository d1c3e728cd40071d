//! What Muster keeps on disk: the log, the state, snapshots, the flight recorder, and the directory they are in.
//!
//! This crate knows bytes, checksums and syncs; what an entry or a row means is known by `consensus` and by
//! the cores. Start at [`data_dir::DataDir`], then [`log::Log`] (what was acknowledged is here),
//! [`state::StateStore`] (what the log amounts to), [`snapshot::Snapshots`],
//! [`checkpoint::CheckpointFile`] and [`journal::Journal`].
//!
//! Not here: no consensus, no background work of its own except the journal's writer, and no repair that
//! loses an acknowledged entry: what can't be made whole again is refused with a message that says what the
//! operator can do.

pub mod checkpoint;
mod chunks;
pub mod data_dir;
mod double;
pub mod journal;
pub mod log;
pub mod snapshot;
pub mod space;
pub mod state;
mod stream;

/// The version of everything this crate writes; a directory with a higher one is refused.
pub const FORMAT_VERSION: u8 = 1;
