//! Each node's ephemeral publications, mirrored to its peers; who is alive; and whether the mirrors agree.
//!
//! A node is the single writer of what its clients publish. Each peer follows it over a link of its own: what changed since
//! the peer's position, or everything where that is too long ago, then each change as it comes, and every few seconds a
//! digest, so that a mirror that differs is found and mended. The same links say who is alive.
//!
//! It is deliberately *not* a place that knows what a publication is: operations are bytes, and the registry behind
//! [`Replica`] decides what they mean, who adopts what a lost node left, and which of two registrations holds. Start at
//! [`Mirror`], then [`Replica`].

mod buckets;
mod figures;
mod follow;
mod heard;
mod message;
mod mirror;
mod peer;
mod replica;
mod serve;
mod settings;
mod shared;
mod silence;
mod start;

pub use buckets::{BUCKETS, Buckets};
pub use figures::{LinkState, PeerCounts, PeerStatus, Standing, Status};
pub use mirror::{Known, Mirror, Parts, Told};
pub use replica::{Changes, Digest, Position, Refused, Replica, Snapshot};
pub use settings::Settings;
pub use shared::Addresses;

#[cfg(test)]
mod tests;
