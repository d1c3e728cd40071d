//! Metadata of many instances at once.

use crate::http::{Http, call::Call, reply::Reply, trouble::Trouble};
use futures_util::future::try_join_all;
use muster_model::{ClusterName, Metadata, ServiceKey};
use muster_nacos_wire::http::{NamedInstance, Refusal, named_instances, parse_metadata, v1_updated};
use muster_node::{
    ServiceView,
    registry::{Override, OverrideChange, ShownHost},
};

impl Http {
    pub(super) async fn merge_metadata(&self, call: &Call) -> Result<Reply, Trouble> {
        self.change_metadata(call, |metadata| {
            OverrideChange::Merge(Override { metadata: metadata.clone(), ..Override::default() })
        })
        .await
    }

    /// Removes keys that operators laid over; those that clients registered stay.
    pub(super) async fn remove_metadata(&self, call: &Call) -> Result<Reply, Trouble> {
        self.change_metadata(call, |metadata| {
            OverrideChange::RemoveKeys(metadata.iter().map(|(key, _)| key.into()).collect())
        })
        .await
    }

    async fn change_metadata(
        &self,
        call: &Call,
        change: impl Fn(&Metadata) -> OverrideChange,
    ) -> Result<Reply, Trouble> {
        let parameters = &call.parameters;
        let service = self.checked_service(call)?;
        let named = named_instances(parameters.get("instances").unwrap_or_default())?;
        let text = parameters.first(&["metadata"]);
        let text = text.ok_or(Refusal::Missing { name: "metadata", of_type: "String" })?;
        let metadata = parse_metadata(text).map_err(Refusal::from)?;
        let view = self.node.view(&service);
        let meant = meant(&view, named.as_deref());
        let changes = meant.iter().map(|host| {
            let address = (host.host.clone(), host.port, host.cluster.clone());
            self.node.override_instance(ServiceKey::clone(&service), address, change(&metadata), call.actor())
        });
        try_join_all(changes).await?;
        let updated = meant
            .iter()
            .map(|host| (host.host.as_str(), host.port, host.cluster.as_str(), host.is_ephemeral()));
        Ok(v1_updated(updated).into())
    }
}

/// The hosts that are named; all of them where none is.
fn meant<'a>(view: &'a ServiceView, named: Option<&[NamedInstance<'_>]>) -> Vec<&'a ShownHost> {
    let is_meant = |host: &&ShownHost| {
        named.is_none_or(|named| {
            named.iter().any(|one| {
                let cluster =
                    if one.cluster_name.is_blank() { ClusterName::DEFAULT } else { &one.cluster_name };
                one.ip.as_str() == host.host.as_str()
                    && one.port == i64::from(host.port)
                    && cluster == host.cluster.as_str()
            })
        })
    };
    view.hosts.iter().filter(is_meant).collect()
}
