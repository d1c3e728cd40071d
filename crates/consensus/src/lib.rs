//! One Raft group that agrees on the order of opaque operations and applies them to a [`Machine`]. A node of its own
//! is a group of one: the same path, the same files, no special case for callers.
//!
//! Proposals are batched: what arrives while two log entries are in flight becomes the next one, and a lone proposal
//! goes at once, so no timer is involved. A proposal is answered after its entry is synced on a majority, applied,
//! and its rows are committed.
//!
//! It is deliberately *not* a place where anybody learns what an operation means, nor one that answers from memory
//! before a disk said yes. The engine is openraft, and no type of it leaves this crate; every stored byte is of our
//! own format ([`muster_storage`]). Start reading at [`Consensus`].

mod acceptor;
mod applier;
mod barrier;
mod codec;
mod consensus;
mod contact;
mod election;
mod engine;
mod engine_runtime;
mod entry;
mod error;
mod forward_acceptor;
mod forward_wire;
mod forwarder;
mod isolate;
mod lane;
mod level;
mod log_adapter;
mod machine;
mod maintenance;
mod marker;
mod members;
mod membership;
mod network;
mod pipeline;
mod proposer;
mod reading;
mod recent;
mod recovery;
mod requests;
mod settings;
mod snapshot_acceptor;
mod snapshot_send;
mod snapshot_wire;
mod snapshotter;
mod space;
mod standing;
mod state_adapter;
mod status;
mod trimming;
mod types;
mod waiters;
mod wire;

pub use consensus::{Consensus, Fatal, Metrics, Parts, SnapshotInfo};
pub use error::{ConsensusError, ProposeError};
pub use isolate::{isolate, last_entry, stored_members};
pub use level::NEWEST as LEVEL_NEWEST;
pub use machine::{ApplyContext, Machine, RESULT_BYTES_MAX};
pub use marker::marker_index;
pub use members::{Bootstrap, FollowerStanding, Members, Role, Standing};
pub use membership::ChangeError;
pub use settings::Settings;

#[cfg(test)]
mod tests;
