//! What nodes say to each other for openraft: one request and one response a frame, on links for `Purpose::Raft`.
//! Entries travel as they are stored.

use crate::{
    codec::log_id,
    entry::{decode, encode},
    types::{LogId, RaftEntry, TypeConfig, Vote},
};
use bytes::Bytes;
use openraft::raft::{AppendEntriesRequest, AppendEntriesResponse, VoteRequest, VoteResponse};
use prost::Message;

/// A frame does not read: the link is broken, or the peer speaks something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a message of a peer does not read")]
pub(crate) struct Malformed;

/// One request, with exactly one of its fields.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Request {
    #[prost(message, optional, tag = "1")]
    pub(crate) append: Option<Append>,
    #[prost(message, optional, tag = "2")]
    pub(crate) vote: Option<AskVote>,
    /// Whether a vote would be granted, before anybody counts up a term.
    #[prost(message, optional, tag = "3")]
    pub(crate) would_vote: Option<AskVote>,
}

/// Its response.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Response {
    #[prost(message, optional, tag = "1")]
    pub(crate) appended: Option<Appended>,
    #[prost(message, optional, tag = "2")]
    pub(crate) voted: Option<Voted>,
    #[prost(bool, optional, tag = "3")]
    pub(crate) would_vote: Option<bool>,
    /// Not empty: the node can't answer, for this reason.
    #[prost(string, tag = "4")]
    pub(crate) trouble: String,
    /// Whether the answering node has less disk space than its reserve.
    #[prost(bool, tag = "5")]
    pub(crate) is_full: bool,
    /// The newest format level that the answering node knows.
    #[prost(uint32, tag = "6")]
    pub(crate) level: u32,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct VoteBody {
    #[prost(uint64, tag = "1")]
    term: u64,
    #[prost(uint64, tag = "2")]
    node: u64,
    #[prost(bool, tag = "3")]
    is_committed: bool,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct IdBody {
    #[prost(uint64, tag = "1")]
    term: u64,
    #[prost(uint64, tag = "2")]
    node: u64,
    #[prost(uint64, tag = "3")]
    index: u64,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct EntryBody {
    #[prost(message, required, tag = "1")]
    id: IdBody,
    #[prost(bytes = "bytes", tag = "2")]
    payload: Bytes,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Append {
    #[prost(message, required, tag = "1")]
    vote: VoteBody,
    #[prost(message, optional, tag = "2")]
    prev: Option<IdBody>,
    #[prost(message, optional, tag = "3")]
    commit: Option<IdBody>,
    #[prost(message, repeated, tag = "4")]
    entries: Vec<EntryBody>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Appended {
    /// 0: all, 1: up to `matched`, 2: the entry before is another one, 3: `vote` is higher.
    #[prost(uint32, tag = "1")]
    outcome: u32,
    #[prost(message, optional, tag = "2")]
    matched: Option<IdBody>,
    #[prost(message, optional, tag = "3")]
    vote: Option<VoteBody>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct AskVote {
    #[prost(message, required, tag = "1")]
    vote: VoteBody,
    #[prost(message, optional, tag = "2")]
    last: Option<IdBody>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Voted {
    #[prost(message, required, tag = "1")]
    vote: VoteBody,
    #[prost(message, optional, tag = "2")]
    last: Option<IdBody>,
    #[prost(bool, tag = "3")]
    is_granted: bool,
}

impl From<Vote> for VoteBody {
    fn from(vote: Vote) -> Self {
        Self { term: vote.leader_id.term, node: vote.leader_id.node_id, is_committed: vote.committed }
    }
}

impl From<VoteBody> for Vote {
    fn from(body: VoteBody) -> Self {
        Self { leader_id: openraft::LeaderId::new(body.term, body.node), committed: body.is_committed }
    }
}

impl From<LogId> for IdBody {
    fn from(id: LogId) -> Self {
        Self { term: id.leader_id.term, node: id.leader_id.node_id, index: id.index }
    }
}

impl From<IdBody> for LogId {
    fn from(body: IdBody) -> Self {
        log_id(body.term, body.node, body.index)
    }
}

impl Append {
    pub(crate) fn new(request: &AppendEntriesRequest<TypeConfig>) -> Self {
        let body = |entry: &RaftEntry| EntryBody { id: entry.log_id.into(), payload: encode(&entry.payload) };
        Self {
            vote: request.vote.into(),
            prev: request.prev_log_id.map(Into::into),
            commit: request.leader_commit.map(Into::into),
            entries: request.entries.iter().map(body).collect(),
        }
    }

    pub(crate) fn read(self) -> Result<AppendEntriesRequest<TypeConfig>, Malformed> {
        let entry = |body: EntryBody| {
            let payload = decode(&body.payload).map_err(|_| Malformed)?;
            Ok(RaftEntry { log_id: body.id.into(), payload })
        };
        Ok(AppendEntriesRequest {
            vote: self.vote.into(),
            prev_log_id: self.prev.map(Into::into),
            leader_commit: self.commit.map(Into::into),
            entries: self.entries.into_iter().map(entry).collect::<Result<_, _>>()?,
        })
    }
}

impl Appended {
    pub(crate) fn new(response: AppendEntriesResponse<u64>) -> Self {
        let (outcome, matched, vote) = match response {
            AppendEntriesResponse::Success => (0, None, None),
            AppendEntriesResponse::PartialSuccess(matched) => (1, matched, None),
            AppendEntriesResponse::Conflict => (2, None, None),
            AppendEntriesResponse::HigherVote(vote) => (3, None, Some(vote)),
        };
        Self { outcome, matched: matched.map(Into::into), vote: vote.map(Into::into) }
    }

    pub(crate) fn read(self) -> Result<AppendEntriesResponse<u64>, Malformed> {
        Ok(match self.outcome {
            0 => AppendEntriesResponse::Success,
            1 => AppendEntriesResponse::PartialSuccess(self.matched.map(Into::into)),
            2 => AppendEntriesResponse::Conflict,
            3 => AppendEntriesResponse::HigherVote(self.vote.ok_or(Malformed)?.into()),
            _ => return Err(Malformed),
        })
    }
}

impl AskVote {
    pub(crate) fn new(request: &VoteRequest<u64>) -> Self {
        Self { vote: request.vote.into(), last: request.last_log_id.map(Into::into) }
    }

    pub(crate) fn read(self) -> VoteRequest<u64> {
        VoteRequest::new(self.vote.into(), self.last.map(Into::into))
    }
}

impl Voted {
    pub(crate) fn new(response: &VoteResponse<u64>) -> Self {
        Self {
            vote: response.vote.into(),
            last: response.last_log_id.map(Into::into),
            is_granted: response.vote_granted,
        }
    }

    pub(crate) fn read(self) -> VoteResponse<u64> {
        VoteResponse {
            vote: self.vote.into(),
            vote_granted: self.is_granted,
            last_log_id: self.last.map(Into::into),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{entry::encode_operations, types::Batch};
    use muster_model::Timestamp;
    use openraft::EntryPayload;

    #[test]
    fn requests_come_back() {
        let payload = encode_operations(Timestamp(7), [Bytes::from_static(b"op")].iter());
        let normal = EntryPayload::Normal(Batch::new(payload.clone(), None));
        let request = AppendEntriesRequest::<TypeConfig> {
            vote: Vote::new_committed(3, 2),
            prev_log_id: Some(log_id(2, 1, 0)),
            leader_commit: None,
            entries: vec![
                RaftEntry { log_id: log_id(3, 2, 1), payload: EntryPayload::Blank },
                RaftEntry { log_id: log_id(3, 2, 2), payload: normal },
            ],
        };
        let frame = Request { append: Some(Append::new(&request)), ..Default::default() }.encode_to_vec();
        let back = Request::decode(&frame[..]).unwrap().append.unwrap().read().unwrap();
        assert_eq!(
            (back.vote, back.prev_log_id, back.leader_commit),
            (request.vote, request.prev_log_id, None)
        );
        assert_eq!(back.entries.len(), 2);
        assert_eq!(encode(&back.entries[1].payload), payload);

        let vote = VoteRequest::new(Vote::new(9, 3), Some(log_id(8, 1, 77)));
        assert_eq!(AskVote::new(&vote).read(), vote);
    }

    #[test]
    fn responses_come_back() {
        for response in [
            || AppendEntriesResponse::Success,
            || AppendEntriesResponse::PartialSuccess(None),
            || AppendEntriesResponse::PartialSuccess(Some(log_id(1, 1, 1))),
            || AppendEntriesResponse::Conflict,
            || AppendEntriesResponse::HigherVote(Vote::new(4, 1)),
        ] {
            assert_eq!(Appended::new(response()).read(), Ok(response()));
        }
        let response = VoteResponse { vote: Vote::new(4, 1), vote_granted: true, last_log_id: None };
        assert_eq!(Voted::new(&response).read(), response);
        assert_eq!(Appended { outcome: 9, ..Default::default() }.read(), Err(Malformed));
    }
}
