//! What can be asked of the registry, and what it answers.

use crate::{
    ClusterSpec, EurekaCancel, EurekaMetadata, EurekaRegister, EurekaRenew, EurekaStatusChange, InstanceKey,
    LeaseKind, NamespaceSpec, OverrideChange, ServiceSpec,
};
use muster_model::{Cause, ClientId, ClusterName, Instance, Kind, Namespace, NodeId, ServiceKey};

/// One change. Those for which [`Op::is_durable`] holds must come through the log, in its order; the others
/// are applied at once by the node that took them.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// Sets a client's publication to a service. Durable for a persistent client.
    Register(Register),
    /// Removes a client's publication from a service. Durable for a persistent client.
    Deregister(Deregister),
    /// Renews a lease by beat.
    Beat(Beat),
    /// Removes everything a client published: its connection is gone.
    Close(Close),
    /// Registers an instance over Eureka.
    EurekaRegister(EurekaRegister),
    /// Renews the lease of an instance over Eureka.
    EurekaRenew(EurekaRenew),
    /// Sets or lifts a status over Eureka before it is in the log.
    EurekaStatus(EurekaStatusChange),
    /// Takes an Eureka registration back.
    EurekaCancel(EurekaCancel),
    /// Sets metadata of an instance over Eureka.
    EurekaMetadata(EurekaMetadata),
    /// Sets the health of an instance whose client is known by its address. Never durable: what a check
    /// found is found again after a restart.
    SetHealth(SetHealth),
    /// Releases the brake on mass expiry of a kind of leases; what ran out is let go, and what runs out within a minute.
    /// Unchanged if it is not engaged. Never durable.
    ReleaseBrake {
        /// The namespace.
        namespace: Namespace,
        /// The kind of leases.
        kind: LeaseKind,
        /// Who and why.
        cause: Cause,
    },
    /// Changes what an operator laid over an instance. The instance need not exist. Durable.
    Override {
        /// The service.
        service: ServiceKey,
        /// The instance.
        instance: InstanceKey,
        /// What to do with its override.
        change: OverrideChange,
        /// Who and why.
        cause: Cause,
    },
    /// Creates a service that stays until it is removed. Durable.
    CreateService {
        /// The service.
        service: ServiceKey,
        /// Its attributes.
        spec: ServiceSpec,
    },
    /// Replaces the attributes of a service and keeps its clusters'; an implicit service becomes explicit.
    /// Durable. `spec.kind` counts only where the service has no stored kind yet: give the kind that
    /// [`Registry::details`](crate::Registry::details) shows.
    UpdateService {
        /// The service.
        service: ServiceKey,
        /// Its new attributes.
        spec: ServiceSpec,
    },
    /// Replaces the attributes of one cluster of a service. Durable.
    UpdateCluster {
        /// The service.
        service: ServiceKey,
        /// The cluster; it needs no instance.
        cluster: ClusterName,
        /// Its new attributes.
        spec: ClusterSpec,
        /// The service's kind, where none is stored yet.
        kind: Kind,
    },
    /// Removes an explicitly created service that has no instance. Durable.
    RemoveService {
        /// The service.
        service: ServiceKey,
    },
    /// Creates a namespace. Durable.
    CreateNamespace {
        /// Its id; not `public`, which always exists.
        id: Namespace,
        /// Its name and description.
        spec: NamespaceSpec,
    },
    /// Changes a namespace's name and description. Durable.
    UpdateNamespace {
        /// Its id.
        id: Namespace,
        /// Its name and description.
        spec: NamespaceSpec,
    },
    /// Removes a namespace from the list; what is registered in it stays. Durable.
    RemoveNamespace {
        /// Its id.
        id: Namespace,
    },
}

