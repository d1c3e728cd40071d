//! What is said on a link of the mirror. Whoever connects follows; the other end is the origin.

use crate::{BUCKETS, Buckets, Digest, Position, Standing};
use bytes::Bytes;
use muster_model::{Epoch, NodeId};
use prost::{Message, Oneof};
use std::collections::BTreeMap;

/// From the follower to the origin.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Up {
    /// First: who follows in which life, and how far it knows the origin.
    Follow { life: Epoch, known: Option<Position> },
    /// It is there, and knows the origin so far.
    Beat { known: Option<Position> },
    /// Renewals of the origin's clients.
    Renewals(Vec<Bytes>),
    /// Its mirror differs in these buckets.
    Resync(Buckets),
}

/// From the origin to the follower.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Down {
    /// First, and every few seconds: the origin's digest. `former` is how far the origin had mirrored earlier lives of the
    /// follower.
    Digest { life: Epoch, digest: Box<Digest>, former: Vec<Position> },
    /// A snapshot of these buckets follows; it has all changes up to this sequence.
    Begin { sequence: u64, buckets: Buckets },
    /// A page of it.
    Page(Vec<Bytes>),
    /// That was the snapshot.
    End,
    /// Changes, in order.
    Ops { ops: Vec<Bytes>, upto: u64 },
    /// The origin is there.
    Beat(Beat),
}

/// What the origin says of itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Beat {
    /// Its newest change.
    pub(crate) newest: u64,
    /// Everything it had when this link began has been sent, and everything it put back before it took this standing.
    pub(crate) is_complete: bool,
    pub(crate) standing: Standing,
    /// Whom it hears, each in which life; in life 0 if it never spoke.
    pub(crate) hears: Lives,
}

/// Nodes, and the life of each.
pub(crate) type Lives = BTreeMap<NodeId, Epoch>;

#[derive(Clone, PartialEq, Message)]
struct UpMessage {
    #[prost(oneof = "UpBody", tags = "1, 2, 3, 4")]
    body: Option<UpBody>,
}

#[derive(Clone, PartialEq, Oneof)]
enum UpBody {
    #[prost(message, tag = "1")]
    Follow(FollowMessage),
    #[prost(message, tag = "2")]
    Beat(UpBeatMessage),
    #[prost(message, tag = "3")]
    Renewals(RenewalsMessage),
    #[prost(message, tag = "4")]
    Resync(ResyncMessage),
}

#[derive(Clone, PartialEq, Message)]
struct DownMessage {
    #[prost(oneof = "DownBody", tags = "1, 2, 3, 4, 5, 6")]
    body: Option<DownBody>,
}

#[derive(Clone, PartialEq, Oneof)]
enum DownBody {
    #[prost(message, tag = "1")]
    Digest(DigestMessage),
    #[prost(message, tag = "2")]
    Begin(BeginMessage),
    #[prost(message, tag = "3")]
    Page(OpsMessage),
    #[prost(message, tag = "4")]
    End(EndMessage),
    #[prost(message, tag = "5")]
    Ops(OpsMessage),
    #[prost(message, tag = "6")]
    Beat(BeatMessage),
}

#[derive(Clone, Copy, PartialEq, Message)]
struct PositionMessage {
    #[prost(uint64, tag = "1")]
    boot: u64,
    #[prost(fixed64, tag = "2")]
    random: u64,
    #[prost(uint64, tag = "3")]
    sequence: u64,
}

#[derive(Clone, PartialEq, Message)]
struct FollowMessage {
    #[prost(message, optional, tag = "1")]
    life: Option<PositionMessage>,
    #[prost(message, optional, tag = "2")]
    known: Option<PositionMessage>,
}

#[derive(Clone, PartialEq, Message)]
struct UpBeatMessage {
    #[prost(message, optional, tag = "1")]
    known: Option<PositionMessage>,
}

#[derive(Clone, PartialEq, Message)]
struct RenewalsMessage {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    renewals: Vec<Bytes>,
}

