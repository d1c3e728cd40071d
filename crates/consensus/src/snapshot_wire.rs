//! How a snapshot goes to another node, on a link for `Purpose::Snapshot`: an offer, an answer that says where to go on,
//! then the parts of the file as they are, a frame each, and a last answer.

use crate::wire::VoteBody;
use prost::Message;

/// The largest part.
pub(crate) const PART_BYTES: usize = 1 << 20;

/// What is going to be sent.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Offer {
    /// As what leader it is sent.
    #[prost(message, required, tag = "1")]
    pub(crate) vote: VoteBody,
    /// Under the same name the same sender sends the same bytes.
    #[prost(string, tag = "2")]
    pub(crate) name: String,
    #[prost(uint64, tag = "3")]
    pub(crate) bytes: u64,
}

/// What the receiver says to it.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Answer {
    /// How many bytes it has.
    #[prost(uint64, tag = "1")]
    pub(crate) offset: u64,
    /// Present: it has installed it, or knows a newer leader.
    #[prost(message, optional, tag = "2")]
    pub(crate) vote: Option<VoteBody>,
    /// Not empty: it does not take it, for this reason.
    #[prost(string, tag = "3")]
    pub(crate) trouble: String,
}
