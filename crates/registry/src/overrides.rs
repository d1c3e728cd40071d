//! What operators lay over instances.

use muster_model::{ClusterName, Host, Metadata, Weight};
use std::sync::Arc;

/// The instance an override is for, whoever publishes it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceKey {
    /// The cluster.
    pub cluster: ClusterName,
    /// The address.
    pub host: Host,
    /// The port.
    pub port: u16,
}

/// What an operator laid over an instance: it wins over what the client registers, now and later.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Override {
    /// The weight, if set.
    pub weight: Option<Weight>,
    /// Enabled or not, if set.
    pub enabled: Option<bool>,
    /// Keys laid over the registered metadata.
    pub metadata: Metadata,
}

/// A change of an override, decided when it is applied.
#[derive(Clone, Debug, PartialEq)]
pub enum OverrideChange {
    /// Puts this in place of whatever there was.
    Replace(Override),
    /// Sets what is given and keeps the rest; metadata keys are added or replaced.
    Merge(Override),
    /// Removes metadata keys from the override; registered ones show again.
    RemoveKeys(Vec<Arc<str>>),
    /// Removes the override.
    Clear,
}
