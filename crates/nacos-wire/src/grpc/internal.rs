//! Requests about the connection itself.

use crate::{Pairs, Text, lenient};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A request without a body of interest (`HealthCheckRequest`); parsing it says whether the body is an object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmptyRequest {}

/// `ConnectionSetupRequest`, the first message of a stream:
/// `{"clientVersion":"Nacos-Java-Client:v3.0.3","tenant":"","labels":{"source":"sdk","module":"naming"},"abilityTable":{}}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ConnectionSetupRequest<'a> {
    /// Name and version of the client.
    #[serde(borrow)]
    pub client_version: Text<'a>,
    /// The namespace it works in, as it spells it.
    #[serde(borrow)]
    pub tenant: Text<'a>,
    /// `source`, `module`, `AppName`, `app_…` labels for gray rules.
    #[serde(borrow, deserialize_with = "lenient::or_default")]
    pub labels: Pairs<'a>,
    /// What the client can do. When it is present, be it empty, a SetupAck is due; when not, none may be sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ability_table: Option<BTreeMap<String, bool>>,
}

impl ConnectionSetupRequest<'_> {
    /// The `module` label: `naming`, `config`, `lock`, `ai`, or "".
    pub fn module(&self) -> &str {
        self.labels.get("module").unwrap_or_default()
    }

    /// The application's name as it labels itself, "" if it does not.
    pub fn app_name(&self) -> &str {
        self.labels.get("AppName").unwrap_or_default()
    }

    /// The tag that selects tag-gray configs: label `app_Vipserver-Tag`; the bare label does nothing in the original.
    pub fn config_tag(&self) -> Option<&str> {
        self.labels.get("app_Vipserver-Tag").filter(|tag| !tag.is_empty())
    }
}
