//! What Eureka clients can ask for. None of it is durable; an override of the status is [`Op::Override`](crate::Op).

use crate::{EurekaBase, InstanceKey, StatusChange};
use muster_model::{Cause, EurekaInstance, EurekaStatus, Metadata, NodeId, ServiceKey};
use std::sync::Arc;

/// Registers an instance, or registers it anew. It is always taken, whatever the kind of the service.
#[derive(Clone, Debug, PartialEq)]
pub struct EurekaRegister {
    /// The view.
    pub base: EurekaBase,
    /// What the client declares.
    pub instance: Arc<EurekaInstance>,
    /// The `overriddenStatus` it carries: becomes an override if none is known; `Unknown` is none.
    pub overridden: EurekaStatus,
    /// Whether an Eureka peer passed it on.
    pub replicated: bool,
    /// The node that took it.
    pub origin: NodeId,
    /// Who and why.
    pub cause: Cause,
}

/// Renews a lease.
#[derive(Clone, Debug, PartialEq)]
pub struct EurekaRenew {
    /// The view.
    pub base: EurekaBase,
    /// The application, in any case.
    pub app: Arc<str>,
    /// The instance id.
    pub id: Arc<str>,
    /// The `lastDirtyTimestamp` the client names.
    pub last_dirty: Option<i64>,
    /// The `overriddenstatus` of a peer; it counts when the peer knows something newer. `Unknown` is none.
    pub overridden: EurekaStatus,
    /// Whether an Eureka peer passed it on.
    pub replicated: bool,
    /// Who and why.
    pub cause: Cause,
}

/// Takes a registration back.
#[derive(Clone, Debug, PartialEq)]
pub struct EurekaCancel {
    /// The view.
    pub base: EurekaBase,
    /// The application, in any case.
    pub app: Arc<str>,
    /// The instance id.
    pub id: Arc<str>,
    /// Who and why.
    pub cause: Cause,
}

/// Adds or replaces metadata of an instance, until it registers anew.
#[derive(Clone, Debug, PartialEq)]
pub struct EurekaMetadata {
    /// The view.
    pub base: EurekaBase,
    /// The application, in any case.
    pub app: Arc<str>,
    /// The instance id.
    pub id: Arc<str>,
    /// The pairs; none is a change of nothing that still renews what is shown.
    pub metadata: Metadata,
    /// Who and why.
    pub cause: Cause,
}

/// Sets or lifts the status of an instance at once, as a peer asks: what follows from it is also proposed.
#[derive(Clone, Debug, PartialEq)]
pub struct EurekaStatusChange {
    /// The service.
    pub service: ServiceKey,
    /// The instance, see [`Registry::eureka_target`](crate::Registry::eureka_target).
    pub instance: InstanceKey,
    /// What to do with its status.
    pub change: StatusChange,
    /// Who and why.
    pub cause: Cause,
}
