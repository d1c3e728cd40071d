//! The stored form of durable ops, as entries of the log carry them.

use crate::{
    DecodeError, Deregister, InstanceKey, NamespaceSpec, Op, Override, OverrideChange, Register,
    StatusChange,
    stored::{
        self, ClusterSpecMessage, InstanceMessage, NamespaceMessage, Nothing, OverrideMessage,
        ServiceKeyMessage, SpecMessage, malformed, seal, unseal,
    },
};
use bytes::Bytes;
use muster_model::{Actor, Cause, ClientId, ConnectionId, Kind, NodeId, Reason};
use prost::Message;
use std::sync::Arc;

#[derive(Clone, PartialEq, Message)]
struct CauseMessage {
    /// The place in `Reason::ALL`.
    #[prost(uint32, tag = "1")]
    reason: u32,
    #[prost(uint64, optional, tag = "2")]
    connection: Option<u64>,
    #[prost(string, optional, tag = "3")]
    address: Option<String>,
    #[prost(string, optional, tag = "4")]
    user: Option<String>,
}

impl From<&Cause> for CauseMessage {
    fn from(cause: &Cause) -> Self {
        let reason = Reason::ALL.iter().position(|reason| *reason == cause.reason);
        Self {
            reason: reason.expect("ALL has every reason") as u32,
            connection: cause.actor.connection.map(|id| id.0),
            address: cause.actor.address.map(|address| address.to_string()),
            user: cause.actor.user.as_ref().map(ToString::to_string),
        }
    }
}

impl CauseMessage {
    fn read(&self) -> Result<Cause, DecodeError> {
        let reason = Reason::ALL.get(self.reason as usize).copied();
        let address = self.address.as_ref().map(|address| address.parse()).transpose();
        Ok(Cause {
            actor: Actor {
                connection: self.connection.map(ConnectionId),
                address: address.map_err(|error| malformed("cause", error))?,
                user: self.user.as_deref().map(Into::into),
            },
            reason: reason.ok_or_else(|| malformed("cause", self.reason))?,
        })
    }
}

#[derive(Clone, PartialEq, Message)]
struct RegisterMessage {
    #[prost(message, optional, tag = "1")]
    instance: Option<InstanceMessage>,
    #[prost(uint64, tag = "2")]
    origin: u64,
    #[prost(message, optional, tag = "3")]
    cause: Option<CauseMessage>,
}

#[derive(Clone, PartialEq, Message)]
struct DeregisterMessage {
    #[prost(string, tag = "1")]
    host: String,
    #[prost(uint32, tag = "2")]
    port: u32,
    #[prost(message, optional, tag = "3")]
    cause: Option<CauseMessage>,
}

#[derive(Clone, PartialEq, Message)]
struct KeysMessage {
    #[prost(string, repeated, tag = "1")]
    keys: Vec<String>,
}

