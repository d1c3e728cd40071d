//! What follows from an op.

use crate::{BrakeChange, EurekaBase, InstanceKey, StatusChange};
use muster_model::{Cause, Change, Revision, Row, ServiceKey};
use std::sync::Arc;

/// Something the node must do after an op, in this order, once the lock is released. Effects never carry
/// state: whoever runs late reads the newest.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// What is shown of a service may differ: wake its watchers.
    ServiceChanged {
        /// The service.
        service: ServiceKey,
        /// Its revision now.
        revision: Revision,
        /// Who and why.
        cause: Arc<Cause>,
    },
    /// A service got its first instance, for fuzzy watches.
    ServiceAppeared(ServiceKey),
    /// A service lost its last instance, for fuzzy watches.
    ServiceVanished(ServiceKey),
    /// The record of a service is gone: drop what is kept by its key. Its last instance went before.
    ServiceRemoved(ServiceKey),
    /// A status was set without the log, as peers of Eureka do: propose it. Several of one instance may be made one.
    ProposeStatus {
        /// The service.
        service: ServiceKey,
        /// The instance.
        instance: InstanceKey,
        /// What to do with its status.
        change: StatusChange,
        /// Who and why.
        cause: Arc<Cause>,
    },
    /// A line for the flight recorder.
    Recorded(Change),
    /// A brake on mass expiry was engaged or released: say it in the log.
    Brake(BrakeChange),
    /// A beat that came to another node renewed what is registered here over Eureka. Only where somebody wants to know
    /// ([`Registry::tell_eureka_renewals`](crate::Registry::tell_eureka_renewals)), and not of what came from an Eureka peer.
    EurekaRenewed {
        /// The view it is in.
        base: EurekaBase,
        /// The application.
        app: Arc<str>,
        /// The instance.
        id: Arc<str>,
    },
    /// There are ops for other nodes: wake the streams to them. At most once a call.
    Mirrored,
    /// A row to write in the transaction of this op. Durable ops only.
    Persist(Row),
}
