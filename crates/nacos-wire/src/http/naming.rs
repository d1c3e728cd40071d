//! Services and instances in HTTP parameters and v1 answers.

use super::{Answer, Parameters, Refusal};
use crate::{
    grpc::service_key,
    json::{self, Object},
    service_info::{self, HostView},
};
use muster_model::{ErrorCode, GroupName, ServiceKey};

/// The service a request means: `serviceName` is bare or `group@@service` (which wins over `groupName`), the group is
/// `DEFAULT_GROUP` unless given, the namespace `public`. Only `namespaceId` names it: naming does not read `tenant`.
pub fn service_of(parameters: &Parameters) -> Result<ServiceKey, Refusal> {
    let name = parameters.first(&["serviceName"]);
    let name = name.ok_or(Refusal::Missing { name: "serviceName", of_type: "String" })?;
    let namespace = parameters.first(&["namespaceId"]).unwrap_or_default();
    let (group, name) = match name.split_once("@@") {
        Some(grouped) => grouped,
        None => (parameters.first(&["groupName"]).unwrap_or(GroupName::DEFAULT), name),
    };
    if group.trim().is_empty() || name.trim().is_empty() {
        return Err(Refusal::GroupedName { no_group: group.trim().is_empty() });
    }
    service_key(namespace, group, name).map_err(Refusal::Filter)
}

/// The service in the `key` of `instance/statuses`: `namespace##group@@service`.
pub fn service_of_key(parameters: &Parameters) -> Result<ServiceKey, Refusal> {
    let refuse = |text: &str| Refusal::failed(ErrorCode::InvalidParameter, text);
    let key = parameters.get("key").ok_or_else(|| refuse("Parameter 'key' is missing"))?;
    service_of_key_text(key)
}

/// As [`service_of_key`], for a key that stands elsewhere.
pub fn service_of_key_text(key: &str) -> Result<ServiceKey, Refusal> {
    let refuse = |text: &str| Refusal::failed(ErrorCode::InvalidParameter, text);
    let (namespace, grouped) = key.split_once("##").unwrap_or(("", key));
    let (group, name) = grouped.split_once("@@").ok_or_else(|| {
        refuse("Param 'serviceName' is illegal, it should be format as 'groupName@@serviceName'")
    })?;
    service_key(namespace, group, name).map_err(Refusal::Filter)
}

/// The body of v1 `GET instance`.
pub fn v1_instance(service: &ServiceKey, host: HostView<'_>) -> Answer {
    let mut grouped = Vec::with_capacity(64);
    json::string(&mut grouped, &service.grouped_name());
    let mut out = Vec::with_capacity(256);
    let mut object = Object::open(&mut out);
    object.raw("service", &grouped).string("ip", host.instance.host.as_str());
    object.value("port", &host.instance.port).string("clusterName", host.instance.cluster.as_str());
    object.value("weight", &host.instance.weight.get()).value("healthy", &host.healthy);
    service_info::instance_id(object.key("instanceId"), host.instance, &grouped);
    service_info::metadata_object(object.key("metadata"), service_info::Shape::V1, &host.instance.metadata);
    object.close();
    Answer::json(out)
}

/// The body of v1 `GET service/list`: `{"count":2,"doms":["a","b"]}`, bare names of one page.
pub fn v1_service_names<'a>(count: usize, names: impl IntoIterator<Item = &'a str>) -> Answer {
    let mut out = Vec::with_capacity(256);
    let mut object = Object::open(&mut out);
    object.value("count", &count);
    json::array(object.key("doms"), names, json::string);
    object.close();
    Answer::json(out)
}
