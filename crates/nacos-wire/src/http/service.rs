//! Services as administrators read them: one of them, or rows of lists.

use super::{HealthChecker, selector};
use crate::{
    HostView, Shape,
    json::{self, Object},
    service_info::{self, metadata_object},
    write_host, write_hosts,
};
use muster_model::{Metadata, Selector, ServiceKey};

/// A service with its attributes.
#[derive(Clone, Debug)]
pub struct ServiceBody<'a> {
    /// The service.
    pub service: &'a ServiceKey,
    /// Its protection threshold.
    pub protection: f32,
    /// Its labels.
    pub metadata: &'a Metadata,
    /// How it chooses.
    pub selector: &'a Selector,
    /// Whether its instances are ephemeral.
    pub ephemeral: bool,
    /// The clusters that have instances.
    pub clusters: Vec<ClusterBody<'a>>,
}

/// A cluster with its attributes.
#[derive(Clone, Debug)]
pub struct ClusterBody<'a> {
    /// Its name.
    pub name: &'a str,
    /// How its instances are checked.
    pub checker: HealthChecker<'a>,
    /// The port that is checked.
    pub check_port: u16,
    /// Whether each instance's own port is checked instead.
    pub use_instance_port: bool,
    /// Its labels.
    pub metadata: &'a Metadata,
}

/// Writes v1 `GET service`:
/// `{"namespaceId":"public","groupName":"DEFAULT_GROUP","name":"s","protectThreshold":0.0,"metadata":{},"selector":{…},"clusters":[{"name":"DEFAULT","healthChecker":{"type":"TCP"},"metadata":{}}]}`.
pub fn v1_service(out: &mut Vec<u8>, body: &ServiceBody<'_>) {
    let mut object = Object::open(out);
    object.string("namespaceId", body.service.namespace().as_str());
    object.string("groupName", body.service.group().as_str()).string("name", body.service.name().as_str());
    object.value("protectThreshold", &body.protection);
    metadata(object.key("metadata"), body.metadata);
    selector::selector(object.key("selector"), body.selector);
    json::array(object.key("clusters"), &body.clusters, |out, cluster| {
        let mut object = Object::open(out);
        object.string("name", cluster.name);
        cluster.checker.write(object.key("healthChecker"));
        metadata(object.key("metadata"), cluster.metadata);
        object.close();
    });
    object.close();
}

/// Writes v1 `GET catalog/service`:
/// `{"service":{"name","groupName","protectThreshold","selector","metadata"},"clusters":[{"serviceName","name","healthChecker","defaultPort":80,"defaultCheckPort":80,"useIPPort4Check":true,"metadata"}]}`.
pub fn v1_catalog_service(out: &mut Vec<u8>, body: &ServiceBody<'_>) {
    let grouped = body.service.grouped_name();
    let mut object = Object::open(out);
    let mut service = Object::open(object.key("service"));
    service.string("name", body.service.name().as_str()).string("groupName", body.service.group().as_str());
    service.value("protectThreshold", &body.protection);
    selector::selector(service.key("selector"), body.selector);
    metadata(service.key("metadata"), body.metadata);
    service.close();
    json::array(object.key("clusters"), &body.clusters, |out, cluster| {
        let mut object = Object::open(out);
        object.string("serviceName", &grouped).string("name", cluster.name);
        cluster.checker.write(object.key("healthChecker"));
        object.raw("defaultPort", b"80").value("defaultCheckPort", &cluster.check_port);
        object.value("useIPPort4Check", &cluster.use_instance_port);
        metadata(object.key("metadata"), cluster.metadata);
        object.close();
    });
    object.close();
}

/// Writes v2 (`Shape::V2`) or v3 `GET service`:
/// `{"namespaceId":"public","serviceName":"s","groupName":"DEFAULT_GROUP","clusterMap":{"DEFAULT":{…}},"metadata":{},"protectThreshold":0.0,"selector":{…},"ephemeral":false}`;
/// in v2 the first key is `namespace`, and a cluster has no ports.
pub fn service_detail(out: &mut Vec<u8>, shape: Shape, body: &ServiceBody<'_>) {
    let mut object = Object::open(out);
    let key = if shape == Shape::V2 { "namespace" } else { "namespaceId" };
    object.string(key, body.service.namespace().as_str());
    object.string("serviceName", body.service.name().as_str());
    object.string("groupName", body.service.group().as_str());
    let clusters = body.clusters.iter().map(|cluster| (cluster.name, cluster));
    json::map(object.key("clusterMap"), clusters, |out, cluster| {
        let mut object = Object::open(out);
        object.string("clusterName", cluster.name);
        cluster.checker.write(object.key("healthChecker"));
        if shape != Shape::V2 {
            object.value("healthyCheckPort", &cluster.check_port);
            object.value("useInstancePortForCheck", &cluster.use_instance_port);
        }
        metadata(object.key("metadata"), cluster.metadata);
        object.raw("hosts", b"null");
        object.close();
    });
    metadata(object.key("metadata"), body.metadata);
    object.value("protectThreshold", &body.protection);
    selector::selector(object.key("selector"), body.selector);
    object.value("ephemeral", &body.ephemeral);
    object.close();
}

/// A service in lists, counted.
#[derive(Clone, Copy, Debug)]
pub struct ServiceRow<'a> {
    /// The service.
    pub service: &'a ServiceKey,
    /// Clusters that have instances.
    pub clusters: usize,
    /// Instances.
    pub instances: usize,
    /// Healthy ones of them.
    pub healthy: usize,
    /// Whether its protection threshold is reached.
    pub protected: bool,
}

