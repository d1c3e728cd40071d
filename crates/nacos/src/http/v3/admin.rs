//! The administration that tests and operators of this stage need.

use super::{V3_NAMES, done};
use crate::http::{Http, call::Call, refuse, reply::Reply, trouble::Trouble};
use muster_model::{ErrorCode, Kind};
use muster_nacos_wire::{
    grpc::push::group_key,
    http::{Refusal, ResultCode, check_filter, parse_metadata, result, write_json},
};
use muster_node::registry::{ServiceSpec, Threshold};
use serde_json::{Map, Value};
use std::time::Duration;

/// How long a client may take to tell what it holds.
const METRICS_LIMIT: Duration = Duration::from_secs(3);

impl Http {
    /// Creates a service that stays; it is persistent unless it says otherwise.
    pub(super) async fn v3_create_service(&self, call: &Call) -> Result<Reply, Trouble> {
        let service = self.checked_service(call)?;
        let parameters = &call.parameters;
        let is_ephemeral = parameters
            .strict_flag(&["ephemeral"], false)
            .map_err(|value| Refusal::BadValue { name: "ephemeral", value })?;
        let metadata =
            parse_metadata(parameters.get("metadata").unwrap_or_default()).map_err(Refusal::from)?;
        let selector = parameters.get("selector").unwrap_or_default().trim();
        check_selector(selector)?;
        let spec = ServiceSpec {
            kind: if is_ephemeral { Kind::Ephemeral } else { Kind::Persistent },
            protection: threshold(parameters.first(&["protectThreshold"]))?,
            metadata,
            selector: selector.into(),
        };
        self.node.create_service(service, spec).await?;
        Ok(done())
    }

    pub(super) async fn v3_publish(&self, call: &Call) -> Result<Reply, Trouble> {
        self.publish_described(call, V3_NAMES).await?;
        Ok(result(|out| write_json(out, &true)).into())
    }

    /// What the clients of an address hold of a config, as they tell it themselves.
    pub(super) async fn v3_client_metrics(&self, call: &Call) -> Result<Reply, Trouble> {
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

    /// Asks a client to move; one that is not there has.
    pub(super) fn v3_reload_client(&self, call: &Call) -> Result<Reply, Trouble> {
        let name = call.parameters.first(&["connectionId"]);
        let name = name.ok_or(Refusal::Missing { name: "connectionId", of_type: "String" })?;
        let target = match call.parameters.first(&["redirectAddress"]) {
            Some(address) => Some(host_and_port(address)?),
            None => None,
        };
        self.sessions.reset(name, target);
        Ok(result(|out| write_json(out, &None::<&str>)).into())
    }
}

fn threshold(text: Option<&str>) -> Result<Threshold, Refusal> {
    let Some(text) = text else { return Ok(Threshold::default()) };
    let bad = || Refusal::BadValue { name: "protectThreshold", value: text.to_owned() };
    Threshold::new(text.parse().map_err(|_| bad())?).ok_or_else(bad)
}

/// A selector is kept and shown without meaning; its type must be one that Nacos knows.
fn check_selector(text: &str) -> Result<(), Trouble> {
    if text.is_empty() {
        return Ok(());
    }
    let kind = serde_json::from_str::<Value>(text).ok();
    match kind.as_ref().and_then(|selector| selector.get("type")).and_then(Value::as_str) {
        Some("none" | "label") => Ok(()),
        _ => Err(Trouble::Refused(Refusal::Failed {
            error: ErrorCode::InvalidParameter,
            code: ResultCode::Selector,
            detail: "not match any type of selector!".to_owned(),
        })),
    }
}

fn host_and_port(address: &str) -> Result<(&str, u16), Trouble> {
    let parsed = address.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?)));
    parsed.ok_or_else(|| {
        refuse(ErrorCode::InvalidParameter, format!("redirectAddress is no host:port: {address}"))
    })
}
