//! Which services are which applications, and what changed since a view was last taken.

use crate::{
    EurekaBase, EurekaParts, EurekaShown, LatestRevision, Registry,
    services::{Service, ServiceIndex},
};
use muster_model::{HashMap, HashSet, Revision, ServiceName, Timestamp};
use std::{borrow::Cow, collections::VecDeque, sync::Arc};

/// Instances that went since a view was last taken, at most; the newest are kept, as many as a delta can tell of.
const GONE_MAX: usize = 65_536;
/// Applications that changed since a view was last taken, at most; beyond it the view is given as a whole.
const CHANGED_MAX: usize = 16_384;
/// Registrations, and cancellations, kept for people to look at.
const RECENT_MAX: usize = 1_000;

/// Everything that is kept for Eureka beside the services. A view costs nothing until it is first used.
#[derive(Debug, Default)]
pub(crate) struct EurekaIndex {
    views: Vec<View>,
    /// Places of views that are not in use any more.
    free: Vec<u32>,
    by_base: HashMap<EurekaBase, u32>,
    stamp: u64,
    registered: VecDeque<EurekaEvent>,
    cancelled: VecDeque<EurekaEvent>,
}

/// The applications of one base.
#[derive(Debug, Default)]
struct View {
    apps: HashMap<Arc<str>, App>,
    /// Everything is to be given: nobody took the view yet, or too much changed since somebody did. What changes is not noted
    /// then, so that a view that nobody reads takes no room for it.
    whole: bool,
    /// Folded names of what changed, each once unless it went meanwhile.
    changed: Vec<Arc<str>>,
    gone: VecDeque<EurekaGone>,
    /// More went than are in `gone`.
    lost: bool,
    latest: LatestRevision,
}

/// The services that are one application.
#[derive(Debug, Default)]
struct App {
    /// Oldest first; more than one only if their names differ in nothing but case.
    services: Vec<ServiceIndex>,
    changed: bool,
    /// What does not differ since a view was last taken may have differed meanwhile.
    unsettled: bool,
}

/// The place of a service in a view.
#[derive(Clone, Debug)]
pub(crate) struct AppRef {
    view: u32,
    pub(crate) folded: Arc<str>,
}

/// A line of the lists of what was last registered and cancelled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EurekaEvent {
    /// When.
    pub at: Timestamp,
    /// The application, upper case.
    pub app: Arc<str>,
    /// The instance id.
    pub id: Arc<str>,
}

/// An instance that went.
#[derive(Clone, Debug)]
pub struct EurekaGone {
    /// The folded name of its application.
    pub app: Arc<str>,
    /// What it was when it went, without overrides.
    pub last: Arc<EurekaShown>,
}

/// What changed in a view since it was last asked, taken under the lock at one moment.
#[derive(Debug)]
pub struct EurekaChanges {
    /// The revision of the view.
    pub revision: Revision,
    /// Tells when the view changes again, without the lock.
    pub latest: LatestRevision,
    /// Whether `apps` is all there is: what is not in it is gone.
    pub whole: bool,
    /// What to build each changed application from, by folded name; `None` if it is gone.
    pub apps: Vec<(Arc<str>, Option<EurekaParts>)>,
    /// Eureka registrations that went, oldest first; the newest 65,536 of them.
    pub gone: VecDeque<EurekaGone>,
    /// Whether more went than these.
    pub lost: bool,
}

/// The name by which an application and its services are found: upper case. No copy if it is so already.
pub(crate) fn fold(name: &str) -> Cow<'_, str> {
    let is_folded = |byte: u8| byte.is_ascii_graphic() && !byte.is_ascii_lowercase() && byte != b'@';
    if name.bytes().all(is_folded) {
        Cow::Borrowed(name)
    } else {
        // Upper case first: it has two letters for `ß`, and clients are shown those.
        Cow::Owned(service_text(&name.to_uppercase()).to_uppercase())
    }
}

/// The name of the service that an application is where no name in another case is known. What no service name may
/// have is written as in URLs.
pub(crate) fn service_text(app: &str) -> String {
    let lower = app.to_lowercase();
    if ServiceName::new(&lower).is_ok() {
        return lower;
    }
    let mut text = String::with_capacity(lower.len());
    for byte in lower.bytes() {
        if byte.is_ascii_graphic() && byte != b'@' {
            text.push(byte.into());
        } else {
            text.push_str(&format!("%{byte:02x}"));
        }
    }
    text
}

