//! Naming requests.

use crate::{Pairs, ParamError, Text, lenient};
use muster_model::{
    ClusterName, GroupName, Host, Instance, Metadata, Namespace, ServiceKey, ServiceName, Timing, Weight,
};
use serde::{Deserialize, Serialize};

/// Makes the key that three names of a request mean: a blank namespace is `public`, a blank group is
/// `DEFAULT_GROUP`; a blank service name is refused. Checks in the order of Nacos's filter.
pub fn service_key(namespace: &str, group: &str, name: &str) -> Result<ServiceKey, ParamError> {
    let namespace = Namespace::canonical(namespace)?;
    let name = ServiceName::new(name)?;
    let group = if group.trim().is_empty() { GroupName::default() } else { GroupName::new(group)? };
    Ok(ServiceKey::new(namespace, group, name))
}

/// An instance as a client writes it; every key optional.
/// `{"ip":"10.0.0.1","port":8080,"weight":1.0,"healthy":true,"enabled":true,"ephemeral":true,"clusterName":"DEFAULT","metadata":{}}`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct InstanceBody<'a> {
    /// Address.
    #[serde(borrow)]
    pub ip: Text<'a>,
    /// Port; 0 when absent.
    #[serde(deserialize_with = "lenient::scalar")]
    pub port: i64,
    /// Weight; 1 when absent.
    #[serde(deserialize_with = "lenient::optional", skip_serializing_if = "Option::is_none")]
    pub weight: Option<f64>,
    /// Health; true when absent.
    #[serde(deserialize_with = "lenient::optional", skip_serializing_if = "Option::is_none")]
    pub healthy: Option<bool>,
    /// Enabled; true when absent.
    #[serde(deserialize_with = "lenient::optional", skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Not heeded: the request's type decides.
    #[serde(deserialize_with = "lenient::optional", skip_serializing_if = "Option::is_none")]
    pub ephemeral: Option<bool>,
    /// Cluster; `DEFAULT` when blank.
    #[serde(borrow)]
    pub cluster_name: Text<'a>,
    /// Labels.
    #[serde(borrow, deserialize_with = "lenient::or_default")]
    pub metadata: Pairs<'a>,
}

impl InstanceBody<'_> {
    /// Checks it as Nacos does and makes it an instance. The weight is clamped, because Nacos's gRPC edge checks
    /// nothing there; `metadata_chars_max` is the operator's limit.
    pub fn to_instance(&self, metadata_chars_max: usize) -> Result<Instance, ParamError> {
        let cluster = if self.cluster_name.is_blank() {
            ClusterName::default()
        } else {
            ClusterName::new(&self.cluster_name)?
        };
        let host = Host::new(&self.ip)?;
        let port = u16::try_from(self.port).map_err(|_| ParamError::Port)?;
        let metadata = Metadata::new(self.metadata.iter());
        if metadata.size() > metadata_chars_max {
            return Err(ParamError::Metadata(metadata_chars_max));
        }
        if cluster.as_str().contains('_') {
            return Err(ParamError::Cluster(cluster.as_str().to_owned()));
        }
        Timing::of(&metadata).checked()?;
        Ok(Instance {
            host,
            port,
            cluster,
            weight: self.weight.map_or_else(Weight::default, Weight::clamped),
            enabled: self.enabled.unwrap_or(true),
            healthy: self.healthy.unwrap_or(true),
            metadata,
        })
    }
}

/// `InstanceRequest` and `PersistentInstanceRequest`: `type` is `registerInstance` or `deregisterInstance`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct InstanceRequest<'a> {
    /// Namespace, "" is `public`.
    #[serde(borrow)]
    pub namespace: Text<'a>,
    /// Bare service name.
    #[serde(borrow)]
    pub service_name: Text<'a>,
    /// Group, "" is `DEFAULT_GROUP`.
    #[serde(borrow)]
    pub group_name: Text<'a>,
    /// What to do.
    #[serde(borrow)]
    pub r#type: Text<'a>,
    /// The instance; it must be there.
    #[serde(borrow)]
    pub instance: Option<InstanceBody<'a>>,
}