impl Op {
    /// Whether the op changes durable state and so must come through the log.
    pub fn is_durable(&self) -> bool {
        match self {
            Self::Register(register) => kind_of(&register.client) == Kind::Persistent,
            Self::Deregister(deregister) => kind_of(&deregister.client) == Kind::Persistent,
            Self::Beat(_)
            | Self::Close(_)
            | Self::SetHealth(_)
            | Self::ReleaseBrake { .. }
            | Self::EurekaRegister(_)
            | Self::EurekaRenew(_)
            | Self::EurekaStatus(_)
            | Self::EurekaCancel(_)
            | Self::EurekaMetadata(_) => false,
            Self::Override { .. }
            | Self::CreateService { .. }
            | Self::UpdateService { .. }
            | Self::UpdateCluster { .. }
            | Self::RemoveService { .. }
            | Self::CreateNamespace { .. }
            | Self::UpdateNamespace { .. }
            | Self::RemoveNamespace { .. } => true,
        }
    }
}

/// The kind of instances a client publishes.
pub(crate) fn kind_of(client: &ClientId) -> Kind {
    match client {
        ClientId::Connection(_) | ClientId::Eureka(_) => Kind::Ephemeral,
        ClientId::Address(_, _, kind) => *kind,
    }
}

/// Sets the publication of (client, service). What the client published to the service before is replaced
/// as a whole; registering the same again is a change, too, and is pushed.
#[derive(Clone, Debug, PartialEq)]
pub struct Register {
    /// Who publishes. It decides the kind and the lease: a connection is its own lease, an ephemeral address
    /// beats, a persistent address has none.
    pub client: ClientId,
    /// The node that took the registration. Kept while the client has publications.
    pub origin: NodeId,
    /// The service; created implicitly if it does not exist.
    pub service: ServiceKey,
    /// One instance, or a connection's batch. A client known by its address publishes exactly one, at that
    /// address. An empty batch is a deregistration.
    pub instances: Vec<Instance>,
    /// Who and why.
    pub cause: Cause,
}

/// Removes the publication of (client, service), all of it, whatever addresses it has. Removing what does
/// not exist succeeds and has no effects.
#[derive(Clone, Debug, PartialEq)]
pub struct Deregister {
    /// Who published.
    pub client: ClientId,
    /// The service.
    pub service: ServiceKey,
    /// Who and why.
    pub cause: Cause,
}

/// A sign of life of an ephemeral client known by its address.
#[derive(Clone, Debug, PartialEq)]
pub struct Beat {
    /// Who beats: `ClientId::Address(_, _, Kind::Ephemeral)`. Any other is unknown.
    pub client: ClientId,
    /// The node that took the beat, if it registers.
    pub origin: NodeId,
    /// The service.
    pub service: ServiceKey,
    /// A full beat's instance: registers it if it is unknown. It never changes a known one.
    pub full: Option<Instance>,
    /// Who and why.
    pub cause: Cause,
}

/// Closes a client: its publications go, with one revision a service.
#[derive(Clone, Debug, PartialEq)]
pub struct Close {
    /// The client.
    pub client: ClientId,
    /// Who and why.
    pub cause: Cause,
}

/// Sets the health of what a client known by its address published to a service.
#[derive(Clone, Debug, PartialEq)]
pub struct SetHealth {
    /// The client: `ClientId::Address(..)`.
    pub client: ClientId,
    /// The service.
    pub service: ServiceKey,
    /// The health found.
    pub healthy: bool,
    /// Who and why.
    pub cause: Cause,
}

/// What an op came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// State changed.
    Done,
    /// It was so already; there are no effects.
    Unchanged,
    /// The beat renewed a lease.
    Renewed {
        /// How often the client should beat, milliseconds.
        interval_ms: u64,
    },
    /// The full beat of an unknown instance registered it.
    Registered {
        /// How often the client should beat, milliseconds.
        interval_ms: u64,
    },
    /// A light beat or a renewal of an unknown instance, or of one that changed since it registered: the client must
    /// register.
    UnknownInstance,
    /// An Eureka peer knows an older state of the instance than this node.
    Conflict,
}
