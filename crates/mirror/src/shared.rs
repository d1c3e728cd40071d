//! What all tasks of a mirror share.

use crate::{
    Position, Replica, Settings, Standing, Status,
    message::Lives,
    peer::{Peer, reachable},
};
use muster_model::{Epoch, Monotonic, NodeId, Origin};
use muster_peer::Links;
use muster_runtime::{Clock, Rng, Tasks};
use parking_lot::Mutex;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::{Notify, watch},
    time::Instant,
};

/// The members and their addresses, this node among them or not.
pub type Addresses = Arc<BTreeMap<NodeId, String>>;

pub(crate) struct Shared {
    pub(crate) links: Links,
    pub(crate) tasks: Tasks,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) replica: Arc<dyn Replica>,
    pub(crate) settings: Settings,
    pub(crate) members: watch::Receiver<Addresses>,
    /// Held for one draw.
    pub(crate) rng: Mutex<Rng>,
    /// The other members. Held for a look; never over a call of the replica.
    pub(crate) peers: Mutex<BTreeMap<NodeId, Arc<Peer>>>,
    /// Held while the replica is told who is silent and who returned, so that it hears that in order. Taken before every
    /// other lock.
    pub(crate) telling: Mutex<()>,
    pub(crate) reachable: watch::Sender<Arc<BTreeSet<NodeId>>>,
    pub(crate) standing: watch::Sender<Standing>,
    /// Counts up when something that a starting node waits for may have happened.
    pub(crate) progress: watch::Sender<u64>,
    /// Wakes the task that looks who is silent.
    pub(crate) look: Notify,
    /// Wakes everyone who sends our changes. Held for a look.
    pub(crate) streams: Mutex<Vec<Arc<Notify>>>,
    /// Until when a start may wait: `join_wait` from when the first peer was known.
    pub(crate) join_until: Mutex<Option<Instant>>,
}

impl Shared {
    pub(crate) fn now(&self) -> Monotonic {
        self.clock.now().mono
    }

    pub(crate) fn peer(&self, node: NodeId) -> Option<Arc<Peer>> {
        self.peers.lock().get(&node).cloned()
    }

    pub(crate) fn all_peers(&self) -> Vec<Arc<Peer>> {
        self.peers.lock().values().cloned().collect()
    }

    /// There are changes of our own, or something else to say.
    pub(crate) fn wake(&self) {
        self.streams.lock().iter().for_each(|stream| stream.notify_one());
    }

    /// Something happened that a start may wait for.
    pub(crate) fn progressed(&self) {
        self.progress.send_modify(|count| *count += 1);
    }

    /// The pause until the next digest.
    pub(crate) fn digest_pause(&self) -> Duration {
        let Settings { digest_min, digest_max, .. } = self.settings;
        let spread = digest_max.saturating_sub(digest_min).as_millis() as u64;
        digest_min + Duration::from_millis(self.rng.lock().below(spread + 1))
    }

    /// A frame of a peer came.
    pub(crate) fn heard(&self, peer: &Peer) {
        peer.hear(self.now());
        if peer.state.lock().is_silent {
            self.look.notify_one();
        }
    }

    /// Says who is reachable, if that changed; gives it.
    pub(crate) fn publish_reachable(&self) -> Arc<BTreeSet<NodeId>> {
        let own = self.replica.origin().node;
        let now = reachable(own, self.peers.lock().values().map(|peer| &**peer));
        let changed = self.reachable.send_if_modified(|before| {
            let differs = **before != now;
            if differs {
                *before = Arc::new(now);
            }
            differs
        });
        if changed {
            self.progressed();
        }
        self.reachable.borrow().clone()
    }

    /// This node and the peers that are not silent, each with its life.
    pub(crate) fn hears(&self) -> Lives {
        let own = self.replica.origin();
        let mut lives = Lives::from([(own.node, own.epoch)]);
        for peer in self.peers.lock().values() {
            let state = peer.state.lock();
            if !state.is_silent {
                let life = state.theirs.map(|theirs| theirs.epoch);
                lives.insert(peer.node, life.unwrap_or(Epoch { boot: 0, random: 0 }));
            }
        }
        lives
    }

    /// To whom what another left may fall: all that are heard; if this node serves clients, only those that do. One that
    /// starts may not have it yet.
    pub(crate) fn heirs(&self, reachable: &BTreeSet<NodeId>) -> BTreeSet<NodeId> {
        if *self.standing.borrow() != Standing::Ready {
            return reachable.clone();
        }
        let peers = self.peers.lock();
        let is_ready = |peer: &Arc<Peer>| peer.state.lock().complete == Some(Standing::Ready);
        let is_heir = |node: &NodeId| peers.get(node).is_none_or(is_ready);
        reachable.iter().copied().filter(is_heir).collect()
    }

    /// A peer speaks, in a life. False: it has a later one, so whoever says this is gone.
    pub(crate) fn returned(&self, peer: &Peer, origin: Origin) -> bool {
        let order = self.telling.lock();
        {
            let mut state = peer.state.lock();
            if !state.is_silent && state.theirs.is_some_and(|known| known.epoch.boot > origin.epoch.boot) {
                return false;
            }
            if state.theirs.is_none_or(|known| known.epoch != origin.epoch) {
                state.theirs = Some(Position { epoch: origin.epoch, sequence: 0 });
                state.complete = None;
            }
            state.is_silent = false;
            state.silent_ms = 0;
        }
        let reachable = self.publish_reachable();
        if let Some(former) = self.replica.mirrored(origin.node).filter(|known| known.epoch != origin.epoch) {
            peer.state.lock().remember(former);
        }
        self.replica.peer_returned(origin, &self.heirs(&reachable));
        drop(order);
        true
    }

    pub(crate) fn status(&self) -> Status {
        let now = self.now();
        let peers = self.all_peers();
        Status {
            origin: self.replica.origin(),
            sequence: self.replica.sequence(),
            standing: *self.standing.borrow(),
            reachable: BTreeSet::clone(&self.reachable.borrow()),
            peers: peers.iter().map(|peer| peer.status(self.replica.mirrored(peer.node), now)).collect(),
        }
    }
}
