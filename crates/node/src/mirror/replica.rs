//! The registry, as the mirror sees it.

use crate::Node;
use bytes::Bytes;
use muster_mirror::{Buckets, Changes, Digest, Position, Refused, Replica, Snapshot};
use muster_model::{NodeId, Now, Origin};
use muster_registry::{Effect, MirrorChanges, MirrorDigest, MirrorError, Registry, SnapshotCursor};
use std::{
    collections::BTreeSet,
    sync::{Arc, Weak, atomic::Ordering},
};

/// Operations of peers that are applied under one lock of the registry.
const OPS_A_LOCK: usize = 256;

/// The registry of a node. Once that is gone it is empty.
pub(super) struct Held {
    node: Weak<Node>,
    origin: Origin,
}

impl Held {
    /// The registry of a node in this life.
    pub(super) fn new(node: &Arc<Node>, origin: Origin) -> Self {
        Self { node: Arc::downgrade(node), origin }
    }

    fn read<T>(&self, read: impl FnOnce(&Registry) -> T) -> Option<T> {
        self.node.upgrade().map(|node| read(&node.registry.lock()))
    }

    /// Changes the registry under one lock, then runs what follows.
    fn change<T>(&self, change: impl FnOnce(&mut Registry, Now, &mut Vec<Effect>) -> T) -> Option<T> {
        let node = self.node.upgrade()?;
        let (now, mut effects) = (node.now(), Vec::new());
        let result = change(&mut node.registry.lock(), now, &mut effects);
        node.run_registry_effects(effects);
        Some(result)
    }
}

fn digest(digest: MirrorDigest) -> Digest {
    let MirrorDigest { sequence, sum, buckets, .. } = digest;
    Digest { sequence, sum, buckets: *buckets }
}

fn refused(error: MirrorError) -> Refused {
    match error {
        MirrorError::Gap { .. } => Refused::Gap,
        MirrorError::NoResync | MirrorError::Decode(_) => Refused::Unreadable(error.to_string()),
    }
}

impl Replica for Held {
    fn origin(&self) -> Origin {
        self.origin
    }

    fn sequence(&self) -> u64 {
        self.read(Registry::mirror_sequence).unwrap_or_default()
    }

    fn changes(&self, after: u64, bytes_max: usize, with_digest: bool) -> Changes {
        let changes = self.read(|registry| {
            let newest = registry.mirror_sequence();
            let MirrorChanges::Ops { ops, upto } = registry.changes(after, bytes_max) else {
                return Changes::TooOld;
            };
            let of = if with_digest && upto == newest { registry.digest(self.origin) } else { None };
            Changes::Ops { ops, upto, newest, digest: of.map(|found| Box::new(digest(found))) }
        });
        changes.unwrap_or(Changes::TooOld)
    }

    fn digest(&self) -> Digest {
        let found = self.read(|registry| registry.digest(self.origin)).flatten();
        digest(found.unwrap_or_default())
    }

    fn snapshot(&self, _buckets: &Buckets) -> Box<dyn Snapshot> {
        Box::new(Pages { node: self.node.clone(), from: Some(SnapshotCursor::default()) })
    }

    fn mends_buckets(&self) -> bool {
        false
    }

    fn mirrored(&self, node: NodeId) -> Option<Position> {
        let held = self.read(|registry| registry.held_sequence(node)).flatten()?;
        Some(Position { epoch: held.epoch, sequence: held.sequence })
    }

    fn mirrored_digest(&self, origin: Origin) -> Option<Digest> {
        self.read(|registry| registry.digest(origin)).flatten().map(digest)
    }

    fn apply(&self, origin: Origin, ops: &[Bytes], upto: u64) -> Result<(), Refused> {
        let mut last = upto - ops.len() as u64;
        for ops in ops.chunks(OPS_A_LOCK) {
            last += ops.len() as u64;
            let applied = self
                .change(|registry, now, effects| registry.apply_mirrored(origin, ops, last, now, effects));
            applied.transpose().map_err(refused)?;
        }
        Ok(())
    }

