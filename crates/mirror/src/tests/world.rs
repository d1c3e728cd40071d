//! Nodes with mirrors in one process, under time that is skipped.

use super::{
    naive::{Naive, Shared},
    network::{Place, Wires, address},
};
use crate::{Mirror, Parts, PeerStatus, Settings};
use muster_model::{ClusterId, Epoch, Monotonic, NodeId, Now, Origin, Timestamp};
use muster_peer::{Links, LinksParts, Plaintext};
use muster_runtime::{Clock, Rng, Tasks, net::Network as _};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::{sync::watch, time::Instant};

/// The time that tokio skips.
struct Skipped(Instant);

impl Clock for Skipped {
    fn now(&self) -> Now {
        let ms = self.0.elapsed().as_millis() as u64 + 1;
        Now { wall: Timestamp(ms), mono: Monotonic(ms) }
    }
}

pub(super) struct Running {
    pub(super) replica: Arc<Naive>,
    pub(super) mirror: Mirror,
    tasks: Tasks,
}

impl Running {
    pub(super) fn set(&self, key: u32, value: u64) {
        self.replica.change(key, Some(value));
        self.mirror.changed();
    }

    pub(super) fn remove(&self, key: u32) {
        self.replica.change(key, None);
        self.mirror.changed();
    }

    pub(super) fn peer(&self, node: u64) -> PeerStatus {
        self.mirror.status().peers.into_iter().find(|peer| peer.node == NodeId(node)).unwrap()
    }
}

pub(super) struct World {
    pub(super) wires: Arc<Wires>,
    pub(super) members: watch::Sender<Arc<BTreeMap<NodeId, String>>>,
    pub(super) nodes: BTreeMap<u64, Running>,
    pub(super) settings: Settings,
    boots: u64,
}

impl World {
    /// A world of members, none of which runs.
    pub(super) fn of(members: u64) -> Self {
        let addresses = (1..=members).map(|node| (NodeId(node), address(NodeId(node)))).collect();
        Self {
            wires: Wires::new(Tasks::single_threaded()),
            members: watch::Sender::new(Arc::new(addresses)),
            nodes: BTreeMap::new(),
            settings: Settings::default(),
            boots: 0,
        }
    }

    /// A world whose members all run and have found each other.
    pub(super) async fn running(members: u64) -> Self {
        let mut world = Self::of(members);
        for node in 1..=members {
            world.start(node).await;
        }
        world.until("all are mirrored", World::agree).await;
        world
    }

    pub(super) async fn start(&mut self, node: u64) -> &Running {
        self.boots += 1;
        let epoch = Epoch { boot: self.boots, random: self.boots * 7 };
        self.start_as(node, epoch, |_| {}).await
    }

    pub(super) async fn start_as(
        &mut self,
        node: u64,
        epoch: Epoch,
        prepare: impl FnOnce(&Naive),
    ) -> &Running {
        let (id, tasks) = (NodeId(node), Tasks::single_threaded());
        let network = Arc::new(Place { wires: self.wires.clone(), node: id });
        let incoming = network.listen(&address(id)).await.unwrap();
        let links = Links::new(LinksParts { network, security: Arc::new(Plaintext), tasks: tasks.clone() });
        links.identify(ClusterId(5), id);
        let replica = Naive::new(Origin { node: id, epoch });
        prepare(&replica);
        let mirror = Mirror::start(Parts {
            links: links.clone(),
            tasks: tasks.clone(),
            clock: Arc::new(Skipped(Instant::now())),
            rng: Rng::seeded(epoch.random),
            replica: Arc::new(Shared(replica.clone())),
            members: self.members.subscribe(),
            settings: self.settings.clone(),
        });
        tasks.spawn("links", links.serve(incoming));
        self.nodes.insert(node, Running { replica, mirror, tasks });
        &self.nodes[&node]
    }

    pub(super) async fn stop(&mut self, node: u64) {
        let node = self.nodes.remove(&node).unwrap();
        assert!(node.tasks.shutdown(Duration::from_secs(5)).await, "its tasks end");
    }

    /// Each node that runs has what each other one has.
    pub(super) fn agree(&self) -> bool {
        self.nodes.iter().all(|(node, running)| {
            let others = self.nodes.iter().filter(|(other, _)| *other != node);
            let own = running.replica.own();
            others.into_iter().all(|(_, other)| other.replica.held(NodeId(*node)).as_ref() == Some(&own))
        })
    }

    /// Waits for a condition; gives how long that took.
    pub(super) async fn until(&self, what: &str, condition: impl Fn(&Self) -> bool) -> Duration {
        let begun = Instant::now();
        while !condition(self) {
            assert!(begun.elapsed() < Duration::from_secs(60), "{what}: not within a minute: {self:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        begun.elapsed()
    }
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for node in self.nodes.values() {
            writeln!(f, "{:#?}", node.mirror.status())?;
        }
        Ok(())
    }
}
