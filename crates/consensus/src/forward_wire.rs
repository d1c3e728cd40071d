//! What a node asks the leader for, on links for `Purpose::Forward`: one request and one response a frame.

use crate::{ChangeError, ProposeError, membership::Change, requests::RequestId, waiters::Applied};
use bytes::Bytes;
use muster_model::NodeId;
use prost::Message;

/// One request, with operations or exactly one of the other fields.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Request {
    /// To be proposed, all at once.
    #[prost(message, repeated, tag = "1")]
    pub(crate) ops: Vec<OpBody>,
    /// How long the one who asks waits, milliseconds.
    #[prost(uint64, tag = "2")]
    pub(crate) wait_ms: u64,
    /// Up to which entry a read must have applied.
    #[prost(bool, tag = "3")]
    pub(crate) read_index: bool,
    #[prost(message, optional, tag = "4")]
    pub(crate) change: Option<ChangeBody>,
    /// A format level to be in force from now on.
    #[prost(uint32, optional, tag = "5")]
    pub(crate) level: Option<u32>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct OpBody {
    #[prost(uint64, tag = "1")]
    session: u64,
    #[prost(uint64, tag = "2")]
    number: u64,
    #[prost(bytes = "bytes", tag = "3")]
    op: Bytes,
}

/// A change of the members.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ChangeBody {
    /// 1: add a learner, 2: set the voters, 3: remove, 4: set an address.
    #[prost(uint32, tag = "1")]
    kind: u32,
    #[prost(uint64, repeated, tag = "2")]
    nodes: Vec<u64>,
    #[prost(string, tag = "3")]
    address: String,
}

/// Its response: as many answers as there were operations, or one.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Response {
    #[prost(message, repeated, tag = "1")]
    pub(crate) answers: Vec<AnswerBody>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct AnswerBody {
    /// 0: done; else see [`code`].
    #[prost(uint32, tag = "1")]
    code: u32,
    #[prost(uint64, tag = "2")]
    number: u64,
    #[prost(bytes = "bytes", tag = "3")]
    result: Bytes,
}

/// Why something was not done.
mod code {
    pub(super) const DONE: u32 = 0;
    pub(super) const NOT_LEADER: u32 = 1;
    pub(super) const OVERLOADED: u32 = 2;
    pub(super) const STORAGE_FULL: u32 = 3;
    pub(super) const UNKNOWN: u32 = 4;
    pub(super) const UNAVAILABLE: u32 = 5;
    pub(super) const CHANGING: u32 = 6;
    pub(super) const UNKNOWN_NODE: u32 = 7;
    pub(super) const NO_VOTERS: u32 = 8;
    pub(super) const TOO_LARGE: u32 = 9;
}

impl OpBody {
    pub(crate) fn new(id: RequestId, op: Bytes) -> Self {
        Self { session: id.session, number: id.number, op }
    }

    pub(crate) fn read(self) -> (RequestId, Bytes) {
        (RequestId { session: self.session, number: self.number }, self.op)
    }
}

impl ChangeBody {
    pub(crate) fn new(change: &Change) -> Self {
        let (kind, nodes, address) = match change {
            Change::AddLearner(node, address) => (1, vec![node.0], address.clone()),
            Change::SetVoters(voters) => (2, voters.iter().map(|node| node.0).collect(), String::new()),
            Change::Remove(node) => (3, vec![node.0], String::new()),
            Change::SetAddress(node, address) => (4, vec![node.0], address.clone()),
        };
        Self { kind, nodes, address }
    }

    /// `None`: a change that this program does not know.
    pub(crate) fn read(self) -> Option<Change> {
        let node = self.nodes.first().copied().map(NodeId);
        Some(match self.kind {
            1 => Change::AddLearner(node?, self.address),
            2 => Change::SetVoters(self.nodes.into_iter().map(NodeId).collect()),
            3 => Change::Remove(node?),
            4 => Change::SetAddress(node?, self.address),
            _ => return None,
        })
    }
}

