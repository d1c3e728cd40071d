//! `/v3/admin/cs`: configs.

use crate::http::{
    Http,
    call::Call,
    configs::V3_NAMES,
    reply::Reply,
    route::{Handler::Later, Route},
    trouble::Trouble,
};
use muster_nacos_wire::{
    grpc::push::group_key,
    http::{Refusal, check_filter, result, write_json},
};
use serde_json::{Map, Value};
use std::time::Duration;

/// How long a client may take to tell what it holds.
const METRICS_LIMIT: Duration = Duration::from_secs(3);

pub(crate) const ROUTES: &[Route] = &[
    Route::post("/config", Later(|http, call| Box::pin(http.v3_publish(call)))),
    Route::get("/metrics/ip", Later(|http, call| Box::pin(http.v3_client_metrics(call)))),
];

impl Http {
    async fn v3_publish(&self, call: &Call) -> Result<Reply, Trouble> {
        self.publish_described(call, V3_NAMES).await?;
        Ok(result(|out| write_json(out, &true)).into())
    }

    /// What the clients of an address hold of a config, as they tell it themselves.
    async fn v3_client_metrics(&self, call: &Call) -> Result<Reply, Trouble> {
        check_filter(&call.parameters, self.metadata_chars_max())?;
        let ip = call.parameters.first(&["ip"]).ok_or(Refusal::Missing { name: "ip", of_type: "String" })?;
        let key = V3_NAMES.key(&call.parameters)?;
        let group_key = group_key(key.data_id().as_str(), key.group().as_str(), key.namespace().as_str());
        let mut metrics = Map::new();
        for answer in self.sessions.config_metrics(ip, &group_key, METRICS_LIMIT).await {
            // A client that answers something else has no metrics.
            let mut told: Value = serde_json::from_slice(&answer).unwrap_or_default();
            if let Some(Value::Object(told)) = told.get_mut("metrics").map(Value::take) {
                metrics.extend(told);
            }
        }
        Ok(result(|out| write_json(out, &metrics)).into())
    }
}
