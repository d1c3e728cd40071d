//! What a view shows.

use crate::eureka::index::fold;
use muster_model::{EurekaAction, EurekaInstance, EurekaStatus, EurekaTimes, Weight};
use std::{borrow::Cow, sync::Arc};

/// An instance as Eureka clients see it.
#[derive(Clone, Debug, PartialEq)]
pub struct EurekaShown {
    /// What its client declared, or what was derived from a Nacos registration. `instance.status` is the declared status.
    pub instance: Arc<EurekaInstance>,
    /// The status to show: override, declared status and lease put together.
    pub status: EurekaStatus,
    /// The operator's status (`overriddenStatus`); `Unknown` if there is none.
    pub overridden: EurekaStatus,
    /// What last happened to it.
    pub action: EurekaAction,
    /// When what happened. `renewed` is as of the last change here; the item endpoints ask for the present one.
    pub times: EurekaTimes,
    /// The `lastDirtyTimestamp` to show: the client's, or that of a later change of its status.
    pub last_dirty: i64,
    /// Whether it registered over Nacos.
    pub derived: bool,
    /// Tells states of one instance apart: raised with every change of the facet.
    pub(crate) stamp: u64,
    /// The lease is over, and the instance not yet removed.
    pub(crate) lost: bool,
    /// Its declared status is a peer's override: what the client itself declared is not known.
    pub(crate) inherited: bool,
    /// The weight it has in Nacos, before overrides.
    pub(crate) weight: Weight,
}

impl EurekaShown {
    /// The id in paths.
    pub fn id(&self) -> &Arc<str> {
        self.instance.id()
    }
}

/// The instances of one application, in the order of their ids. Never empty in a snapshot.
#[derive(Clone, Debug, PartialEq)]
pub struct EurekaApp {
    /// The name by which it is found: see [`EurekaApp::key_of`]. A snapshot is sorted by it.
    pub key: Arc<str>,
    /// The name to show, upper case.
    pub name: Arc<str>,
    /// The instances. An instance that did not change is the same allocation in the next snapshot.
    pub instances: Box<[Arc<EurekaShown>]>,
}

impl EurekaApp {
    /// The key of an application that is named in any case. No copy if the name is its own key, as most are.
    pub fn key_of(name: &str) -> Cow<'_, str> {
        fold(name)
    }

    /// An instance by its id, which is case-sensitive.
    pub fn instance(&self, id: &str) -> Option<&Arc<EurekaShown>> {
        let at = self.instances.binary_search_by(|shown| (**shown.id()).cmp(id)).ok()?;
        Some(&self.instances[at])
    }
}
