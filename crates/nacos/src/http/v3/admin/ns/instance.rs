//! Instances.

use super::DIALECT;
use crate::{
    http::{
        Http,
        call::Call,
        naming::{Patch, address_of, cluster_of, find},
        reply::Reply,
        route::Handled,
        trouble::Trouble,
        v3::done,
    },
    service_info::plain,
};
use muster_model::{ClusterName, Weight};
use muster_nacos_wire::{
    Shape,
    http::{flag, result},
    write_host, write_hosts,
};

impl Http {
    pub(super) async fn v3_register_instance(&self, call: &Call) -> Result<Reply, Trouble> {
        self.register_described(call, DIALECT).await?;
        Ok(done())
    }

    pub(super) async fn v3_deregister_instance(&self, call: &Call) -> Result<Reply, Trouble> {
        self.deregister_described(call, DIALECT).await?;
        Ok(done())
    }

    pub(super) async fn v3_update_instance(&self, call: &Call) -> Result<Reply, Trouble> {
        self.update_described(call, DIALECT, self.default_kind()).await?;
        Ok(done())
    }

    /// Metadata alone is left as it is where it is not given: weight and enabled have defaults in the form of 3.0.3,
    /// which are laid over the instance then (recording v3-admin-ns-instance).
    pub(super) async fn v3_patch_instance(&self, call: &Call) -> Result<Reply, Trouble> {
        self.filter(call)?;
        let given = Patch::given(call, DIALECT)?;
        let patch = Patch {
            weight: Some(given.weight.unwrap_or_else(Weight::default)),
            enabled: Some(given.enabled.unwrap_or(true)),
            ..given
        };
        self.patch_described(call, patch).await?;
        Ok(done())
    }

    pub(super) fn v3_read_instance(&self, call: &Call) -> Handled {
        let service = self.checked_service(call)?;
        let (host, port) = address_of(&call.parameters)?;
        let cluster = cluster_of(&call.parameters, &["clusterName"])?;
        let view = self.node.view(&service);
        let found = plain(find(&view, &cluster, &host, port)?);
        Ok(result(|out| write_host(out, Shape::V3, &service, found)).into())
    }

    /// The instances of a cluster, disabled ones too.
    pub(super) fn v3_list_instances(&self, call: &Call) -> Handled {
        let service = self.checked_service(call)?;
        let healthy_only = flag(&call.parameters, DIALECT, &["healthyOnly"], false)?;
        let cluster = call.parameters.first(&["clusterName"]).unwrap_or(ClusterName::DEFAULT);
        let found = self.catalogued(&service)?;
        let mut hosts = self.catalogued_hosts(&found, Some(cluster))?;
        hosts.retain(|host| host.healthy || !healthy_only);
        Ok(result(|out| write_hosts(out, Shape::V3, &service, hosts)).into())
    }

    pub(super) async fn v3_merge_metadata(&self, call: &Call) -> Result<Reply, Trouble> {
        let updated = self.merge_metadata_of(call).await?;
        Ok(result(|out| out.extend_from_slice(&updated)).into())
    }

    pub(super) async fn v3_remove_metadata(&self, call: &Call) -> Result<Reply, Trouble> {
        let updated = self.remove_metadata_of(call).await?;
        Ok(result(|out| out.extend_from_slice(&updated)).into())
    }
}
