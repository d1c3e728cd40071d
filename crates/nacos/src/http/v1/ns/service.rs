//! Services and how naming does.

use crate::http::{Http, call::Call, refuse, reply::Reply, route::Handled, trouble::Trouble};
use muster_model::{ClientId, ErrorCode, GroupName, Kind, Namespace};
use muster_nacos_wire::http::{NamingMetrics, Refusal, check_filter, naming_status, v1_service_names};

impl Http {
    /// The names of a group's services, a page of them.
    pub(super) fn list_service_names(&self, call: &Call) -> Result<Reply, Trouble> {
        let parameters = &call.parameters;
        check_filter(parameters, self.metadata_chars_max())?;
        let required = |name| parameters.first(&[name]).ok_or(Refusal::Missing { name, of_type: "Integer" });
        required("pageNo")?;
        required("pageSize")?;
        let page = parameters.number("pageNo").unwrap_or(1).max(1);
        let size = parameters.number("pageSize").unwrap_or(0);
        let Ok(size) = usize::try_from(size) else {
            return Err(refuse(
                ErrorCode::InvalidParameter,
                format!("pageSize must not be negative: {size}"),
            ));
        };
        let name = parameters.first(&["namespaceId"]).unwrap_or_default();
        let namespace = Namespace::canonical(name).map_err(|error| Refusal::Filter(error.into()))?;
        let group = GroupName::new(parameters.first(&["groupName"]).unwrap_or(GroupName::DEFAULT))
            .map_err(|error| Refusal::Filter(error.into()))?;
        let skipped = usize::try_from(page - 1).unwrap_or(usize::MAX).saturating_mul(size);
        let found = self.node.list_services(&namespace, &group, skipped, size);
        Ok(v1_service_names(found.count, found.items.iter().map(|key| key.name().as_str())).into())
    }

    /// Whether naming is up; with `onlyStatus=false` how much it holds.
    pub(super) fn naming_metrics(&self, call: &Call) -> Handled {
        let status = if self.node.is_ready() { "UP" } else { "STARTING" };
        if call.parameters.flag(&["onlyStatus"], true) {
            return Ok(naming_status(status, None).into());
        }
        let counts = self.node.registry_counts();
        let mut metrics = NamingMetrics {
            services: counts.services,
            instances: counts.instances,
            watches: self.node.watch_counts().services,
            ..NamingMetrics::default()
        };
        for client in self.node.publishing_clients() {
            match client.client {
                ClientId::Connection(_) => metrics.connections += 1,
                ClientId::Address(_, _, Kind::Ephemeral) | ClientId::Eureka(_) => {
                    metrics.ephemeral_addresses += 1;
                }
                ClientId::Address(_, _, Kind::Persistent) => metrics.persistent_addresses += 1,
            }
        }
        Ok(naming_status(status, Some(&metrics)).into())
    }
}