/// `BatchInstanceRequest`: `type` is `batchRegisterInstance`; the list replaces the whole publication.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BatchInstanceRequest<'a> {
    /// Namespace, "" is `public`.
    #[serde(borrow)]
    pub namespace: Text<'a>,
    /// Bare service name.
    #[serde(borrow)]
    pub service_name: Text<'a>,
    /// Group, "" is `DEFAULT_GROUP`.
    #[serde(borrow)]
    pub group_name: Text<'a>,
    /// What to do.
    #[serde(borrow)]
    pub r#type: Text<'a>,
    /// The instances; null is refused, empty clears.
    #[serde(borrow)]
    pub instances: Option<Vec<InstanceBody<'a>>>,
}

/// `ServiceQueryRequest`. Python's misnamed `healthOnly` is not heeded, as in the original.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ServiceQueryRequest<'a> {
    /// Namespace, "" is `public`.
    #[serde(borrow)]
    pub namespace: Text<'a>,
    /// Bare service name.
    #[serde(borrow)]
    pub service_name: Text<'a>,
    /// Group, "" is `DEFAULT_GROUP`.
    #[serde(borrow)]
    pub group_name: Text<'a>,
    /// Comma-separated clusters, "" is all.
    #[serde(borrow)]
    pub cluster: Text<'a>,
    /// Only healthy hosts.
    #[serde(deserialize_with = "lenient::scalar")]
    pub healthy_only: bool,
}

/// `ServiceListRequest`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ServiceListRequest<'a> {
    /// Namespace, "" is `public`.
    #[serde(borrow)]
    pub namespace: Text<'a>,
    /// Group, "" is `DEFAULT_GROUP`.
    #[serde(borrow)]
    pub group_name: Text<'a>,
    /// From 1; less is 1.
    #[serde(deserialize_with = "lenient::scalar")]
    pub page_no: i64,
    /// Names a page; 0 or absent gives none.
    #[serde(deserialize_with = "lenient::scalar")]
    pub page_size: i64,
}

/// `SubscribeServiceRequest`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SubscribeServiceRequest<'a> {
    /// Namespace, "" is `public`.
    #[serde(borrow)]
    pub namespace: Text<'a>,
    /// Bare service name.
    #[serde(borrow)]
    pub service_name: Text<'a>,
    /// Group, "" is `DEFAULT_GROUP`.
    #[serde(borrow)]
    pub group_name: Text<'a>,
    /// True to watch, false (or absent) to stop.
    #[serde(deserialize_with = "lenient::scalar")]
    pub subscribe: bool,
    /// Comma-separated clusters, echoed in every push.
    #[serde(borrow)]
    pub clusters: Text<'a>,
}

/// `watchType` of both fuzzy watch requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WatchType {
    /// `WATCH`
    Watch,
    /// `CANCEL_WATCH`
    Cancel,
}

impl WatchType {
    /// The type of a name; anything else is refused with 400 `Unsupported request type <name>`.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "WATCH" => Some(Self::Watch),
            "CANCEL_WATCH" => Some(Self::Cancel),
            _ => None,
        }
    }
}

/// `NamingFuzzyWatchRequest`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NamingFuzzyWatchRequest<'a> {
    /// Namespace; the pattern carries it too.
    #[serde(borrow)]
    pub namespace: Text<'a>,
    /// `namespace>>group pattern>>service pattern`.
    #[serde(borrow)]
    pub group_key_pattern: Text<'a>,
    /// Service keys (`namespace@@group@@service`) the client has.
    #[serde(borrow, deserialize_with = "lenient::or_default")]
    pub received_group_keys: Vec<Text<'a>>,
    /// `WATCH` or `CANCEL_WATCH`.
    #[serde(borrow)]
    pub watch_type: Text<'a>,
    /// First sync, which ends in a finish message; else a diff.
    #[serde(deserialize_with = "lenient::scalar")]
    pub initializing: bool,
}
