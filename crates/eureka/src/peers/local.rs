//! Our own registry, as peers are told of it and as they change it.

use super::{compare::Held, queue::Key};
use crate::wire::Declared;
use muster_model::{Actor, ErrorCode, EurekaAction, EurekaStatus, Timestamp};
use muster_node::{
    EurekaOverriding, EurekaRegistration, Node, NodeError,
    registry::{EurekaBase, EurekaOwner, EurekaShown},
};
use parking_lot::Mutex;
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

/// The view that peers share with us, and which of its instances are ours to tell of. The lock on those is held over the
/// registry's at times, never the other way round.
pub(super) struct Local {
    pub(super) node: Arc<Node>,
    pub(super) base: EurekaBase,
    ours: Mutex<Ours>,
    started: Timestamp,
}

/// Instances whose client spoke to us last, and not to a peer. Those that are gone are removed with each comparison, and
/// when there are many more than were left the last time.
#[derive(Default)]
struct Ours {
    keys: HashSet<Key>,
    prune_at: usize,
}

/// Fewer are never looked through.
const PRUNE_MIN: usize = 1_024;

impl Ours {
    fn keep(&mut self, is_held: impl FnMut(&Key) -> bool) {
        self.keys.retain(is_held);
        self.prune_at = (2 * self.keys.len()).max(PRUNE_MIN);
    }
}

impl Local {
    pub(super) fn new(node: Arc<Node>, base: EurekaBase) -> Self {
        let started = node.now().wall;
        Self { node, base, ours: Mutex::default(), started }
    }

    /// Notes that the client of an instance spoke to us, or to a peer.
    pub(super) fn note(&self, key: &Key, is_ours: bool) {
        let mut ours = self.ours.lock();
        if !is_ours {
            ours.keys.remove(key);
        } else if !ours.keys.contains(key) {
            ours.keys.insert(key.clone());
            if ours.keys.len() >= ours.prune_at.max(PRUNE_MIN)
                && let Ok(snapshot) = self.node.eureka_snapshot(&self.base)
            {
                let is_held =
                    |key: &Key| snapshot.app(&key.app).is_some_and(|app| app.instance(&key.id).is_some());
                ours.keep(is_held);
            }
        }
    }

    /// Whether it is this node that tells peers of it. On a node that stands alone: whether its client spoke to us last. Among
    /// several it is the owner, of what a client registered with any of them.
    pub(super) fn is_ours(&self, key: &Key) -> bool {
        let spoke_to_us = self.ours.lock().keys.contains(key);
        is_told_here(self.owner(key), spoke_to_us)
    }

    /// Whether no other node of ours owns it.
    pub(super) fn is_here(&self, key: &Key) -> bool {
        self.owner(key).is_none_or(|owner| owner.is_here)
    }

    fn owner(&self, key: &Key) -> Option<EurekaOwner> {
        self.node.eureka_owner(&self.base, &key.app, &key.id)
    }

    /// An instance as it is now; `None` if it is gone, or registered over Nacos: peers are not told of those.
    pub(super) fn instance(&self, key: &Key) -> Option<Arc<EurekaShown>> {
        let found = self.node.eureka_instance(&self.base, &key.app, &key.id).ok().flatten();
        found.filter(|shown| !shown.derived)
    }

    /// Everything we hold that peers may hold. An override that was set before `old` is an old one, and those that were
    /// there when we started count as set then.
    pub(super) fn held(&self, old: Timestamp) -> Result<HashMap<Key, Held>, NodeError> {
        let snapshot = self.node.eureka_snapshot(&self.base)?;
        let mut ours = self.ours.lock();
        let shown = snapshot.apps.iter().flat_map(|app| app.instances.iter()).filter(|shown| !shown.derived);
        let held: HashMap<Key, Held> = shown
            .map(|shown| {
                let key = Key::of(&shown.instance);
                let owner = self.owner(&key);
                let is_ours = is_told_here(owner, ours.keys.contains(&key));
                let is_here = owner.is_none_or(|owner| owner.is_here);
                let set = owner.and_then(|owner| owner.overridden).unwrap_or(self.started);
                let (last_dirty, overridden) = (shown.last_dirty, shown.overridden);
                (key, Held { last_dirty, overridden, is_ours, is_here, is_old: set < old })
            })
            .collect();
        ours.keep(|key| held.contains_key(key));
        Ok(held)
    }

    /// What went since a moment, at whichever of our nodes, and when: by that node's clock.
    pub(super) fn gone_since(&self, since: Timestamp) -> Result<HashMap<Key, Timestamp>, NodeError> {
        let delta = self.node.eureka_delta(&self.base)?;
        let shown = delta.apps.iter().flat_map(|app| app.instances.iter());
        let is_gone = |shown: &&Arc<EurekaShown>| {
            shown.action == EurekaAction::Deleted && !shown.derived && shown.times.evicted >= since
        };
        Ok(shown.filter(is_gone).map(|shown| (Key::of(&shown.instance), shown.times.evicted)).collect())
    }

    /// Registers a peer's copy, with the override it tells of. Nobody is told. One that is refused for what it is stays
    /// with the peer: it must not keep the others from being compared.
    pub(super) async fn take_over(&self, copy: Declared) -> Result<(), NodeError> {
        let key = Key::of(&copy.instance);
        let overridden = copy.overridden.unwrap_or(EurekaStatus::Unknown);
        let last_dirty = Some(copy.instance.last_dirty);
        let instance = Arc::new(copy.instance);
        let registration = EurekaRegistration { instance, overridden, replicated: true };
        match self.node.eureka_register(&self.base, registration, Actor::default()) {
            Ok(()) => {}
            Err(error) if matches!(error.code(), ErrorCode::InvalidParameter | ErrorCode::LimitExceeded) => {
                tracing::warn!(app = %key.app, id = %shortened(&key.id), %error, "a peer's instance is not taken over");
                return Ok(());
            }
            Err(error) => return Err(error),
        }
        self.note(&key, false);
        let differs = || self.instance(&key).is_some_and(|shown| shown.overridden != overridden);
        if overridden != EurekaStatus::Unknown && differs() {
            let overriding = EurekaOverriding { last_dirty, replicated: true };
            self.node
                .eureka_set_status(&self.base, &key.app, &key.id, overridden, overriding, Actor::default())
                .await?;
        }
        Ok(())
    }

    /// Removes an instance that no peer holds any more.
    pub(super) fn forget(&self, key: &Key) -> Result<bool, NodeError> {
        self.node.eureka_cancel(&self.base, &key.app, &key.id, Actor::default())
    }
}

fn is_told_here(owner: Option<EurekaOwner>, spoke_to_us: bool) -> bool {
    match owner.filter(|owner| owner.is_mirrored) {
        Some(owner) => owner.is_here && (spoke_to_us || !owner.from_peer),
        None => spoke_to_us,
    }
}

/// The beginning of an id, which may be as long as a peer likes.
fn shortened(id: &str) -> &str {
    id.char_indices().nth(256).map_or(id, |(at, _)| &id[..at])
}
