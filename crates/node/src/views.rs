//! The newest view of each service, and the bytes that edges rendered from it.

use crate::read_map::read_map;
use muster_model::{ServiceKey, Slot};
use muster_registry::{Registry, ServiceSnapshot};
use muster_runtime::Clock;
use parking_lot::Mutex;
use std::{
    collections::{HashSet, VecDeque},
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
};

/// A service as it is shown at one revision, with the bytes rendered from it. Reads as a [`ServiceSnapshot`].
#[derive(Debug)]
pub struct ServiceView {
    snapshot: ServiceSnapshot,
    used: AtomicBool,
    charged: AtomicUsize,
    budget: Arc<Budget>,
    cache_millis: u64,
}

impl Deref for ServiceView {
    type Target = ServiceSnapshot;

    fn deref(&self) -> &ServiceSnapshot {
        &self.snapshot
    }
}

impl Drop for ServiceView {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(*self.charged.get_mut(), Ordering::Relaxed);
    }
}

impl ServiceView {
    /// How often a client that is told of changes should read the list nevertheless, milliseconds: the switch's value
    /// when the view was made.
    pub fn cache_millis(&self) -> u64 {
        self.cache_millis
    }

    /// Whether all who ask for all of it are shown the same, so that they can be sent the same bytes.
    pub fn is_shared(&self) -> bool {
        self.selector.labels().is_empty()
    }

    /// The bytes of the unfiltered view in a wire form, rendered by whoever asks first.
    pub fn rendered(&self, slot: Slot, render: impl FnOnce(&Self) -> bytes::Bytes) -> bytes::Bytes {
        self.used.store(true, Ordering::Relaxed);
        if self.snapshot.slots.is_rendered(slot) {
            return self.snapshot.slots.get_or_render(slot, bytes::Bytes::new);
        }
        let rendered = self.snapshot.slots.get_or_render(slot, || {
            let rendered = render(self);
            self.charged.fetch_add(rendered.len(), Ordering::Relaxed);
            self.budget.used.fetch_add(rendered.len(), Ordering::Relaxed);
            rendered
        });
        self.budget.note(&self.snapshot.key);
        rendered
    }
}

/// How many rendered bytes may be kept, how many are, and in which order services came to have some.
#[derive(Debug)]
struct Budget {
    max: usize,
    used: AtomicUsize,
    order: Mutex<VecDeque<ServiceKey>>,
}

impl Budget {
    fn note(&self, service: &ServiceKey) {
        self.order.lock().push_back(service.clone());
    }
}

/// The views of all services that somebody read. A view is replaced as a whole by the first read after a
/// change; reads of an unchanged service take no lock.
#[derive(Debug)]
pub(crate) struct Views {
    views: papaya::HashMap<ServiceKey, Arc<ServiceView>, muster_model::HashState>,
    budget: Arc<Budget>,
    cache_millis: AtomicU64,
}

impl Views {
    /// No views yet; rendered bytes are held to `rendered_bytes_max`.
    pub(crate) fn new(rendered_bytes_max: usize) -> Self {
        let budget = Budget { max: rendered_bytes_max, used: AtomicUsize::new(0), order: Mutex::default() };
        Self { views: read_map(), budget: Arc::new(budget), cache_millis: AtomicU64::new(10_000) }
    }

    /// The view of a service as of now. The registry's lock is taken only if the service changed since it was
    /// last read, and not while the view is put together.
    pub(crate) fn get(
        &self,
        service: &ServiceKey,
        registry: &Mutex<Registry>,
        clock: &dyn Clock,
    ) -> Arc<ServiceView> {
        if let Some(view) = self.views.pin().get(service)
            && view.is_current()
        {
            return view.clone();
        }
        let parts = {
            let mut registry = registry.lock();
            match registry.parts(service) {
                Some(parts) => parts,
                None => {
                    let absent = registry.absent(service, clock.now());
                    drop(registry);
                    self.views.pin().remove(service);
                    return self.view(absent);
                }
            }
        };
        let view = self.view(parts.build());
        self.views.pin().update_or_insert_with(
            view.key.clone(),
            |present| if present.revision > view.revision { present.clone() } else { view.clone() },
            || view.clone(),
        );
        self.shrink();
        view
    }

