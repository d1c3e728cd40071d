//! What Eureka clients read: the whole view, and what changed in it of late.

use crate::{Node, NodeError, eureka_delta::Recent};
use muster_model::{EurekaStatus, HashMap, HashSet, Now, Revision};
use muster_registry::{EurekaApp, EurekaBase, EurekaChanges, EurekaParts, LatestRevision, Registry};
use parking_lot::{Mutex, RwLock};
use std::{
    cmp::Ordering,
    fmt::Write as _,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering as Memory},
    },
};

/// Views that are kept ready, at most. Beyond it the one that was not asked for longest is dropped, to be built anew when
/// it is; one in which there is nothing and changed nothing of late goes as soon as another is made.
const VIEWS_MAX: usize = 1_024;

/// A view at one revision. Reading it takes no lock.
#[derive(Debug, Default)]
pub struct EurekaSnapshot {
    /// Raised with every change of what is shown.
    pub revision: Revision,
    /// The applications by name, none empty. One that did not change is the same allocation in the next snapshot.
    pub apps: Box<[Arc<EurekaApp>]>,
    counts: [usize; EurekaStatus::ALL.len()],
}

impl EurekaSnapshot {
    fn new(revision: Revision, apps: Vec<Arc<EurekaApp>>, counts: [usize; EurekaStatus::ALL.len()]) -> Self {
        Self { revision, apps: apps.into_boxed_slice(), counts }
    }

    /// An application, by its name in any case.
    pub fn app(&self, name: &str) -> Option<&Arc<EurekaApp>> {
        let key = EurekaApp::key_of(name);
        let at = self.apps.binary_search_by(|app| (*app.key).cmp(&*key)).ok()?;
        Some(&self.apps[at])
    }

    /// How many instances have a status.
    pub fn count(&self, status: EurekaStatus) -> usize {
        let at = EurekaStatus::ALL.iter().position(|one| *one == status);
        at.map_or(0, |at| self.counts[at])
    }

    /// How many instances there are.
    pub fn len(&self) -> usize {
        self.counts.iter().sum()
    }

    /// Whether there is no instance.
    pub fn is_empty(&self) -> bool {
        self.apps.is_empty()
    }

    /// `apps__hashcode`: `STATUS_count_` for each status that occurs, in alphabetical order.
    pub fn hashcode(&self) -> String {
        let mut text = String::new();
        for (status, count) in EurekaStatus::ALL.iter().zip(self.counts) {
            if count > 0 {
                write!(text, "{}_{count}_", status.as_str()).expect("a string takes what is written to it");
            }
        }
        text
    }

    /// This snapshot with some applications replaced, or removed; `changed` is sorted by key, each once.
    fn with(&self, revision: Revision, changed: Vec<(Arc<str>, Option<Arc<EurekaApp>>)>) -> Self {
        let mut counts = self.counts;
        let mut count = |app: &EurekaApp, sign: isize| {
            for shown in &app.instances {
                let at = EurekaStatus::ALL.iter().position(|one| *one == shown.status);
                let at = at.expect("ALL has every status");
                counts[at] = counts[at].wrapping_add_signed(sign);
            }
        };
        let mut apps = Vec::with_capacity(self.apps.len() + changed.len());
        let mut old = self.apps.iter().peekable();
        for (key, app) in changed {
            while let Some(kept) = old.next_if(|kept| kept.key < key) {
                apps.push(kept.clone());
            }
            if let Some(replaced) = old.next_if(|kept| kept.key == key) {
                count(replaced, -1);
            }
            if let Some(app) = app {
                count(&app, 1);
                apps.push(app);
            }
        }
        apps.extend(old.cloned());
        Self::new(revision, apps, counts)
    }
}

