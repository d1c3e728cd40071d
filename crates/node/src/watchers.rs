//! Everyone who is told of changes: connections, held requests, UDP subscribers.
//!
//! A watcher is pulled: it is woken, and asks [`Watcher::try_next`] when its transport can take a message; what it
//! gets is the newest state then.

use crate::{Node, ServiceView, subscribers::PushCounters};
use muster_model::{ConfigKey, Limits, Md5, Monotonic, Revision, ServiceKey};
use muster_watch::{
    Fuzzy, FuzzyDelivery, FuzzyPolicy, FuzzyPush, Policy, Presence, PushId, Watch, WatchError, Watched,
    WatcherId,
};
use parking_lot::Mutex;
use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, AtomicU64, Ordering},
};
use tokio::sync::Notify;

/// How a watcher of a service wants to be told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceInterest {
    /// The cluster list exactly as it was asked for; `None` if it was null. Empty means all clusters.
    pub clusters: Option<Arc<str>>,
}

/// How a watcher of a config wants to be told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigInterest {
    /// The namespace as this watcher spells it, repeated in everything it is told; `None` if it was null.
    pub tenant: Option<Arc<str>>,
    /// The digest of what this watcher said to have; `None` is nothing. Shown to operators.
    pub md5: Option<Md5>,
}

/// Something to tell a watcher now.
#[derive(Debug)]
pub enum Push {
    /// A service it watches: the newest view.
    Service {
        /// Identifies the push in its acknowledgement. [`PushId::Revision`] is the view's.
        push: PushId,
        /// How the watcher wants to be told.
        interest: ServiceInterest,
        /// The service as it is now.
        view: Arc<ServiceView>,
    },
    /// A config it watches changed.
    Config {
        /// Identifies the push in its acknowledgement.
        push: PushId,
        /// The config.
        key: ConfigKey,
        /// How the watcher wants to be told.
        interest: ConfigInterest,
    },
    /// Services that match one of its patterns came or went.
    FuzzyService(FuzzyDelivery<ServiceKey>),
    /// Configs that match one of its patterns came or went.
    FuzzyConfig(FuzzyDelivery<ConfigKey>),
}

/// A push as an acknowledgement names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PushRef {
    /// Of a service.
    Service(PushId),
    /// Of a config.
    Config(PushId),
    /// Of a pattern of services.
    FuzzyService(FuzzyPush),
    /// Of a pattern of configs.
    FuzzyConfig(FuzzyPush),
}

/// How many are watching, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WatchCounts {
    /// Open watchers.
    pub watchers: usize,
    /// Services somebody watches.
    pub services: usize,
    /// Configs somebody watches.
    pub configs: usize,
}

/// The watch cores of a node, each behind its own short lock, and who is to be woken.
pub(crate) struct Watchers {
    pub(crate) services: Mutex<Watch<ServiceKey, ServiceInterest>>,
    pub(crate) configs: Mutex<Watch<ConfigKey, ConfigInterest>>,
    pub(crate) fuzzy_services: Mutex<Fuzzy<ServiceKey>>,
    pub(crate) fuzzy_configs: Mutex<Fuzzy<ConfigKey>>,
    wakers: papaya::HashMap<WatcherId, Arc<Waker>, muster_model::HashState>,
    next_id: AtomicU64,
    /// Told when a deadline may be nearer than the one the timer task sleeps for.
    pub(crate) timer: Notify,
    /// Whether services are pushed.
    pub(crate) pushes: AtomicBool,
    pub(crate) counts: PushCounters,
}

/// How to reach the task of a watcher, and where its client is.
#[derive(Default)]
struct Waker {
    wake: Notify,
    address: OnceLock<Box<str>>,
}