    /// Drops the view of a service that is gone.
    pub(crate) fn forget(&self, service: &ServiceKey) {
        self.views.pin().remove(service);
    }

    /// Shows other cache milliseconds from now on.
    pub(crate) fn set_cache_millis(&self, millis: u64) {
        if self.cache_millis.swap(millis, Ordering::SeqCst) != millis {
            self.clear();
        }
    }

    /// Drops all views.
    pub(crate) fn clear(&self) {
        self.views.pin().clear();
    }

    /// Bytes rendered and held.
    pub(crate) fn rendered_bytes(&self) -> usize {
        self.budget.used.load(Ordering::Relaxed)
    }

    fn view(&self, snapshot: ServiceSnapshot) -> Arc<ServiceView> {
        Arc::new(ServiceView {
            snapshot,
            used: AtomicBool::new(true),
            charged: AtomicUsize::new(0),
            budget: self.budget.clone(),
            cache_millis: self.cache_millis.load(Ordering::SeqCst),
        })
    }

    /// Drops views while too many bytes are held: those first that were rendered longest ago and not read
    /// since (second chance).
    fn shrink(&self) {
        let mut chances = self.budget.order.lock().len();
        while self.rendered_bytes() > self.budget.max && chances > 0 {
            chances -= 1;
            let Some(service) = self.budget.order.lock().pop_front() else { return };
            let views = self.views.pin();
            let Some(view) = views.get(&service) else { continue };
            if view.used.swap(false, Ordering::Relaxed) {
                self.budget.note(&service);
            } else {
                views.remove(&service);
            }
        }
        // A service that changes often is noted at each rendering: keep the order no longer than useful. The
        // latest note of each view stays, for a view without one would never be dropped.
        let mut order = self.budget.order.lock();
        if order.len() > 2 * self.views.len() + 64 {
            let views = self.views.pin();
            let mut seen = HashSet::with_capacity(views.len());
            let mut notes = std::mem::take(&mut *order);
            while let Some(service) = notes.pop_back() {
                if views.contains_key(&service) && seen.insert(service.clone()) {
                    order.push_front(service);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use muster_model::{
        Actor, Cause, ClientId, ClusterName, ConnectionId, GroupName, Host, Instance, Limits, Metadata,
        Namespace, NodeId, Reason, ServiceName, Weight,
    };
    use muster_registry::{Op, Register};
    use muster_runtime::SystemClock;

    fn key(name: &str) -> ServiceKey {
        ServiceKey::new(Namespace::default(), GroupName::default(), ServiceName::new(name).unwrap())
    }

    /// Changes a service and renders it, to 1,000 bytes.
    fn render(views: &Views, registry: &Mutex<Registry>, clock: &SystemClock, name: &str) {
        let instance = Instance {
            host: Host::new("10.0.0.1").unwrap(),
            port: 80,
            cluster: ClusterName::default(),
            weight: Weight::default(),
            enabled: true,
            healthy: true,
            metadata: Metadata::default(),
        };
        let register = Register {
            client: ClientId::Connection(ConnectionId(1)),
            origin: NodeId(1),
            service: key(name),
            instances: vec![instance],
            cause: Cause { actor: Actor::default(), reason: Reason::Registered },
        };
        registry.lock().apply(Op::Register(register), clock.now(), &mut Vec::new()).unwrap();
        views.get(&key(name), registry, clock).rendered(Slot::NacosGrpcPush, |_| Bytes::from(vec![0; 1_000]));
    }

    #[test]
    fn quiet_services_are_still_dropped_when_one_changes_often() {
        let (clock, registry) = (SystemClock::new(), Mutex::new(Registry::new(Limits::default())));
        let views = Views::new(100_000);
        for number in 0..50 {
            render(&views, &registry, &clock, &format!("quiet-{number}"));
        }
        for _ in 0..500 {
            render(&views, &registry, &clock, "busy");
        }
        assert!(views.budget.order.lock().len() <= 2 * 51 + 65);
        for number in 0..500 {
            render(&views, &registry, &clock, &format!("late-{number}"));
        }
        let held = (0..50).filter(|number| views.views.pin().contains_key(&key(&format!("quiet-{number}"))));
        assert_eq!(held.count(), 0, "views nobody reads are dropped for those that are");
        assert!(views.rendered_bytes() <= 101_000);
    }
}