impl EurekaIndex {
    fn view(&self, base: &EurekaBase) -> Option<u32> {
        if self.by_base.is_empty() { None } else { self.by_base.get(base).copied() }
    }

    /// The services that are an application; oldest first.
    pub(crate) fn services(&self, base: &EurekaBase, app: &str) -> &[ServiceIndex] {
        let found = self.view(base).and_then(|view| self.views[view as usize].apps.get(&*fold(app)));
        found.map_or(&[], |app| &app.services)
    }

    /// Takes in a new service of a base that is in use.
    pub(crate) fn add(&mut self, base: &EurekaBase, name: &str, service: ServiceIndex) -> Option<AppRef> {
        let view = self.view(base)?;
        let apps = &mut self.views[view as usize].apps;
        let folded = fold(name);
        let folded = match apps.get_key_value(&*folded) {
            Some((shared, _)) => shared.clone(),
            None => Arc::from(folded),
        };
        apps.entry(folded.clone()).or_default().services.push(service);
        Some(AppRef { view, folded })
    }

    pub(crate) fn remove(&mut self, app: &AppRef, service: ServiceIndex, revision: Revision) {
        self.changed(app, revision);
        let apps = &mut self.views[app.view as usize].apps;
        if let Some(found) = apps.get_mut(&app.folded) {
            found.services.retain(|other| *other != service);
            if found.services.is_empty() {
                apps.remove(&app.folded);
            }
        }
        let view = &self.views[app.view as usize];
        if view.whole && view.apps.is_empty() {
            self.drop_view(app.view);
        }
    }

    /// Drops a view if there is nothing in it and nobody reads it.
    pub(crate) fn drop_unused(&mut self, base: &EurekaBase) {
        let is_unused = |view: &u32| {
            let view = &self.views[*view as usize];
            view.whole && view.apps.is_empty()
        };
        if let Some(view) = self.view(base).filter(is_unused) {
            self.drop_view(view);
        }
    }

    /// Drops a view of nothing, which is made anew when it is used again.
    fn drop_view(&mut self, view: u32) {
        self.by_base.retain(|_, other| *other != view);
        self.views[view as usize] = View::default();
        self.free.push(view);
    }

    /// Notes that what is shown of an application may differ.
    pub(crate) fn changed(&mut self, app: &AppRef, revision: Revision) {
        let view = &mut self.views[app.view as usize];
        view.latest.set(revision);
        if view.whole {
            return;
        }
        if view.changed.len() >= CHANGED_MAX {
            view.give_whole();
            // Other nodes may have shown what was meanwhile.
            view.lost = true;
            return;
        }
        if let Some(found) = view.apps.get_mut(&app.folded)
            && !std::mem::replace(&mut found.changed, true)
        {
            view.changed.push(app.folded.clone());
        }
    }

    /// Notes that all instances of an application may have looked otherwise for a moment: by a weight, which labels them
    /// all, by what an operator laid over them, by protection, by checks.
    pub(crate) fn unsettle(&mut self, app: &AppRef) {
        if let Some(found) = self.views[app.view as usize].apps.get_mut(&app.folded) {
            found.unsettled = true;
        }
    }

    /// Notes a registration that went.
    pub(crate) fn gone(&mut self, app: &AppRef, last: Arc<EurekaShown>) {
        let view = &mut self.views[app.view as usize];
        if view.whole {
            return;
        }
        if view.gone.len() == GONE_MAX {
            view.gone.pop_front();
            view.lost = true;
        }
        view.gone.push_back(EurekaGone { app: app.folded.clone(), last });
    }

    /// A number that no facet had yet.
    pub(crate) fn next_stamp(&mut self) -> u64 {
        self.stamp += 1;
        self.stamp
    }

    pub(crate) fn record_registered(&mut self, event: EurekaEvent) {
        keep(&mut self.registered, event);
    }

    pub(crate) fn record_cancelled(&mut self, event: EurekaEvent) {
        keep(&mut self.cancelled, event);
    }
}

impl View {
    fn give_whole(&mut self) {
        self.whole = true;
        self.changed = Vec::new();
        self.gone = VecDeque::new();
        self.lost = false;
        self.apps.values_mut().for_each(|app| (app.changed, app.unsettled) = (false, false));
    }
}

