//! What 3.x clients without gRPC call.

use super::{V3_NAMES, done};
use crate::{
    http::{
        Http,
        call::Call,
        reply::Reply,
        trouble::Trouble,
        v1::{address_of, text_of},
    },
    service_info::write_hosts_of,
};
use muster_model::ClusterName;
use muster_nacos_wire::{
    Shape,
    http::{Dialect, Refusal, ResultCode, V3Config, check_filter, result, result_error, v3_config},
};
use muster_node::{
    config::VariantName,
    registry::{Filter, Outcome},
};

impl Http {
    /// Registers, or with `heartBeat` renews.
    pub(super) async fn v3_register(&self, call: &Call) -> Result<Reply, Trouble> {
        let is_beat = call
            .parameters
            .strict_flag(&["heartBeat"], false)
            .map_err(|value| Refusal::BadValue { name: "heartBeat", value })?;
        if is_beat {
            return self.v3_beat(call);
        }
        self.register_described(call, Dialect::V3).await?;
        Ok(done())
    }

    fn v3_beat(&self, call: &Call) -> Result<Reply, Trouble> {
        let service = self.checked_service(call)?;
        let address = address_of(&call.parameters)?;
        Ok(match self.node.beat(address, service, None, call.actor())? {
            Outcome::Renewed { .. } | Outcome::Registered { .. } => done(),
            Outcome::UnknownInstance | Outcome::Done | Outcome::Unchanged => {
                result_error(200, ResultCode::InstanceNotFound, None).into()
            }
        })
    }

    pub(super) async fn v3_deregister(&self, call: &Call) -> Result<Reply, Trouble> {
        self.deregister_described(call, Dialect::V3).await?;
        Ok(done())
    }

    /// The hosts of some clusters, `DEFAULT` unless they are named; unhealthy ones too, whatever is asked.
    pub(super) fn v3_list(&self, call: &Call) -> Result<Reply, Trouble> {
        let service = self.checked_service(call)?;
        let clusters = call.parameters.first(&["clusterName"]).unwrap_or(ClusterName::DEFAULT);
        let view = self.node.view(&service);
        let filter = Filter { clusters, healthy_only: false };
        Ok(result(|out| write_hosts_of(out, Shape::V3, &view, filter)).into())
    }

    pub(super) fn v3_read_config(&self, call: &Call) -> Result<Reply, Trouble> {
        check_filter(&call.parameters, self.metadata_chars_max())?;
        let key = V3_NAMES.key(&call.parameters)?;
        let tag = call.parameters.first(&["tag"]);
        let Some(found) = self.node.query_config(&key, &call.labels(), tag)? else {
            return Ok(result_error(200, ResultCode::NotFound, None).into());
        };
        let selection = &found.selection;
        let is_formal = selection.name == VariantName::Formal;
        Ok(v3_config(&V3Config {
            content: text_of(&found),
            config_type: selection.kind.as_str(),
            md5: &selection.md5.to_string(),
            encrypted_data_key: is_formal.then_some(selection.encrypted_data_key.as_str()),
            last_modified: selection.modified,
            beta: selection.is_beta(),
            tag: selection.tag(),
        })
        .into())
    }
}
