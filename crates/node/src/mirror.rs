//! This node's ephemeral publications on its peers, and theirs here.

mod replica;
mod start;

use crate::{Node, NodeError};
use muster_consensus::Members;
use muster_mirror::{Addresses, Mirror, Parts, PeerCounts, Position, Status};
use muster_model::NodeId;
use muster_peer::Links;
use muster_runtime::Rng;
use replica::Held;
use std::{
    collections::BTreeSet,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::sync::watch;

/// The mirror of this node, if it may have peers.
#[derive(Default)]
pub(crate) struct Mirroring {
    mirror: OnceLock<Mirror>,
    /// The members as the mirror is told of them.
    addresses: watch::Sender<Addresses>,
    /// What the peers have was not asked yet, so the node is not ready.
    is_waiting: AtomicBool,
    /// The node went on without a leader when it started, because none was heard.
    is_degraded: AtomicBool,
    /// A task adopts what peers left.
    pub(crate) is_adopting: AtomicBool,
}

impl Mirroring {
    /// Whether everything is here that the peers had when this node started, as far as they can be reached.
    pub(crate) fn is_complete(&self) -> bool {
        !self.is_waiting.load(Ordering::Acquire)
    }

    /// Whether the node may answer while no leader is heard, though it never heard how much it lacks.
    pub(crate) fn is_degraded(&self) -> bool {
        self.is_degraded.load(Ordering::Acquire)
    }

    /// The members are these now.
    pub(crate) fn tell(&self, members: &watch::Receiver<Arc<Members>>) {
        self.addresses.send_if_modified(|before| {
            let now = addresses(&members.borrow());
            let differs = **before != *now;
            if differs {
                *before = now;
            }
            differs
        });
    }

    /// This node's publications have changed.
    pub(crate) fn changed(&self) {
        if let Some(mirror) = self.mirror.get() {
            mirror.changed();
        }
    }
}

impl Node {
    /// Begins to mirror the members' publications and to let them mirror ours. Call it when the node has joined and
    /// before [`Node::restore_ephemeral`]; until that has ended the node is not ready.
    pub fn start_mirror(self: &Arc<Self>, links: Links) -> Result<(), NodeError> {
        let members = self.consensus()?.members();
        self.mirroring.tell(&members);
        self.tasks.spawn("addresses of members", self.clone().follow_members(members));
        self.mirror_members(links, self.mirroring.addresses.subscribe())
    }

    /// Tells the mirror of each change of the members until the node stops.
    async fn follow_members(self: Arc<Self>, mut members: watch::Receiver<Arc<Members>>) {
        let stopping = self.tasks.stopping();
        loop {
            tokio::select! {
                biased;
                () = stopping.cancelled() => return,
                changed = members.changed() => {
                    if changed.is_err() {
                        return;
                    }
                }
            }
            members.mark_unchanged();
            self.mirroring.tell(&members);
        }
    }

    fn mirror_members(
        self: &Arc<Self>,
        links: Links,
        members: watch::Receiver<Addresses>,
    ) -> Result<(), NodeError> {
        let origin = self.registry.lock().origin().ok_or(NodeError::Defect("a node without a life"))?;
        self.mirroring.is_waiting.store(true, Ordering::Release);
        let mirror = Mirror::start(Parts {
            links,
            tasks: self.tasks.clone(),
            clock: self.clock.clone(),
            rng: Rng::seeded(self.rng.lock().next_u64()),
            replica: Arc::new(Held::new(self, origin)),
            members,
            settings: self.settings.mirror.clone(),
        });
        self.tasks.spawn("owners of health checks", self.clone().run_check_owners(mirror.reachable()));
        assert!(self.mirroring.mirror.set(mirror).is_ok(), "a mirror is started once");
        Ok(())
    }

    /// What is known of the peers' mirrors; `None` on a node that has no peers by its settings.
    pub fn mirror_status(&self) -> Option<Status> {
        self.mirroring.mirror.get().map(Mirror::status)
    }

    /// What happened between this node and its peers, summed up over all of them.
    pub fn mirror_counts(&self) -> PeerCounts {
        let status = self.mirror_status();
        let peers = status.iter().flat_map(|status| &status.peers);
        peers.fold(PeerCounts::default(), |sum, peer| sum.plus(&peer.counts))
    }

    /// How far this node's own changes have come; `None` on one that has no peers.
    pub(crate) fn mirror_position(&self) -> Option<Position> {
        let has_peers = self.mirror_status().is_some_and(|status| !status.peers.is_empty());
        let registry = has_peers.then(|| self.registry.lock())?;
        Some(Position { epoch: registry.origin()?.epoch, sequence: registry.mirror_sequence() })
    }

    /// The nodes that are heard, this one among them.
    pub fn reachable_nodes(&self) -> BTreeSet<NodeId> {
        let mirror = self.mirroring.mirror.get();
        mirror.map_or_else(|| BTreeSet::from([self.id]), |mirror| (**mirror.reachable().borrow()).clone())
    }
}

/// The members that say where they are.
fn addresses(members: &Members) -> Addresses {
    let known = members.addresses.iter().filter(|(_, address)| !address.is_empty());
    Arc::new(known.map(|(node, address)| (*node, address.clone())).collect())
}

#[cfg(test)]
mod tests;
