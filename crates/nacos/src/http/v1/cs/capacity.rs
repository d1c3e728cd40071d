//! What groups and namespaces may hold.

use crate::http::{
    Http,
    call::Call,
    configs::capacity::{change_of, name_of, scope_of},
    reply::Reply,
    trouble::Trouble,
};
use muster_nacos_wire::http::{Answer, CapacityBody, rest_result, write_json};
use muster_node::config::CapacityOf;
use serde_json::Value;

const NO_NAME: &str = "The parameter group and tenant cannot be empty at the same time";
const NO_CHANGE: &str =
    "The parameters quota, maxSize, maxAggrCount, maxAggrSize cannot be empty at the same time";

fn refused(text: &str, data: &Value) -> Reply {
    Answer { status: 400, ..rest_result(400, Some(text), |out| write_json(out, data)) }.into()
}

impl Http {
    /// What a group or a namespace may hold.
    pub(super) fn v1_capacity(&self, call: &Call) -> Result<Reply, Trouble> {
        let scope = scope_of(call, self.metadata_chars_max(), "group", "tenant")?;
        let Some(of) = scope else { return Ok(refused(NO_NAME, &Value::Null)) };
        let body = self.capacity_body(&of);
        let body = match &of {
            CapacityOf::Group(group) => CapacityBody { group: Some(group.as_str()), ..body },
            CapacityOf::Namespace(namespace) => CapacityBody { tenant: Some(namespace.as_str()), ..body },
        };
        Ok(rest_result(200, None, |out| write_json(out, &body)).into())
    }

    /// Sets it.
    pub(super) async fn v1_set_capacity(&self, call: &Call) -> Result<Reply, Trouble> {
        let scope = scope_of(call, self.metadata_chars_max(), "group", "tenant")?;
        let Some(of) = scope else { return Ok(refused(NO_NAME, &Value::Bool(false))) };
        let Some(change) = change_of(&call.parameters)? else {
            return Ok(refused(NO_CHANGE, &Value::Bool(false)));
        };
        let (kind, name) = name_of(&of);
        let text = format!("successfully updated the capacity information configuration of {kind} to {name}");
        self.node.set_config_capacity(of, change).await?;
        Ok(rest_result(200, Some(&text), |out| write_json(out, &true)).into())
    }
}
