//! One registered address of a service.

use crate::{ClusterName, Host, Metadata, Weight};

/// An instance as its client declared it. Whether it is ephemeral is its service's [`Kind`](crate::Kind);
/// who published it, and under which lease, is the registry's.
#[derive(Clone, Debug, PartialEq)]
pub struct Instance {
    /// Address; with `port` and `cluster` the identity inside one publication.
    pub host: Host,
    /// Port, 0 to 65,535.
    pub port: u16,
    /// The subset of the service it belongs to: an attribute, so registering elsewhere moves it.
    pub cluster: ClusterName,
    /// Share of calls.
    pub weight: Weight,
    /// False hides it from queries and pushes; administrators still see it.
    pub enabled: bool,
    /// Health as declared, or as the last check or missed beat left it.
    pub healthy: bool,
    /// Labels, `preserved.*` timing among them.
    pub metadata: Metadata,
}
