//! Messages that rows and logged ops are made of. Field numbers are stored: never use one again.

use crate::{
    Checker, ClusterSpec, DecodeError, NamespaceSpec, Override, ServiceSpec, Threshold, services::Explicit,
};
use bytes::Bytes;
use muster_model::{
    ClusterName, EurekaStatus, GroupName, Host, Instance, Kind, LabelSelector, Metadata, NameError,
    Namespace, Selector, ServiceKey, ServiceName, Weight,
};
use prost::Message;
use std::collections::BTreeMap;

/// The version that is written, as the first byte of everything stored.
pub(crate) const VERSION: u8 = 1;

/// A message after its version byte.
pub(crate) fn seal(message: &impl Message) -> Bytes {
    let mut bytes = Vec::with_capacity(1 + message.encoded_len());
    bytes.push(VERSION);
    message.encode(&mut bytes).expect("a vector grows as needed");
    bytes.into()
}

/// The message in sealed bytes.
pub(crate) fn unseal<M: Message + Default>(what: &'static str, bytes: &[u8]) -> Result<M, DecodeError> {
    match bytes.split_first() {
        Some((&VERSION, rest)) => M::decode(rest).map_err(|error| malformed(what, error)),
        Some((&version, _)) => Err(DecodeError::Version { what, version, known: VERSION }),
        None => Err(malformed(what, "no bytes")),
    }
}

pub(crate) fn malformed(what: &'static str, detail: impl ToString) -> DecodeError {
    DecodeError::Malformed { what, detail: detail.to_string() }
}

fn name<T>(result: Result<T, NameError>) -> Result<T, DecodeError> {
    result.map_err(|error| malformed("name", error))
}

pub(crate) fn kind(persistent: bool) -> Kind {
    if persistent { Kind::Persistent } else { Kind::Ephemeral }
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct PairMessage {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(string, tag = "2")]
    value: String,
}

pub(crate) fn pairs(metadata: &Metadata) -> Vec<PairMessage> {
    metadata.iter().map(|(key, value)| PairMessage { key: key.to_owned(), value: value.to_owned() }).collect()
}