/// Statuses by their names.
#[derive(Clone, PartialEq, Message)]
struct StatusMessage {
    #[prost(string, optional, tag = "1")]
    status: Option<String>,
    #[prost(int64, optional, tag = "2")]
    last_dirty: Option<i64>,
    #[prost(string, optional, tag = "3")]
    fallback: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
struct PatchMessage {
    #[prost(message, optional, tag = "1")]
    over: Option<OverrideMessage>,
    /// Whether metadata is among what is given.
    #[prost(bool, tag = "2")]
    with_metadata: bool,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum ChangeMessage {
    #[prost(message, tag = "10")]
    Replace(OverrideMessage),
    #[prost(message, tag = "11")]
    Merge(OverrideMessage),
    #[prost(message, tag = "12")]
    RemoveKeys(KeysMessage),
    #[prost(message, tag = "13")]
    Clear(Nothing),
    #[prost(message, tag = "14")]
    Status(StatusMessage),
    #[prost(message, tag = "15")]
    Patch(PatchMessage),
}

#[derive(Clone, PartialEq, Message)]
struct OverrideOpMessage {
    #[prost(string, tag = "1")]
    cluster: String,
    #[prost(string, tag = "2")]
    host: String,
    #[prost(uint32, tag = "3")]
    port: u32,
    #[prost(message, optional, tag = "4")]
    cause: Option<CauseMessage>,
    #[prost(string, optional, tag = "5")]
    eureka: Option<String>,
    #[prost(oneof = "ChangeMessage", tags = "10, 11, 12, 13, 14, 15")]
    change: Option<ChangeMessage>,
}

#[derive(Clone, PartialEq, Message)]
struct ClusterOpMessage {
    #[prost(string, tag = "1")]
    cluster: String,
    #[prost(message, optional, tag = "2")]
    spec: Option<ClusterSpecMessage>,
    #[prost(bool, tag = "3")]
    persistent: bool,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum WhatMessage {
    #[prost(message, tag = "10")]
    Register(RegisterMessage),
    #[prost(message, tag = "11")]
    Deregister(DeregisterMessage),
    #[prost(message, tag = "12")]
    Override(OverrideOpMessage),
    #[prost(message, tag = "13")]
    CreateService(SpecMessage),
    #[prost(message, tag = "14")]
    UpdateService(SpecMessage),
    #[prost(message, tag = "15")]
    UpdateCluster(ClusterOpMessage),
    #[prost(message, tag = "16")]
    RemoveService(Nothing),
    #[prost(message, tag = "17")]
    CreateNamespace(NamespaceMessage),
    #[prost(message, tag = "18")]
    UpdateNamespace(NamespaceMessage),
    #[prost(message, tag = "19")]
    RemoveNamespace(Nothing),
}

/// A durable op: of a service, or of a namespace.
#[derive(Clone, PartialEq, Message)]
struct OpMessage {
    #[prost(message, optional, tag = "1")]
    service: Option<ServiceKeyMessage>,
    #[prost(string, tag = "2")]
    namespace: String,
    #[prost(oneof = "WhatMessage", tags = "10, 11, 12, 13, 14, 15, 16, 17, 18, 19")]
    what: Option<WhatMessage>,
}

fn absent(what: &'static str) -> impl FnOnce() -> DecodeError {
    move || malformed("op", format_args!("{what} is absent"))
}

fn read_cause(cause: Option<CauseMessage>) -> Result<Cause, DecodeError> {
    cause.ok_or_else(absent("cause"))?.read()
}

fn write_change(change: &OverrideChange) -> ChangeMessage {
    match change {
        OverrideChange::Replace(new) => ChangeMessage::Replace(new.into()),
        OverrideChange::Merge(new) => ChangeMessage::Merge(new.into()),
        OverrideChange::Patch { weight, enabled, metadata } => {
            let over = Override {
                weight: *weight,
                enabled: *enabled,
                metadata: metadata.clone().unwrap_or_default(),
                ..Override::default()
            };
            ChangeMessage::Patch(PatchMessage {
                over: Some((&over).into()),
                with_metadata: metadata.is_some(),
            })
        }
        OverrideChange::RemoveKeys(keys) => {
            ChangeMessage::RemoveKeys(KeysMessage { keys: keys.iter().map(ToString::to_string).collect() })
        }
        OverrideChange::Status(change) => ChangeMessage::Status(StatusMessage {
            status: change.status.map(|status| status.as_str().to_owned()),
            last_dirty: change.last_dirty,
            fallback: change.fallback.map(|status| status.as_str().to_owned()),
        }),
        OverrideChange::Clear => ChangeMessage::Clear(Nothing {}),
    }
}

fn read_change(change: ChangeMessage) -> Result<OverrideChange, DecodeError> {
    Ok(match change {
        ChangeMessage::Replace(new) => OverrideChange::Replace(new.read()?),
        ChangeMessage::Merge(new) => OverrideChange::Merge(new.read()?),
        ChangeMessage::Patch(PatchMessage { over, with_metadata }) => {
            let Override { weight, enabled, metadata, .. } = over.ok_or_else(absent("patch"))?.read()?;
            OverrideChange::Patch { weight, enabled, metadata: with_metadata.then_some(metadata) }
        }
        ChangeMessage::RemoveKeys(keys) => {
            OverrideChange::RemoveKeys(keys.keys.iter().map(|key| key.as_str().into()).collect())
        }
        ChangeMessage::Status(change) => OverrideChange::Status(StatusChange {
            status: change.status.as_deref().map(stored::status).transpose()?,
            last_dirty: change.last_dirty,
            fallback: change.fallback.as_deref().map(stored::status).transpose()?,
        }),
        ChangeMessage::Clear(Nothing {}) => OverrideChange::Clear,
    })
}

fn write_register(register: &Register) -> Option<WhatMessage> {
    let cause = Some((&register.cause).into());
    Some(match &register.instances[..] {
        [] => write_deregister(&register.client, &register.cause)?,
        [instance, ..] => WhatMessage::Register(RegisterMessage {
            instance: Some(instance.into()),
            origin: register.origin.0,
            cause,
        }),
    })
}

fn write_deregister(client: &ClientId, cause: &Cause) -> Option<WhatMessage> {
    let ClientId::Address(host, port, Kind::Persistent) = client else { return None };
    Some(WhatMessage::Deregister(DeregisterMessage {
        host: host.to_string(),
        port: (*port).into(),
        cause: Some(cause.into()),
    }))
}

impl Op {
    /// The op's form in the log; `None` if it is not durable. A persistent registration of no instance is
    /// written as the deregistration that it is.
    pub fn encode(&self) -> Option<Bytes> {
        if !self.is_durable() {
            return None;
        }
        let (service, namespace, what) = match self {
            Self::Register(register) => (Some(&register.service), None, write_register(register)?),
            Self::Deregister(deregister) => {
                (Some(&deregister.service), None, write_deregister(&deregister.client, &deregister.cause)?)
            }
            Self::Beat(_)
            | Self::Close(_)
            | Self::SetHealth(_)
            | Self::ReleaseBrake { .. }
            | Self::EurekaRegister(_)
            | Self::EurekaRenew(_)
            | Self::EurekaStatus(_)
            | Self::EurekaCancel(_)
            | Self::EurekaMetadata(_) => return None,
            Self::Override { service, instance, change, cause } => {
                let what = OverrideOpMessage {
                    cluster: instance.cluster.to_string(),
                    host: instance.host.to_string(),
                    port: instance.port.into(),
                    cause: Some(cause.into()),
                    eureka: instance.eureka.as_deref().map(ToOwned::to_owned),
                    change: Some(write_change(change)),
                };
                (Some(service), None, WhatMessage::Override(what))
            }
            Self::CreateService { service, spec } => {
                (Some(service), None, WhatMessage::CreateService(spec.into()))
            }
            Self::UpdateService { service, spec } => {
                (Some(service), None, WhatMessage::UpdateService(spec.into()))
            }
            Self::UpdateCluster { service, cluster, spec, kind } => {
                let (cluster, spec) = (cluster.to_string(), Some(spec.into()));
                let what = ClusterOpMessage { cluster, spec, persistent: *kind == Kind::Persistent };
                (Some(service), None, WhatMessage::UpdateCluster(what))
            }
            Self::RemoveService { service } => (Some(service), None, WhatMessage::RemoveService(Nothing {})),
            Self::CreateNamespace { id, spec } => (None, Some(id), WhatMessage::CreateNamespace(spec.into())),
            Self::UpdateNamespace { id, spec } => (None, Some(id), WhatMessage::UpdateNamespace(spec.into())),
            Self::RemoveNamespace { id } => (None, Some(id), WhatMessage::RemoveNamespace(Nothing {})),
        };
        Some(seal(&OpMessage {
            service: service.map(Into::into),
            namespace: namespace.map(ToString::to_string).unwrap_or_default(),
            what: Some(what),
        }))
    }

