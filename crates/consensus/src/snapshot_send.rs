//! Sends the newest snapshot to a node that lags too far behind.

use crate::{
    network::{Peers, Silence},
    snapshot_wire::{Answer, Offer, PART_BYTES},
    types::Vote,
    wire::Malformed,
};
use muster_model::NodeId;
use muster_peer::{Link, Purpose};
use muster_storage::snapshot::{Outgoing, Snapshot, SnapshotError};
use prost::Message as _;
use std::{io, time::Duration};

/// How long a part may take, or the answer to an offer.
const PART_WITHIN: Duration = Duration::from_secs(30);
/// How long the receiver may take to verify it and put it in place of its state.
const INSTALL_WITHIN: Duration = Duration::from_secs(600);
/// How often it is tried again without having come further.
const TRIES: usize = 5;
/// How long after a link broke.
const AGAIN: Duration = Duration::from_millis(500);

/// A snapshot on its way to one node.
pub(crate) struct Sending<'a> {
    pub(crate) peers: &'a Peers,
    pub(crate) target: u64,
    pub(crate) address: &'a str,
    pub(crate) vote: Vote,
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) name: String,
}

impl Sending<'_> {
    /// Sends it to its end, over as many links as it takes; what the receiver votes for.
    pub(crate) async fn run(&self) -> Result<Vote, Silence> {
        let outgoing = self.peers.snapshots.files().outgoing(self.snapshot).map_err(trouble)?;
        let (mut tries, mut reached) = (0, 0);
        loop {
            let mut sent = 0;
            match self.once(&outgoing, &mut sent).await {
                Err(error @ (Silence::Broken(_) | Silence::Link(_))) => {
                    tries = if sent > reached { 0 } else { tries + 1 };
                    if tries == TRIES {
                        return Err(error);
                    }
                    reached = reached.max(sent);
                    tracing::info!(node = self.target, sent, %error, "the snapshot is sent on");
                    tokio::time::sleep(AGAIN).await;
                }
                ended => return ended,
            }
        }
    }

    async fn once(&self, outgoing: &Outgoing, sent: &mut u64) -> Result<Vote, Silence> {
        let links = self.peers.links.as_ref().ok_or(Silence::Alone)?;
        let mut link = links.connect(Some(NodeId(self.target)), self.address, Purpose::Snapshot).await?;
        let offer = Offer { vote: self.vote.into(), name: self.name.clone(), bytes: self.snapshot.bytes };
        within(PART_WITHIN, link.send(&offer.encode_to_vec())).await?;
        let mut answer = receive(&mut link, PART_WITHIN).await?;
        if answer.vote.is_none() {
            *sent = answer.offset;
            while *sent < self.snapshot.bytes {
                let (outgoing, offset) = (outgoing.clone(), *sent);
                let part = self.peers.tasks.blocking(move || outgoing.part(offset, PART_BYTES)).await;
                let part = part.map_err(trouble)?.map_err(trouble)?;
                within(PART_WITHIN, link.send(&part)).await?;
                *sent += part.len() as u64;
            }
            answer = receive(&mut link, INSTALL_WITHIN).await?;
        }
        if !answer.trouble.is_empty() {
            return Err(Silence::Trouble(answer.trouble));
        }
        Ok(answer.vote.ok_or(Malformed)?.into())
    }
}

fn trouble(error: impl std::fmt::Display) -> Silence {
    Silence::Trouble(error.to_string())
}

async fn within<T>(limit: Duration, act: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    tokio::time::timeout(limit, act).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

async fn receive(link: &mut Link, limit: Duration) -> Result<Answer, Silence> {
    let frame = within(limit, link.receive()).await?;
    let frame = frame.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?;
    Ok(Answer::decode(frame).map_err(|_| Malformed)?)
}

impl From<SnapshotError> for Silence {
    fn from(error: SnapshotError) -> Self {
        trouble(error)
    }
}