impl Watchers {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            services: Mutex::new(Watch::new()),
            configs: Mutex::new(Watch::new()),
            fuzzy_services: Mutex::new(Fuzzy::new(FuzzyPolicy::naming(limits))),
            fuzzy_configs: Mutex::new(Fuzzy::new(FuzzyPolicy::config(limits))),
            wakers: papaya::HashMap::default(),
            next_id: AtomicU64::new(1),
            timer: Notify::new(),
            pushes: AtomicBool::new(true),
            counts: PushCounters::default(),
        }
    }

    pub(crate) fn service_changed(&self, service: &ServiceKey, revision: Revision) {
        let mut wake = Vec::new();
        self.services.lock().changed(service, revision, &mut wake);
        self.wake(&wake);
    }

    pub(crate) fn service_presence(&self, service: &ServiceKey, presence: Presence) {
        let mut wake = Vec::new();
        self.fuzzy_services.lock().changed(service, presence, &mut wake);
        self.wake(&wake);
    }

    pub(crate) fn config_changed(&self, key: &ConfigKey, revision: Revision) {
        let mut wake = Vec::new();
        self.configs.lock().changed(key, revision, &mut wake);
        self.wake(&wake);
    }

    pub(crate) fn config_presence(&self, key: &ConfigKey, presence: Presence) {
        let mut wake = Vec::new();
        self.fuzzy_configs.lock().changed(key, presence, &mut wake);
        self.wake(&wake);
    }

    /// Wakes watchers that have something to ask for.
    pub(crate) fn wake(&self, watchers: &[WatcherId]) {
        if watchers.is_empty() {
            return;
        }
        let wakers = self.wakers.pin();
        for waker in watchers.iter().filter_map(|watcher| wakers.get(watcher)) {
            waker.wake.notify_one();
        }
    }

    /// The address of a watcher's client, if it is known.
    pub(crate) fn address(&self, watcher: WatcherId) -> Option<String> {
        Some(self.wakers.pin().get(&watcher)?.address.get()?.to_string())
    }

    /// The watchers at an address.
    pub(crate) fn at(&self, address: &str) -> Vec<WatcherId> {
        let wakers = self.wakers.pin();
        let at = |waker: &Waker| waker.address.get().is_some_and(|other| **other == *address);
        wakers.iter().filter(|(_, waker)| at(waker)).map(|(watcher, _)| *watcher).collect()
    }

    /// Begins to push services, or ceases. What waits then goes out.
    pub(crate) fn switch_pushes(&self, on: bool) {
        if !self.pushes.swap(on, Ordering::SeqCst) && on {
            self.wakers.pin().values().for_each(|waker| waker.wake.notify_one());
        }
    }

    /// Does what time brings: late acknowledgements, redeliveries. Gives the next moment to come back.
    pub(crate) fn expire(&self, now: Monotonic) -> Option<Monotonic> {
        let (services, first) = {
            let mut watch = self.services.lock();
            (watch.expire(now), watch.next_deadline())
        };
        let (configs, second) = {
            let mut watch = self.configs.lock();
            (watch.expire(now), watch.next_deadline())
        };
        for (watcher, config) in &configs.given_up {
            tracing::warn!(watcher = watcher.0, %config, "listener did not acknowledge, given up until the next change");
        }
        for (watcher, service) in &services.given_up {
            tracing::debug!(watcher = watcher.0, %service, "subscriber did not acknowledge, given up until the next change");
        }
        self.wake(&services.wake);
        self.wake(&configs.wake);
        let third = self.expire_fuzzy(now);
        [first, second, third].into_iter().flatten().min()
    }

    fn expire_fuzzy(&self, now: Monotonic) -> Option<Monotonic> {
        let (services, first) = {
            let mut fuzzy = self.fuzzy_services.lock();
            (fuzzy.expire(now), fuzzy.next_deadline())
        };
        let (configs, second) = {
            let mut fuzzy = self.fuzzy_configs.lock();
            (fuzzy.expire(now), fuzzy.next_deadline())
        };
        self.wake(&services);
        self.wake(&configs);
        [first, second].into_iter().flatten().min()
    }
}

/// Which kind of watcher to open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WatcherKind {
    /// A gRPC connection: acknowledged pushes of services, configs and patterns.
    Connection,
    /// A held HTTP request on configs: told once, without acknowledgement.
    LongPoll,
    /// A UDP subscriber of services: one datagram at a time, one retry.
    Datagram,
}

