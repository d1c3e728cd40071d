//! What is known of one peer while this process runs.

use crate::{LinkState, PeerCounts, PeerStatus, Position, Standing, message::Beat};
use muster_model::{Epoch, Monotonic, NodeId};
use parking_lot::Mutex;
use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, Ordering},
};
use tokio_util::sync::CancellationToken;

/// How many earlier lives of a peer are remembered: a node that restarts over and over has written its checkpoint in one
/// of these.
const FORMER_MAX: usize = 4;

/// Another member.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) node: NodeId,
    /// It was heard since this was last looked at.
    heard: AtomicBool,
    /// Cancelled when it is a member no more.
    pub(crate) stop: CancellationToken,
    /// Cancelled when it has a newer link on which it follows us.
    serving: Mutex<CancellationToken>,
    /// Held for one change; never over a call of the replica.
    pub(crate) state: Mutex<PeerState>,
}

#[derive(Debug, Default)]
pub(crate) struct PeerState {
    pub(crate) address: String,
    pub(crate) link: LinkState,
    pub(crate) trouble: Option<String>,
    /// Links on which it follows us.
    pub(crate) follows: u32,
    pub(crate) heard_at: Option<Monotonic>,
    /// For how long it has not been heard, of the time during which this process ran.
    pub(crate) silent_ms: u64,
    pub(crate) is_silent: bool,
    pub(crate) theirs: Option<Position>,
    pub(crate) acknowledged: Option<Position>,
    /// Its last beat.
    pub(crate) beat: Beat,
    /// Everything it had was received at least once, when it had this standing.
    pub(crate) complete: Option<Standing>,
    /// How far it had mirrored earlier lives of this node, as it said.
    pub(crate) knew_us: Vec<Position>,
    /// How far its earlier lives were mirrored here.
    pub(crate) former: Vec<Position>,
    pub(crate) counts: PeerCounts,
}

impl Peer {
    pub(crate) fn new(node: NodeId, address: String, stop: CancellationToken) -> Self {
        let state = Mutex::new(PeerState { address, ..PeerState::default() });
        Self { node, heard: AtomicBool::new(false), stop, serving: Mutex::default(), state }
    }

    /// Notes that it was heard now.
    pub(crate) fn hear(&self, now: Monotonic) {
        self.heard.store(true, Ordering::Relaxed);
        self.state.lock().heard_at = Some(now);
    }

    /// Whether it was heard since this was called last.
    pub(crate) fn take_heard(&self) -> bool {
        self.heard.swap(false, Ordering::Relaxed)
    }

    /// A token for a new link on which it follows us; the one before ends.
    pub(crate) fn serve_anew(&self) -> CancellationToken {
        let token = self.stop.child_token();
        std::mem::replace(&mut *self.serving.lock(), token.clone()).cancel();
        token
    }

    pub(crate) fn count(&self, change: impl FnOnce(&mut PeerCounts)) {
        change(&mut self.state.lock().counts);
    }

    pub(crate) fn status(&self, mirrored: Option<Position>, now: Monotonic) -> PeerStatus {
        let state = self.state.lock();
        PeerStatus {
            node: self.node,
            address: state.address.clone(),
            link: state.link,
            trouble: state.trouble.clone(),
            follows: state.follows > 0,
            heard_ms: state.heard_at.map(|at| now.since(at)),
            silent: state.is_silent,
            standing: state.beat.standing,
            theirs: state.theirs,
            mirrored,
            acknowledged: state.acknowledged,
            counts: state.counts,
        }
    }
}

impl PeerState {
    /// Remembers how far a life of it was mirrored that is over.
    pub(crate) fn remember(&mut self, former: Position) {
        self.former.retain(|known| known.epoch != former.epoch);
        if self.former.len() == FORMER_MAX {
            self.former.remove(0);
        }
        self.former.push(former);
    }

    /// Whether that ready peer says that a node is not heard.
    pub(crate) fn misses(&self, node: NodeId) -> bool {
        self.complete == Some(Standing::Ready) && !self.beat.hears.contains_key(&node)
    }

    /// Whether that ready peer, which is linked to now, says that another node is heard.
    pub(crate) fn hears(&self, node: NodeId) -> bool {
        self.hears_in(node).is_some()
    }

    /// In which life that ready peer, which is linked to now, hears a node; in life 0 if that never spoke to it.
    pub(crate) fn hears_in(&self, node: NodeId) -> Option<Epoch> {
        self.beat.hears.get(&node).copied().filter(|_| self.counts())
    }

    /// All that it hears, if it is ready and linked to now.
    pub(crate) fn all_heard(&self) -> impl Iterator<Item = NodeId> {
        let counts = self.counts();
        self.beat.hears.keys().copied().filter(move |_| counts)
    }

    fn counts(&self) -> bool {
        self.link == LinkState::Live && self.complete == Some(Standing::Ready)
    }

    /// Takes what it says of itself.
    pub(crate) fn take(&mut self, beat: Beat) {
        if let Some(theirs) = &mut self.theirs {
            theirs.sequence = beat.newest;
        }
        if beat.is_complete {
            self.link = LinkState::Live;
            self.complete = self.complete.max(Some(beat.standing));
        }
        self.beat = beat;
    }
}

/// This node and the peers that are not silent.
pub(crate) fn reachable<'a>(own: NodeId, peers: impl Iterator<Item = &'a Peer>) -> BTreeSet<NodeId> {
    peers.filter(|peer| !peer.state.lock().is_silent).map(|peer| peer.node).chain([own]).collect()
}