/// What changed in a view during the last 180 s, and the view of the same moment.
#[derive(Clone, Debug)]
pub struct EurekaDelta {
    /// The whole view: its `hashcode` is the delta's.
    pub snapshot: Arc<EurekaSnapshot>,
    /// The instances that changed, each once, as it is now or as it was when it went (`action` tells), by application.
    /// An application in which nothing changed since is the same allocation in the next delta.
    pub apps: Arc<[Arc<EurekaApp>]>,
    /// Whether that is all that changed. If not, clients must fetch the whole view.
    pub complete: bool,
    /// Differs from that of every earlier delta with other content.
    pub number: u64,
}

/// The views that somebody asked for.
#[derive(Debug, Default)]
pub(crate) struct EurekaViews {
    views: RwLock<HashMap<EurekaBase, Arc<View>>>,
    /// Counts what was asked for, so that the view that was not asked for longest is known.
    asked: AtomicU64,
}

/// The newest snapshot of one base.
#[derive(Debug)]
struct View {
    current: RwLock<Current>,
    /// Held by whoever brings the view up to date. Locked before `current` and the registry.
    recent: Mutex<Recent>,
    asked: AtomicU64,
}

#[derive(Debug)]
struct Current {
    snapshot: Arc<EurekaSnapshot>,
    latest: LatestRevision,
}

impl View {
    fn new(now: Now) -> Self {
        // Never current.
        let never = EurekaSnapshot { revision: Revision(u64::MAX), ..EurekaSnapshot::default() };
        let current = Current { snapshot: Arc::new(never), latest: LatestRevision::default() };
        Self {
            current: RwLock::new(current),
            recent: Mutex::new(Recent::new(now.mono)),
            asked: AtomicU64::new(0),
        }
    }

    /// Whether there is nothing in the view, and was not for as long as a delta tells of it.
    fn is_quiet(&self, now: Now) -> bool {
        let Some(mut recent) = self.recent.try_lock() else { return false };
        self.current().is_some_and(|snapshot| snapshot.is_empty()) && recent.apps(now.mono).0.is_empty()
    }

    fn delta(&self, base: &EurekaBase, registry: &Mutex<Registry>, now: Now) -> EurekaDelta {
        let mut recent = self.recent.lock();
        let snapshot = self.update(&mut recent, base, registry, now);
        let (apps, number) = recent.apps(now.mono);
        EurekaDelta { snapshot, apps, complete: recent.is_complete(now.mono), number }
    }

    fn current(&self) -> Option<Arc<EurekaSnapshot>> {
        let current = self.current.read();
        (current.latest.get() == current.snapshot.revision).then(|| current.snapshot.clone())
    }

    fn newest(&self, base: &EurekaBase, registry: &Mutex<Registry>, now: Now) -> Arc<EurekaSnapshot> {
        match self.current() {
            Some(current) => current,
            None => self.update(&mut self.recent.lock(), base, registry, now),
        }
    }

    /// Brings the view up to date: takes what changed under the registry's lock, builds it without.
    fn update(
        &self,
        recent: &mut Recent,
        base: &EurekaBase,
        registry: &Mutex<Registry>,
        now: Now,
    ) -> Arc<EurekaSnapshot> {
        if let Some(current) = self.current() {
            return current;
        }
        let changes = registry.lock().eureka_changes(base);
        let old = self.current.read().snapshot.clone();
        let EurekaChanges { revision, latest, whole, mut apps, gone, lost } = changes;
        if whole && !old.apps.is_empty() {
            let listed: HashSet<Arc<str>> = apps.iter().map(|(name, _)| name.clone()).collect();
            let missing = old.apps.iter().filter(|app| !listed.contains(&app.key));
            apps.extend(missing.map(|app| (app.key.clone(), None)));
        }
        let mut changed: Vec<(Arc<str>, Option<Arc<EurekaApp>>)> = Vec::with_capacity(apps.len());
        for (name, parts) in apps {
            let previous = old.app(&name).cloned();
            let is_unsettled = parts.as_ref().is_some_and(EurekaParts::is_unsettled);
            let built = parts.and_then(|parts| parts.build(previous.as_deref())).map(Arc::new);
            recent.note(&name, previous.as_deref(), built.as_deref(), is_unsettled, now);
            changed.push((name, built));
        }
        changed.sort_by(|a, b| a.0.cmp(&b.0));
        changed.dedup_by(|later, kept| later.0.cmp(&kept.0) == Ordering::Equal);
        if lost {
            recent.note_gap(now.mono);
        }
        for gone in gone {
            recent.note_gone(&gone, now.mono);
        }
        let snapshot = Arc::new(old.with(revision, changed));
        *self.current.write() = Current { snapshot: snapshot.clone(), latest };
        snapshot
    }
}

