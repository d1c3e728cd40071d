//! Muster as a peer of existing Eureka servers: both sides hold the same registry, so that clients may use either.
//!
//! What a client does here is told to every peer ([`Peers::tell`]), what a peer tells is never passed on
//! ([`Peers::heard`]): peers form a full mesh of one hop, as real servers do (`PeerAwareInstanceRegistryImpl`). Each peer
//! has a queue and a task (`link.rs`), which sends batches of at most 250 items, one at a time, so that the order of an
//! instance's changes is kept. A peer that was away is compared with us (`compare.rs`); at start all are.
//!
//! A change is sent at once, and what comes while a batch is on its way goes with the next one; heartbeats wait at most
//! 500 ms. Changes are kept until they are delivered; what they say is read when they are sent.

mod batch;
mod client;
mod compare;
mod link;
mod local;
mod ourselves;
mod pace;
mod queue;
mod start;
mod url;

pub use link::PeerState;
pub use ourselves::Ourselves;
pub use url::{PeerUrl, PeerUrlError};

use crate::wire::BatchAction;
use client::PeerClient;
use link::Link;
use local::Local;
use muster_node::{Node, registry::EurekaBase};
use muster_runtime::Tasks;
use queue::Key;
use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// A heartbeat is not worth more than the next one, which comes after the renewal interval.
const HEARTBEAT_KEEP_MS: u64 = 30_000;

/// By then the peer's lease of a client that is gone has ended, too.
const CANCEL_KEEP_MS: u64 = 180_000;

/// For the last batch to each peer.
const LEAVE_GRACE: Duration = Duration::from_secs(2);

/// Which peers there are, and how they are told.
#[derive(Clone, Debug)]
pub struct PeerSettings {
    /// Where they answer; none is the default.
    pub peers: Vec<PeerUrl>,
    /// This server as an instance in their registries; `None` is the default.
    pub ourselves: Option<Ourselves>,
    /// Our address, as the header `DiscoveryIdentity-Id` tells it.
    pub own_address: IpAddr,
    /// Changes and heartbeats that may wait for one peer (10,000, `maxElementsInPeerReplicationPool`). Beyond that the
    /// oldest is dropped, and the registries are compared.
    pub queue_max: usize,
}

impl PeerSettings {
    /// How many changes and heartbeats may wait for one peer by default.
    pub const QUEUE_MAX: usize = 10_000;

    /// No peers.
    pub fn none(own_address: IpAddr) -> Self {
        Self { peers: Vec::new(), ourselves: None, own_address, queue_max: Self::QUEUE_MAX }
    }
}

/// The peers of this server. Without any, telling costs nothing.
pub struct Peers {
    local: Arc<Local>,
    links: Vec<Arc<Link>>,
    ourselves: Option<Ourselves>,
    is_joining: AtomicBool,
    tasks: Tasks,
}

impl Peers {
    /// Peers that are not spoken to before [`Peers::start`]; `base` is the view they share with us.
    pub fn new(node: Arc<Node>, base: EurekaBase, settings: PeerSettings) -> Self {
        let PeerSettings { peers, ourselves, own_address, queue_max } = settings;
        let local = Arc::new(Local::new(node, base));
        let link = |url| Arc::new(Link::new(PeerClient::new(url, own_address), local.clone(), queue_max));
        let links: Vec<Arc<Link>> = peers.into_iter().map(link).collect();
        let is_joining = AtomicBool::new(!links.is_empty());
        Self { local, links, ourselves, is_joining, tasks: Tasks::new() }
    }

    /// Starts speaking to the peers; the node must be ready.
    pub fn start(self: &Arc<Self>) {
        if !self.links.is_empty() {
            let told = Arc::downgrade(self);
            self.local.node.observe_eureka_renewals(Arc::new(move |base, app, id| {
                if let Some(peers) = told.upgrade().filter(|peers| peers.base() == base) {
                    peers.renewed_elsewhere(app, id);
                }
            }));
            let peers = self.clone();
            self.tasks.spawn("eureka peers", async move { peers.run().await });
        }
    }

    /// Tells the peers what is left to tell, that this server ends among it, and stops. Takes at most two seconds; the node
    /// must still be ready.
    pub async fn leave(&self) {
        if !self.tasks.shutdown(LEAVE_GRACE).await {
            tracing::warn!("some Eureka peers were not told everything");
        }
    }

    /// The view that peers share with us.
    pub(crate) fn base(&self) -> &EurekaBase {
        &self.local.base
    }

    /// Whether the peers' registries are still being fetched, for the first time since the start: a list that is empty
    /// now may be so for that reason alone.
    pub fn is_joining(&self) -> bool {
        self.is_joining.load(Ordering::Acquire)
    }

    /// How the peers are doing.
    pub fn states(&self) -> Vec<PeerState> {
        self.links.iter().map(|link| link.state()).collect()
    }

    /// A client or operator changed an instance here, in the view that peers share: they are told. Never waits.
    pub fn tell(&self, app: &str, id: &str, change: EurekaChange) {
        if self.links.is_empty() {
            return;
        }
        let key = Key { app: app.to_uppercase().into(), id: id.into() };
        if let Some(is_ours) = change.moves_to_us() {
            self.local.note(&key, is_ours);
        }
        if change == EurekaChange::Renewed && !self.local.is_here(&key) {
            // The beat goes on to the node that owns it, which tells.
            return;
        }
        let (action, keep_ms) = change.task();
        self.links.iter().for_each(|link| link.tell(&key, action, keep_ms));
    }

    /// What is owned here was renewed by a beat to another node of ours.
    fn renewed_elsewhere(&self, app: &str, id: &str) {
        let key = Key { app: app.to_uppercase().into(), id: id.into() };
        let (action, keep_ms) = EurekaChange::Renewed.task();
        self.links.iter().for_each(|link| link.tell(&key, action, keep_ms));
    }

    /// A peer changed an instance here. No peer is told.
    pub fn heard(&self, app: &str, id: &str, change: EurekaChange) {
        if self.links.is_empty() {
            return;
        }
        let key = Key { app: app.to_uppercase().into(), id: id.into() };
        if change.moves_to_us().is_some() {
            self.local.note(&key, false);
        }
        self.links.iter().for_each(|link| link.heard(&key));
    }
}

/// What happened to an instance that peers must know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EurekaChange {
    /// Its client registered it.
    Registered,
    /// Its client renewed it.
    Renewed,
    /// It was cancelled.
    Cancelled,
    /// Its status was overridden.
    Overridden,
    /// The override was lifted.
    Restored,
    /// Its metadata were changed.
    Relabelled,
}

impl EurekaChange {
    /// Whether its client speaks to whoever is told of the change first; `None` if it was no doing of its client.
    fn moves_to_us(self) -> Option<bool> {
        match self {
            Self::Registered | Self::Renewed => Some(true),
            Self::Cancelled => Some(false),
            Self::Overridden | Self::Restored | Self::Relabelled => None,
        }
    }

    /// What a peer is told, and for how many milliseconds that is worth telling.
    fn task(self) -> (BatchAction, u64) {
        match self {
            Self::Registered | Self::Relabelled => (BatchAction::Register, u64::MAX),
            Self::Renewed => (BatchAction::Heartbeat, HEARTBEAT_KEEP_MS),
            Self::Cancelled => (BatchAction::Cancel, CANCEL_KEEP_MS),
            Self::Overridden => (BatchAction::StatusUpdate, u64::MAX),
            Self::Restored => (BatchAction::DeleteStatusOverride, u64::MAX),
        }
    }
}
