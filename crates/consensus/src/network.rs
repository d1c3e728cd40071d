//! openraft's messages to the other nodes.

use crate::{
    contact::{Answered, Contacts},
    snapshot_send::Sending,
    snapshotter::Snapshotter,
    types::{LogId, TypeConfig, Vote},
    wire::{Append, AskVote, Malformed, Request, Response},
};
use muster_model::{HashMap, NodeId};
use muster_peer::{Link, LinkError, Links, Purpose};
use muster_runtime::{Tasks, net::BoxFuture};
use openraft::{
    BasicNode, OptionalSend, Snapshot,
    error::{Fatal, NetworkError, RPCError, RaftError, ReplicationClosed, StreamingError, Unreachable},
    network::{Backoff, RPCOption, RaftNetwork, RaftNetworkFactory},
    raft::{AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, VoteRequest, VoteResponse},
};
use parking_lot::Mutex;
use prost::Message as _;
use std::{future::Future, io, sync::Arc, time::Duration};
use tokio::time::Instant;

/// Between two tries to reach a peer that can't be reached.
const BACKOFF: Duration = Duration::from_millis(200);
/// How long an answer may take before the link counts as broken, ...
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// ... and how much longer for each MiB that was sent.
const ANSWER_WITHIN_MIB: Duration = Duration::from_secs(1);
/// Links to a peer that are kept although nobody uses them now.
const IDLE_MAX: usize = 2;

type RpcError = RPCError<u64, BasicNode, RaftError<u64>>;

/// What all connections to peers share.
pub(crate) struct Peers {
    pub(crate) links: Option<Links>,
    pub(crate) contacts: Arc<Contacts>,
    pub(crate) snapshots: Arc<Snapshotter>,
    pub(crate) tasks: Tasks,
    idle: Mutex<HashMap<(u64, String), Vec<Link>>>,
}

/// Why a peer did not answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Silence {
    #[error("this node is a group of one and has no peers")]
    Alone,
    #[error(transparent)]
    Link(#[from] LinkError),
    #[error("the link broke: {0}")]
    Broken(#[from] io::Error),
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error("the peer can't answer: {0}")]
    Trouble(String),
}

impl From<Silence> for RpcError {
    fn from(silence: Silence) -> Self {
        match silence {
            // openraft tries again at once after a network error, and after a pause if nobody is there. Whoever says no
            // at once would be asked again and again.
            Silence::Alone | Silence::Link(_) | Silence::Malformed(_) | Silence::Trouble(_) => {
                Unreachable::new(&silence).into()
            }
            Silence::Broken(_) => NetworkError::new(&silence).into(),
        }
    }
}

impl Peers {
    pub(crate) fn new(
        links: Option<Links>,
        contacts: Arc<Contacts>,
        snapshots: Arc<Snapshotter>,
        tasks: Tasks,
    ) -> Arc<Self> {
        Arc::new(Self { links, contacts, snapshots, tasks, idle: Mutex::default() })
    }

    /// Asks a peer and waits for its response.
    pub(crate) async fn ask(&self, node: u64, address: &str, request: Request) -> Result<Response, Silence> {
        let kept = self.idle.lock().get_mut(&(node, address.to_owned())).and_then(Vec::pop);
        // A link that nobody used may be broken without our knowing it.
        if let Some(link) = kept
            && let Ok((link, response)) = exchange(link, &request).await
        {
            return self.done(node, address, link, response);
        }
        let links = self.links.as_ref().ok_or(Silence::Alone)?;
        let link = links.connect(Some(NodeId(node)), address, Purpose::Raft).await?;
        let (link, response) = exchange(link, &request).await?;
        self.done(node, address, link, response)
    }

    fn done(&self, node: u64, address: &str, link: Link, response: Response) -> Result<Response, Silence> {
        let mut idle = self.idle.lock();
        let links = idle.entry((node, address.to_owned())).or_default();
        if links.len() < IDLE_MAX {
            links.push(link);
        }
        drop(idle);
        if response.trouble.is_empty() { Ok(response) } else { Err(Silence::Trouble(response.trouble)) }
    }
}

async fn exchange(mut link: Link, request: &Request) -> Result<(Link, Response), Silence> {
    let frame = request.encode_to_vec();
    let limit = ANSWER_WITHIN + ANSWER_WITHIN_MIB * (frame.len() >> 20) as u32;
    let exchanged = tokio::time::timeout(limit, async {
        link.send(&frame).await?;
        link.receive().await?.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))
    });
    let frame = exchanged.await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?;
    Ok((link, Response::decode(frame).map_err(|_| Malformed)?))
}

/// Makes connections for openraft.
pub(crate) struct Network(pub(crate) Arc<Peers>);

impl RaftNetworkFactory<TypeConfig> for Network {
    type Network = Client;

    async fn new_client(&mut self, target: u64, node: &BasicNode) -> Client {
        Client { peers: self.0.clone(), target, address: node.addr.clone(), in_flight: None }
    }
}