/// An open watcher. Dropping it ends all it watches.
pub struct Watcher {
    pub(crate) node: Arc<Node>,
    pub(crate) id: WatcherId,
    kind: WatcherKind,
    waker: Arc<Waker>,
    /// Set by [`Watcher::close`] before it takes any lock, so that whoever watches under a lock and finds it unset
    /// is undone by the close that follows.
    closed: AtomicBool,
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.close();
    }
}

impl Node {
    /// Opens a watcher that watches nothing yet.
    pub fn open_watcher(self: &Arc<Self>, kind: WatcherKind) -> Watcher {
        let id = WatcherId(self.watchers.next_id.fetch_add(1, Ordering::Relaxed));
        let keys_max = self.settings.limits.watches_per_connection_max;
        match kind {
            WatcherKind::Connection => {
                self.watchers.services.lock().open(id, Policy::naming(keys_max));
                self.watchers.configs.lock().open(id, Policy::config(keys_max));
            }
            WatcherKind::LongPoll => self.watchers.configs.lock().open(id, Policy::long_poll(keys_max)),
            WatcherKind::Datagram => self.watchers.services.lock().open(id, Policy::datagram(keys_max)),
        }
        let waker = Arc::new(Waker::default());
        self.watchers.wakers.pin().insert(id, waker.clone());
        Watcher { node: self.clone(), id, kind, waker, closed: AtomicBool::new(false) }
    }

    /// How many are watching what.
    pub fn watch_counts(&self) -> WatchCounts {
        WatchCounts {
            watchers: self.watchers.wakers.len(),
            services: self.watchers.services.lock().key_count(),
            configs: self.watchers.configs.lock().key_count(),
        }
    }
}

impl Watcher {
    /// Ends all it watches, now and for good: a later watch is refused. For owners that are let go of later than
    /// they are over, as values of a concurrent map are.
    pub fn close(&self) {
        if self.closed.swap(true, Ordering::SeqCst) {
            return;
        }
        let watchers = &self.node.watchers;
        watchers.wakers.pin().remove(&self.id);
        // Held requests come and go by the thousand: only what they were opened in is asked.
        if self.kind != WatcherKind::LongPoll {
            watchers.services.lock().close(self.id);
        }
        watchers.configs.lock().close(self.id);
        if self.kind == WatcherKind::LongPoll {
            return;
        }
        watchers.fuzzy_services.lock().close(self.id);
        watchers.fuzzy_configs.lock().close(self.id);
    }

    /// Says where the watcher's client is, for operators who ask who listens. Only the first word counts.
    pub fn set_address(&self, address: &str) {
        self.waker.address.get_or_init(|| address.into());
    }

    /// Refuses to watch once it is closed. To be asked under the lock of the core that is to watch.
    pub(crate) fn open(&self) -> Result<(), WatchError> {
        if self.closed.load(Ordering::SeqCst) { Err(WatchError::UnknownWatcher) } else { Ok(()) }
    }

    /// What it is called in what the node tells of who watches.
    pub fn id(&self) -> WatcherId {
        self.id
    }

    /// Begins to watch a service, and gives its view as of now. The first watch of a service is followed by one
    /// push of its list; a later one replaces how the watcher wants to be told.
    pub fn watch_service(
        &self,
        service: &ServiceKey,
        interest: ServiceInterest,
    ) -> Result<Arc<ServiceView>, WatchError> {
        let known = self.node.view(service).revision;
        let watched = self.node.watchers.services.lock().watch(self.id, service.clone(), interest, known)?;
        if watched == Watched::First {
            self.waker.wake.notify_one();
        }
        Ok(self.node.view(service))
    }

    /// Ends the watch of a service, and gives its view as of now.
    pub fn unwatch_service(&self, service: &ServiceKey) -> Arc<ServiceView> {
        self.node.watchers.services.lock().unwatch(self.id, service);
        self.node.view(service)
    }

    /// Begins to watch a config. Watch first, then compare what the client has: so no change is lost between.
    pub fn watch_config(&self, key: &ConfigKey, interest: ConfigInterest) -> Result<(), WatchError> {
        let known = self.node.config_revision(key);
        self.node.watchers.configs.lock().watch(self.id, key.clone(), interest, known)?;
        Ok(())
    }