    /// Reads an op from the log.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let OpMessage { service, namespace, what } = unseal("op", bytes)?;
        let id = || stored::namespace(&namespace);
        let spec = |spec: NamespaceMessage| -> NamespaceSpec { spec.read() };
        match what.ok_or_else(absent("what"))? {
            WhatMessage::CreateNamespace(message) => {
                Ok(Self::CreateNamespace { id: id()?, spec: spec(message) })
            }
            WhatMessage::UpdateNamespace(message) => {
                Ok(Self::UpdateNamespace { id: id()?, spec: spec(message) })
            }
            WhatMessage::RemoveNamespace(Nothing {}) => Ok(Self::RemoveNamespace { id: id()? }),
            of_service @ (WhatMessage::Register(_)
            | WhatMessage::Deregister(_)
            | WhatMessage::Override(_)
            | WhatMessage::CreateService(_)
            | WhatMessage::UpdateService(_)
            | WhatMessage::UpdateCluster(_)
            | WhatMessage::RemoveService(_)) => {
                decode_of_service(service.ok_or_else(absent("service"))?, of_service)
            }
        }
    }
}

fn decode_of_service(service: ServiceKeyMessage, what: WhatMessage) -> Result<Op, DecodeError> {
    let service = service.read()?;
    Ok(match what {
        WhatMessage::Register(RegisterMessage { instance, origin, cause }) => {
            let instance = instance.ok_or_else(absent("instance"))?.read()?;
            let client = ClientId::Address(instance.host.clone(), instance.port, Kind::Persistent);
            let (origin, cause) = (NodeId(origin), read_cause(cause)?);
            Op::Register(Register { client, origin, service, instances: vec![instance], cause })
        }
        WhatMessage::Deregister(DeregisterMessage { host, port, cause }) => {
            let client = ClientId::Address(stored::host(&host)?, stored::port(port)?, Kind::Persistent);
            Op::Deregister(Deregister { client, service, cause: read_cause(cause)? })
        }
        WhatMessage::Override(OverrideOpMessage { cluster, host, port, cause, eureka, change }) => {
            Op::Override {
                service,
                instance: InstanceKey {
                    cluster: stored::cluster(&cluster)?,
                    host: stored::host(&host)?,
                    port: stored::port(port)?,
                    eureka: eureka.map(Arc::from),
                },
                change: read_change(change.ok_or_else(absent("change"))?)?,
                cause: read_cause(cause)?,
            }
        }
        WhatMessage::CreateService(spec) => Op::CreateService { service, spec: spec.read()? },
        WhatMessage::UpdateService(spec) => Op::UpdateService { service, spec: spec.read()? },
        WhatMessage::UpdateCluster(ClusterOpMessage { cluster, spec, persistent }) => Op::UpdateCluster {
            service,
            cluster: stored::cluster(&cluster)?,
            spec: spec.ok_or_else(absent("attributes"))?.read()?,
            kind: stored::kind(persistent),
        },
        WhatMessage::RemoveService(Nothing {}) => Op::RemoveService { service },
        WhatMessage::CreateNamespace(_)
        | WhatMessage::UpdateNamespace(_)
        | WhatMessage::RemoveNamespace(_) => {
            return Err(malformed("op", "an op of a namespace names a service"));
        }
    })
}
