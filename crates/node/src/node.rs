//! The node: all state of one process, and the two ways to change it.

use crate::{
    Settings, brake, checkpoint::Checkpoints, config_contents::Contents, doctor::Doctor,
    ensemble::Membership, error::NodeError, eureka_owners::RenewalObserver, eureka_statuses::WaitingStatuses,
    eureka_views::EurekaViews, freshness::Freshness, health_check::HealthChecks, labels::Labels,
    locks::Locks, mirror::Mirroring, op::DurableOp, peers::Peers, switches::SwitchBoard, views::Views,
    watchers::Watchers,
};
use bytes::Bytes;
use muster_config::Configs;
use muster_consensus::Consensus;
use muster_model::{
    Epoch, NodeId, Now, ServiceKey,
    mutation::{self, Mutation},
};
use muster_registry::{Effect, Op, Outcome, Registry, RegistryError};
use muster_runtime::{Clock, Rng, Tasks};
use muster_storage::{journal::Journal, state::StateStore};
use muster_watch::Presence;
use parking_lot::{Mutex, RwLock};
use std::{
    fmt::Display,
    sync::{Arc, OnceLock},
};

/// One process of Muster: the cores, their locks, and what runs their effects. Use cases are methods in their
/// own files; edges hold an `Arc` of it.
///
/// Locks: each of `registry`, `configs`, `locks` and those in `Watchers` is held for one call of its core and
/// never together with another one, except that effects of the apply loop are kept in `pending` in between, and that
/// the locks on watched names are taken under the one on what has these names.
pub struct Node {
    /// This node's id in the ensemble.
    pub(crate) id: NodeId,
    /// This life of the node.
    pub(crate) epoch: Epoch,
    /// Its part in an ensemble; its lock is held for one call of its core.
    pub(crate) membership: Membership,
    pub(crate) settings: Settings,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) tasks: Tasks,
    /// For ids that only have to be new; held for one draw.
    pub(crate) rng: Mutex<Rng>,
    pub(crate) registry: Mutex<Registry>,
    pub(crate) configs: RwLock<Configs>,
    pub(crate) locks: Mutex<Locks>,
    pub(crate) watchers: Watchers,
    pub(crate) views: Views,
    pub(crate) eureka_views: EurekaViews,
    pub(crate) waiting_statuses: WaitingStatuses,
    pub(crate) contents: Contents,
    pub(crate) state: Arc<dyn StateStore>,
    pub(crate) journal: Journal,
    pub(crate) health_checks: HealthChecks,
    pub(crate) checkpoints: Checkpoints,
    pub(crate) mirroring: Mirroring,
    pub(crate) peers: Peers,
    pub(crate) renewal_observer: OnceLock<RenewalObserver>,
    pub(crate) freshness: Freshness,
    pub(crate) doctor: Doctor,
    pub(crate) switches: SwitchBoard,
    pub(crate) labels: Labels,
    /// Effects of durable operations that are applied, and not committed yet. The apply loop alone uses it.
    pub(crate) pending: Mutex<Vec<PendingEffect>>,
    /// Set once, when the consensus engine has started.
    pub(crate) consensus: OnceLock<Consensus>,
}

/// What a durable operation leaves to do once its rows are committed.
#[derive(Debug)]
pub(crate) enum PendingEffect {
    Registry(Effect),
    Config(muster_config::Effect),
    /// Switches have other values.
    Switched,
    /// Members or tokens are others.
    Ensemble,
}

impl Node {
    /// Its id in the ensemble.
    pub fn id(&self) -> NodeId {
        self.id
    }

    /// This life of the node.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The settings it was started with.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Both clocks.
    pub fn now(&self) -> Now {
        self.clock.now()
    }

    /// The consensus engine; an error while the node starts.
    pub fn consensus(&self) -> Result<&Consensus, NodeError> {
        self.consensus.get().ok_or(NodeError::Starting)
    }

    /// Whether the node may answer: everything acknowledged before its start is in memory, what the peers have of
    /// ephemeral registrations, and what is restored of them.
    pub fn is_ready(&self) -> bool {
        if mutation::is_on(Mutation::AnswerEarly) {
            return self.consensus.get().is_some();
        }
        let is_degraded = || self.mirroring.is_degraded() && self.stale_ms().is_some();
        self.consensus.get().is_some_and(|consensus| consensus.is_ready() || is_degraded())
            && self.checkpoints.are_read()
            && self.mirroring.is_complete()
    }

    /// As [`Node::is_ready`], as an error for those who can't go on otherwise.
    pub(crate) fn ready(&self) -> Result<(), NodeError> {
        if self.is_ready() { Ok(()) } else { Err(NodeError::Starting) }
    }

