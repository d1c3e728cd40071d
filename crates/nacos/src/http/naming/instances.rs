//! Instances: changed by operators, read, listed.

use super::{address_of, cluster_of};
use crate::{
    http::{Http, call::Call, refuse, trouble::Trouble},
    service_info::{Query, service_info},
};
use bytes::Bytes;
use futures_util::future::try_join_all;
use muster_model::{ClusterName, ErrorCode, Host, Kind, Metadata, ServiceKey, Slot, Weight};
use muster_nacos_wire::http::Answer;
use muster_nacos_wire::{
    Shape,
    http::{
        Beat, Dialect, NamedInstance, Refusal, ResultCode, beat_answer, flag, instance_of, kind_of,
        named_instances, parse_metadata, statuses, updated, weight,
    },
};
use muster_node::{
    ServiceView,
    registry::{Filter, Outcome, Override, OverrideChange, ShownHost},
};
use std::sync::Arc;

/// What is laid over an instance; what is absent stays as it is.
#[derive(Debug, Default)]
pub(crate) struct Patch {
    pub(crate) weight: Option<Weight>,
    pub(crate) enabled: Option<bool>,
    pub(crate) metadata: Option<Metadata>,
}

impl Patch {
    /// The fields that are given.
    pub(crate) fn given(call: &Call, dialect: Dialect) -> Result<Self, Refusal> {
        let parameters = &call.parameters;
        let is_given = |names: &[&str]| parameters.first(names).is_some();
        Ok(Self {
            weight: is_given(&["weight"]).then(|| weight(parameters)).transpose()?,
            enabled: is_given(&["enabled", "enable"])
                .then(|| flag(parameters, dialect, &["enabled", "enable"], true))
                .transpose()?,
            metadata: parameters.first(&["metadata"]).map(parse_metadata).transpose()?,
        })
    }
}

impl Http {
    /// Replaces what an operator laid over an instance, which need not exist; its service must.
    pub(crate) async fn update_described(
        &self,
        call: &Call,
        dialect: Dialect,
        default_kind: Kind,
    ) -> Result<(), Trouble> {
        let service = self.checked_service(call)?;
        let instance = instance_of(&call.parameters, dialect)?;
        let kind = kind_of(&call.parameters, dialect, default_kind)?;
        if self.node.service_details(&service).is_none() {
            return Err(no_such_service(&service, kind));
        }
        let change = OverrideChange::Replace(Override {
            weight: Some(instance.weight),
            enabled: Some(instance.enabled),
            metadata: instance.metadata,
            ..Override::default()
        });
        let address = (instance.host, instance.port, instance.cluster);
        Ok(self.node.override_instance(service, address, change, call.actor()).await?)
    }

    /// Lays a patch over an instance, which must exist.
    pub(crate) async fn patch_described(&self, call: &Call, patch: Patch) -> Result<(), Trouble> {
        let service = self.checked_service(call)?;
        let (host, port) = address_of(&call.parameters)?;
        let cluster = cluster_of(&call.parameters, &["clusterName", "cluster"])?;
        find(&self.node.view(&service), &cluster, &host, port)?;
        let Patch { weight, enabled, metadata } = patch;
        let change = OverrideChange::Patch { weight, enabled, metadata };
        Ok(self.node.override_instance(service, (host, port, cluster), change, call.actor()).await?)
    }

    /// Renews an instance; a full beat registers one that is not known, a light one asks its client to.
    pub(crate) fn beat_described(&self, call: &Call) -> Result<Answer, Trouble> {
        let service = self.checked_service(call)?;
        let beat = Beat::parse(call.parameters.get("beat").unwrap_or_default())?;
        let full = beat.map(|beat| beat.to_instance(self.metadata_chars_max())).transpose()?;
        let address: Option<(Host, u16)> = match &full {
            Some(instance) => Some((instance.host.clone(), instance.port)),
            // Without an address it is the beat of an instance that nobody knows.
            None => address_of(&call.parameters).ok(),
        };
        let switches = self.node.switches();
        let unknown = beat_answer(switches.client_beat_interval_ms, false, switches.light_beat);
        let Some(address) = address else { return Ok(unknown) };
        Ok(match self.node.beat(address, service, full, call.actor())? {
            Outcome::Renewed { interval_ms } | Outcome::Registered { interval_ms } => {
                beat_answer(interval_ms, true, switches.light_beat)
            }
            Outcome::UnknownInstance | Outcome::Done | Outcome::Unchanged | Outcome::Conflict => unknown,
        })
    }