impl AnswerBody {
    /// What an operation came to; a read index has an empty result, and a change has none.
    pub(crate) fn new(answer: Result<Applied, ProposeError>) -> Self {
        match answer {
            Ok(Applied { index, result }) => Self { code: code::DONE, number: index, result },
            Err(error) => Self::refused(&error),
        }
    }

    pub(crate) fn changed(answer: Result<(), ChangeError>) -> Self {
        let (code, number) = match answer {
            Ok(()) => (code::DONE, 0),
            Err(ChangeError::Propose(error)) => return Self::refused(&error),
            Err(ChangeError::Busy) => (code::CHANGING, 0),
            Err(ChangeError::UnknownNode(node)) => (code::UNKNOWN_NODE, node.0),
            Err(ChangeError::NoVoters) => (code::NO_VOTERS, 0),
        };
        Self { code, number, result: Bytes::new() }
    }

    fn refused(error: &ProposeError) -> Self {
        let (code, number) = match error {
            ProposeError::NotLeader { leader } => (code::NOT_LEADER, leader.map_or(0, |leader| leader.0)),
            ProposeError::Overloaded { queued_bytes } => (code::OVERLOADED, *queued_bytes as u64),
            ProposeError::StorageFull => (code::STORAGE_FULL, 0),
            ProposeError::Timeout => (code::UNKNOWN, 0),
            ProposeError::Unavailable(_) => (code::UNAVAILABLE, 0),
            ProposeError::TooLarge { bytes_max } => (code::TOO_LARGE, *bytes_max as u64),
        };
        Self { code, number, result: Bytes::new() }
    }

    pub(crate) fn read(self) -> Result<Applied, ProposeError> {
        match self.code {
            code::DONE => Ok(Applied { index: self.number, result: self.result }),
            code::NOT_LEADER => {
                let leader = Some(NodeId(self.number)).filter(|leader| leader.0 != 0);
                Err(ProposeError::NotLeader { leader })
            }
            code::OVERLOADED => Err(ProposeError::Overloaded { queued_bytes: self.number as usize }),
            code::STORAGE_FULL => Err(ProposeError::StorageFull),
            code::UNAVAILABLE => Err(ProposeError::Unavailable("the leader does not take it now")),
            code::TOO_LARGE => Err(ProposeError::TooLarge { bytes_max: self.number as usize }),
            // Also what a newer program may answer.
            _ => Err(ProposeError::Timeout),
        }
    }

    pub(crate) fn read_change(self) -> Result<(), ChangeError> {
        match self.code {
            code::CHANGING => Err(ChangeError::Busy),
            code::UNKNOWN_NODE => Err(ChangeError::UnknownNode(NodeId(self.number))),
            code::NO_VOTERS => Err(ChangeError::NoVoters),
            _ => self.read().map(drop).map_err(ChangeError::from),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn changes_come_back() {
        for change in [
            Change::AddLearner(NodeId(2), "b:1".into()),
            Change::SetVoters(BTreeSet::from([NodeId(1), NodeId(2)])),
            Change::Remove(NodeId(3)),
            Change::SetAddress(NodeId(1), "a:1".into()),
        ] {
            assert_eq!(ChangeBody::new(&change).read(), Some(change));
        }
        assert_eq!(ChangeBody::default().read(), None);
    }

    #[test]
    fn answers_come_back() {
        for answer in [
            Ok(Applied { index: 7, result: Bytes::from_static(b"r") }),
            Err(ProposeError::NotLeader { leader: Some(NodeId(3)) }),
            Err(ProposeError::NotLeader { leader: None }),
            Err(ProposeError::Overloaded { queued_bytes: 9 }),
            Err(ProposeError::StorageFull),
            Err(ProposeError::Timeout),
            Err(ProposeError::TooLarge { bytes_max: 5 }),
        ] {
            assert_eq!(AnswerBody::new(answer.clone()).read(), answer);
        }
        for answer in [
            Ok(()),
            Err(ChangeError::Busy),
            Err(ChangeError::NoVoters),
            Err(ChangeError::UnknownNode(NodeId(4))),
            Err(ChangeError::Propose(ProposeError::Timeout)),
        ] {
            assert_eq!(AnswerBody::changed(answer.clone()).read_change(), answer);
        }
    }
}
