//! ServiceInfo and its hosts, as each protocol version shapes them.

use crate::json::{self, Object};
use muster_model::{Instance, Metadata, ServiceKey, Timing};

/// Which protocol's shape to write; they differ in a few keys, as recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// gRPC as Nacos 3.0.3: `name` is the bare service name, the key is `allIps`.
    Grpc,
    /// HTTP v1 (and UDP) as Nacos 2.5.1: `name` is `group@@service`, the key is `allIPs`.
    V1,
    /// HTTP v2 as Nacos 2.5.1: as v1, without `instanceId`.
    V2,
    /// HTTP v3: hosts only, without `instanceId`.
    V3,
}

/// One host of a service as a client shall see it.
#[derive(Clone, Copy, Debug)]
pub struct HostView<'a> {
    /// The instance, overrides laid over.
    pub instance: &'a Instance,
    /// The health to show: that of the instance, or true under threshold protection.
    pub healthy: bool,
    /// Whether it lives by a lease.
    pub ephemeral: bool,
}

/// What is said about a service beside its hosts.
#[derive(Clone, Copy, Debug)]
pub struct ServiceInfoView<'a> {
    /// The service.
    pub service: &'a ServiceKey,
    /// The cluster list exactly as the client asked for, Java ≤ 2.3 keys its cache by it. `None` if it asked with a
    /// null: then there is no key, as recorded (`naming-subscribe-invalid`); Rust, which needs the key, never does.
    pub clusters: Option<&'a str>,
    /// Milliseconds, strictly growing with each change of content.
    pub last_ref_time: u64,
    /// Whether the protection threshold turned all hosts healthy.
    pub protected: bool,
    /// How often a client should read the list that is told of its changes, milliseconds.
    pub cache_millis: u64,
}

/// Writes a whole ServiceInfo object. `V3` has none; it is written like `Grpc` there.
pub fn write_service_info<'h>(
    out: &mut Vec<u8>,
    shape: Shape,
    view: &ServiceInfoView<'_>,
    hosts: impl IntoIterator<Item = HostView<'h>>,
) {
    let grouped = grouped_name_json(view.service);
    let mut object = Object::open(out);
    match shape {
        Shape::V1 | Shape::V2 => object.raw("name", &grouped),
        Shape::Grpc | Shape::V3 => object.string("name", view.service.name().as_str()),
    };
    object.string("groupName", view.service.group().as_str());
    if let Some(clusters) = view.clusters {
        object.string("clusters", clusters);
    }
    object.value("cacheMillis", &view.cache_millis);
    hosts_array(object.key("hosts"), shape, &grouped, hosts);
    object.value("lastRefTime", &view.last_ref_time).raw("checksum", b"\"\"");
    let all_ips = if matches!(shape, Shape::V1 | Shape::V2) { "allIPs" } else { "allIps" };
    object.raw(all_ips, b"false");
    object.value("reachProtectionThreshold", &view.protected).raw("valid", b"true");
    object.close();
}

/// Writes the ServiceInfo of a query over gRPC that names no service: without hosts, the blank name as it was given, no
/// key for a null (recording naming-query-invalid).
pub fn write_nameless_service_info(
    out: &mut Vec<u8>,
    given: Option<&str>,
    group: &str,
    clusters: &str,
    last_ref_time: u64,
) {
    let mut object = Object::open(out);
    if let Some(given) = given {
        object.string("name", given);
    }
    object.string("groupName", group).string("clusters", clusters).raw("cacheMillis", b"10000");
    object.raw("hosts", b"[]").value("lastRefTime", &last_ref_time).raw("checksum", b"\"\"");
    object.raw("allIps", b"false").raw("reachProtectionThreshold", b"false").raw("valid", b"true");
    object.close();
}

/// Writes the hosts alone, as the array that HTTP v3 answers.
pub fn write_hosts<'h>(
    out: &mut Vec<u8>,
    shape: Shape,
    service: &ServiceKey,
    hosts: impl IntoIterator<Item = HostView<'h>>,
) {
    hosts_array(out, shape, &grouped_name_json(service), hosts);
}

