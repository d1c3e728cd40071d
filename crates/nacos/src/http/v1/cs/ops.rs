//! Operations.

use crate::http::{Http, call::Call, configs::V1_NAMES, reply::Reply, trouble::Trouble};
use muster_nacos_wire::http::{Answer, Refusal, check_filter, rest_result, write_json};

/// There is no Derby here; the text is the original's for one that may not be asked.
pub(crate) const NO_DERBY: &str =
    "Derby ops is disabled, please set `nacos.config.derby.ops.enabled=true` to enabled this feature.";

/// The module answers.
pub(super) fn up() -> Reply {
    Answer::text(200, "UP").into()
}

pub(super) fn no_derby() -> Reply {
    rest_result(500, Some(NO_DERBY), |out| write_json(out, &None::<&str>)).into()
}

impl Http {
    /// Has contents read from the store again.
    pub(super) fn v1_drop_cache(&self, _: &Call) -> Result<Reply, Trouble> {
        self.node.drop_cached_contents();
        Ok(Answer::text(200, "200").into())
    }

    pub(super) fn v1_derby(&self, call: &Call) -> Result<Reply, Trouble> {
        call.parameters.get("sql").ok_or(Refusal::Missing { name: "sql", of_type: "String" })?;
        Ok(no_derby())
    }

    /// What the clients of an address hold of a config.
    pub(super) async fn v1_metrics(&self, call: &Call) -> Result<Reply, Trouble> {
        check_filter(&call.parameters, self.metadata_chars_max())?;
        let metrics = self.client_metrics(call, V1_NAMES).await?;
        Ok(Answer::json(serde_json::Value::Object(metrics).to_string()).into())
    }
}
