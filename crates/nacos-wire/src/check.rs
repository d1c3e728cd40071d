//! What Nacos's parameter checks say, word for word (`core:paramcheck`, `NamingUtils.checkInstanceIsLegal`).

use muster_model::{ClusterName, ConfigKey, DataId, GroupName, NameError, Namespace, TimingError};
use std::fmt;

/// Makes the key that three names of a config request mean: a blank namespace is `public`; a blank group or data id is
/// refused. Checks in the order of Nacos's filter.
pub fn config_key(tenant: &str, group: &str, data_id: &str) -> Result<ConfigKey, ParamError> {
    let namespace = Namespace::canonical(tenant)?;
    let data_id = DataId::new(data_id)?;
    Ok(ConfigKey::new(namespace, GroupName::new(group)?, data_id))
}

/// Checks a comma list of clusters, as in queries; "" is all clusters.
pub fn check_clusters(clusters: &str) -> Result<(), ParamError> {
    for name in clusters.split(',').filter(|name| !name.is_empty()) {
        ClusterName::new(name)?;
    }
    Ok(())
}

/// A parameter that is refused. Its text is Nacos's own, which operators search for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParamError {
    /// The check filter: too long, or illegal characters.
    Name(NameError),
    /// The check filter: a port that is not 0 to 65,535.
    Port,
    /// The check filter: more characters of metadata than this limit.
    Metadata(usize),
    /// A name that must be there is blank: `serviceName`, `groupName`.
    Blank(&'static str),
    /// An instance's cluster name with other characters than `[0-9a-zA-Z-]`; the filter lets `_` pass, naming does not.
    Cluster(String),
    /// Beat interval above one of the time-outs.
    Timing,
    /// More instances in one batch than this limit (ours, Nacos has none).
    Batch(usize),
}

impl ParamError {
    /// Whether the check filter says it, before any handler runs; over gRPC such texts have a prefix.
    pub fn is_filter(&self) -> bool {
        matches!(
            self,
            Self::Name(NameError::TooLong { .. } | NameError::IllegalCharacters(_))
                | Self::Port
                | Self::Metadata(_)
        )
    }

    /// The text of a gRPC answer.
    pub fn grpc_message(&self) -> String {
        if self.is_filter() { format!("Param check invalid:{self}") } else { self.to_string() }
    }
}

impl fmt::Display for ParamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(NameError::Blank(what)) | Self::Blank(what) => {
                write!(f, "Param '{what}' is illegal, {what} is blank")
            }
            Self::Name(NameError::TooLong { what, max }) => too_long(f, what, *max),
            Self::Name(NameError::IllegalCharacters(what)) => {
                write!(f, "Param '{what}' is illegal, illegal characters should not appear in the param.")
            }
            Self::Port => f.write_str("Param 'port' is illegal, the value should be between 0 and 65535."),
            Self::Metadata(max) => too_long(f, "Metadata", *max),
            Self::Cluster(name) => {
                write!(
                    f,
                    "Instance 'clusterName' should be characters with only 0-9a-zA-Z-. (current: {name})"
                )
            }
            Self::Timing => f.write_str(
                "Instance 'heart beat interval' must less than 'heart beat timeout' and 'ip delete timeout'.",
            ),
            Self::Batch(max) => write!(f, "a batch must not hold more than {max} instances"),
        }
    }
}

fn too_long(f: &mut fmt::Formatter<'_>, what: &str, max: usize) -> fmt::Result {
    write!(f, "Param '{what}' is illegal, the param length should not exceed {max}.")
}

impl std::error::Error for ParamError {}

impl From<NameError> for ParamError {
    fn from(error: NameError) -> Self {
        Self::Name(error)
    }
}

impl From<TimingError> for ParamError {
    fn from(TimingError: TimingError) -> Self {
        Self::Timing
    }
}
