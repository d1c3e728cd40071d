//! The mirror of one node.

use crate::{
    Position, Replica, Settings, Standing, Status,
    serve::Origins,
    shared::{Addresses, Shared},
};
use muster_model::{Epoch, NodeId, Origin};
use muster_peer::{Links, Purpose};
use muster_runtime::{Clock, Rng, Tasks};
use parking_lot::Mutex;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use tokio::sync::{Notify, watch};

/// What a mirror is made of.
pub struct Parts {
    /// Links to the peers. Those for [`Purpose::Mirror`] are served from the start on.
    pub links: Links,
    /// Owner of the tasks.
    pub tasks: Tasks,
    /// Both clocks.
    pub clock: Arc<dyn Clock>,
    /// Randomness: when digests are sent.
    pub rng: Rng,
    /// What is mirrored, and where mirrors are held.
    pub replica: Arc<dyn Replica>,
    /// The members and their addresses, as they change.
    pub members: watch::Receiver<Addresses>,
    /// Settings.
    pub settings: Settings,
}

/// Mirrors this node's publications to its peers, and theirs here. A clone is another handle to the same.
#[derive(Clone)]
pub struct Mirror(Arc<Shared>);

impl Mirror {
    /// Begins to follow every member and to serve those that follow this node, until the tasks are stopped.
    pub fn start(parts: Parts) -> Self {
        let Parts { links, tasks, clock, rng, replica, members, settings } = parts;
        let own = BTreeSet::from([replica.origin().node]);
        let shared = Arc::new(Shared {
            join_until: Mutex::new(None),
            links,
            tasks,
            clock,
            replica,
            settings,
            members,
            rng: Mutex::new(rng),
            peers: Mutex::new(BTreeMap::new()),
            telling: Mutex::new(()),
            reachable: watch::Sender::new(Arc::new(own)),
            standing: watch::Sender::new(Standing::default()),
            progress: watch::Sender::new(0),
            look: Notify::new(),
            streams: Mutex::new(Vec::new()),
        });
        shared.take_members();
        shared.links.handle(Purpose::Mirror, Arc::new(Origins(shared.clone())));
        shared.tasks.spawn("members of the mirror", shared.clone().run_members());
        Self(shared)
    }

    /// This node's publications have changed. Cheap; call it once the registry's lock is released.
    pub fn changed(&self) {
        self.0.wake();
    }

    /// Says where this node is in its start.
    pub fn set_standing(&self, standing: Standing) {
        self.0.standing.send_replace(standing);
        self.0.wake();
    }

    /// Who is reachable: this node, and each member that was not silent for too long.
    pub fn reachable(&self) -> watch::Receiver<Arc<BTreeSet<NodeId>>> {
        self.0.reachable.subscribe()
    }

    /// Tells the replica again who is silent and who is not: it has got publications of members in another way, from a
    /// checkpoint.
    pub fn tell_again(&self) {
        self.0.tell_again();
    }

    /// What is known of the peers.
    pub fn status(&self) -> Status {
        self.0.status()
    }

    /// Waits until every member of now has told everything it has, or can't be reached, at most for `join_wait` from when
    /// the first of them was known. Says what the peers know of this node's earlier lives.
    pub async fn wait_for_peers(&self) -> Known {
        // The task that follows the members may not have come to the last of them.
        self.0.take_members();
        self.0.wait(None).await;
        self.0.known()
    }

    /// Waits until every member that can be reached has also told what it put back itself, at most as long.
    pub async fn wait_for_restored(&self) {
        self.0.wait(Some(Standing::Restored)).await;
    }
}

/// What the peers of a starting node know of what was before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// None of them serves clients: what was before is in checkpoints alone.
    ByNobody,
    /// Some serve clients, and what they have counts.
    ByPeers {
        /// This much of this node's earlier lives they had seen.
        seen: Vec<Position>,
        /// Of each peer, what was told of what it owns.
        told: BTreeMap<NodeId, Told>,
    },
}

/// The lives of a peer of which everything was told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// The one in which it told itself.
    pub itself: Option<Epoch>,
    /// All that began before this boot: they are over to one who serves clients, so somebody adopted what they owned.
    pub before: u64,
}

impl Known {
    /// Whether everything up to a position of an earlier life of this node is known to a peer that serves clients.
    pub fn covers(&self, position: Position) -> bool {
        match self {
            Self::ByNobody => false,
            Self::ByPeers { seen, told } => {
                let knows =
                    |seen: &Position| seen.epoch == position.epoch && seen.sequence >= position.sequence;
                // A part of it may have fallen to one that only others hear.
                let is_heard = |told: &Told| told.itself.is_some() || told.before == u64::MAX;
                seen.iter().any(knows) && told.values().all(is_heard)
            }
        }
    }

    /// Whether what a life of a peer owned was told, by itself or by who adopted it.
    pub fn is_told(&self, origin: Origin) -> bool {
        match self {
            Self::ByNobody => false,
            Self::ByPeers { told, .. } => told
                .get(&origin.node)
                .is_none_or(|told| told.itself == Some(origin.epoch) || origin.epoch.boot < told.before),
        }
    }
}
