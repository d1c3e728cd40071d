//! Operations, and what clients say they hold.

use crate::http::{
    Http,
    call::Call,
    configs::{V3_NAMES, bound},
    reply::Reply,
    trouble::Trouble,
    v1::cs::NO_DERBY,
};
use muster_nacos_wire::http::{ResultCode, result, result_text, write_json};

impl Http {
    /// Has contents read from the store again.
    pub(crate) fn v3_drop_cache(&self, _: &Call) -> Result<Reply, Trouble> {
        self.node.drop_cached_contents();
        Ok(result(|out| write_json(out, "Local cache updated from store successfully!")).into())
    }

    pub(crate) fn v3_config_log_level(&self, call: &Call) -> Result<Reply, Trouble> {
        let name = bound(&call.parameters, "logName", "String")?;
        let level = bound(&call.parameters, "logLevel", "String")?;
        self.set_log_level(name, level)?;
        let text = format!("Log level updated successfully! Module: {name}, Log Level: {level}");
        Ok(result(|out| write_json(out, &text)).into())
    }

    pub(crate) fn v3_derby(&self, call: &Call) -> Result<Reply, Trouble> {
        bound(&call.parameters, "sql", "String")?;
        self.v3_no_derby(call)
    }

    pub(crate) fn v3_no_derby(&self, _: &Call) -> Result<Reply, Trouble> {
        Ok(result_text(ResultCode::ServerError, NO_DERBY).into())
    }

    /// What the clients of an address hold of a config.
    pub(crate) async fn v3_client_metrics(&self, call: &Call) -> Result<Reply, Trouble> {
        let metrics = self.client_metrics(call, V3_NAMES).await?;
        Ok(result(|out| write_json(out, &metrics)).into())
    }

    /// The same of all nodes, and whether all told.
    pub(crate) async fn v3_cluster_metrics(&self, call: &Call) -> Result<Reply, Trouble> {
        let mut metrics = self.client_metrics(call, V3_NAMES).await?;
        metrics.insert("complete".to_owned(), true.into());
        Ok(result(|out| write_json(out, &metrics)).into())
    }
}
