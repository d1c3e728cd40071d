//! Answers and pushes as a client reads them.

use crate::lenient;
use serde::Deserialize;
use std::collections::BTreeMap;

/// What every answer says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Outcome {
    /// 200 or a failure.
    #[serde(deserialize_with = "lenient::scalar")]
    pub result_code: i64,
    /// 0 or what failed.
    #[serde(deserialize_with = "lenient::scalar")]
    pub error_code: i64,
    /// In words.
    #[serde(deserialize_with = "lenient::or_default")]
    pub message: String,
}

/// A host of a service.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Host {
    /// Address.
    pub ip: String,
    /// Port.
    pub port: u16,
    /// Share of calls.
    pub weight: f64,
    /// Whether it is healthy.
    pub healthy: bool,
    /// Whether it takes calls.
    pub enabled: bool,
    /// Whether it lives by a lease.
    pub ephemeral: bool,
    /// Its cluster.
    pub cluster_name: String,
    /// `group@@service`.
    pub service_name: String,
    /// Labels.
    pub metadata: BTreeMap<String, String>,
}

/// A service and its hosts.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ServiceInfo {
    /// Bare service name.
    pub name: String,
    /// Group.
    pub group_name: String,
    /// The clusters asked for.
    #[serde(deserialize_with = "lenient::or_default")]
    pub clusters: String,
    /// The hosts.
    #[serde(deserialize_with = "lenient::or_default")]
    pub hosts: Vec<Host>,
    /// Grows with every change.
    pub last_ref_time: u64,
    /// Whether all hosts are shown healthy because too few are.
    pub reach_protection_threshold: bool,
}

/// An answer or push that carries a service: `QueryServiceResponse`, `SubscribeServiceResponse`, `NotifySubscriberRequest`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ServiceReply {
    /// The service.
    #[serde(deserialize_with = "lenient::or_default")]
    pub service_info: ServiceInfo,
}

/// `ServiceListResponse`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ServiceListReply {
    /// All matches.
    pub count: usize,
    /// One page of names.
    pub service_names: Vec<String>,
}

/// `ConfigQueryResponse`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ConfigReply {
    /// The content.
    #[serde(deserialize_with = "lenient::or_default")]
    pub content: String,
    /// Its type's name.
    #[serde(deserialize_with = "lenient::or_default")]
    pub content_type: String,
    /// Its md5.
    #[serde(deserialize_with = "lenient::or_default")]
    pub md5: String,
    /// The encrypted data key.
    #[serde(deserialize_with = "lenient::or_default")]
    pub encrypted_data_key: String,
    /// Milliseconds.
    pub last_modified: i64,
    /// Whether it is the beta version.
    pub beta: bool,
}

/// A config in a change answer or push.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ConfigName {
    /// Group.
    pub group: String,
    /// Data id.
    pub data_id: String,
    /// Namespace as the client spelled it.
    #[serde(deserialize_with = "lenient::or_default")]
    pub tenant: String,
}

/// `ConfigChangeBatchListenResponse`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ChangedConfigsReply {
    /// The configs that differ from what the client has.
    #[serde(deserialize_with = "lenient::or_default")]
    pub changed_configs: Vec<ConfigName>,
}

/// `ServerCheckResponse`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ServerCheckReply {
    /// The id of this connection at the server.
    pub connection_id: String,
    /// Whether a SetupAck will come.
    #[serde(deserialize_with = "lenient::scalar")]
    pub support_ability_negotiation: bool,
}
