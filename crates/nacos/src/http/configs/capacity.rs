//! What groups and namespaces may hold.

use crate::http::{Http, call::Call, trouble::Trouble};
use muster_model::{GroupName, Namespace};
use muster_nacos_wire::{
    ParamError,
    http::{CapacityBody, Parameters, Refusal, check_filter},
};
use muster_node::config::{CapacityChange, CapacityOf};

/// Whose capacity a request is about; a namespace goes before a group. `None`: it names neither.
pub(crate) fn scope_of(
    call: &Call,
    metadata_chars_max: usize,
    group: &'static str,
    namespace: &'static str,
) -> Result<Option<CapacityOf>, Trouble> {
    let parameters = &call.parameters;
    check_filter(parameters, metadata_chars_max)?;
    let filter = |error| Refusal::Filter(ParamError::from(error));
    if let Some(namespace) = parameters.first(&[namespace]) {
        return Ok(Some(CapacityOf::Namespace(Namespace::canonical(namespace).map_err(filter)?)));
    }
    let group = parameters.first(&[group]).map(GroupName::new).transpose().map_err(filter)?;
    Ok(group.map(CapacityOf::Group))
}

/// What a request sets; `None`: nothing.
pub(crate) fn change_of(parameters: &Parameters) -> Result<Option<CapacityChange>, Refusal> {
    let number = |name: &'static str| {
        let Some(text) = parameters.first(&[name]) else { return Ok(None) };
        let bad = |_| Refusal::BadValue { name, value: text.to_owned() };
        // Java's Integer; less than none is no limit.
        text.parse::<u32>()
            .ok()
            .filter(|number| i32::try_from(*number).is_ok())
            .map(Some)
            .ok_or(())
            .map_err(bad)
    };
    let change = CapacityChange {
        configs_max: number("quota")?,
        content_bytes_max: number("maxSize")?,
        aggregated_max: number("maxAggrCount")?,
        aggregated_bytes_max: number("maxAggrSize")?,
    };
    Ok((change != CapacityChange::default()).then_some(change))
}

/// The name of whose capacity it is.
pub(crate) fn name_of(of: &CapacityOf) -> (&'static str, &str) {
    match of {
        CapacityOf::Group(group) => ("group", group.as_str()),
        CapacityOf::Namespace(namespace) => ("tenant", namespace.as_str()),
    }
}

impl Http {
    /// A capacity, without its owner's name, which each generation calls otherwise.
    pub(crate) fn capacity_body(&self, of: &CapacityOf) -> CapacityBody<'static> {
        let capacity = self.node.config_capacity(of);
        CapacityBody {
            id: capacity.id.to_string(),
            quota: capacity.configs_max,
            usage: capacity.configs,
            max_size: capacity.content_bytes_max,
            max_aggr_count: capacity.aggregated_max,
            max_aggr_size: capacity.aggregated_bytes_max,
            ..CapacityBody::default()
        }
    }
}
