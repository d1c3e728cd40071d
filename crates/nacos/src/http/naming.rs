//! What all generations do in naming: how a request names a service and an instance, and how it registers one.

use super::{Http, call::Call, trouble::Trouble};
use muster_model::{ClientId, ClusterName, Host, ServiceKey};
use muster_nacos_wire::{
    ParamError,
    http::{Dialect, Parameters, Refusal, check_filter, instance_of, kind_of, service_of},
};

/// The address an instance is named by.
pub(crate) fn address_of(parameters: &Parameters) -> Result<(Host, u16), Refusal> {
    let host = parameters.first(&["ip"]).ok_or(Refusal::Missing { name: "ip", of_type: "String" })?;
    let port = parameters.first(&["port"]).ok_or(Refusal::Missing { name: "port", of_type: "Integer" })?;
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

impl Http {
    /// The service a naming request is about, after the check filter.
    pub(crate) fn checked_service(&self, call: &Call) -> Result<ServiceKey, Refusal> {
        check_filter(&call.parameters, self.metadata_chars_max())?;
        service_of(&call.parameters)
    }

    /// Registers the instance that the parameters describe.
    pub(crate) async fn register_described(&self, call: &Call, dialect: Dialect) -> Result<(), Trouble> {
        let service = self.checked_service(call)?;
        let instance = instance_of(&call.parameters, dialect)?;
        let kind = kind_of(&call.parameters, dialect)?;
        let client = ClientId::Address(instance.host.clone(), instance.port, kind);
        Ok(self.node.register(client, service, vec![instance], call.actor()).await?)
    }

    /// Deregisters the instance that the parameters name, in whatever cluster it is.
    pub(crate) async fn deregister_described(&self, call: &Call, dialect: Dialect) -> Result<(), Trouble> {
        let service = self.checked_service(call)?;
        let (host, port) = address_of(&call.parameters)?;
        let kind = kind_of(&call.parameters, dialect)?;
        Ok(self.node.deregister(ClientId::Address(host, port, kind), service, call.actor()).await?)
    }
}
