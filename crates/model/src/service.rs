//! What identifies a service.

use crate::{GroupName, Namespace, ServiceName};
use std::{fmt, sync::Arc};

/// Namespace, group and name of a service: the unit that is registered to, queried and watched.
/// A clone is one reference count.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ServiceKey(Arc<(Namespace, GroupName, ServiceName)>);

impl ServiceKey {
    /// Puts a key together.
    pub fn new(namespace: Namespace, group: GroupName, name: ServiceName) -> Self {
        Self(Arc::new((namespace, group, name)))
    }

    /// The namespace, canonical.
    pub fn namespace(&self) -> &Namespace {
        &self.0.0
    }

    /// The group.
    pub fn group(&self) -> &GroupName {
        &self.0.1
    }

    /// The bare name.
    pub fn name(&self) -> &ServiceName {
        &self.0.2
    }

    /// `group@@name`, the form HTTP v1 and instances carry.
    pub fn grouped_name(&self) -> String {
        format!("{}@@{}", self.group(), self.name())
    }
}

impl fmt::Display for ServiceKey {
    /// `namespace@@group@@name`, the form fuzzy watches carry.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@@{}@@{}", self.namespace(), self.group(), self.name())
    }
}

impl fmt::Debug for ServiceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Whether a service's instances live by a lease or until they are deregistered. A service is of one kind,
/// by its first registration; the other kind is refused until it is empty and gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Kept alive by a connection or by beats; never in the log.
    Ephemeral,
    /// Stored in the log, health-checked by the server, removed only on request.
    Persistent,
}
