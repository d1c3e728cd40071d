//! Who has been silent for too long, and who is a member.

use crate::{follow::follow, peer::Peer, shared::Shared};
use muster_model::NodeId;
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// How often it is looked who is silent.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// The most that a pause between two looks counts. If this process did not run for longer, nobody else was silent.
const COUNTED_MAX_MS: u64 = 300;

impl Shared {
    /// Follows members as they come and go, and tells the replica who is silent, until the node stops.
    pub(crate) async fn run_members(self: Arc<Self>) {
        let stopping = self.tasks.stopping();
        let mut members = self.members.clone();
        let mut looked = self.now();
        loop {
            tokio::select! {
                biased;
                () = stopping.cancelled() => return,
                // Whoever gives the members is gone: the node stops soon.
                Ok(()) = members.changed() => self.take_members(),
                () = self.look.notified() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            let now = self.now();
            self.look_around(now.since(looked).min(COUNTED_MAX_MS));
            looked = now;
        }
    }

    /// Begins to follow new members and ends with those that were removed.
    pub(crate) fn take_members(self: &Arc<Self>) {
        let members = self.members.borrow().clone();
        let own = self.replica.origin().node;
        let (mut new, mut gone) = (Vec::new(), Vec::new());
        {
            let mut peers = self.peers.lock();
            peers.retain(|node, peer| {
                let stays = members.contains_key(node);
                if !stays {
                    peer.stop.cancel();
                    gone.push(*node);
                }
                stays
            });
            for (node, address) in members.iter().filter(|(node, _)| **node != own) {
                if let Some(peer) = peers.get(node) {
                    peer.state.lock().address.clone_from(address);
                    continue;
                }
                let stop = self.tasks.stopping().child_token();
                let peer = Arc::new(Peer::new(*node, address.clone(), stop));
                peers.insert(*node, peer.clone());
                new.push(peer);
            }
        }
        if !new.is_empty() {
            self.join_until.lock().get_or_insert_with(|| Instant::now() + self.settings.join_wait);
        }
        for peer in new {
            self.tasks.spawn("mirror of a peer", follow(self.clone(), peer));
        }
        self.tell_silent(&gone);
        self.progressed();
    }

    /// Counts for how long nobody was heard.
    fn look_around(&self, passed_ms: u64) {
        let silence_ms = self.settings.peer_silence.as_millis() as u64;
        let (mut silent, mut heard) = (Vec::new(), false);
        for peer in self.all_peers() {
            let was_heard = peer.take_heard();
            let mut state = peer.state.lock();
            if was_heard {
                state.silent_ms = 0;
                heard |= std::mem::replace(&mut state.is_silent, false);
            } else {
                state.silent_ms += passed_ms;
                if !state.is_silent && state.silent_ms >= silence_ms {
                    state.is_silent = true;
                    silent.push(peer.node);
                }
            }
        }
        if heard {
            self.tell_again();
        }
        self.tell_silent(&silent);
    }

    fn tell_silent(&self, nodes: &[NodeId]) {
        let order = self.telling.lock();
        let reachable = self.publish_reachable();
        let heirs = self.heirs(&reachable);
        for node in nodes.iter().filter(|node| !reachable.contains(node)) {
            tracing::warn!(node = node.0, "a peer is silent, what it left is adopted");
            self.replica.peer_silent(*node, &heirs);
        }
        drop(order);
    }

    /// Tells the replica again who is silent, and who is not: it has publications now that it had not.
    pub(crate) fn tell_again(&self) {
        let order = self.telling.lock();
        let heirs = self.heirs(&self.publish_reachable());
        for peer in self.all_peers() {
            let (is_silent, theirs) = {
                let state = peer.state.lock();
                (state.is_silent, state.theirs)
            };
            match theirs {
                _ if is_silent => self.replica.peer_silent(peer.node, &heirs),
                Some(theirs) => {
                    let origin = muster_model::Origin { node: peer.node, epoch: theirs.epoch };
                    self.replica.peer_returned(origin, &heirs);
                }
                None => {}
            }
        }
        drop(order);
    }
}
