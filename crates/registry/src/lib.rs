//! The service registry: who publishes which instances of which service, and what is shown of it.
//!
//! Everything is held as *publications*: what one client registers to one service, an instance or a batch.
//! What others see is derived from them, one host an (address, port, cluster), the newest publication in
//! front. One call, [`Registry::apply`], makes every change and says what follows from it as [`Effect`]s.
//!
//! This crate is pure: it reads no clock, does no IO, spawns nothing and knows no wire format. It does not
//! decide who may do what, does not push, and does not store: it hands out rows. Durable ops
//! ([`Op::is_durable`]) depend on durable state alone, so replaying them from the log gives the same rows
//! whatever ephemeral instances were there; what only this node knows is asked for with
//! [`Registry::check`] before an op is proposed.
//!
//! Start at [`Op`] and [`Registry`], then [`ServiceParts`] and [`ServiceSnapshot`].

mod brake;
mod checkpoint;
mod clients;
mod codec;
mod deadlines;
mod effect;
mod error;
mod eureka;
mod explicit;
mod health;
mod hosts;
mod interned;
mod leases;
mod list;
mod mirror;
mod namespaces;
mod op;
mod orphans;
mod overrides;
mod parts;
mod publish;
mod registry;
mod result;
mod revision;
mod rows;
mod select;
mod service;
mod services;
mod slab;
mod stored;

#[cfg(test)]
mod tests;

pub use brake::{BrakeChange, BrakeReport, BrakeRule, BrakesSummary, LeaseKind, Released};
pub use checkpoint::{EphemeralPublication, ForeignPublication, PageCursor};
pub use effect::Effect;
pub use error::{DecodeError, RegistryError};
pub use eureka::{
    EurekaApp, EurekaBase, EurekaCancel, EurekaChanges, EurekaEvent, EurekaGone, EurekaMetadata, EurekaOwner,
    EurekaParts, EurekaRegister, EurekaRenew, EurekaRules, EurekaShown, EurekaStatusChange,
};
pub use health::CheckTarget;
pub use list::{ClientSummary, Counts, Page, PublicationSummary, Search, ServiceSummary};
pub use mirror::{
    HeldSequence, MirrorChanges, MirrorDigest, MirrorError, MirrorFigures, MirrorName, MirrorNames,
    SnapshotCursor, SnapshotPage,
};
pub use namespaces::NamespaceSpec;
pub use op::{Beat, Close, Deregister, Op, Outcome, Register, SetHealth};
pub use overrides::{InstanceKey, Override, OverrideChange, StatusChange};
pub use parts::{ServiceParts, ServiceSnapshot, ShownHost};
pub use registry::Registry;
pub use result::{decode_result, encode_result};
pub use revision::LatestRevision;
pub use select::{Filter, Selection};
pub use service::{Checker, ClusterSpec, ServiceDetails, ServiceSpec, Threshold};