impl EurekaViews {
    /// The view of a base; `None` if there is nothing in it and nobody reads it.
    fn get(&self, base: &EurekaBase, registry: &Mutex<Registry>, now: Now) -> Option<Arc<View>> {
        if let Some(view) = self.known(&self.views.read(), base) {
            return Some(view);
        }
        // Asked before the lock is taken, so that made-up names hold nobody up.
        if !registry.lock().has_eureka_view(base) {
            return None;
        }
        let mut views = self.views.write();
        if let Some(view) = self.known(&views, base) {
            return Some(view);
        }
        make_room(&mut views, registry, now);
        views.insert(base.clone(), Arc::new(View::new(now)));
        self.known(&views, base)
    }

    fn known(&self, views: &HashMap<EurekaBase, Arc<View>>, base: &EurekaBase) -> Option<Arc<View>> {
        let view = views.get(base)?;
        view.asked.store(self.asked.fetch_add(1, Memory::Relaxed), Memory::Relaxed);
        Some(view.clone())
    }
}

/// Drops the views of nothing, and the one that was not asked for longest if there are too many.
fn make_room(views: &mut HashMap<EurekaBase, Arc<View>>, registry: &Mutex<Registry>, now: Now) {
    // Nobody gets at a view while the map is locked: one that is held nowhere else is in nobody's hands.
    let is_free = |view: &Arc<View>| Arc::strong_count(view) == 1;
    let mut dropped: Vec<EurekaBase> = Vec::new();
    let quiet = views.iter().filter(|(_, view)| is_free(view) && view.is_quiet(now));
    dropped.extend(quiet.map(|(base, _)| base.clone()));
    if views.len() - dropped.len() >= VIEWS_MAX {
        let free = views.iter().filter(|(_, view)| is_free(view));
        let oldest = free.min_by_key(|(_, view)| view.asked.load(Memory::Relaxed));
        dropped.extend(oldest.map(|(base, _)| base.clone()));
    }
    for base in dropped {
        views.remove(&base);
        registry.lock().eureka_release(&base);
    }
}

impl Node {
    /// The view of a base as it is now. If nothing changed since it was last asked for, that is one comparison of
    /// revisions; else the changed applications alone are built anew.
    pub fn eureka_snapshot(&self, base: &EurekaBase) -> Result<Arc<EurekaSnapshot>, NodeError> {
        self.ready()?;
        let now = self.now();
        Ok(match self.eureka_views.get(base, &self.registry, now) {
            Some(view) => view.newest(base, &self.registry, now),
            None => Arc::new(EurekaSnapshot::default()),
        })
    }

    /// What changed in the view of a base during the last 180 s.
    pub fn eureka_delta(&self, base: &EurekaBase) -> Result<EurekaDelta, NodeError> {
        self.ready()?;
        let now = self.now();
        let Some(view) = self.eureka_views.get(base, &self.registry, now) else {
            let snapshot = Arc::new(EurekaSnapshot::default());
            return Ok(EurekaDelta { snapshot, apps: Arc::from([]), complete: true, number: 0 });
        };
        Ok(view.delta(base, &self.registry, now))
    }
}

#[cfg(test)]
mod tests;
