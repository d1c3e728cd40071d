//! Lists for clients and administrators.

use muster_model::{ClientId, GroupName, Instance, Kind, Namespace, NodeId, ServiceKey};
use std::sync::Arc;

/// How much there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Services, empty ones too.
    pub services: usize,
    /// Instances in all publications.
    pub instances: usize,
    /// Clients that publish something.
    pub clients: usize,
    /// Publications.
    pub publications: usize,
}

/// A part of a sorted list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// How many there are in all.
    pub count: usize,
    /// The items asked for.
    pub items: Vec<T>,
}

/// Which services to list, sorted by group and name.
#[derive(Clone, Copy, Debug)]
pub struct Search<'a> {
    /// The namespace.
    pub namespace: &'a Namespace,
    /// One group only.
    pub group: Option<&'a GroupName>,
    /// A part of the group's name, empty for all.
    pub group_contains: &'a str,
    /// A part of the service's name, empty for all.
    pub name_contains: &'a str,
    /// Leaves services without instances out.
    pub with_instances: bool,
    /// How many to skip.
    pub offset: usize,
    /// How many to give at most.
    pub limit: usize,
}

/// A service in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceSummary {
    /// The service.
    pub key: ServiceKey,
    /// Its kind.
    pub kind: Kind,
    /// Publications.
    pub publications: usize,
}

/// A client in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientSummary {
    /// The client.
    pub client: ClientId,
    /// The node that took its registrations.
    pub origin: NodeId,
    /// How many services it publishes to.
    pub publications: usize,
}

/// What one client publishes to one service.
#[derive(Clone, Debug, PartialEq)]
pub struct PublicationSummary {
    /// The client.
    pub client: ClientId,
    /// The node that took the registration.
    pub origin: NodeId,
    /// The service.
    pub service: ServiceKey,
    /// Its instances, without overrides.
    pub instances: Arc<[Instance]>,
}