pub(crate) fn metadata(pairs: &[PairMessage]) -> Metadata {
    Metadata::new(pairs.iter().map(|pair| (&pair.key, &pair.value)))
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ServiceKeyMessage {
    #[prost(string, tag = "1")]
    namespace: String,
    #[prost(string, tag = "2")]
    group: String,
    #[prost(string, tag = "3")]
    name: String,
}

impl From<&ServiceKey> for ServiceKeyMessage {
    fn from(key: &ServiceKey) -> Self {
        Self {
            namespace: key.namespace().to_string(),
            group: key.group().to_string(),
            name: key.name().to_string(),
        }
    }
}

impl ServiceKeyMessage {
    pub(crate) fn read(&self) -> Result<ServiceKey, DecodeError> {
        Ok(ServiceKey::new(
            name(Namespace::new(&self.namespace))?,
            name(GroupName::new(&self.group))?,
            name(ServiceName::new(&self.name))?,
        ))
    }
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct InstanceMessage {
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
    metadata: Vec<PairMessage>,
}

impl From<&Instance> for InstanceMessage {
    fn from(instance: &Instance) -> Self {
        Self {
            host: instance.host.to_string(),
            port: instance.port.into(),
            cluster: instance.cluster.to_string(),
            weight: instance.weight.get(),
            enabled: instance.enabled,
            healthy: instance.healthy,
            metadata: pairs(&instance.metadata),
        }
    }
}

impl InstanceMessage {
    pub(crate) fn read(&self) -> Result<Instance, DecodeError> {
        Ok(Instance {
            host: host(&self.host)?,
            port: port(self.port)?,
            cluster: cluster(&self.cluster)?,
            weight: weight(self.weight)?,
            enabled: self.enabled,
            healthy: self.healthy,
            metadata: metadata(&self.metadata),
        })
    }
}

pub(crate) fn host(text: &str) -> Result<Host, DecodeError> {
    name(Host::new(text))
}

pub(crate) fn cluster(text: &str) -> Result<ClusterName, DecodeError> {
    name(ClusterName::new(text))
}

pub(crate) fn namespace(text: &str) -> Result<Namespace, DecodeError> {
    name(Namespace::new(text))
}

pub(crate) fn port(port: u32) -> Result<u16, DecodeError> {
    u16::try_from(port).map_err(|error| malformed("port", error))
}

/// The status of a name.
pub(crate) fn status(name: &str) -> Result<EurekaStatus, DecodeError> {
    EurekaStatus::from_name(name).ok_or_else(|| malformed("status", name))
}

fn weight(weight: f64) -> Result<Weight, DecodeError> {
    Weight::new(weight).ok_or_else(|| malformed("weight", weight))
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct SpecMessage {
    #[prost(bool, tag = "1")]
    persistent: bool,
    #[prost(float, tag = "2")]
    protection: f32,
    #[prost(message, repeated, tag = "3")]
    metadata: Vec<PairMessage>,
    #[prost(string, tag = "4")]
    selector: String,
}

impl From<&ServiceSpec> for SpecMessage {
    fn from(spec: &ServiceSpec) -> Self {
        Self {
            persistent: spec.kind == Kind::Persistent,
            protection: spec.protection.get(),
            metadata: pairs(&spec.metadata),
            selector: write_selector(&spec.selector),
        }
    }
}

impl SpecMessage {
    pub(crate) fn read(&self) -> Result<ServiceSpec, DecodeError> {
        let protection = Threshold::new(self.protection);
        Ok(ServiceSpec {
            kind: kind(self.persistent),
            protection: protection.ok_or_else(|| malformed("protection threshold", self.protection))?,
            metadata: metadata(&self.metadata),
            selector: read_selector(&self.selector)?,
        })
    }
}

/// What a stored label selector begins with; before its expression. Nothing is stored for none.
const LABEL: &str = "label:";

fn write_selector(selector: &Selector) -> String {
    match selector {
        Selector::None => String::new(),
        Selector::Label(label) => format!("{LABEL}{}", label.expression()),
    }
}

fn read_selector(text: &str) -> Result<Selector, DecodeError> {
    // Before it had a meaning, the JSON text of the request was kept.
    let expression = match text.strip_prefix(LABEL) {
        Some(expression) => expression,
        None => match text.split_once("\"expression\"").and_then(|(_, rest)| rest.split('"').nth(1)) {
            Some(expression) => expression,
            None => return Ok(Selector::None),
        },
    };
    LabelSelector::parse(expression).map(Selector::Label).map_err(|error| malformed("selector", error))
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct HttpMessage {
    #[prost(string, tag = "1")]
    path: String,
    #[prost(string, tag = "2")]
    headers: String,
    #[prost(uint32, tag = "3")]
    expected_status: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct MysqlMessage {
    #[prost(string, tag = "1")]
    user: String,
    #[prost(string, tag = "2")]
    password: String,
    #[prost(string, tag = "3")]
    command: String,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Nothing {}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(crate) enum CheckerMessage {
    #[prost(message, tag = "10")]
    Tcp(Nothing),
    #[prost(message, tag = "11")]
    Http(HttpMessage),
    #[prost(message, tag = "12")]
    Mysql(MysqlMessage),
    #[prost(message, tag = "13")]
    None(Nothing),
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ClusterSpecMessage {
    #[prost(uint32, tag = "1")]
    check_port: u32,
    #[prost(bool, tag = "2")]
    use_instance_port: bool,
    #[prost(message, repeated, tag = "3")]
    metadata: Vec<PairMessage>,
    #[prost(oneof = "CheckerMessage", tags = "10, 11, 12, 13")]
    checker: Option<CheckerMessage>,
}

impl From<&ClusterSpec> for ClusterSpecMessage {
    fn from(spec: &ClusterSpec) -> Self {
        let checker = match &spec.checker {
            Checker::Tcp => CheckerMessage::Tcp(Nothing {}),
            Checker::Http { path, headers, expected_status } => CheckerMessage::Http(HttpMessage {
                path: path.to_string(),
                headers: headers.to_string(),
                expected_status: (*expected_status).into(),
            }),
            Checker::Mysql { user, password, command } => CheckerMessage::Mysql(MysqlMessage {
                user: user.to_string(),
                password: password.to_string(),
                command: command.to_string(),
            }),
            Checker::None => CheckerMessage::None(Nothing {}),
        };
        Self {
            check_port: spec.check_port.into(),
            use_instance_port: spec.use_instance_port,
            metadata: pairs(&spec.metadata),
            checker: Some(checker),
        }
    }
}

impl ClusterSpecMessage {
    pub(crate) fn read(&self) -> Result<ClusterSpec, DecodeError> {
        let checker = match self.checker.as_ref().ok_or_else(|| malformed("cluster", "no checker"))? {
            CheckerMessage::Tcp(Nothing {}) => Checker::Tcp,
            CheckerMessage::Http(http) => Checker::Http {
                path: http.path.as_str().into(),
                headers: http.headers.as_str().into(),
                expected_status: u16::try_from(http.expected_status)
                    .map_err(|error| malformed("status", error))?,
            },
            CheckerMessage::Mysql(mysql) => Checker::Mysql {
                user: mysql.user.as_str().into(),
                password: mysql.password.as_str().into(),
                command: mysql.command.as_str().into(),
            },
            CheckerMessage::None(Nothing {}) => Checker::None,
        };
        Ok(ClusterSpec {
            checker,
            check_port: port(self.check_port)?,
            use_instance_port: self.use_instance_port,
            metadata: metadata(&self.metadata),
        })
    }
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct NamedClusterMessage {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, optional, tag = "2")]
    spec: Option<ClusterSpecMessage>,
}

/// The value of a row of `Table::Service`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct ExplicitMessage {
    #[prost(message, optional, tag = "1")]
    spec: Option<SpecMessage>,
    #[prost(message, repeated, tag = "2")]
    clusters: Vec<NamedClusterMessage>,
}

impl From<&Explicit> for ExplicitMessage {
    fn from(explicit: &Explicit) -> Self {
        let clusters = explicit.clusters.iter();
        Self {
            spec: Some((&explicit.spec).into()),
            clusters: clusters
                .map(|(name, spec)| NamedClusterMessage { name: name.to_string(), spec: Some(spec.into()) })
                .collect(),
        }
    }
}

impl ExplicitMessage {
    pub(crate) fn read(&self) -> Result<Explicit, DecodeError> {
        let mut clusters = BTreeMap::new();
        for NamedClusterMessage { name, spec } in &self.clusters {
            let spec = spec.as_ref().ok_or_else(|| malformed("cluster", "no attributes"))?;
            clusters.insert(cluster(name)?, spec.read()?);
        }
        let spec = self.spec.as_ref().ok_or_else(|| malformed("service", "no attributes"))?;
        Ok(Explicit { spec: spec.read()?, clusters })
    }
}

/// The value of a row of `Table::Instance`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct PersistentMessage {
    #[prost(message, optional, tag = "1")]
    pub(crate) instance: Option<InstanceMessage>,
    #[prost(uint64, tag = "2")]
    pub(crate) origin: u64,
}

/// The value of a row of `Table::Namespace`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct NamespaceMessage {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    description: String,
}

impl From<&NamespaceSpec> for NamespaceMessage {
    fn from(spec: &NamespaceSpec) -> Self {
        Self { name: spec.name.to_string(), description: spec.description.to_string() }
    }
}

impl NamespaceMessage {
    pub(crate) fn read(&self) -> NamespaceSpec {
        NamespaceSpec { name: self.name.as_str().into(), description: self.description.as_str().into() }
    }
}

/// The value of a row of `Table::Override`.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct OverrideMessage {
    #[prost(double, optional, tag = "1")]
    weight: Option<f64>,
    #[prost(bool, optional, tag = "2")]
    enabled: Option<bool>,
    #[prost(message, repeated, tag = "3")]
    metadata: Vec<PairMessage>,
    /// The status by its name.
    #[prost(string, optional, tag = "4")]
    status: Option<String>,
}

impl From<&Override> for OverrideMessage {
    fn from(over: &Override) -> Self {
        Self {
            weight: over.weight.map(Weight::get),
            enabled: over.enabled,
            metadata: pairs(&over.metadata),
            status: over.status.map(|status| status.as_str().to_owned()),
        }
    }
}

impl OverrideMessage {
    pub(crate) fn read(&self) -> Result<Override, DecodeError> {
        Ok(Override {
            weight: self.weight.map(weight).transpose()?,
            enabled: self.enabled,
            status: self.status.as_deref().map(status).transpose()?,
            metadata: metadata(&self.metadata),
        })
    }
}