#[derive(Clone, PartialEq, Message)]
struct ResyncMessage {
    #[prost(fixed64, repeated, tag = "1")]
    buckets: Vec<u64>,
}

#[derive(Clone, PartialEq, Message)]
struct DigestMessage {
    #[prost(message, optional, tag = "1")]
    at: Option<PositionMessage>,
    #[prost(fixed64, tag = "2")]
    sum: u64,
    #[prost(fixed64, repeated, tag = "3")]
    buckets: Vec<u64>,
    #[prost(message, repeated, tag = "4")]
    former: Vec<PositionMessage>,
}

#[derive(Clone, PartialEq, Message)]
struct BeginMessage {
    #[prost(uint64, tag = "1")]
    sequence: u64,
    #[prost(fixed64, repeated, tag = "2")]
    buckets: Vec<u64>,
}

#[derive(Clone, PartialEq, Message)]
struct EndMessage {}

#[derive(Clone, PartialEq, Message)]
struct OpsMessage {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    ops: Vec<Bytes>,
    #[prost(uint64, tag = "2")]
    upto: u64,
}

#[derive(Clone, PartialEq, Message)]
struct BeatMessage {
    #[prost(uint64, tag = "1")]
    newest: u64,
    #[prost(bool, tag = "2")]
    is_complete: bool,
    #[prost(uint32, tag = "3")]
    standing: u32,
    #[prost(message, repeated, tag = "5")]
    hears: Vec<LifeMessage>,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct LifeMessage {
    #[prost(uint64, tag = "1")]
    node: u64,
    #[prost(uint64, tag = "2")]
    boot: u64,
    #[prost(fixed64, tag = "3")]
    random: u64,
}

impl From<(NodeId, Epoch)> for LifeMessage {
    fn from((node, epoch): (NodeId, Epoch)) -> Self {
        Self { node: node.0, boot: epoch.boot, random: epoch.random }
    }
}

impl From<LifeMessage> for (NodeId, Epoch) {
    fn from(LifeMessage { node, boot, random }: LifeMessage) -> Self {
        (NodeId(node), Epoch { boot, random })
    }
}

impl From<Position> for PositionMessage {
    fn from(position: Position) -> Self {
        let Position { epoch, sequence } = position;
        Self { boot: epoch.boot, random: epoch.random, sequence }
    }
}

impl From<PositionMessage> for Position {
    fn from(message: PositionMessage) -> Self {
        let PositionMessage { boot, random, sequence } = message;
        Self { epoch: Epoch { boot, random }, sequence }
    }
}

impl Standing {
    fn number(self) -> u32 {
        match self {
            Self::Starting => 0,
            Self::Restored => 1,
            Self::Ready => 2,
        }
    }

    /// A number that a later version gives means no less than what is known.
    fn from_number(number: u32) -> Self {
        match number {
            0 => Self::Starting,
            1 => Self::Restored,
            _ => Self::Ready,
        }
    }
}

impl Up {
    pub(crate) fn encode(self) -> Vec<u8> {
        let known = |known: Option<Position>| known.map(Into::into);
        let body = match self {
            Self::Follow { life, known: position } => UpBody::Follow(FollowMessage {
                life: Some(Position { epoch: life, sequence: 0 }.into()),
                known: known(position),
            }),
            Self::Beat { known: position } => UpBody::Beat(UpBeatMessage { known: known(position) }),
            Self::Renewals(renewals) => UpBody::Renewals(RenewalsMessage { renewals }),
            Self::Resync(buckets) => UpBody::Resync(ResyncMessage { buckets: buckets.parts() }),
        };
        UpMessage { body: Some(body) }.encode_to_vec()
    }