fn keep(events: &mut VecDeque<EurekaEvent>, event: EurekaEvent) {
    if events.len() == RECENT_MAX {
        events.pop_front();
    }
    events.push_back(event);
}

impl Registry {
    /// What changed in a view since the last call for it; at the first, everything. From then on the view is kept: ask
    /// [`Registry::has_eureka_view`] first, so that nobody makes views of names he made up.
    ///
    /// Whoever calls it must use what it gives: the next call tells only what came after.
    pub fn eureka_changes(&mut self, base: &EurekaBase) -> EurekaChanges {
        let view = self.eureka_view(base);
        let view = &mut self.eureka.views[view as usize];
        let whole = std::mem::take(&mut view.whole);
        let names = match whole {
            true => view.apps.keys().cloned().collect(),
            false => std::mem::take(&mut view.changed),
        };
        let gone = std::mem::take(&mut view.gone);
        let lost = std::mem::take(&mut view.lost);
        let (revision, latest) = (view.latest.get(), view.latest.clone());
        let mut unsettled = HashSet::default();
        for name in &names {
            if let Some(app) = view.apps.get_mut(name) {
                app.changed = false;
                if std::mem::take(&mut app.unsettled) {
                    unsettled.insert(name.clone());
                }
            }
        }
        let apps = names.into_iter().map(|name| {
            let parts = self.eureka_parts(base, &name);
            let parts = parts.map(|parts| parts.unsettled(unsettled.contains(&name)));
            (name, parts)
        });
        let apps = apps.collect();
        EurekaChanges { revision, latest, whole, apps, gone, lost }
    }

    /// Tells that whoever took the changes of a view no longer has them: the next call gives everything. A view of nothing
    /// is dropped.
    pub fn eureka_release(&mut self, base: &EurekaBase) {
        let Some(number) = self.eureka.view(base) else { return };
        let view = &mut self.eureka.views[number as usize];
        view.give_whole();
        if view.apps.is_empty() {
            self.eureka.drop_view(number);
        }
    }

    /// Whether there is something in a view, or was while somebody read it.
    pub fn has_eureka_view(&self, base: &EurekaBase) -> bool {
        self.eureka.view(base).is_some() || self.services.group(&base.namespace, &base.group).is_some()
    }

    /// The views that are in use, in order.
    pub fn eureka_bases(&self) -> Vec<EurekaBase> {
        let mut bases: Vec<_> = self.eureka.by_base.keys().cloned().collect();
        bases.sort();
        bases
    }

    /// The last registrations of all views, oldest first, at most 1,000.
    pub fn eureka_registered(&self) -> impl DoubleEndedIterator<Item = &EurekaEvent> {
        self.eureka.registered.iter()
    }

    /// The last cancellations of all views, lost leases among them, oldest first, at most 1,000.
    pub fn eureka_cancelled(&self) -> impl DoubleEndedIterator<Item = &EurekaEvent> {
        self.eureka.cancelled.iter()
    }

    /// The view of a base, indexed if this is its first use.
    pub(crate) fn eureka_view(&mut self, base: &EurekaBase) -> u32 {
        if let Some(view) = self.eureka.view(base) {
            return view;
        }
        let view = View { whole: true, ..View::default() };
        view.latest.set(self.revision());
        let number = match self.eureka.free.pop() {
            Some(number) => {
                self.eureka.views[number as usize] = view;
                number
            }
            None => {
                self.eureka.views.push(view);
                u32::try_from(self.eureka.views.len() - 1).expect("memory ends before 2^32 views do")
            }
        };
        self.eureka.by_base.insert(base.clone(), number);
        let names = self.services.group(&base.namespace, &base.group);
        let mut services: Vec<ServiceIndex> =
            names.into_iter().flat_map(|names| names.values().copied()).collect();
        services.sort_by_key(|index| self.services.get(*index).map(|service: &Service| service.born));
        for index in services {
            self.index_for_eureka(index);
        }
        number
    }

    /// Takes a service into the view of its base, if that is in use.
    pub(crate) fn index_for_eureka(&mut self, index: ServiceIndex) {
        if self.eureka.by_base.is_empty() {
            return;
        }
        let revision = self.revision();
        let Some(service) = self.services.get_mut(index) else { return };
        let base = EurekaBase::of(&service.key);
        service.app = self.eureka.add(&base, service.key.name().as_str(), index);
        if let Some(app) = &service.app {
            self.eureka.changed(app, revision);
        }
    }
}
