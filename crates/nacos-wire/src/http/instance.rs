//! An instance in HTTP parameters.

use super::{Dialect, Parameters, Refusal, parse_metadata};
use crate::ParamError;
use muster_model::{ClusterName, Host, Instance, Kind, Timing, Weight};

/// Reads the instance of a register, update, deregister or beat request. Run the check filter first: what it refuses
/// has other words there.
pub fn instance_of(parameters: &Parameters, dialect: Dialect) -> Result<Instance, Refusal> {
    let host = parameters.first(&["ip"]).ok_or(Refusal::Missing { name: "ip", of_type: "String" })?;
    let port = parameters.first(&["port"]).ok_or(Refusal::Missing { name: "port", of_type: "Integer" })?;
    let cluster = match parameters.first(&["clusterName", "cluster"]) {
        Some(name) => ClusterName::new(name).map_err(|error| Refusal::Filter(error.into()))?,
        None => ClusterName::default(),
    };
    if cluster.as_str().contains('_') {
        return Err(Refusal::Instance(ParamError::Cluster(cluster.as_str().to_owned())));
    }
    let metadata = parse_metadata(parameters.get("metadata").unwrap_or_default())?;
    Timing::of(&metadata).checked().map_err(|error| Refusal::Instance(error.into()))?;
    Ok(Instance {
        host: Host::new(host).map_err(|error| Refusal::Filter(error.into()))?,
        port: port.parse().map_err(|_| Refusal::Filter(ParamError::Port))?,
        cluster,
        weight: weight(parameters)?,
        enabled: flag(parameters, dialect, &["enabled", "enable"], true)?,
        healthy: flag(parameters, dialect, &["healthy"], true)?,
        metadata,
    })
}

/// Whether the instance is ephemeral; a default where it does not say.
pub fn kind_of(parameters: &Parameters, dialect: Dialect, default: Kind) -> Result<Kind, Refusal> {
    let is_ephemeral = flag(parameters, dialect, &["ephemeral"], default == Kind::Ephemeral)?;
    Ok(if is_ephemeral { Kind::Ephemeral } else { Kind::Persistent })
}

/// The `weight` parameter, 1 if it is absent.
pub fn weight(parameters: &Parameters) -> Result<Weight, Refusal> {
    let Some(text) = parameters.first(&["weight"]) else { return Ok(Weight::default()) };
    let bad = || Refusal::BadValue { name: "weight", value: text.to_owned() };
    Weight::new(text.parse().map_err(|_| bad())?).ok_or(Refusal::Weight)
}

/// A flag, read as a generation reads it: v2 and v3 refuse what is no flag.
pub fn flag(
    parameters: &Parameters,
    dialect: Dialect,
    names: &[&'static str],
    default: bool,
) -> Result<bool, Refusal> {
    match dialect {
        Dialect::V1Naming | Dialect::V1Config => Ok(parameters.flag(names, default)),
        Dialect::V3 | Dialect::V3ClientConfig => parameters
            .strict_flag(names, default)
            .map_err(|value| Refusal::BadValue { name: names[0], value }),
    }
}