/// Writes one host object.
pub fn write_host(out: &mut Vec<u8>, shape: Shape, service: &ServiceKey, host: HostView<'_>) {
    host_object(out, shape, &grouped_name_json(service), host);
}

fn grouped_name_json(service: &ServiceKey) -> Vec<u8> {
    let mut grouped = Vec::with_capacity(64);
    json::string(&mut grouped, &service.grouped_name());
    grouped
}

fn hosts_array<'h>(
    out: &mut Vec<u8>,
    shape: Shape,
    grouped: &[u8],
    hosts: impl IntoIterator<Item = HostView<'h>>,
) {
    let hosts = hosts.into_iter();
    let mut left = hosts.size_hint().0;
    json::array(out, hosts, |out, host| {
        let before = out.len();
        host_object(out, shape, grouped, host);
        // Hosts of one service are about as long as each other: room is made once, after the first.
        if left > 1 {
            let size = out.len() - before;
            out.reserve((left - 1) * (size + size / 16 + 1));
        }
        left = 0;
    });
}

/// `grouped` is the grouped service name as a JSON string, quotes included.
fn host_object(out: &mut Vec<u8>, shape: Shape, grouped: &[u8], host: HostView<'_>) {
    let HostView { instance, healthy, ephemeral } = host;
    let timing = Timing::of(&instance.metadata);
    let mut object = Object::open(out);
    if !matches!(shape, Shape::V2 | Shape::V3) {
        instance_id(object.key("instanceId"), instance, grouped);
    }
    object.string("ip", instance.host.as_str()).value("port", &instance.port);
    object.value("weight", &instance.weight.get()).value("healthy", &healthy);
    object.value("enabled", &instance.enabled).value("ephemeral", &ephemeral);
    object.string("clusterName", instance.cluster.as_str()).raw("serviceName", grouped);
    metadata_object(object.key("metadata"), shape, &instance.metadata);
    object.value("instanceHeartBeatInterval", &timing.beat_interval_ms);
    object.value("instanceHeartBeatTimeOut", &timing.beat_timeout_ms);
    object.value("ipDeleteTimeout", &timing.delete_timeout_ms);
    // The original has it from metadata, and the default only if there is no metadata at all.
    match instance.metadata.get("preserved.instance.id.generator") {
        Some(generator) => {
            object.string("instanceIdGenerator", generator);
        }
        None if instance.metadata.is_empty() => {
            object.raw("instanceIdGenerator", b"\"simple\"");
        }
        None => {}
    }
    object.close();
}

/// `ip#port#cluster#group@@service`.
pub(crate) fn instance_id(out: &mut Vec<u8>, instance: &Instance, grouped: &[u8]) {
    json::string(out, instance.host.as_str());
    out.pop();
    out.push(b'#');
    json::value(out, &instance.port);
    out.push(b'#');
    out.extend_from_slice(instance.cluster.as_str().as_bytes());
    out.push(b'#');
    out.extend_from_slice(&grouped[1..]);
}

/// What a null in the JSON text of v1 metadata is kept as. Nacos stores it and lists it as null over HTTP
/// (`v1-ns-instance-metadata`); gRPC leaves the pair out, because Python and Rust clients break on it.
pub(crate) const NULL_VALUE: &str = "\0null";

/// Writes metadata as a JSON object of texts.
pub(crate) fn metadata_object(out: &mut Vec<u8>, shape: Shape, metadata: &Metadata) {
    out.push(b'{');
    let shown = metadata.iter().filter(|(_, value)| shape != Shape::Grpc || *value != NULL_VALUE);
    for (at, (key, value)) in shown.enumerate() {
        if at > 0 {
            out.push(b',');
        }
        json::string(out, key);
        out.push(b':');
        if value == NULL_VALUE { out.extend_from_slice(b"null") } else { json::string(out, value) }
    }
    out.push(b'}');
}
