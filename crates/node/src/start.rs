//! Putting a node together.

use crate::{
    Node, Settings, checkpoint::Checkpoints, config_contents::Contents, doctor::Doctor, ensemble::Membership,
    eureka_statuses::WaitingStatuses, eureka_views::EurekaViews, freshness::Freshness,
    health_check::HealthChecks, labels::Labels, locks::Locks, mirror::Mirroring, peers::Peers,
    switches::SwitchBoard, views::Views, watchers::Watchers,
};
use muster_config::Configs;
use muster_consensus::{Consensus, ConsensusError, Parts};
use muster_model::{Epoch, Origin};
use muster_registry::Registry;
use muster_runtime::{Clock, Rng, Tasks};
use muster_storage::{journal::Journal, state::StateStore};
use parking_lot::{Mutex, RwLock};
use std::sync::{Arc, OnceLock};

/// What a node is made of.
pub struct NodeParts {
    /// Settings of the use cases.
    pub settings: Settings,
    /// Where contents are read from; the one consensus writes to.
    pub state: Arc<dyn StateStore>,
    /// The flight recorder.
    pub journal: Journal,
    /// Both clocks.
    pub clock: Arc<dyn Clock>,
    /// Owner of the background tasks.
    pub tasks: Tasks,
    /// This life of the node.
    pub epoch: Epoch,
    /// Randomness: first ticket, spread of health checks.
    pub rng: Rng,
}

impl Node {
    /// A node that answers nothing yet: see [`Node::join`].
    pub fn new(parts: NodeParts, id: muster_model::NodeId) -> Arc<Self> {
        let NodeParts { settings, state, journal, clock, tasks, epoch, mut rng } = parts;
        let mut registry = Registry::with_rules(settings.limits.clone(), settings.eureka.clone());
        registry.set_self_preservation(settings.eureka_self_preservation);
        registry.set_identity(Origin { node: id, epoch });
        Arc::new(Self {
            id,
            epoch,
            membership: Membership::default(),
            registry: Mutex::new(registry),
            configs: RwLock::new(Configs::new()),
            locks: Mutex::new(Locks::default()),
            watchers: Watchers::new(&settings.limits),
            views: Views::new(settings.rendered_bytes_max),
            eureka_views: EurekaViews::default(),
            waiting_statuses: WaitingStatuses::default(),
            contents: Contents::new(settings.content_bytes_max),
            rng: Mutex::new(Rng::seeded(rng.next_u64())),
            health_checks: HealthChecks::new(
                rng,
                id,
                settings.health_checks_concurrent_max,
                tasks.stopping(),
            ),
            checkpoints: Checkpoints::default(),
            mirroring: Mirroring::default(),
            peers: Peers::default(),
            renewal_observer: OnceLock::new(),
            freshness: Freshness::default(),
            doctor: Doctor::default(),
            switches: SwitchBoard::default(),
            labels: Labels::default(),
            pending: Mutex::default(),
            consensus: OnceLock::new(),
            settings,
            state,
            journal,
            clock,
            tasks,
        })
    }

    /// Starts consensus with this node as its state machine, and the background work. It returns before the log
    /// is replayed: [`Node::is_ready`] says when the node may answer.
    pub async fn join(
        self: &Arc<Self>,
        settings: muster_consensus::Settings,
        parts: Parts,
    ) -> Result<(), ConsensusError> {
        let consensus = Consensus::start(settings, parts).await?;
        assert!(self.consensus.set(consensus).is_ok(), "a node joins once");
        self.tasks.spawn("steward", self.clone().run_steward());
        self.tasks.spawn("digests", self.clone().run_digests());
        self.tasks.spawn("freshness", self.clone().run_freshness());
        self.tasks.spawn("asking peers", self.clone().run_asking());
        self.tasks.spawn("timers", self.clone().run_timers());
        self.tasks.spawn("status proposals", self.clone().run_status_proposals());
        self.tasks.spawn("housekeeping", self.clone().run_housekeeping());
        self.tasks.spawn("health checks", HealthChecks::run(self.clone()));
        Ok(())
    }

    /// The flight recorder, for those who read it.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// The owner of its background tasks.
    pub fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    /// The state store, for backups.
    pub fn state(&self) -> &Arc<dyn StateStore> {
        &self.state
    }
}
