//! What clients, consoles and load balancers ask about the server itself.

use super::Answer;
use crate::json::{self, Object};
use serde::Serialize;

/// A namespace in lists.
/// `{"namespace":"dev","namespaceShowName":"Dev","namespaceDesc":null,"quota":200,"configCount":3,"type":2}`
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NamespaceInfo<'a> {
    /// Its id; "" for `public` in v1.
    pub namespace: &'a str,
    /// Its name.
    pub namespace_show_name: &'a str,
    /// Its description, null if there is none.
    pub namespace_desc: Option<&'a str>,
    /// Without meaning, 200.
    pub quota: u32,
    /// Configs in it.
    pub config_count: usize,
    /// 0 is `public`; others are 2 in v1 and v2, 1 in v3.
    pub r#type: u32,
}

/// What `console/server/state` says of a server; the rest of that map is constant.
#[derive(Clone, Copy, Debug)]
pub struct ServerState<'a> {
    /// Version.
    pub version: &'a str,
    /// Port of HTTP.
    pub port: u16,
    /// Bytes of one config's content.
    pub content_bytes_max: usize,
    /// Days that history is kept.
    pub history_days: u64,
    /// Whether quotas of configs are enforced.
    pub quota_enforced: bool,
    /// Whether there are other nodes.
    pub is_cluster: bool,
    /// Configs of all namespaces together.
    pub quota_total: u32,
    /// Configs of one group.
    pub quota_group: u32,
    /// Bytes of one content.
    pub quota_content_bytes: u32,
}

/// Writes the map of `console/server/state`: texts all of them, as recorded.
pub fn write_server_state(out: &mut Vec<u8>, state: &ServerState<'_>) {
    let mut object = Object::open(out);
    object.string("version", state.version).string("server_port", &state.port.to_string());
    object
        .string("startup_mode", if state.is_cluster { "cluster" } else { "standalone" })
        .raw("function_mode", b"null");
    object.string("maxContent", &state.content_bytes_max.to_string());
    object.string("config_retention_days", &state.history_days.to_string());
    object.string("isCapacityLimitCheck", &state.quota_enforced.to_string());
    object.string("defaultMaxSize", &state.quota_content_bytes.to_string());
    object.string("defaultGroupQuota", &state.quota_group.to_string());
    object.string("defaultClusterQuota", &state.quota_total.to_string());
    for (key, value) in [
        ("auth_enabled", "false"),
        ("auth_system_type", "nacos"),
        ("auth_admin_request", "false"),
        ("login_page_enabled", "false"),
        ("console_ui_enabled", "true"),
        ("datasource_platform", ""),
        ("plugin_datasource_log_enabled", "false"),
        ("isManageCapacity", "true"),
        ("defaultMaxAggrSize", "1024"),
        ("defaultMaxAggrCount", "10000"),
        ("isHealthCheck", "true"),
        ("maxHealthCheckFailCount", "12"),
        ("notifyConnectTimeout", "100"),
        ("notifySocketTimeout", "200"),
    ] {
        object.string(key, value);
    }
    object.close();
}

/// How much naming holds, and how the machine does.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct NamingMetrics {
    /// Services.
    pub services: usize,
    /// Instances.
    pub instances: usize,
    /// Watchers of services, each service counted.
    pub subscriptions: usize,
    /// gRPC connections of naming.
    pub connections: usize,
    /// Ephemeral clients known by their address.
    pub ephemeral_addresses: usize,
    /// Persistent clients.
    pub persistent_addresses: usize,
    /// Share of the processors' time that was used, 0 to 1.
    pub cpu: f64,
    /// Load average of the last minute.
    pub load: f64,
    /// Share of memory that is in use, 0 to 1.
    pub mem: f64,
}

/// Writes `operator/metrics`: `{"status":"UP"}`, and the numbers if they are asked for. Only v1 tells of the instances
/// this node is responsible for.
pub fn naming_metrics(out: &mut Vec<u8>, status: &str, metrics: Option<&NamingMetrics>, is_v1: bool) {
    let mut object = Object::open(out);
    object.string("status", status);
    if let Some(metrics) = metrics {
        let clients = metrics.connections + metrics.ephemeral_addresses + metrics.persistent_addresses;
        object.value("serviceCount", &metrics.services).value("instanceCount", &metrics.instances);
        object.value("subscribeCount", &metrics.subscriptions);
        if is_v1 {
            object.value("responsibleInstanceCount", &metrics.instances);
        }
        object.value("clientCount", &clients);
        object.value("connectionBasedClientCount", &metrics.connections);
        object.value("ephemeralIpPortClientCount", &metrics.ephemeral_addresses);
        object.value("persistentIpPortClientCount", &metrics.persistent_addresses);
        object.value("responsibleClientCount", &clients);
        object.value("cpu", &metrics.cpu).value("load", &metrics.load).value("mem", &metrics.mem);
    }
    object.close();
}

/// Writes `health/server`: `{"msg":"Hello! …"}`.
pub fn server_message(out: &mut Vec<u8>, text: &str) {
    let mut object = Object::open(out);
    object.string("msg", text);
    object.close();
}

/// Writes `operator/distro/client`: `{"responsibleServer":"127.0.0.1:8848"}`.
pub fn responsible_server(out: &mut Vec<u8>, address: &str) {
    let mut object = Object::open(out);
    object.string("responsibleServer", address);
    object.close();
}

/// The body of Spring's health endpoint.
pub fn actuator_health(is_up: bool) -> Answer {
    let (status, body) =
        if is_up { (200, r#"{"status":"UP"}"#) } else { (503, r#"{"status":"OUT_OF_SERVICE"}"#) };
    let content_type = Some("application/vnd.spring-boot.actuator.v3+json");
    Answer { status, content_type, body: body.into() }
}

/// A login's answer, raw in every generation:
/// `{"accessToken":"AUTH_DISABLED","tokenTtl":18000,"globalAdmin":true,"username":"nacos"}`.
pub fn login_answer(token: &str, ttl_seconds: u64, username: &str) -> Answer {
    let mut out = Vec::with_capacity(128);
    let mut object = Object::open(&mut out);
    object.string("accessToken", token).value("tokenTtl", &ttl_seconds).raw("globalAdmin", b"true");
    object.string("username", username);
    object.close();
    Answer::json(out)
}

/// Writes any value that serialises as JSON, for the `data` of wrapped answers.
pub fn write_json<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    json::value(out, value);
}