/// Writes a row:
/// `{"name":"s","groupName":"DEFAULT_GROUP","clusterCount":1,"ipCount":2,"healthyInstanceCount":2,"triggerFlag":"false"}`.
pub fn service_row(out: &mut Vec<u8>, row: &ServiceRow<'_>) {
    let mut object = Object::open(out);
    object.string("name", row.service.name().as_str()).string("groupName", row.service.group().as_str());
    object.value("clusterCount", &row.clusters).value("ipCount", &row.instances);
    object.value("healthyInstanceCount", &row.healthy);
    object.string("triggerFlag", if row.protected { "true" } else { "false" });
    object.close();
}

/// Writes `{"count":1,"serviceList":[…]}`, the rows of a page and how many there are.
pub fn service_rows(
    out: &mut Vec<u8>,
    count: usize,
    rows: &[ServiceRow<'_>],
    each: impl Fn(&mut Vec<u8>, &ServiceRow<'_>),
) {
    let mut object = Object::open(out);
    object.value("count", &count);
    json::array(object.key("serviceList"), rows, |out, row| each(out, row));
    object.close();
}

/// Writes the instances of a page and how many there are, under the key that a generation has for them:
/// `{"list":[…],"count":2}`.
pub fn catalog_instances(
    out: &mut Vec<u8>,
    shape: Shape,
    key: &'static str,
    count: usize,
    service: &ServiceKey,
    page: &[HostView<'_>],
) {
    let mut object = Object::open(out);
    write_hosts(object.key(key), shape, service, page.iter().copied());
    object.value("count", &count);
    object.close();
}

/// A service in lists, with its instances by cluster.
#[derive(Clone, Debug)]
pub struct ServiceHosts<'a> {
    /// The service.
    pub service: &'a ServiceKey,
    /// Its labels.
    pub metadata: &'a Metadata,
    /// Its clusters, and the instances in each.
    pub clusters: Vec<(&'a str, Vec<HostView<'a>>)>,
}

/// Writes a service with its instances, for v1 or v3. The original leaves what it does not fill in at its default, as
/// recorded: so the threshold is 0 whatever it is.
pub fn service_hosts(out: &mut Vec<u8>, shape: Shape, row: &ServiceHosts<'_>) {
    let is_v1 = shape == Shape::V1;
    let mut object = Object::open(out);
    object.raw(if is_v1 { "namespace" } else { "namespaceId" }, b"null");
    object.string("serviceName", row.service.name().as_str());
    object.string("groupName", row.service.group().as_str());
    let clusters = row.clusters.iter().map(|(name, hosts)| (*name, hosts));
    json::map(object.key("clusterMap"), clusters, |out, hosts| {
        let mut object = Object::open(out);
        object.raw("clusterName", b"null").raw("healthChecker", b"null");
        if !is_v1 {
            object.raw("healthyCheckPort", b"80").raw("useInstancePortForCheck", b"true");
        }
        object.raw("metadata", b"null");
        json::array(object.key("hosts"), hosts, |out, host| match is_v1 {
            true => v1_address(out, *host),
            false => write_host(out, Shape::V3, row.service, *host),
        });
        object.close();
    });
    metadata(object.key("metadata"), row.metadata);
    object.raw("protectThreshold", b"0.0").raw("selector", b"null").raw("ephemeral", b"null");
    object.close();
}

/// `{"valid":true,"metadata":{},"port":80,"ip":"10.0.0.1","weight":1.0,"enabled":true}`.
fn v1_address(out: &mut Vec<u8>, host: HostView<'_>) {
    let mut object = Object::open(out);
    object.value("valid", &host.healthy);
    metadata_object(object.key("metadata"), Shape::V1, &host.instance.metadata);
    object.value("port", &host.instance.port).string("ip", host.instance.host.as_str());
    object.value("weight", &host.instance.weight.get()).value("enabled", &host.instance.enabled);
    object.close();
}

/// Writes v2 `GET instance`, whose `instanceId` is null:
/// `{"serviceName":"G@@s","ip":"10.0.0.1","port":80,"clusterName":"DEFAULT","weight":1.0,"healthy":true,"instanceId":null,"metadata":{}}`.
pub fn v2_instance(out: &mut Vec<u8>, service: &ServiceKey, host: HostView<'_>) {
    let mut object = Object::open(out);
    object.string("serviceName", &service.grouped_name()).string("ip", host.instance.host.as_str());
    object.value("port", &host.instance.port).string("clusterName", host.instance.cluster.as_str());
    object.value("weight", &host.instance.weight.get()).value("healthy", &host.healthy);
    object.raw("instanceId", b"null");
    metadata_object(object.key("metadata"), Shape::V2, &host.instance.metadata);
    object.close();
}

/// Writes `{"count":1,"services":["s"]}`, with the key that a generation has for the names.
pub fn service_names<'a>(
    out: &mut Vec<u8>,
    key: &'static str,
    count: usize,
    names: impl IntoIterator<Item = &'a str>,
) {
    let mut object = Object::open(out);
    object.value("count", &count);
    json::array(object.key(key), names, json::string);
    object.close();
}

/// Writes v1 `GET service/names`: `{"META-INF/services":{"public":["G@@s"]},"count":1}`. The key is an accident of the
/// original that is recorded; 1.x had `services`.
pub fn v1_all_names(out: &mut Vec<u8>, namespace: &str, names: &[String]) {
    let mut object = Object::open(out);
    json::map(object.key("META-INF/services"), [(namespace, names)], |out, names| {
        json::array(out, names, |out, name| json::string(out, name));
    });
    object.value("count", &names.len());
    object.close();
}

fn metadata(out: &mut Vec<u8>, metadata: &Metadata) {
    service_info::metadata_object(out, Shape::V1, metadata);
}
