//! The first frame either way.

use crate::Refusal;
use muster_model::{ClusterId, NodeId};
use prost::Message;

/// The newest version of what is said on links that this program speaks.
pub const VERSION: u32 = 1;
/// The oldest.
pub const VERSION_MIN: u32 = 1;

/// What a link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Purpose {
    /// Becoming a member, or finding out whether there are any: before a node has an id.
    Join,
    /// Messages of the consensus engine: entries and votes, one at a time.
    Raft,
    /// Writes and read indices that a follower takes to the leader.
    Forward,
    /// A snapshot, piece by piece.
    Snapshot,
    /// One node's ephemeral publications, to a node that mirrors them.
    Mirror,
    /// Questions about a node: its digests, clock, disk, versions.
    Report,
    /// How many clients a node has, and asking it to let some move to another.
    Clients,
}

impl Purpose {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Join, Self::Raft, Self::Forward, Self::Snapshot, Self::Mirror, Self::Report, Self::Clients];

    fn number(self) -> u32 {
        match self {
            Self::Join => 1,
            Self::Raft => 2,
            Self::Forward => 3,
            Self::Snapshot => 4,
            Self::Mirror => 5,
            Self::Report => 6,
            Self::Clients => 7,
        }
    }

    fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.number() == number)
    }
}

/// What the connecting side says first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hello {
    pub(crate) versions: (u32, u32),
    pub(crate) cluster: ClusterId,
    pub(crate) from: NodeId,
    pub(crate) to: NodeId,
    /// `None`: a purpose that this program does not know.
    pub(crate) purpose: Option<Purpose>,
}

#[derive(Clone, PartialEq, Message)]
struct HelloMessage {
    #[prost(uint32, tag = "1")]
    version_min: u32,
    #[prost(uint32, tag = "2")]
    version_max: u32,
    #[prost(bytes = "vec", tag = "3")]
    cluster: Vec<u8>,
    #[prost(uint64, tag = "4")]
    from: u64,
    #[prost(uint64, tag = "5")]
    to: u64,
    #[prost(uint32, tag = "6")]
    purpose: u32,
}

/// What the accepting side answers.
#[derive(Clone, PartialEq, Message)]
struct WelcomeMessage {
    /// The version that both speak from now on.
    #[prost(uint32, tag = "1")]
    version: u32,
    /// Not 0: the link is refused, for this reason.
    #[prost(uint32, tag = "2")]
    refusal: u32,
    #[prost(string, tag = "3")]
    detail: String,
}

impl Hello {
    pub(crate) fn encode(&self, purpose: Purpose) -> Vec<u8> {
        let message = HelloMessage {
            version_min: self.versions.0,
            version_max: self.versions.1,
            cluster: self.cluster.0.to_be_bytes().to_vec(),
            from: self.from.0,
            to: self.to.0,
            purpose: purpose.number(),
        };
        message.encode_to_vec()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let message = HelloMessage::decode(bytes).ok()?;
        Some(Self {
            versions: (message.version_min, message.version_max),
            cluster: ClusterId(u128::from_be_bytes(message.cluster.try_into().ok()?)),
            from: NodeId(message.from),
            to: NodeId(message.to),
            purpose: Purpose::from_number(message.purpose),
        })
    }
}

/// The answer to a hello.
pub(crate) fn encode_welcome(answer: &Result<u32, Refusal>) -> Vec<u8> {
    let message = match answer {
        Ok(version) => WelcomeMessage { version: *version, ..Default::default() },
        Err(refusal) => WelcomeMessage { version: 0, refusal: refusal.number(), detail: refusal.to_string() },
    };
    message.encode_to_vec()
}

/// `None`: no answer that this program knows.
pub(crate) fn decode_welcome(bytes: &[u8]) -> Option<Result<u32, Refusal>> {
    let message = WelcomeMessage::decode(bytes).ok()?;
    Some(match message.refusal {
        0 => Ok(message.version),
        number => Err(Refusal::from_number(number, message.detail)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hello_comes_back() {
        for purpose in Purpose::ALL {
            let hello = Hello {
                versions: (1, 3),
                cluster: ClusterId(u128::MAX - 7),
                from: NodeId(2),
                to: NodeId(3),
                purpose: Some(purpose),
            };
            assert_eq!(Hello::decode(&hello.encode(purpose)), Some(hello));
        }
        assert_eq!(Hello::decode(b"GET / HTTP/1.1"), None);
    }

    #[test]
    fn answers_come_back() {
        assert_eq!(decode_welcome(&encode_welcome(&Ok(1))), Some(Ok(1)));
        for refusal in [Refusal::OtherCluster, Refusal::NotTheNode, Refusal::Busy, Refusal::NotServed] {
            assert_eq!(decode_welcome(&encode_welcome(&Err(refusal.clone()))), Some(Err(refusal)));
        }
    }

    /// Programs of different ages greet each other: this must never change.
    #[test]
    fn the_hello_of_the_first_version_is_pinned() {
        let cluster = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7];
        let pinned = [&[0x08, 1, 0x10, 1, 0x1a, 16][..], &cluster, &[0x20, 2, 0x28, 3, 0x30, 2]].concat();
        let hello = Hello {
            versions: (1, 1),
            cluster: ClusterId(7),
            from: NodeId(2),
            to: NodeId(3),
            purpose: Some(Purpose::Raft),
        };
        assert_eq!(hello.encode(Purpose::Raft), pinned);
        assert_eq!(Hello::decode(&pinned), Some(hello));
    }

    /// And so must the answer.
    #[test]
    fn the_answer_of_the_first_version_is_pinned() {
        assert_eq!(encode_welcome(&Ok(1)), [0x08, 1]);
        assert_eq!(decode_welcome(&[0x08, 1]), Some(Ok(1)));
        let refusals = [
            (1, Refusal::OtherCluster, "it belongs to another cluster"),
            (2, Refusal::NotTheNode, "it is another node"),
            (3, Refusal::NotProven, "it does not accept this node's identity"),
            (4, Refusal::Removed, "this node was removed from the cluster"),
            (5, Refusal::Version, "no version of the protocol is spoken by both"),
            (6, Refusal::NotServed, "it does not serve this, or not yet"),
            (7, Refusal::Busy, "it has too many links"),
            (99, Refusal::Other("because".into()), "because"),
        ];
        for (number, refusal, detail) in refusals {
            let length = detail.len() as u8;
            let pinned = [&[0x10, number, 0x1a, length][..], detail.as_bytes()].concat();
            assert_eq!(encode_welcome(&Err(refusal.clone())), pinned);
            assert_eq!(decode_welcome(&pinned), Some(Err(refusal)));
        }
    }

    /// Each purpose keeps its number.
    #[test]
    fn purposes_are_pinned() {
        assert_eq!(Purpose::ALL.map(Purpose::number), [1, 2, 3, 4, 5, 6, 7]);
    }
}
