//! Nacos's parameter check filter, which runs before the handlers of most endpoints.

use super::{Parameters, Refusal, parse_metadata};
use crate::ParamError;
use muster_model::{ClusterName, DataId, GroupName, Host, NameError, Namespace, ServiceName};

/// Checks every parameter whose name says what it is; blank values are skipped. The order is the filter's own, so
/// that the first refusal is the recorded one. Not for blur searches, whose values hold `*`.
pub fn check_filter(parameters: &Parameters, metadata_chars_max: usize) -> Result<(), Refusal> {
    each(parameters, &["namespaceId", "tenant", "customNamespaceId"], Namespace::check)?;
    each(parameters, &["dataId"], DataId::check)?;
    each(parameters, &["serviceName"], |text| {
        ServiceName::check(text.split_once("@@").map_or(text, |(_, name)| name))
    })?;
    each(parameters, &["groupName", "group"], GroupName::check)?;
    each(parameters, &["clusterName", "cluster", "clusters"], |text| {
        text.split(',').filter(|name| !name.is_empty()).try_for_each(ClusterName::check)
    })?;
    each(parameters, &["ip"], |text| Host::new(text).map(drop))?;
    if let Some(port) = parameters.get("port").filter(|text| !text.trim().is_empty())
        && port.parse::<u16>().is_err()
    {
        return Err(Refusal::Filter(ParamError::Port));
    }
    let metadata = parse_metadata(parameters.get("metadata").unwrap_or_default())?;
    if metadata.size() > metadata_chars_max {
        return Err(Refusal::Filter(ParamError::Metadata(metadata_chars_max)));
    }
    Ok(())
}

fn each(
    parameters: &Parameters,
    names: &[&str],
    check: impl Fn(&str) -> Result<(), NameError>,
) -> Result<(), Refusal> {
    let given = names.iter().filter_map(|name| parameters.get(name)).filter(|text| !text.trim().is_empty());
    for text in given {
        match check(text) {
            // A blank part, such as the name in `G@@`, is a handler's to refuse.
            Ok(()) | Err(NameError::Blank(_)) => {}
            Err(error) => return Err(Refusal::Filter(error.into())),
        }
    }
    Ok(())
}
