//! Instances: register, change, read, list.

use crate::{
    http::{
        Http,
        call::Call,
        naming::{address_of, cluster_of},
        refuse,
        reply::Reply,
        trouble::Trouble,
    },
    service_info::service_info,
};
use bytes::Bytes;
use muster_model::{ClusterName, ErrorCode, Host, Kind, ServiceKey, Slot};
use muster_nacos_wire::{
    HostView, Shape,
    http::{
        Answer, Dialect, Refusal, instance_of, kind_of, parse_metadata, service_of_key, v1_instance,
        v1_statuses,
    },
};
use muster_node::registry::{Filter, Override, OverrideChange, ServiceSnapshot, ShownHost};

impl Http {
    pub(super) async fn register_instance(&self, call: &Call) -> Result<Reply, Trouble> {
        self.register_described(call, Dialect::V1Naming).await?;
        Ok(Answer::ok().into())
    }

    pub(super) async fn deregister_instance(&self, call: &Call) -> Result<Reply, Trouble> {
        self.deregister_described(call, Dialect::V1Naming).await?;
        Ok(Answer::ok().into())
    }

    /// Replaces what an operator laid over an instance, which need not exist; its service must.
    pub(super) async fn update_instance(&self, call: &Call) -> Result<Reply, Trouble> {
        let service = self.checked_service(call)?;
        let instance = instance_of(&call.parameters, Dialect::V1Naming)?;
        let kind = kind_of(&call.parameters, Dialect::V1Naming)?;
        if self.node.service_details(&service).is_none() {
            return Err(no_such_service(&service, kind));
        }
        let change = OverrideChange::Replace(Override {
            weight: Some(instance.weight),
            status: None,
            enabled: Some(instance.enabled),
            metadata: instance.metadata,
        });
        let address = (instance.host, instance.port, instance.cluster);
        self.node.override_instance(service, address, change, call.actor()).await?;
        Ok(Answer::ok().into())
    }

    /// Lays what is given over an instance, which must exist.
    pub(super) async fn patch_instance(&self, call: &Call) -> Result<Reply, Trouble> {
        let service = self.checked_service(call)?;
        let parameters = &call.parameters;
        let (host, port) = address_of(parameters)?;
        let cluster = cluster_of(parameters, &["clusterName", "cluster"])?;
        let given = |names: &[&str]| parameters.first(names).is_some();
        let new = Override {
            weight: given(&["weight"])
                .then(|| instance_of(parameters, Dialect::V1Naming))
                .transpose()?
                .map(|instance| instance.weight),
            status: None,
            enabled: given(&["enabled", "enable"]).then(|| parameters.flag(&["enabled", "enable"], true)),
            metadata: parse_metadata(parameters.get("metadata").unwrap_or_default())
                .map_err(Refusal::from)?,
        };
        find(&self.node.view(&service), &cluster, &host, port)?;
        let change = OverrideChange::Merge(new);
        self.node.override_instance(service, (host, port, cluster), change, call.actor()).await?;
        Ok(Answer::ok().into())
    }

    pub(super) fn read_instance(&self, call: &Call) -> Result<Reply, Trouble> {
        let service = self.checked_service(call)?;
        let (host, port) = address_of(&call.parameters)?;
        let cluster = cluster_of(&call.parameters, &["clusterName"])?;
        let view = self.node.view(&service);
        let host = find(&view, &cluster, &host, port)?;
        let shown = HostView { instance: host, healthy: host.healthy, ephemeral: host.is_ephemeral() };
        Ok(v1_instance(&service, shown).into())
    }

    /// The list of a service; a client that names a UDP port is told of changes for a while.
    pub(super) fn list_instances(&self, call: &Call) -> Result<Reply, Trouble> {
        let service = self.checked_service(call)?;
        let clusters = call.parameters.first(&["clusters"]).unwrap_or_default();
        let healthy_only = call.parameters.flag(&["healthyOnly"], false);
        let view = match self.datagrams.subscribe(call, &service, clusters) {
            Some(view) => view,
            None => self.node.view(&service),
        };
        let render = |snapshot: &ServiceSnapshot| -> Bytes {
            service_info(Shape::V1, snapshot, Some(clusters), healthy_only).into()
        };
        let is_whole = clusters.is_empty() && !healthy_only;
        let body = if is_whole { view.rendered(Slot::NacosHttpV1, render) } else { render(&view) };
        Ok(Answer::json(body).into())
    }

    /// The health of a service's instances by a key `namespace##group@@service`, as other servers ask for it.
    pub(super) fn instance_statuses(&self, call: &Call) -> Result<Reply, Trouble> {
        let service = service_of_key(&call.parameters)?;
        let view = self.node.view(&service);
        let selection = view.select(Filter::default());
        let shown = selection.hosts.iter();
        Ok(v1_statuses(shown.map(|host| (host.host.as_str(), host.port, selection.shows_healthy(host))))
            .into())
    }
}

/// The text of the original, whose `Service` prints itself.
fn no_such_service(service: &ServiceKey, kind: Kind) -> Trouble {
    let (namespace, group, name) = (service.namespace(), service.group(), service.name());
    let ephemeral = kind == Kind::Ephemeral;
    refuse(
        ErrorCode::InvalidParameter,
        format!(
            "service not found, namespace: {namespace}, service: Service{{namespace='{namespace}', group='{group}', name='{name}', ephemeral={ephemeral}, revision=0}}"
        ),
    )
}

/// One host of a view, disabled ones too.
fn find<'a>(
    view: &'a muster_node::ServiceView,
    cluster: &ClusterName,
    host: &Host,
    port: u16,
) -> Result<&'a ShownHost, Trouble> {
    if view.hosts.is_empty() {
        let grouped = view.key.grouped_name();
        return Err(refuse(
            ErrorCode::NotFound,
            format!("no ips found for cluster {cluster} in service {grouped}"),
        ));
    }
    let is_it = |shown: &&ShownHost| shown.cluster == *cluster && shown.host == *host && shown.port == port;
    view.hosts.iter().find(is_it).ok_or_else(|| refuse(ErrorCode::NotFound, "no matched ip found!"))
}
