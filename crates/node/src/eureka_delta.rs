//! The changes of a view that a delta still shows.

use muster_model::{EurekaAction, Monotonic, Now};
use muster_registry::{EurekaApp, EurekaGone, EurekaShown};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

/// How long a change is shown (`retentionTimeInMSInDeltaQueue` of the original).
pub(crate) const KEPT_MS: u64 = 180_000;
/// Instances that changed, at most; the oldest are dropped for newer ones, and clients fetch the whole view until all of
/// these would have been shown long enough.
pub(crate) const CHANGES_MAX: usize = 65_536;

/// The instances that changed of late, each with its newest state.
#[derive(Debug)]
pub(crate) struct Recent {
    apps: BTreeMap<Arc<str>, AppChanges>,
    /// In the order in which they changed. An entry counts if its number is the one of its instance.
    order: VecDeque<Entry>,
    count: usize,
    number: u64,
    /// Until when something is missing.
    gap_until: Monotonic,
    /// The answer as long as nothing changes.
    built: Option<Arc<[Arc<EurekaApp>]>>,
}

#[derive(Debug)]
struct Entry {
    number: u64,
    at: Monotonic,
    app: Arc<str>,
    id: Arc<str>,
}

#[derive(Debug, Default)]
struct AppChanges {
    instances: BTreeMap<Arc<str>, (u64, Arc<EurekaShown>)>,
    built: Option<Arc<EurekaApp>>,
}

impl Recent {
    /// Nothing changed yet. A client that comes from before knows another server's state; it finds that by the hash.
    pub(crate) fn new(now: Monotonic) -> Self {
        Self {
            apps: BTreeMap::new(),
            order: VecDeque::new(),
            count: 0,
            // Above that of every view of this base that was dropped: nothing changes a million times a millisecond.
            number: now.0 << 20,
            gap_until: now,
            built: None,
        }
    }

    /// Takes in what became of an application; all of it, if it is unsettled.
    pub(crate) fn note(
        &mut self,
        app: &Arc<str>,
        old: Option<&EurekaApp>,
        new: Option<&EurekaApp>,
        is_unsettled: bool,
        now: Now,
    ) {
        let mut olds = old.map_or(&[][..], |app| &app.instances).iter().peekable();
        let mut news = new.map_or(&[][..], |app| &app.instances).iter().peekable();
        loop {
            let take_old = match (olds.peek(), news.peek()) {
                (Some(old), Some(new)) => old.id() < new.id(),
                (Some(_), None) => true,
                (None, Some(_)) => false,
                (None, None) => return,
            };
            if take_old {
                if let Some(old) = olds.next() {
                    self.note_removed(app, old, now);
                }
                continue;
            }
            let Some(new) = news.next() else { return };
            let same = olds.next_if(|old| old.id() == new.id());
            if same.is_none_or(|old| is_unsettled || !Arc::ptr_eq(old, new) && **old != **new) {
                self.put(app, new.clone(), now.mono);
            }
        }
    }

    fn note_removed(&mut self, app: &Arc<str>, old: &EurekaShown, now: Now) {
        let mut last = old.clone();
        last.action = EurekaAction::Deleted;
        last.times.evicted = now.wall;
        last.times.updated = now.wall;
        self.put(app, Arc::new(last), now.mono);
    }

    /// Takes in a registration that went, if it is not known that it did: it came and went unseen.
    pub(crate) fn note_gone(&mut self, gone: &EurekaGone, now: Monotonic) {
        let known = self.apps.get(&gone.app).is_some_and(|app| app.instances.contains_key(gone.last.id()));
        if !known {
            self.put(&gone.app, gone.last.clone(), now);
        }
    }

    /// Something is missing as of now.
    pub(crate) fn note_gap(&mut self, now: Monotonic) {
        self.gap_until = self.gap_until.max(now.plus(KEPT_MS));
    }

    /// Whether nothing is missing.
    pub(crate) fn is_complete(&self, now: Monotonic) -> bool {
        self.gap_until <= now
    }

    fn put(&mut self, app: &Arc<str>, shown: Arc<EurekaShown>, now: Monotonic) {
        self.number += 1;
        self.built = None;
        let (number, id) = (self.number, shown.id().clone());
        let changes = self.apps.entry(app.clone()).or_default();
        changes.built = None;
        if changes.instances.insert(id.clone(), (number, shown)).is_none() {
            self.count += 1;
        }
        self.order.push_back(Entry { number, at: now, app: app.clone(), id });
        while self.count > CHANGES_MAX {
            if let Some(dropped) = self.drop_oldest() {
                self.note_gap(dropped);
            }
        }
        if self.order.len() > 2 * self.count + 64 {
            let apps = &self.apps;
            self.order.retain(|entry| is_newest(apps, entry));
        }
    }

    /// Drops the oldest change; gives its time if it was one that counts.
    fn drop_oldest(&mut self) -> Option<Monotonic> {
        let entry = self.order.pop_front()?;
        if !is_newest(&self.apps, &entry) {
            return None;
        }
        if let Some(changes) = self.apps.get_mut(&entry.app) {
            changes.instances.remove(&entry.id);
            changes.built = None;
            if changes.instances.is_empty() {
                self.apps.remove(&entry.app);
            }
        }
        self.count -= 1;
        self.number += 1;
        self.built = None;
        Some(entry.at)
    }

    /// What changed, by application, and the number of that content.
    pub(crate) fn apps(&mut self, now: Monotonic) -> (Arc<[Arc<EurekaApp>]>, u64) {
        while self.order.front().is_some_and(|entry| entry.at.plus(KEPT_MS) <= now) {
            self.drop_oldest();
        }
        let apps = match &self.built {
            Some(built) => built.clone(),
            None => {
                let built: Arc<[_]> = self.apps.iter_mut().map(|(key, app)| app.app(key)).collect();
                self.built = Some(built.clone());
                built
            }
        };
        (apps, self.number)
    }
}

fn is_newest(apps: &BTreeMap<Arc<str>, AppChanges>, entry: &Entry) -> bool {
    let newest = apps.get(&entry.app).and_then(|app| app.instances.get(&entry.id));
    newest.is_some_and(|(number, _)| *number == entry.number)
}

impl AppChanges {
    fn app(&mut self, key: &Arc<str>) -> Arc<EurekaApp> {
        let instances = &self.instances;
        let build = || {
            let instances: Box<[Arc<EurekaShown>]> =
                instances.values().map(|(_, shown)| shown.clone()).collect();
            let name = instances.first().map_or_else(|| key.clone(), |shown| shown.instance.app.clone());
            Arc::new(EurekaApp { key: key.clone(), name, instances })
        };
        self.built.get_or_insert_with(build).clone()
    }
}