/// What is said to one peer, one thing at a time.
pub(crate) struct Client {
    peers: Arc<Peers>,
    target: u64,
    address: String,
    in_flight: Option<InFlight>,
}

/// A message that was sent. openraft gives it up after a heartbeat's time, but a peer may need longer for many bytes on
/// a slow disk: so it goes on, and the next try is answered with what it came to.
struct InFlight {
    vote: Vote,
    prev: Option<LogId>,
    /// The last entry in the peer's log if it was taken.
    last: Option<LogId>,
    sent: Instant,
    /// Locked by nobody: it is there because openraft wants this to be `Sync`.
    answer: Mutex<BoxFuture<'static, Result<Response, Silence>>>,
}

impl Client {
    fn send(&self, request: &AppendEntriesRequest<TypeConfig>) -> InFlight {
        let message = Request { append: Some(Append::new(request)), ..Default::default() };
        let (peers, target, address) = (self.peers.clone(), self.target, self.address.clone());
        let answer = async move { peers.ask(target, &address, message).await };
        InFlight {
            vote: request.vote,
            prev: request.prev_log_id,
            last: last_of(request),
            sent: Instant::now(),
            answer: Mutex::new(Box::pin(answer)),
        }
    }

    fn note(&self, sent: Instant, response: &Response) {
        let answer = Answered { sent, has_room: !response.is_full, level: response.level };
        self.peers.contacts.answered(self.target, answer);
    }
}

fn last_of(request: &AppendEntriesRequest<TypeConfig>) -> Option<LogId> {
    request.entries.last().map(|entry| entry.log_id).or(request.prev_log_id)
}

impl RaftNetwork<TypeConfig> for Client {
    async fn append_entries(
        &mut self,
        request: AppendEntriesRequest<TypeConfig>,
        _option: RPCOption,
    ) -> Result<AppendEntriesResponse<u64>, RpcError> {
        if self.peers.contacts.is_resigning() {
            return Err(Silence::Trouble("this node gives up leading".into()).into());
        }
        loop {
            if self.in_flight.is_none() {
                self.in_flight = Some(self.send(&request));
            }
            let Some(in_flight) = &mut self.in_flight else { continue };
            let response = in_flight.answer.get_mut().await;
            let Some(InFlight { vote, prev, last, sent, .. }) = self.in_flight.take() else { continue };
            let is_asked = vote == request.vote && prev == request.prev_log_id;
            let response = match response {
                Ok(response) => response,
                // What was given up before failed; this one was not sent yet.
                Err(_) if !is_asked => continue,
                Err(silence) => return Err(silence.into()),
            };
            let appended = response.appended.clone().ok_or(Malformed).and_then(crate::wire::Appended::read);
            let appended = appended.map_err(Silence::from)?;
            if !matches!(appended, AppendEntriesResponse::HigherVote(_)) && vote == request.vote {
                self.note(sent, &response);
            }
            let is_part = matches!(appended, AppendEntriesResponse::Success) && last < last_of(&request);
            // What was given up carried no entry: nothing of what is asked now is taken yet.
            let is_empty = is_part && last == prev;
            if !is_asked || is_empty {
                continue;
            }
            return Ok(if is_part { AppendEntriesResponse::PartialSuccess(last) } else { appended });
        }
    }

    async fn vote(
        &mut self,
        request: VoteRequest<u64>,
        _option: RPCOption,
    ) -> Result<VoteResponse<u64>, RpcError> {
        let message = Request { vote: Some(AskVote::new(&request)), ..Default::default() };
        let response = self.peers.ask(self.target, &self.address, message).await?;
        Ok(response.voted.ok_or(Silence::Malformed(Malformed))?.read())
    }

    async fn full_snapshot(
        &mut self,
        vote: Vote,
        snapshot: Snapshot<TypeConfig>,
        cancel: impl Future<Output = ReplicationClosed> + OptionalSend + 'static,
        _option: RPCOption,
    ) -> Result<SnapshotResponse<u64>, StreamingError<TypeConfig, Fatal<u64>>> {
        let failed = |silence: Silence| NetworkError::new(&silence);
        let newest = self.peers.snapshots.newest().filter(|(file, _)| file.path == *snapshot.snapshot);
        // A newer one is there already: openraft asks for that.
        let (file, _) = newest.ok_or_else(|| failed(Silence::Trouble("the snapshot was replaced".into())))?;
        let number = file.path.file_stem().unwrap_or_default().to_string_lossy();
        let name = format!("{}-{number}-{}", snapshot.meta.snapshot_id, file.bytes);
        let (peers, target, address) = (&*self.peers, self.target, &*self.address);
        let sending = Sending { peers, target, address, vote, snapshot: &file, name };
        tokio::select! {
            biased;
            closed = cancel => Err(closed.into()),
            sent = sending.run() => Ok(SnapshotResponse::new(sent.map_err(failed)?)),
        }
    }

    fn backoff(&self) -> Backoff {
        Backoff::new(std::iter::repeat(BACKOFF))
    }
}
