//! What the registry does, op by op: state and effects.

mod beats;
mod brake;
mod check_targets;
mod checkpoint;
mod ensemble;
mod eureka;
mod eureka_naive;
mod eureka_owner;
mod eureka_status;
mod explicit;
mod measure;
mod mirror;
mod mirror_naive;
mod naive;
mod overrides;
mod publish;
mod stored;
mod view;

use crate::*;
use muster_model::*;

/// A registry, its clock and the effects of the last op.
pub(crate) struct World {
    pub(crate) registry: Registry,
    pub(crate) now: Now,
    pub(crate) effects: Vec<Effect>,
}

pub(crate) fn cause(reason: Reason) -> Cause {
    Cause { actor: Actor::default(), reason }
}

pub(crate) fn service(name: &str) -> ServiceKey {
    ServiceKey::new(Namespace::default(), GroupName::default(), ServiceName::new(name).unwrap())
}

pub(crate) fn connection(id: u64) -> ClientId {
    ClientId::Connection(ConnectionId(id))
}

pub(crate) fn address(text: &str, kind: Kind) -> ClientId {
    let (host, port) = text.split_once(':').unwrap();
    ClientId::Address(Host::new(host).unwrap(), port.parse().unwrap(), kind)
}

/// `ip:port` or `ip:port@cluster`.
pub(crate) fn instance(text: &str) -> Instance {
    let (place, cluster) = text.split_once('@').unwrap_or((text, ClusterName::DEFAULT));
    let (host, port) = place.split_once(':').unwrap();
    Instance {
        host: Host::new(host).unwrap(),
        port: port.parse().unwrap(),
        cluster: ClusterName::new(cluster).unwrap(),
        weight: Weight::default(),
        enabled: true,
        healthy: true,
        metadata: Metadata::default(),
    }
}

pub(crate) fn with(text: &str, pairs: &[(&str, &str)]) -> Instance {
    Instance { metadata: Metadata::new(pairs.iter().copied()), ..instance(text) }
}

pub(crate) fn spec(kind: Kind) -> ServiceSpec {
    ServiceSpec {
        kind,
        protection: Threshold::default(),
        metadata: Metadata::default(),
        selector: Selector::None,
    }
}

pub(crate) fn register(client: &ClientId, name: &str, instances: Vec<Instance>) -> Op {
    let (client, service) = (client.clone(), service(name));
    Op::Register(Register { client, origin: NodeId(1), service, instances, cause: cause(Reason::Registered) })
}

pub(crate) fn deregister(client: &ClientId, name: &str) -> Op {
    let (client, service) = (client.clone(), service(name));
    Op::Deregister(Deregister { client, service, cause: cause(Reason::Deregistered) })
}

pub(crate) fn beat(client: &ClientId, name: &str, full: Option<Instance>) -> Op {
    let (client, service, cause) = (client.clone(), service(name), cause(Reason::Registered));
    Op::Beat(Beat { client, origin: NodeId(1), service, full, cause })
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with_limits(Limits::default())
    }

    pub(crate) fn with_limits(limits: Limits) -> Self {
        let now = Now { wall: Timestamp(1_700_000_000_000), mono: Monotonic(5_000) };
        Self { registry: Registry::new(limits), now, effects: Vec::new() }
    }

    pub(crate) fn apply(&mut self, op: Op) -> Result<Outcome, RegistryError> {
        self.effects.clear();
        self.registry.apply(op, self.now, &mut self.effects)
    }

    pub(crate) fn ok(&mut self, op: Op) -> Outcome {
        self.apply(op).unwrap()
    }

    /// Lets time pass and does what is due then.
    pub(crate) fn pass(&mut self, ms: u64) {
        self.now.mono = self.now.mono.plus(ms);
        self.now.wall.0 += ms;
        self.effects.clear();
        self.registry.expire(self.now, &mut self.effects);
    }

    pub(crate) fn view(&self, name: &str) -> ServiceSnapshot {
        self.registry.parts(&service(name)).unwrap().build()
    }

    /// What is shown, a line a host.
    pub(crate) fn shown(&self, name: &str) -> Vec<String> {
        match self.registry.parts(&service(name)) {
            Some(parts) => parts.build().hosts.iter().map(|host| line(host)).collect(),
            None => Vec::new(),
        }
    }

    /// The effects of the last op, a line each, without rows.
    pub(crate) fn told(&self) -> Vec<String> {
        let told = self.effects.iter().filter_map(|effect| match effect {
            Effect::ServiceChanged { service, revision, cause } => {
                Some(format!("changed {} {revision} {}", service.name(), cause.reason.as_str()))
            }
            Effect::ServiceAppeared(service) => Some(format!("appeared {}", service.name())),
            Effect::ServiceVanished(service) => Some(format!("vanished {}", service.name())),
            Effect::ServiceRemoved(service) => Some(format!("forgotten {}", service.name())),
            Effect::Recorded(change) => {
                assert_eq!(change.at, self.now.wall);
                let (name, reason) = (change.service.name(), change.cause.reason.as_str());
                Some(format!("{} {} in {name} {}: {reason}", change.what, change.instance, change.revision))
            }
            Effect::Brake(change) => {
                let change_word = change.released.map_or("engaged", |why| why.as_str());
                Some(format!("brake {}: {change_word}", change.kind.as_str()))
            }
            Effect::ProposeStatus { instance, change, .. } => {
                Some(format!("propose {:?} of {:?}", change.status, instance.eureka))
            }
            Effect::Mirrored | Effect::Persist(_) | Effect::EurekaRenewed { .. } => None,
        });
        told.collect()
    }

    pub(crate) fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        for effect in &self.effects {
            if let Effect::Persist(row) = effect {
                rows.push(row.clone());
            }
        }
        rows
    }
}

/// `ip:port@cluster`, and what is not as usual.
pub(crate) fn line(instance: &Instance) -> String {
    let Instance { host, port, cluster, weight, enabled, healthy, metadata } = instance;
    let mut line = format!("{host}:{port}@{cluster}");
    if *weight != Weight::default() {
        line += &format!(" weight {}", weight.get());
    }
    if !enabled {
        line += " disabled";
    }
    if !healthy {
        line += " unhealthy";
    }
    for (key, value) in metadata.iter() {
        line += &format!(" {key}={value}");
    }
    line
}
