//! What clients say they hold.

use super::PublishNames;
use crate::http::{Http, call::Call, refuse, trouble::Trouble};
use muster_model::ErrorCode;
use muster_nacos_wire::http::{Refusal, check_filter};
use serde_json::{Map, Value};
use std::time::Duration;

/// How long a client may take to tell what it holds.
const METRICS_LIMIT: Duration = Duration::from_secs(3);

impl Http {
    /// What the clients of an address hold of a config, as they tell it themselves.
    pub(crate) async fn client_metrics(
        &self,
        call: &Call,
        names: PublishNames,
    ) -> Result<Map<String, Value>, Trouble> {
        check_filter(&call.parameters, self.metadata_chars_max())?;
        let ip = call.parameters.first(&["ip"]).ok_or(Refusal::Unbound { name: "ip", of_type: "String" })?;
        for (name, parameter) in [("dataId", "dataId"), ("group", names.group)] {
            if call.parameters.get(parameter).is_none() {
                return Err(refuse(ErrorCode::InvalidParameter, format!("invalid {name} : null")));
            }
        }
        let key = names.bound_key(&call.parameters)?;
        let mut metrics = Map::new();
        for answer in
            self.sessions.config_metrics(ip, &super::listeners::full_name(&key), METRICS_LIMIT).await
        {
            // A client that answers something else has no metrics.
            let mut told: Value = serde_json::from_slice(&answer).unwrap_or_default();
            if let Some(Value::Object(told)) = told.get_mut("metrics").map(Value::take) {
                metrics.extend(told);
            }
        }
        Ok(metrics)
    }
}
