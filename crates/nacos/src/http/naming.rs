//! What all generations do in naming: how a request names a service and an instance, and what is done with them. A
//! generation's own files say where parameters stand and what the answer looks like.

mod clients;
mod clusters;
mod health;
mod instances;
mod operator;
mod pages;
mod services;
mod traffic;

pub(crate) use clients::{address_pattern, client_ids};
pub(crate) use instances::{Patch, find};
pub(crate) use pages::{Paging, catalog_page, cut};
pub(crate) use services::{body_of, kind_of_service, row_of, with_hosts};

use super::{Http, call::Call, trouble::Trouble};
use muster_model::{ClientId, ClusterName, Host, Kind, Namespace, ServiceKey};
use muster_nacos_wire::{
    ParamError,
    http::{Dialect, Parameters, Refusal, check_filter, instance_of, kind_of, service_of},
};

/// The address an instance is named by.
pub(crate) fn address_of(parameters: &Parameters) -> Result<(Host, u16), Refusal> {
    let host = required(parameters, "ip", "String")?;
    let port = required(parameters, "port", "Integer")?;
    let host = Host::new(host).map_err(|error| Refusal::Filter(error.into()))?;
    Ok((host, port.parse().map_err(|_| Refusal::Filter(ParamError::Port))?))
}

/// The cluster an instance is in; `cluster` is an alias of writes alone.
pub(crate) fn cluster_of(parameters: &Parameters, names: &[&str]) -> Result<ClusterName, Refusal> {
    match parameters.first(names) {
        Some(name) => ClusterName::new(name).map_err(|error| Refusal::Filter(error.into())),
        None => Ok(ClusterName::default()),
    }
}

/// A parameter that Nacos's own check asks for: blank is absent.
pub(crate) fn required<'a>(
    parameters: &'a Parameters,
    name: &'static str,
    of_type: &'static str,
) -> Result<&'a str, Refusal> {
    parameters.first(&[name]).ok_or(Refusal::Missing { name, of_type })
}

/// A parameter that Spring binds: blank is there.
pub(crate) fn bound<'a>(
    parameters: &'a Parameters,
    name: &'static str,
    of_type: &'static str,
) -> Result<&'a str, Refusal> {
    parameters.get(name).map(str::trim).ok_or(Refusal::Unbound { name, of_type })
}

/// The namespace a naming request means; it does not read `tenant`.
pub(crate) fn namespace_of(parameters: &Parameters) -> Result<Namespace, Refusal> {
    let name = parameters.first(&["namespaceId"]).unwrap_or_default();
    Namespace::canonical(name).map_err(|error| Refusal::Filter(error.into()))
}

impl Http {
    /// Nacos's check filter, which runs before the handlers.
    pub(crate) fn filter(&self, call: &Call) -> Result<(), Refusal> {
        check_filter(&call.parameters, self.metadata_chars_max())
    }

    /// The service a naming request is about, after the check filter.
    pub(crate) fn checked_service(&self, call: &Call) -> Result<ServiceKey, Refusal> {
        self.filter(call)?;
        service_of(&call.parameters)
    }

    /// As [`Http::checked_service`], where Spring binds the name: its absence is worded otherwise.
    pub(crate) fn bound_service(&self, call: &Call) -> Result<ServiceKey, Refusal> {
        self.filter(call)?;
        bound(&call.parameters, "serviceName", "String")?;
        service_of(&call.parameters)
    }

    /// The kind of instances that do not say it.
    pub(crate) fn default_kind(&self) -> Kind {
        if self.node.switches().default_ephemeral { Kind::Ephemeral } else { Kind::Persistent }
    }

    /// Registers the instance that the parameters describe.
    pub(crate) async fn register_described(&self, call: &Call, dialect: Dialect) -> Result<(), Trouble> {
        let service = self.checked_service(call)?;
        let instance = instance_of(&call.parameters, dialect)?;
        let kind = kind_of(&call.parameters, dialect, self.default_kind())?;
        let client = ClientId::Address(instance.host.clone(), instance.port, kind);
        Ok(self.node.register(client, service, vec![instance], call.actor()).await?)
    }

    /// Deregisters the instance that the parameters name, in whatever cluster it is.
    pub(crate) async fn deregister_described(&self, call: &Call, dialect: Dialect) -> Result<(), Trouble> {
        let service = self.checked_service(call)?;
        let (host, port) = address_of(&call.parameters)?;
        let kind = kind_of(&call.parameters, dialect, self.default_kind())?;
        Ok(self.node.deregister(ClientId::Address(host, port, kind), service, call.actor()).await?)
    }
}
