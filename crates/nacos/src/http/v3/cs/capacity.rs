//! What groups and namespaces may hold.

use crate::http::{
    Http,
    call::Call,
    configs::capacity::{change_of, scope_of},
    refuse,
    reply::Reply,
    trouble::Trouble,
};
use muster_model::ErrorCode;
use muster_nacos_wire::http::{CapacityBody, result, write_json};
use muster_node::config::CapacityOf;

impl Http {
    fn v3_scope(&self, call: &Call) -> Result<CapacityOf, Trouble> {
        let scope = scope_of(call, self.metadata_chars_max(), "groupName", "namespaceId")?;
        scope.ok_or_else(|| {
            let text = "At least one of the parameters (groupName or namespaceId) must be provided";
            refuse(ErrorCode::ParameterMissing, text)
        })
    }

    /// What a group or a namespace may hold.
    pub(crate) fn v3_capacity(&self, call: &Call) -> Result<Reply, Trouble> {
        let of = self.v3_scope(call)?;
        let body = self.capacity_body(&of);
        let body = match &of {
            CapacityOf::Group(group) => CapacityBody { group_name: Some(group.as_str()), ..body },
            CapacityOf::Namespace(namespace) => {
                CapacityBody { namespace_id: Some(namespace.as_str()), ..body }
            }
        };
        Ok(result(|out| write_json(out, &body)).into())
    }

    /// Sets it.
    pub(crate) async fn v3_set_capacity(&self, call: &Call) -> Result<Reply, Trouble> {
        let of = self.v3_scope(call)?;
        let change = change_of(&call.parameters)?.ok_or_else(|| {
            let text =
                "The parameters quota, maxSize, maxAggrCount, maxAggrSize cannot be empty at the same time";
            refuse(ErrorCode::ParameterMissing, text)
        })?;
        self.node.set_config_capacity(of, change).await?;
        Ok(result(|out| write_json(out, &true)).into())
    }
}
