//! Receives a snapshot from the leader and has it put in place of the state.

use crate::{
    engine::{EngineParts, Raft},
    marker::Marker,
    snapshot_wire::{Answer, Offer, PART_BYTES},
    state_adapter,
};
use bytes::Bytes;
use muster_peer::{Acceptor, Link};
use muster_runtime::net::BoxFuture;
use muster_storage::snapshot::{Incoming, Snapshot, SnapshotError};
use prost::Message as _;
use std::{sync::Arc, time::Duration};
use tokio::sync::{Mutex, watch};

/// How long the next part may take.
const PART_WITHIN: Duration = Duration::from_secs(60);

/// How often a leader counts as heard while it waits for a snapshot to be put in place.
const HEARD_EVERY: Duration = Duration::from_millis(250);

/// Serves links for `Purpose::Snapshot`, the newest of them only.
pub(crate) struct SnapshotAcceptor {
    raft: Raft,
    parts: EngineParts,
    /// The number of the newest link; those before it give up.
    newest: watch::Sender<u64>,
    /// Held while a snapshot is received.
    receiving: Mutex<()>,
}

impl Acceptor for SnapshotAcceptor {
    fn serve(self: Arc<Self>, link: Link) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            let mut turn = 0;
            self.newest.send_modify(|newest| {
                *newest += 1;
                turn = *newest;
            });
            let mut newest = self.newest.subscribe();
            let _receiving = self.receiving.lock().await;
            tokio::select! {
                biased;
                () = self.parts.status.wait_ended() => {}
                ended = self.receive(link, &mut newest, turn) => {
                    if let Err(error) = ended {
                        tracing::warn!(error, "a snapshot was not received");
                    }
                }
            }
        })
    }
}

impl SnapshotAcceptor {
    pub(crate) fn new(raft: Raft, parts: EngineParts) -> Self {
        Self { raft, parts, newest: watch::Sender::new(0), receiving: Mutex::default() }
    }

    async fn receive(
        &self,
        mut link: Link,
        newest: &mut watch::Receiver<u64>,
        turn: u64,
    ) -> Result<(), String> {
        let peer = link.peer().0;
        let frame = next(&mut link).await?;
        let offer = Offer::decode(frame).map_err(|error| error.to_string())?;
        let files = self.parts.snapshots.files().clone();
        let name = format!("{peer}-{}", offer.name);
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            return Err("it has an impossible name".to_owned());
        }
        let opened = self.blocking(move || files.incoming(&name)).await;
        let mut incoming = match opened {
            Ok(incoming) => incoming,
            Err(error) => return refuse(&mut link, error).await,
        };
        answer(&mut link, Answer { offset: incoming.len(), ..Default::default() }).await?;
        tracing::info!(from = peer, bytes = offer.bytes, at = incoming.len(), "a snapshot is received");
        while incoming.len() < offer.bytes {
            let part = tokio::select! {
                biased;
                _ = newest.wait_for(|newest| *newest != turn) => return Ok(()),
                part = next(&mut link) => part?,
            };
            self.hear(&offer);
            if part.is_empty() || part.len() > PART_BYTES {
                return Err("a part has an impossible size".to_owned());
            }
            let append = move || incoming.append(&part).map(|()| incoming);
            incoming = match self.blocking(append).await {
                Ok(incoming) => incoming,
                Err(error) => return refuse(&mut link, error).await,
            };
        }
        let installing = self.install(incoming, &offer);
        let mut installing = std::pin::pin!(installing);
        let installed = tokio::select! {
            biased;
            installed = &mut installing => installed,
            // It does not wait any more, so it need not count as heard; but what was begun is finished.
            () = self.hear_while_it_waits(&mut link, &offer) => installing.await,
        };
        match installed {
            Ok(vote) => answer(&mut link, vote).await,
            Err(error) => refuse(&mut link, error).await,
        }
    }

    /// A leader that sends a snapshot sends nothing else to this node, and counts as heard all the same: a node that starts
    /// would else take itself for cut off, and serve what it has.
    fn hear(&self, offer: &Offer) {
        // Whoever sends with an older vote is no leader any more.
        if crate::types::Vote::from(offer.vote) >= self.raft.server_metrics().borrow().vote {
            self.parts.contacts.heard_leader();
        }
    }

    async fn hear_while_it_waits(&self, link: &mut Link, offer: &Offer) {
        let mut ends = std::pin::pin!(link.receive());
        loop {
            self.hear(offer);
            tokio::select! {
                biased;
                _ = &mut ends => return,
                () = tokio::time::sleep(HEARD_EVERY) => {}
            }
        }
    }

    async fn install(&self, incoming: Incoming, offer: &Offer) -> Result<Answer, String> {
        let file = self.blocking(move || incoming.finish()).await?;
        let installed = self.install_file(&file, offer).await;
        let is_kept = self.parts.snapshots.newest().is_some_and(|(newest, _)| newest.path == file.path);
        if !is_kept {
            // What is here is newer, or it was refused.
            let files = self.parts.snapshots.files().clone();
            self.blocking(move || files.remove(&file)).await?;
        }
        installed
    }

    async fn install_file(&self, file: &Snapshot, offer: &Offer) -> Result<Answer, String> {
        let marker = Marker::decode(Some(file.applied.clone())).map_err(|error| error.to_string())?;
        self.parts.snapshots.expect(marker.next_index());
        let snapshot = state_adapter::to_raft(file.path.clone(), marker);
        let response = self.raft.install_full_snapshot(offer.vote.into(), snapshot).await;
        let response = response.map_err(|error| error.to_string())?;
        Ok(Answer { vote: Some(response.vote.into()), ..Default::default() })
    }

    async fn blocking<T: Send + 'static>(
        &self,
        call: impl FnOnce() -> Result<T, SnapshotError> + Send + 'static,
    ) -> Result<T, String> {
        let called = self.parts.tasks.blocking(call).await.map_err(|error| error.to_string())?;
        called.map_err(|error| error.to_string())
    }
}

async fn next(link: &mut Link) -> Result<Bytes, String> {
    match tokio::time::timeout(PART_WITHIN, link.receive()).await {
        Ok(Ok(Some(frame))) => Ok(frame),
        Ok(Ok(None)) => Err("the link was closed".to_owned()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("the next part did not come in time".to_owned()),
    }
}

async fn answer(link: &mut Link, answer: Answer) -> Result<(), String> {
    link.send(&answer.encode_to_vec()).await.map_err(|error| error.to_string())
}

async fn refuse(link: &mut Link, trouble: String) -> Result<(), String> {
    answer(link, Answer { trouble: trouble.clone(), ..Default::default() }).await?;
    Err(trouble)
}
