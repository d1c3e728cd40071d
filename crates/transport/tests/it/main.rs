//! Real sockets on port 0 against the whole crate.
#![expect(clippy::unwrap_used, reason = "a test that meets an error has failed")]

mod bind;
mod close;
mod drain;
mod fixture;
mod grpc;
mod limits;
mod memory;
mod requests;
mod slow;