    fn resync_begin(&self, origin: Origin, sequence: u64, _buckets: &Buckets) {
        self.change(|registry, now, effects| registry.resync_begin(origin, sequence, now, effects));
    }

    fn resync_page(&self, origin: Origin, ops: &[Bytes]) -> Result<(), Refused> {
        for ops in ops.chunks(OPS_A_LOCK) {
            let taken = self.change(|registry, now, effects| registry.resync_page(origin, ops, now, effects));
            taken.transpose().map_err(refused)?;
        }
        Ok(())
    }

    fn resync_end(&self, origin: Origin) -> Result<(), Refused> {
        let ended = self.change(|registry, now, effects| registry.resync_end(origin, now, effects));
        ended.transpose().map_err(refused)?;
        Ok(())
    }

    fn peer_silent(&self, node: NodeId, reachable: &BTreeSet<NodeId>) {
        let others = self.others(reachable);
        self.change(|registry, now, effects| registry.peer_silent(node, &others, now, effects));
        self.go_on_adopting();
    }

    fn peer_returned(&self, origin: Origin, reachable: &BTreeSet<NodeId>) {
        // What an earlier life of it left is adopted by others: it has none of that.
        let mut others = self.others(reachable);
        others.retain(|node| *node != origin.node);
        self.change(|registry, now, effects| registry.peer_returned(origin, &others, now, effects));
        self.go_on_adopting();
    }

    fn is_adopting(&self) -> bool {
        self.read(Registry::is_adopting).unwrap_or_default()
    }

    fn renewals(&self, node: NodeId, max: usize) -> Vec<Bytes> {
        let renewals = self.change(|registry, _, _| registry.renewals(node, max));
        renewals.unwrap_or_default()
    }

    fn apply_renewals(&self, from: NodeId, renewals: &[Bytes]) {
        for renewals in renewals.chunks(OPS_A_LOCK) {
            let applied =
                self.change(|registry, now, effects| registry.apply_renewals(renewals, now, effects));
            if let Some(Err(error)) = applied {
                tracing::warn!(from = from.0, %error, "renewals that a peer passed on can't be read");
            }
        }
    }
}

impl Held {
    /// One call adopts some; the rest is a task's, so that nobody waits for it.
    fn go_on_adopting(&self) {
        let Some(node) = self.node.upgrade() else { return };
        if node.registry.lock().is_adopting() && !node.mirroring.is_adopting.swap(true, Ordering::AcqRel) {
            node.tasks.clone().spawn("adoption", adopt(node));
        }
    }

    fn others(&self, reachable: &BTreeSet<NodeId>) -> Vec<NodeId> {
        reachable.iter().copied().filter(|node| *node != self.origin.node).collect()
    }
}

async fn adopt(node: Arc<Node>) {
    loop {
        let (now, mut effects) = (node.now(), Vec::new());
        let is_done = {
            let mut registry = node.registry.lock();
            registry.adopt_more(now, &mut effects);
            let is_done = !registry.is_adopting();
            if is_done {
                // Under the lock, so that whoever begins another look afterwards sees it.
                node.mirroring.is_adopting.store(false, Ordering::Release);
            }
            is_done
        };
        node.run_registry_effects(effects);
        if is_done || node.tasks.stopping().is_cancelled() {
            return;
        }
        tokio::task::yield_now().await;
    }
}

struct Pages {
    node: Weak<Node>,
    from: Option<SnapshotCursor>,
}

impl Snapshot for Pages {
    fn next_page(&mut self, bytes_max: usize) -> Option<Vec<Bytes>> {
        let node = self.node.upgrade()?;
        let page = node.registry.lock().snapshot_page(self.from?, bytes_max);
        self.from = page.next;
        // One without any is a page that looked at others' only.
        Some(page.ops)
    }
}
