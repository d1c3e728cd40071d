//! What a starting node waits for.

use crate::{Known, LinkState, Standing, Told, peer::Peer, shared::Shared};
use muster_model::NodeId;
use std::{collections::BTreeSet, sync::Arc};

impl Shared {
    /// Waits until each peer is complete, at least with this standing, or holds nothing up; at most until `join_until`.
    pub(crate) async fn wait(&self, standing: Option<Standing>) {
        let mut progress = self.progress.subscribe();
        let all = async {
            loop {
                progress.borrow_and_update();
                if self.waits_for(standing).is_empty() || progress.changed().await.is_err() {
                    return;
                }
            }
        };
        let Some(until) = *self.join_until.lock() else { return };
        if tokio::time::timeout_at(until, all).await.is_err() {
            let missing: Vec<_> = self.waits_for(standing).iter().map(|node| node.0).collect();
            tracing::warn!(?missing, "not waiting any longer for what peers have");
        }
    }

    fn waits_for(&self, standing: Option<Standing>) -> Vec<NodeId> {
        let peers = self.all_peers();
        let is_silent = |peer: &Peer| {
            if peers.iter().any(|other| other.node != peer.node && other.state.lock().hears(peer.node)) {
                // What it has is adopted when they don't hear it any more, and only then told by others.
                return false;
            }
            let (silent, never_heard) = {
                let state = peer.state.lock();
                (state.is_silent, state.heard_at.is_none())
            };
            // Another peer that serves clients does not hear it either: then it need not be waited for.
            silent || never_heard && is_missed(&peers, peer)
        };
        let is_told = |peer: &Peer| {
            let (complete, life) = {
                let state = peer.state.lock();
                // While there is no link it may go on, and others may leave things to it.
                let complete = state.complete.filter(|_| state.link == LinkState::Live);
                (complete, state.theirs.map(|theirs| theirs.epoch))
            };
            // What an earlier life of it owned is told by those that heard it, once they know that it is over.
            let is_behind = |other: &Arc<Peer>| {
                let heard =
                    if other.node == peer.node { None } else { other.state.lock().hears_in(peer.node) };
                heard.zip(life).is_some_and(|(heard, life)| (1..life.boot).contains(&heard.boot))
            };
            complete.is_some_and(|told| standing.is_none_or(|wanted| told >= wanted))
                && !peers.iter().any(is_behind)
        };
        let waits = peers.iter().filter(|peer| !is_told(peer) && !is_silent(peer)).map(|peer| peer.node);
        waits.chain(self.heard_by_others(&peers)).collect()
    }

    /// Nodes that peers hear and that are no members here, any more or yet: what one had that was removed is told by others
    /// when they don't hear it any more.
    fn heard_by_others(&self, peers: &[Arc<Peer>]) -> BTreeSet<NodeId> {
        let own = self.replica.origin().node;
        let mut heard = BTreeSet::new();
        for peer in peers {
            heard.extend(peer.state.lock().all_heard());
        }
        heard.retain(|node| *node != own && peers.iter().all(|peer| peer.node != *node));
        heard
    }

    /// What the peers know of what was before.
    pub(crate) fn known(&self) -> Known {
        let peers = self.all_peers();
        let (mut is_any_ready, mut seen) = (false, Vec::new());
        for peer in &peers {
            let state = peer.state.lock();
            if state.complete == Some(Standing::Ready) {
                is_any_ready = true;
                seen.extend_from_slice(&state.knew_us);
            }
        }
        if !is_any_ready {
            return Known::ByNobody;
        }
        let told = peers.iter().map(|peer| (peer.node, self.told_of(&peers, peer))).collect();
        Known::ByPeers { seen, told }
    }

    /// The lives of a peer of which everything is told: the one in which it told itself, and those that are over to one who
    /// serves clients, because what they owned was adopted.
    fn told_of(&self, peers: &[Arc<Peer>], peer: &Peer) -> Told {
        let (complete, theirs) = {
            let state = peer.state.lock();
            (state.complete.is_some(), state.theirs.map(|theirs| theirs.epoch))
        };
        let before = |other: &Arc<Peer>| {
            let state = other.state.lock();
            let heard = state.beat.hears.get(&peer.node).map_or(u64::MAX, |heard| heard.boot);
            (state.complete == Some(Standing::Ready)).then_some(heard)
        };
        Told {
            itself: theirs.filter(|_| complete),
            before: peers.iter().filter_map(before).max().unwrap_or(0),
        }
    }
}

/// Whether another peer, that serves clients, does not hear one.
fn is_missed(peers: &[Arc<Peer>], peer: &Peer) -> bool {
    peers.iter().any(|other| other.node != peer.node && other.state.lock().misses(peer.node))
}