    /// Ends the watch of a config.
    pub fn unwatch_config(&self, key: &ConfigKey) {
        self.node.watchers.configs.lock().unwatch(self.id, key);
    }

    /// Waits until there may be something to ask for.
    pub async fn woken(&self) {
        self.waker.wake.notified().await;
    }

    /// Wakes whoever waits in [`Watcher::woken`], for what comes from elsewhere.
    pub fn wake(&self) {
        self.waker.wake.notify_one();
    }

    /// The next thing to tell; `None` if there is nothing. To be called when the transport can take a message.
    pub fn try_next(&self) -> Option<Push> {
        let now = self.node.now().mono;
        let watchers = &self.node.watchers;
        if let Some(push) = self.next_service(now) {
            watchers.timer.notify_one();
            return Some(push);
        }
        let config = watchers.configs.lock().next(self.id, now);
        let push = config
            .map(|config| Push::Config { push: config.push, key: config.key, interest: config.interest })
            .or_else(|| watchers.fuzzy_services.lock().next(self.id, now).map(Push::FuzzyService))
            .or_else(|| watchers.fuzzy_configs.lock().next(self.id, now).map(Push::FuzzyConfig));
        if push.is_some() {
            watchers.timer.notify_one();
        }
        push
    }

    /// The view is read after the delivery was taken, so it may be newer than what the delivery was for.
    fn next_service(&self, now: Monotonic) -> Option<Push> {
        if !self.node.watchers.pushes.load(Ordering::SeqCst) {
            return None;
        }
        loop {
            let delivery = self.node.watchers.services.lock().next(self.id, now)?;
            let view = self.node.view(&delivery.key);
            let sent_as = if view.revision == delivery.revision {
                Some(delivery.push)
            } else {
                self.node.watchers.services.lock().rendered(self.id, &delivery, view.revision)
            };
            if let Some(push) = sent_as {
                self.node.watchers.counts.sent();
                return Some(Push::Service { push, interest: delivery.interest, view });
            }
        }
    }

    /// The configs that changed, for a held request: all that is due at once, and of nothing else.
    pub fn take_configs(&self) -> Vec<ConfigKey> {
        let now = self.node.now().mono;
        let mut watch = self.node.watchers.configs.lock();
        std::iter::from_fn(|| watch.next(self.id, now)).map(|delivery| delivery.key).collect()
    }

    /// A push was acknowledged.
    pub fn acknowledge(&self, push: PushRef) {
        let watchers = &self.node.watchers;
        let has_next = match push {
            PushRef::Service(push) => self.acknowledge_service(push),
            PushRef::Config(push) => watchers.configs.lock().acknowledge(self.id, push),
            PushRef::FuzzyService(push) => watchers.fuzzy_services.lock().acknowledge(self.id, push),
            PushRef::FuzzyConfig(push) => watchers.fuzzy_configs.lock().acknowledge(self.id, push),
        };
        if has_next {
            self.waker.wake.notify_one();
        }
    }

    fn acknowledge_service(&self, push: PushId) -> bool {
        let watchers = &self.node.watchers;
        let now = self.node.now().mono;
        let mut services = watchers.services.lock();
        if let Some(since) = services.sent_at(self.id, push) {
            watchers.counts.acknowledged(now.since(since));
        }
        services.acknowledge(self.id, push)
    }

    /// A push was answered with a failure: it is redelivered after its pause.
    pub fn reject(&self, push: PushRef) {
        let now = self.node.now().mono;
        let watchers = &self.node.watchers;
        match push {
            PushRef::Service(push) => watchers.services.lock().reject(self.id, push, now),
            PushRef::Config(push) => watchers.configs.lock().reject(self.id, push, now),
            PushRef::FuzzyService(push) => watchers.fuzzy_services.lock().reject(self.id, push, now),
            PushRef::FuzzyConfig(push) => watchers.fuzzy_configs.lock().reject(self.id, push, now),
        }
        watchers.timer.notify_one();
    }
}