    /// Applies an operation on ephemeral state and runs its effects.
    pub(crate) fn apply_ephemeral(&self, op: Op) -> Result<Outcome, RegistryError> {
        debug_assert!(!op.is_durable(), "durable operations go through the log");
        let now = self.now();
        // Most renewals have none.
        let mut effects = Vec::new();
        let outcome = self.registry.lock().apply(op, now, &mut effects)?;
        self.run_registry_effects(effects);
        Ok(outcome)
    }

    /// Proposes a durable operation and waits for what its application came to, encoded by the core that decided it.
    /// The operation goes on if the caller stops waiting.
    pub(crate) async fn propose(&self, op: DurableOp) -> Result<Bytes, NodeError> {
        let consensus = self.consensus()?;
        self.needs_level(op.level())?;
        let bytes = op.encode();
        // Every start would stop at an operation in the log that does not read.
        DurableOp::decode(&bytes).map_err(|error| {
            tracing::error!(%error, ?op, "an operation does not read back, it is not proposed");
            NodeError::Defect("an operation does not read back")
        })?;
        Ok(consensus.propose(bytes).await?)
    }

    /// Proposes a durable registry operation. What only this node knows is asked first, so that most refusals
    /// cost no log entry.
    pub(crate) async fn propose_registry(&self, op: Op) -> Result<Outcome, NodeError> {
        self.registry.lock().check(&op)?;
        let result = self.propose(DurableOp::Registry(op.clone())).await?;
        Ok(muster_registry::decode_result(&result, &op).map_err(unreadable)??)
    }

    /// Runs what follows from registry operations, in order, without any lock held.
    pub(crate) fn run_registry_effects(&self, effects: Vec<Effect>) {
        effects.into_iter().for_each(|effect| self.run_registry_effect(effect));
    }

    /// Runs one effect of the registry.
    pub(crate) fn run_registry_effect(&self, effect: Effect) {
        match effect {
            Effect::ServiceChanged { service, revision, .. } => {
                self.watchers.service_changed(&service, revision)
            }
            Effect::ServiceAppeared(service) | Effect::ServiceVanished(service) => {
                self.tell_presence(&service);
            }
            Effect::ServiceRemoved(service) => self.views.forget(&service),
            Effect::ProposeStatus { service, instance, change, cause } => {
                self.waiting_statuses.put((service, instance), change, cause);
            }
            Effect::Recorded(change) => self.journal.record(change),
            Effect::Brake(change) => brake::say(&change),
            Effect::EurekaRenewed { base, app, id } => self.eureka_renewed_elsewhere(&base, &app, &id),
            Effect::Mirrored => self.mirroring.changed(),
            Effect::Persist(_) => unreachable!("rows are taken out by the apply loop"),
        }
    }

    /// Tells those who watch its name whether a service has instances now. Effects run without a lock, so those of two
    /// threads may run in another order than the changes were made: what counts is what is true when they run.
    fn tell_presence(&self, service: &ServiceKey) {
        if self.watchers.fuzzy_services.lock().pattern_count() == 0 {
            // Whoever begins to watch after this is told what there is then.
            return;
        }
        // The same two locks as in `Watcher::watch_service_names`, in the same order.
        let registry = self.registry.lock();
        let presence = if registry.is_visible(service) { Presence::Present } else { Presence::Absent };
        self.watchers.service_presence(service, presence);
    }

    /// Runs one effect of the config core.
    pub(crate) fn run_config_effect(&self, effect: muster_config::Effect) {
        match effect {
            muster_config::Effect::Changed { key, revision, visible, .. } => {
                if visible {
                    self.watchers.config_changed(&key, revision);
                }
            }
            muster_config::Effect::Appeared(key) => self.watchers.config_presence(&key, Presence::Present),
            muster_config::Effect::Vanished(key) => self.watchers.config_presence(&key, Presence::Absent),
            muster_config::Effect::Persist(_) => unreachable!("rows are taken out by the apply loop"),
        }
    }

    /// Empties memory, before it is loaded from the store.
    pub(crate) fn reset(&self) {
        let now = self.now();
        self.registry.lock().clear_durable(now);
        self.views.clear();
        *self.configs.write() = Configs::new();
        *self.locks.lock() = Locks::default();
        self.switches.reset();
        self.membership.reset();
        self.contents.clear();
    }

    /// Takes up the active checks of all persistent instances, after they were loaded.
    pub(crate) fn begin_all_health_checks(&self) {
        let now = self.now().mono;
        let targets: Vec<_> =
            self.registry.lock().check_targets().map(|target| (target.client, target.service)).collect();
        for (client, service) in targets {
            self.health_checks.begin(&client, &service, now);
        }
    }
}

/// The operation is applied, and what it came to does not read: a newer program leads.
pub(crate) fn unreadable(error: impl Display) -> NodeError {
    tracing::error!(%error, "the result of an operation does not read");
    NodeError::Defect("the result of an operation does not read")
}

#[cfg(test)]
mod tests;
