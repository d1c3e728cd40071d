//! What a node of a static list answers while it has no cluster.

use muster_peer::{Acceptor, Answer, Founder, Link, ProbeAnswer, Question};
use muster_runtime::net::BoxFuture;
use std::sync::Arc;

pub(super) struct WaitingDoor {
    pub(super) itself: Founder,
    pub(super) peers: Vec<String>,
}

impl Acceptor for WaitingDoor {
    fn serve(self: Arc<Self>, mut link: Link) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            let Ok(Some(question)) = link.receive().await else { return };
            let answer = match Question::decode(&question) {
                // Whoever proved nothing is told nothing.
                Some(Question::Probe(_)) if link.is_proven() => Answer::Probe(ProbeAnswer {
                    cluster: None,
                    has_data: false,
                    itself: self.itself.clone(),
                    peers: self.peers.clone(),
                    members: Vec::new(),
                }),
                Some(_) | None => Answer::Refused("this node is in no cluster yet".to_owned()),
            };
            if let Err(error) = link.send(&answer.encode()).await {
                tracing::debug!(%error, "whoever asked has gone");
            }
        })
    }
}
