//! Eureka over the same registry: wire formats and handlers.

mod peers;
pub mod wire;

pub use peers::{EurekaChange, Ourselves, PeerSettings, PeerState, PeerUrl, PeerUrlError, Peers};
