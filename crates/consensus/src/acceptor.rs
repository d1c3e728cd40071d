//! Answers what other nodes' openraft says to ours.

use crate::{
    contact::{Contacts, LEASE},
    engine::Raft,
    space::Space,
    status::Status,
    types::{LogId, Vote},
    wire::{Append, Appended, AskVote, Malformed, Request, Response, Voted},
};
use futures_util::FutureExt as _;
use muster_model::mutation::{self, Mutation};
use muster_peer::{Acceptor, Link};
use muster_runtime::net::BoxFuture;
use openraft::{ServerState, raft::AppendEntriesResponse};
use prost::Message as _;
use std::sync::Arc;

/// Serves links for `Purpose::Raft`.
pub(crate) struct RaftAcceptor {
    pub(crate) own: u64,
    pub(crate) raft: Raft,
    pub(crate) contacts: Arc<Contacts>,
    pub(crate) status: Arc<Status>,
    pub(crate) space: Arc<Space>,
    pub(crate) level: u32,
}

impl Acceptor for RaftAcceptor {
    fn serve(self: Arc<Self>, mut link: Link) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            loop {
                let frame = tokio::select! {
                    biased;
                    () = self.status.wait_ended() => return,
                    frame = link.receive() => frame,
                };
                let Ok(Some(frame)) = frame else { return };
                let Ok(request) = Request::decode(frame) else { return };
                let Ok(response) = self.answer(request).await else { return };
                if link.send(&response.encode_to_vec()).await.is_err() {
                    return;
                }
            }
        })
    }
}

impl RaftAcceptor {
    async fn answer(&self, request: Request) -> Result<Response, Malformed> {
        let is_full = self.status.is_waiting_for_space() || self.space.is_full();
        let plain = Response { is_full, level: self.level, ..Default::default() };
        Ok(match request {
            Request { append: Some(append), .. } => self.append(append, plain).await?,
            Request { vote: Some(ask), .. } => match self.raft.vote(ask.read()).await {
                Ok(response) => Response { voted: Some(Voted::new(&response)), ..plain },
                Err(error) => Response { trouble: error.to_string(), ..plain },
            },
            Request { would_vote: Some(ask), .. } => {
                Response { would_vote: Some(self.would_vote(ask)), ..plain }
            }
            Request { .. } => return Err(Malformed),
        })
    }

    async fn append(&self, append: Append, plain: Response) -> Result<Response, Malformed> {
        let request = append.read()?;
        let (vote, commit) = (request.vote, request.leader_commit);
        // Whoever sends with an older vote is no leader any more.
        let is_current = vote >= self.raft.server_metrics().borrow().vote;
        let work = is_current.then(|| self.contacts.works_for_leader());
        let appending = self.raft.append_entries(request);
        let result = if mutation::is_on(Mutation::AcknowledgeEarly) {
            appending.now_or_never().unwrap_or(Ok(AppendEntriesResponse::Success))
        } else {
            appending.await
        };
        drop(work);
        if is_current && let Some(commit) = commit {
            self.note_commit(vote, commit);
        }
        Ok(match result {
            Ok(response) => Response { appended: Some(Appended::new(response)), ..plain },
            Err(error) => Response { trouble: error.to_string(), ..plain },
        })
    }

    /// Once a leader has committed an entry of its own term, everything that was ever acknowledged is at or before what
    /// it has committed: when that is applied here, this node has caught up.
    fn note_commit(&self, vote: Vote, commit: LogId) {
        if commit.leader_id.term == vote.leader_id.term {
            self.status.set_ready_next(commit.index + 1);
        }
    }

    /// Whether this node would vote for another one.
    fn would_vote(&self, ask: AskVote) -> bool {
        let last = self.raft.data_metrics().borrow().last_log;
        let is_led = {
            let metrics = self.raft.server_metrics();
            let metrics = metrics.borrow();
            if metrics.state == ServerState::Leader {
                let membership = metrics.membership_config.membership();
                !self.contacts.is_resigning() && self.contacts.since_majority(self.own, membership) < LEASE
            } else {
                self.contacts.has_leader()
            }
        };
        !is_led && ask.read().last_log_id >= last
    }
}