    /// `None`: it is of a later version, or no message at all.
    pub(crate) fn decode(frame: Bytes) -> Option<Self> {
        Some(match UpMessage::decode(frame).ok()?.body? {
            UpBody::Follow(FollowMessage { life, known }) => {
                Self::Follow { life: Position::from(life?).epoch, known: known.map(Into::into) }
            }
            UpBody::Beat(UpBeatMessage { known }) => Self::Beat { known: known.map(Into::into) },
            UpBody::Renewals(RenewalsMessage { renewals }) => Self::Renewals(renewals),
            UpBody::Resync(ResyncMessage { buckets }) => Self::Resync(Buckets::from_parts(buckets)?),
        })
    }
}

impl Down {
    pub(crate) fn encode(self) -> Vec<u8> {
        let body = match self {
            Self::Digest { life, digest, former } => {
                let Digest { sequence, sum, buckets } = *digest;
                DownBody::Digest(DigestMessage {
                    at: Some(Position { epoch: life, sequence }.into()),
                    sum,
                    buckets: buckets.to_vec(),
                    former: former.into_iter().map(Into::into).collect(),
                })
            }
            Self::Begin { sequence, buckets } => {
                DownBody::Begin(BeginMessage { sequence, buckets: buckets.parts() })
            }
            Self::Page(ops) => DownBody::Page(OpsMessage { ops, upto: 0 }),
            Self::End => DownBody::End(EndMessage {}),
            Self::Ops { ops, upto } => DownBody::Ops(OpsMessage { ops, upto }),
            Self::Beat(Beat { newest, is_complete, standing, hears }) => DownBody::Beat(BeatMessage {
                newest,
                is_complete,
                standing: standing.number(),
                hears: hears.into_iter().map(Into::into).collect(),
            }),
        };
        DownMessage { body: Some(body) }.encode_to_vec()
    }

    /// `None`: it is of a later version, or no message at all.
    pub(crate) fn decode(frame: Bytes) -> Option<Self> {
        Some(match DownMessage::decode(frame).ok()?.body? {
            DownBody::Digest(DigestMessage { at, sum, buckets, former }) => {
                let Position { epoch: life, sequence } = at?.into();
                let buckets: [u64; BUCKETS] = buckets.try_into().ok()?;
                let former = former.into_iter().map(Into::into).collect();
                Self::Digest { life, digest: Box::new(Digest { sequence, sum, buckets }), former }
            }
            DownBody::Begin(BeginMessage { sequence, buckets }) => {
                Self::Begin { sequence, buckets: Buckets::from_parts(buckets)? }
            }
            DownBody::Page(OpsMessage { ops, .. }) => Self::Page(ops),
            DownBody::End(EndMessage {}) => Self::End,
            DownBody::Ops(OpsMessage { ops, upto }) => Self::Ops { ops, upto },
            DownBody::Beat(BeatMessage { newest, is_complete, standing, hears }) => Self::Beat(Beat {
                newest,
                is_complete,
                standing: Standing::from_number(standing),
                hears: hears.into_iter().map(Into::into).collect(),
            }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_back() {
        let life = Epoch { boot: 3, random: u64::MAX };
        let known = Some(Position { epoch: life, sequence: 9 });
        let ops = vec![Bytes::from_static(b"one"), Bytes::new()];
        for up in [
            Up::Follow { life, known },
            Up::Follow { life, known: None },
            Up::Beat { known },
            Up::Renewals(ops.clone()),
            Up::Resync(Buckets::ALL),
        ] {
            assert_eq!(Up::decode(up.clone().encode().into()), Some(up));
        }
        let mut digest = Digest { sequence: 5, sum: 7, buckets: [0; BUCKETS] };
        digest.buckets[255] = u64::MAX;
        let beat = Beat {
            newest: 8,
            is_complete: true,
            standing: Standing::Restored,
            hears: BTreeMap::from([(NodeId(1), life), (NodeId(3), Epoch { boot: 0, random: 0 })]),
        };
        for down in [
            Down::Digest { life, digest: Box::new(digest), former: known.into_iter().collect() },
            Down::Begin { sequence: 4, buckets: Buckets::NONE },
            Down::Page(ops.clone()),
            Down::End,
            Down::Ops { ops, upto: 12 },
            Down::Beat(beat),
            Down::Beat(Beat::default()),
        ] {
            assert_eq!(Down::decode(down.clone().encode().into()), Some(down));
        }
        assert_eq!(Up::decode(Bytes::from_static(b"\xff")), None);
    }
}
