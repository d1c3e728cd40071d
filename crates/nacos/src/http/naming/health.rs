//! Health that is set by hand.

use super::{address_of, cluster_of};
use crate::http::{Http, call::Call, refuse, trouble::Trouble};
use muster_model::{ClientId, ErrorCode, Kind};
use muster_nacos_wire::http::{Dialect, Refusal, ResultCode, flag};
use muster_node::{NodeError, registry::RegistryError};

impl Http {
    /// Sets the health of a persistent instance whose cluster nothing checks. In the original this never succeeds,
    /// because it asks for an ephemeral service (nacos-http.md 3.2); here it does.
    pub(crate) fn set_health_described(&self, call: &Call, dialect: Dialect) -> Result<(), Trouble> {
        let service = self.checked_service(call)?;
        let parameters = &call.parameters;
        let (host, port) = address_of(parameters)?;
        let names = &["healthy", "valid"];
        if parameters.first(names).is_none() {
            return Err(Refusal::Missing { name: "healthy", of_type: "Boolean" }.into());
        }
        let healthy = flag(parameters, dialect, names, true)?;
        let cluster = cluster_of(parameters, &["clusterName"])?;
        if self.is_checked(&service, cluster.as_str()) {
            return Err(Trouble::Refused(Refusal::Failed {
                error: ErrorCode::InvalidParameter,
                code: ResultCode::ServerError,
                detail: format!(
                    "health check is still working, service: {}, cluster: {cluster}",
                    service.grouped_name()
                ),
            }));
        }
        let client = ClientId::Address(host, port, Kind::Persistent);
        match self.node.set_health(client, service, healthy, call.actor()) {
            Err(NodeError::Registry(RegistryError::InstanceUnknown(_))) => {
                Err(refuse(ErrorCode::NotFound, "no matched ip found!"))
            }
            result => Ok(result?),
        }
    }
}