    /// A service's list as a client reads it, in the shape of v1 or v2.
    pub(crate) fn list_of(&self, shape: Shape, view: &ServiceView, query: Query<'_>) -> Bytes {
        let render = |view: &ServiceView| -> Bytes { service_info(&self.node, shape, view, query).into() };
        let is_whole = query.clusters.is_none_or(str::is_empty) && !query.healthy_only;
        if shape == Shape::V1 && is_whole && view.is_shared() {
            view.rendered(Slot::NacosHttpV1, render)
        } else {
            render(view)
        }
    }

    /// Who asks, for services that choose by it: the address it names, else the one it seems to have.
    pub(crate) fn consumer_of(&self, view: &ServiceView, call: &Call) -> String {
        if view.is_shared() {
            return String::new();
        }
        let named = call.parameters.first(&["clientIP", "clientIp"]).map(str::to_owned);
        named.unwrap_or_else(|| call.client_ip())
    }

    /// Writes the health of a service's instances, as other servers ask for it.
    pub(crate) fn statuses_of(&self, out: &mut Vec<u8>, service: &ServiceKey) {
        let view = self.node.view(service);
        let selection = view.select(Filter::default());
        let shown = selection.hosts.iter();
        statuses(out, shown.map(|host| (host.host.as_str(), host.port, selection.shows_healthy(host))));
    }

    /// Sets keys of the metadata that operators laid over instances, those named or all of a service; writes which.
    pub(crate) async fn merge_metadata_of(&self, call: &Call) -> Result<Vec<u8>, Trouble> {
        self.change_metadata(call, |metadata| {
            OverrideChange::Merge(Override { metadata: metadata.clone(), ..Override::default() })
        })
        .await
    }

    /// Removes keys that operators laid over; those that clients registered stay.
    pub(crate) async fn remove_metadata_of(&self, call: &Call) -> Result<Vec<u8>, Trouble> {
        self.change_metadata(call, |metadata| {
            OverrideChange::RemoveKeys(metadata.iter().map(|(key, _)| key.into()).collect())
        })
        .await
    }

    async fn change_metadata(
        &self,
        call: &Call,
        change: impl Fn(&Metadata) -> OverrideChange,
    ) -> Result<Vec<u8>, Trouble> {
        let parameters = &call.parameters;
        let service = self.checked_service(call)?;
        let named = named_instances(parameters.get("instances").unwrap_or_default())?;
        let metadata = super::required(parameters, "metadata", "String")?;
        let metadata = parse_metadata(metadata).map_err(Refusal::from)?;
        let view: Arc<ServiceView> = self.node.view(&service);
        let meant = meant(&view, named.as_deref());
        let changes = meant.iter().map(|host| {
            let address = (host.host.clone(), host.port, host.cluster.clone());
            self.node.override_instance(ServiceKey::clone(&service), address, change(&metadata), call.actor())
        });
        try_join_all(changes).await?;
        let hosts = meant
            .iter()
            .map(|host| (host.host.as_str(), host.port, host.cluster.as_str(), host.is_ephemeral()));
        let mut out = Vec::with_capacity(256);
        updated(&mut out, hosts);
        Ok(out)
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

/// The text of the original, whose `Service` prints itself.
fn no_such_service(service: &ServiceKey, kind: Kind) -> Trouble {
    let (namespace, group, name) = (service.namespace(), service.group(), service.name());
    let ephemeral = kind == Kind::Ephemeral;
    Trouble::Refused(Refusal::Failed {
        error: ErrorCode::InvalidParameter,
        code: ResultCode::Instance,
        detail: format!(
            "service not found, namespace: {namespace}, service: Service{{namespace='{namespace}', group='{group}', name='{name}', ephemeral={ephemeral}, revision=0}}"
        ),
    })
}

/// One host of a view, disabled ones too.
pub(crate) fn find<'a>(
    view: &'a ServiceView,
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
