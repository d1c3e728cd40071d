//! Links between the nodes of an ensemble: who is at the other end, which version is spoken, and frames of bytes in
//! order. A link has one purpose ([`Purpose`]); whoever serves that purpose says what the frames mean.
//!
//! It is deliberately *not* a place that knows what consensus or the mirror say to each other, who is a member, or when to
//! connect again. Nothing of it is reachable on the addresses of clients. Start at [`Links`].

mod authority;
mod expiry;
mod hello;
mod join;
mod key;
mod link;
mod links;
mod roster;
mod security;
mod tls;
mod token;
mod verify;

pub use authority::{Authority, CERTIFICATE_LIFETIME, CredentialError, NodeKey, new_cluster_id};
pub use expiry::certificate_expiry;
pub use hello::{Purpose, VERSION, VERSION_MIN};
pub use join::{Answer, Founder, JoinRequest, Joined, PresentedToken, Probe, ProbeAnswer, Question, ask};
pub use key::{KeyHash, SecretHash};
pub use link::{FRAME_BYTES_MAX, Link, LinkReader, LinkWriter};
pub use links::{Acceptor, LinkError, Links, LinksParts, Refusal};
pub use roster::Roster;
pub use security::{Plaintext, Proof, Secured, Security};
pub use tls::{Credentials, Tls, Trusted};
pub use token::{JoinToken, TokenError, TokenId};
