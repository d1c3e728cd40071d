//! What groups and namespaces may hold of configs.

use crate::{Node, NodeError};
use muster_config::{CapacityChange, CapacityOf, Op};

/// Parts of an aggregated config, and bytes of one, unless something else was set. Only shown: aggregation is gone
/// since Nacos 2.2.
const AGGREGATED: (u32, u32) = (10_000, 1_024);

/// What a group or namespace may hold, and holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CapacityView {
    /// A number of its own; 0 if nothing was set for it.
    pub id: u64,
    /// Configs it may have.
    pub configs_max: u32,
    /// Configs it has.
    pub configs: usize,
    /// Bytes that one content may have.
    pub content_bytes_max: u32,
    /// Parts of an aggregated config.
    pub aggregated_max: u32,
    /// Bytes of such a part.
    pub aggregated_bytes_max: u32,
}

impl Node {
    /// What a group of `public`, or a namespace, may hold: what was set, else what the settings say.
    pub fn config_capacity(&self, of: &CapacityOf) -> CapacityView {
        let (capacity, configs) = self.configs.read().capacity(of);
        let defaults = self.settings.quota.defaults;
        let configs_max = match of {
            CapacityOf::Group(_) => defaults.group_configs_max,
            CapacityOf::Namespace(_) => defaults.namespace_configs_max,
        };
        CapacityView {
            id: capacity.id,
            configs_max: capacity.configs_max.unwrap_or(configs_max),
            configs,
            content_bytes_max: capacity.content_bytes_max.unwrap_or(defaults.content_bytes_max),
            aggregated_max: capacity.aggregated_max.unwrap_or(AGGREGATED.0),
            aggregated_bytes_max: capacity.aggregated_bytes_max.unwrap_or(AGGREGATED.1),
        }
    }

    /// Sets what is named of a capacity; 0 brings back the default.
    pub async fn set_config_capacity(&self, of: CapacityOf, change: CapacityChange) -> Result<(), NodeError> {
        self.ready()?;
        self.propose_config(Op::SetCapacity(of, change)).await.map(drop)
    }
}
