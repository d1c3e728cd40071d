//! Registry operations as they stand in the log.

use super::DecodeError;
use muster_model::{
    Actor, Cause, ClientId, ClusterName, ConnectionId, GroupName, Host, Instance, Kind, Metadata, Namespace,
    NodeId, Reason, ServiceKey, ServiceName, Weight,
};
use muster_registry::{
    Checker, ClusterSpec, Deregister, InstanceKey, NamespaceSpec, Op, Override, OverrideChange, Register,
    ServiceSpec, Threshold,
};
use prost::{Message, Oneof};
use std::sync::Arc;

#[derive(Clone, PartialEq, Message)]
pub(super) struct Pair {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(string, tag = "2")]
    value: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Service {
    #[prost(string, tag = "1")]
    namespace: String,
    #[prost(string, tag = "2")]
    group: String,
    #[prost(string, tag = "3")]
    name: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct StoredInstance {
    #[prost(string, tag = "1")]
    host: String,
    #[prost(uint32, tag = "2")]
    port: u32,
    #[prost(string, tag = "3")]
    cluster: String,
    #[prost(double, tag = "4")]
    weight: f64,
    #[prost(bool, tag = "5")]
    enabled: bool,
    #[prost(bool, tag = "6")]
    healthy: bool,
    #[prost(message, repeated, tag = "7")]
    metadata: Vec<Pair>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct StoredCause {
    #[prost(uint32, tag = "1")]
    reason: u32,
    #[prost(uint64, optional, tag = "2")]
    connection: Option<u64>,
    #[prost(string, optional, tag = "3")]
    address: Option<String>,
    #[prost(string, optional, tag = "4")]
    user: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Publication {
    #[prost(message, required, tag = "1")]
    service: Service,
    /// The instance; of a deregistration only its address counts.
    #[prost(message, required, tag = "2")]
    instance: StoredInstance,
    #[prost(message, required, tag = "3")]
    cause: StoredCause,
    #[prost(uint64, tag = "4")]
    origin: u64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct StoredOverride {
    #[prost(double, optional, tag = "1")]
    weight: Option<f64>,
    #[prost(bool, optional, tag = "2")]
    enabled: Option<bool>,
    #[prost(message, repeated, tag = "3")]
    metadata: Vec<Pair>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Keys {
    #[prost(string, repeated, tag = "1")]
    keys: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Nothing {}

#[derive(Clone, PartialEq, Oneof)]
pub(super) enum StoredChange {
    #[prost(message, tag = "4")]
    Replace(StoredOverride),
    #[prost(message, tag = "5")]
    Merge(StoredOverride),
    #[prost(message, tag = "6")]
    RemoveKeys(Keys),
    #[prost(message, tag = "7")]
    Clear(Nothing),
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Overriding {
    #[prost(message, required, tag = "1")]
    service: Service,
    #[prost(message, required, tag = "2")]
    instance: StoredInstance,
    #[prost(message, required, tag = "3")]
    cause: StoredCause,
    #[prost(oneof = "StoredChange", tags = "4, 5, 6, 7")]
    change: Option<StoredChange>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Specified {
    #[prost(message, required, tag = "1")]
    service: Service,
    #[prost(bool, tag = "2")]
    ephemeral: bool,
    #[prost(float, tag = "3")]
    protection: f32,
    #[prost(message, repeated, tag = "4")]
    metadata: Vec<Pair>,
    #[prost(string, tag = "5")]
    selector: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct StoredChecker {
    /// 0 TCP, 1 HTTP, 2 MYSQL, 3 none.
    #[prost(uint32, tag = "1")]
    kind: u32,
    #[prost(string, tag = "2")]
    first: String,
    #[prost(string, tag = "3")]
    second: String,
    #[prost(string, tag = "4")]
    third: String,
    #[prost(uint32, tag = "5")]
    status: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Clustered {
    #[prost(message, required, tag = "1")]
    service: Service,
    #[prost(string, tag = "2")]
    cluster: String,
    #[prost(bool, tag = "3")]
    ephemeral: bool,
    #[prost(message, required, tag = "4")]
    checker: StoredChecker,
    #[prost(uint32, tag = "5")]
    check_port: u32,
    #[prost(bool, tag = "6")]
    use_instance_port: bool,
    #[prost(message, repeated, tag = "7")]
    metadata: Vec<Pair>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct StoredNamespace {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(string, tag = "2")]
    name: String,
    #[prost(string, tag = "3")]
    description: String,
}

/// A durable registry operation. Field numbers are stored: never reuse one.
#[derive(Clone, PartialEq, Oneof)]
pub(super) enum Stored {
    #[prost(message, tag = "10")]
    Register(Publication),
    #[prost(message, tag = "11")]
    Deregister(Publication),
    #[prost(message, tag = "12")]
    Override(Overriding),
    #[prost(message, tag = "13")]
    CreateService(Specified),
    #[prost(message, tag = "14")]
    UpdateService(Specified),
    #[prost(message, tag = "15")]
    UpdateCluster(Clustered),
    #[prost(message, tag = "16")]
    RemoveService(Service),
    #[prost(message, tag = "17")]
    CreateNamespace(StoredNamespace),
    #[prost(message, tag = "18")]
    UpdateNamespace(StoredNamespace),
    #[prost(message, tag = "19")]
    RemoveNamespace(StoredNamespace),
}

/// The stored form of an operation. It must be durable ([`Op::is_durable`]).
pub(super) fn encode(op: &Op) -> Stored {
    match op {
        Op::Register(Register { client: _, origin, service, instances, cause }) => {
            let instance = instances.first().expect("a persistent registration has its one instance");
            Stored::Register(Publication {
                service: service.into(),
                instance: instance.into(),
                cause: cause.into(),
                origin: origin.0,
            })
        }
        Op::Deregister(Deregister { client, service, cause }) => {
            let ClientId::Address(host, port, _) = client else {
                unreachable!("a connection's publications are never in the log")
            };
            Stored::Deregister(Publication {
                service: service.into(),
                instance: bare(host, *port, &ClusterName::default()),
                cause: cause.into(),
                origin: 0,
            })
        }
        Op::Override { service, instance, change, cause } => Stored::Override(Overriding {
            service: service.into(),
            instance: bare(&instance.host, instance.port, &instance.cluster),
            cause: cause.into(),
            change: Some(match change {
                OverrideChange::Replace(with) => StoredChange::Replace(with.into()),
                OverrideChange::Merge(with) => StoredChange::Merge(with.into()),
                OverrideChange::RemoveKeys(keys) => {
                    StoredChange::RemoveKeys(Keys { keys: keys.iter().map(|key| key.to_string()).collect() })
                }
                OverrideChange::Clear => StoredChange::Clear(Nothing {}),
            }),
        }),
        Op::CreateService { service, spec } => Stored::CreateService(specified(service, spec)),
        Op::UpdateService { service, spec } => Stored::UpdateService(specified(service, spec)),
        Op::UpdateCluster { service, cluster, spec, kind } => Stored::UpdateCluster(Clustered {
            service: service.into(),
            cluster: cluster.to_string(),
            ephemeral: *kind == Kind::Ephemeral,
            checker: (&spec.checker).into(),
            check_port: u32::from(spec.check_port),
            use_instance_port: spec.use_instance_port,
            metadata: pairs(&spec.metadata),
        }),
        Op::RemoveService { service } => Stored::RemoveService(service.into()),
        Op::CreateNamespace { id, spec } => Stored::CreateNamespace(namespace(id, spec)),
        Op::UpdateNamespace { id, spec } => Stored::UpdateNamespace(namespace(id, spec)),
        Op::RemoveNamespace { id } => {
            Stored::RemoveNamespace(StoredNamespace { id: id.to_string(), ..Default::default() })
        }
        Op::Beat(_) | Op::Close(_) | Op::SetHealth(_) => {
            unreachable!("leases and health are never in the log")
        }
    }
}

impl Stored {
    /// The operation.
    pub(super) fn decode(self) -> Result<Op, DecodeError> {
        Ok(match self {
            Self::Register(p) => {
                let instance = p.instance.decode()?;
                Op::Register(Register {
                    client: ClientId::Address(instance.host.clone(), instance.port, Kind::Persistent),
                    origin: NodeId(p.origin),
                    service: p.service.decode()?,
                    instances: vec![instance],
                    cause: p.cause.decode()?,
                })
            }
            Self::Deregister(p) => Op::Deregister(Deregister {
                client: ClientId::Address(
                    Host::new(&p.instance.host)?,
                    port(p.instance.port)?,
                    Kind::Persistent,
                ),
                service: p.service.decode()?,
                cause: p.cause.decode()?,
            }),
            Self::Override(o) => Op::Override {
                service: o.service.decode()?,
                instance: InstanceKey {
                    cluster: ClusterName::new(&o.instance.cluster)?,
                    host: Host::new(&o.instance.host)?,
                    port: port(o.instance.port)?,
                },
                change: o.change.ok_or(DecodeError::Missing("change of an override"))?.decode()?,
                cause: o.cause.decode()?,
            },
            Self::CreateService(s) => {
                let (service, spec) = s.decode()?;
                Op::CreateService { service, spec }
            }
            Self::UpdateService(s) => {
                let (service, spec) = s.decode()?;
                Op::UpdateService { service, spec }
            }
            Self::UpdateCluster(c) => Op::UpdateCluster {
                service: c.service.decode()?,
                cluster: ClusterName::new(&c.cluster)?,
                spec: ClusterSpec {
                    checker: c.checker.decode()?,
                    check_port: port(c.check_port)?,
                    use_instance_port: c.use_instance_port,
                    metadata: packed(&c.metadata),
                },
                kind: kind(c.ephemeral),
            },
            Self::RemoveService(s) => Op::RemoveService { service: s.decode()? },
            Self::CreateNamespace(n) => Op::CreateNamespace { id: Namespace::new(&n.id)?, spec: n.spec() },
            Self::UpdateNamespace(n) => Op::UpdateNamespace { id: Namespace::new(&n.id)?, spec: n.spec() },
            Self::RemoveNamespace(n) => Op::RemoveNamespace { id: Namespace::new(&n.id)? },
        })
    }
}

fn kind(ephemeral: bool) -> Kind {
    if ephemeral { Kind::Ephemeral } else { Kind::Persistent }
}

fn port(number: u32) -> Result<u16, DecodeError> {
    number.try_into().map_err(|_| DecodeError::OutOfRange("port"))
}

fn pairs(metadata: &Metadata) -> Vec<Pair> {
    metadata.iter().map(|(key, value)| Pair { key: key.to_owned(), value: value.to_owned() }).collect()
}

fn packed(pairs: &[Pair]) -> Metadata {
    Metadata::new(pairs.iter().map(|pair| (&pair.key, &pair.value)))
}

fn bare(host: &Host, port: u16, cluster: &ClusterName) -> StoredInstance {
    StoredInstance {
        host: host.to_string(),
        port: u32::from(port),
        cluster: cluster.to_string(),
        ..Default::default()
    }
}

fn specified(service: &ServiceKey, spec: &ServiceSpec) -> Specified {
    Specified {
        service: service.into(),
        ephemeral: spec.kind == Kind::Ephemeral,
        protection: spec.protection.get(),
        metadata: pairs(&spec.metadata),
        selector: spec.selector.to_string(),
    }
}

fn namespace(id: &Namespace, spec: &NamespaceSpec) -> StoredNamespace {
    StoredNamespace {
        id: id.to_string(),
        name: spec.name.to_string(),
        description: spec.description.to_string(),
    }
}

impl StoredNamespace {
    fn spec(&self) -> NamespaceSpec {
        NamespaceSpec { name: Arc::from(&*self.name), description: Arc::from(&*self.description) }
    }
}

impl Specified {
    fn decode(self) -> Result<(ServiceKey, ServiceSpec), DecodeError> {
        let spec = ServiceSpec {
            kind: kind(self.ephemeral),
            protection: Threshold::new(self.protection)
                .ok_or(DecodeError::OutOfRange("protection threshold"))?,
            metadata: packed(&self.metadata),
            selector: Arc::from(&*self.selector),
        };
        Ok((self.service.decode()?, spec))
    }
}

impl From<&ServiceKey> for Service {
    fn from(key: &ServiceKey) -> Self {
        Self {
            namespace: key.namespace().to_string(),
            group: key.group().to_string(),
            name: key.name().to_string(),
        }
    }
}

impl Service {
    fn decode(&self) -> Result<ServiceKey, DecodeError> {
        Ok(ServiceKey::new(
            Namespace::new(&self.namespace)?,
            GroupName::new(&self.group)?,
            ServiceName::new(&self.name)?,
        ))
    }
}

impl From<&Instance> for StoredInstance {
    fn from(instance: &Instance) -> Self {
        Self {
            host: instance.host.to_string(),
            port: u32::from(instance.port),
            cluster: instance.cluster.to_string(),
            weight: instance.weight.get(),
            enabled: instance.enabled,
            healthy: instance.healthy,
            metadata: pairs(&instance.metadata),
        }
    }
}

impl StoredInstance {
    fn decode(&self) -> Result<Instance, DecodeError> {
        Ok(Instance {
            host: Host::new(&self.host)?,
            port: port(self.port)?,
            cluster: ClusterName::new(&self.cluster)?,
            weight: Weight::new(self.weight).ok_or(DecodeError::OutOfRange("weight"))?,
            enabled: self.enabled,
            healthy: self.healthy,
            metadata: packed(&self.metadata),
        })
    }
}

impl From<&Override> for StoredOverride {
    fn from(value: &Override) -> Self {
        Self {
            weight: value.weight.map(Weight::get),
            enabled: value.enabled,
            metadata: pairs(&value.metadata),
        }
    }
}

impl StoredOverride {
    fn decode(&self) -> Result<Override, DecodeError> {
        let weight = match self.weight {
            Some(weight) => Some(Weight::new(weight).ok_or(DecodeError::OutOfRange("weight"))?),
            None => None,
        };
        Ok(Override { weight, enabled: self.enabled, metadata: packed(&self.metadata) })
    }
}

impl StoredChange {
    fn decode(&self) -> Result<OverrideChange, DecodeError> {
        Ok(match self {
            Self::Replace(with) => OverrideChange::Replace(with.decode()?),
            Self::Merge(with) => OverrideChange::Merge(with.decode()?),
            Self::RemoveKeys(keys) => {
                OverrideChange::RemoveKeys(keys.keys.iter().map(|key| Arc::from(&**key)).collect())
            }
            Self::Clear(Nothing {}) => OverrideChange::Clear,
        })
    }
}

impl From<&Checker> for StoredChecker {
    fn from(checker: &Checker) -> Self {
        match checker {
            Checker::Tcp => Self::default(),
            Checker::Http { path, headers, expected_status } => Self {
                kind: 1,
                first: path.to_string(),
                second: headers.to_string(),
                third: String::new(),
                status: u32::from(*expected_status),
            },
            Checker::Mysql { user, password, command } => Self {
                kind: 2,
                first: user.to_string(),
                second: password.to_string(),
                third: command.to_string(),
                status: 0,
            },
            Checker::None => Self { kind: 3, ..Default::default() },
        }
    }
}

impl StoredChecker {
    fn decode(&self) -> Result<Checker, DecodeError> {
        let text = |text: &String| Arc::from(text.as_str());
        match self.kind {
            0 => Ok(Checker::Tcp),
            1 => Ok(Checker::Http {
                path: text(&self.first),
                headers: text(&self.second),
                expected_status: port(self.status)?,
            }),
            2 => Ok(Checker::Mysql {
                user: text(&self.first),
                password: text(&self.second),
                command: text(&self.third),
            }),
            3 => Ok(Checker::None),
            _ => Err(DecodeError::OutOfRange("kind of health checker")),
        }
    }
}

impl From<&Cause> for StoredCause {
    fn from(cause: &Cause) -> Self {
        let reason = Reason::ALL.iter().position(|reason| *reason == cause.reason);
        Self {
            reason: reason.expect("every reason is in ALL") as u32,
            connection: cause.actor.connection.map(|id| id.0),
            address: cause.actor.address.map(|address| address.to_string()),
            user: cause.actor.user.as_deref().map(str::to_owned),
        }
    }
}

impl StoredCause {
    fn decode(&self) -> Result<Cause, DecodeError> {
        let address = match &self.address {
            Some(text) => Some(text.parse().map_err(|_| DecodeError::OutOfRange("address of an actor"))?),
            None => None,
        };
        Ok(Cause {
            actor: Actor {
                connection: self.connection.map(ConnectionId),
                address,
                user: self.user.as_deref().map(Arc::from),
            },
            reason: *Reason::ALL.get(self.reason as usize).ok_or(DecodeError::OutOfRange("reason"))?,
        })
    }
}
