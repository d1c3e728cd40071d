//! `/v3/admin/ns`: naming.

use crate::http::{
    Http,
    call::Call,
    reply::Reply,
    route::{Handler::Later, Route},
    trouble::Trouble,
    v3::done,
};
use muster_model::{ErrorCode, Kind};
use muster_nacos_wire::http::{Refusal, ResultCode, parse_metadata};
use muster_node::registry::{ServiceSpec, Threshold};
use serde_json::Value;

pub(crate) const ROUTES: &[Route] =
    &[Route::post("/service", Later(|http, call| Box::pin(http.v3_create_service(call))))];

impl Http {
    /// Creates a service that stays; it is persistent unless it says otherwise.
    async fn v3_create_service(&self, call: &Call) -> Result<Reply, Trouble> {
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
