//! Services and the catalogue.

use super::{DIALECT, done};
use crate::http::{
    Http,
    call::Call,
    naming::{Paging, body_of, catalog_page, kind_of_service, namespace_of},
    reply::Reply,
    route::Handled,
    trouble::Trouble,
};
use muster_model::{ClusterName, GroupName};
use muster_nacos_wire::{
    Shape,
    http::{Answer, Refusal, catalog_instances, result, service_detail, service_names},
};

/// The most names of one page.
const NAMES_MAX: i32 = 500;

impl Http {
    pub(super) async fn v2_create_service(&self, call: &Call) -> Result<Reply, Trouble> {
        let service = self.checked_service(call)?;
        self.create_service_described(call, service, kind_of_service(call, DIALECT)?).await?;
        Ok(done())
    }

    pub(super) async fn v2_update_service(&self, call: &Call) -> Result<Reply, Trouble> {
        let service = self.checked_service(call)?;
        self.update_service_described(call, service).await?;
        Ok(done())
    }

    pub(super) async fn v2_remove_service(&self, call: &Call) -> Result<Reply, Trouble> {
        let service = self.bound_service(call)?;
        self.remove_service_described(service).await?;
        Ok(done())
    }

    pub(super) fn v2_read_service(&self, call: &Call) -> Handled {
        let found = self.described(&self.bound_service(call)?)?;
        Ok(result(|out| service_detail(out, Shape::V2, &body_of(&found))).into())
    }

    /// The names of a group's services, a page of them.
    pub(super) fn v2_service_names(&self, call: &Call) -> Handled {
        self.filter(call)?;
        let paging = Paging::bound(call, 20)?;
        let paging = Paging { size: paging.size.min(NAMES_MAX), ..paging };
        let namespace = namespace_of(&call.parameters)?;
        let group = GroupName::new(call.parameters.first(&["groupName"]).unwrap_or(GroupName::DEFAULT))
            .map_err(|error| Refusal::Filter(error.into()))?;
        let found = self.node.list_services(&namespace, &group, paging.offset(), paging.size());
        let names = found.items.iter().map(|key| key.name().as_str());
        Ok(result(|out| service_names(out, "services", found.count, names)).into())
    }

    /// The instances of a cluster, a page of them. What is not found is told in v1's words, with v2's status.
    pub(super) fn v2_catalog_instances(&self, call: &Call) -> Handled {
        self.filter(call)?;
        for name in ["serviceName", "pageNo", "pageSize"] {
            if call.parameters.get(name).is_none() {
                return Err(Trouble::Answered(Answer::text(400, format!("Parameter '{name}' is missing"))));
            }
        }
        let service = self.checked_service(call)?;
        let paging = Paging::bound(call, 20)?;
        let cluster = call.parameters.first(&["clusterName"]).unwrap_or(ClusterName::DEFAULT);
        let found = self.catalogued(&service)?;
        let hosts = self.catalogued_hosts(&found, Some(cluster))?;
        let page = &hosts[catalog_page(hosts.len(), paging)];
        let write = |out: &mut Vec<u8>| {
            catalog_instances(out, Shape::V2, "instances", hosts.len(), &service, page);
        };
        Ok(result(write).into())
    }
}
