//! Instances from JSON.

use super::draft::{DataCenterDraft, Draft, PortDraft, number, small};
use serde_json::{Map, Value};

/// The instance of `{"instance": {…}}`.
pub(super) fn instance_body(bytes: &[u8]) -> Option<Draft> {
    let mut root: Value = serde_json::from_slice(bytes).ok()?;
    match root.get_mut("instance").map(Value::take) {
        Some(Value::Object(members)) => Some(instance(members)),
        Some(_) | None => None,
    }
}

/// An instance without a root. Members that are not known are ignored, whatever they hold.
pub(super) fn instance(members: Map<String, Value>) -> Draft {
    let mut draft = Draft::default();
    for (name, value) in members {
        if let Some(member) = draft.text_member(&name) {
            *member = text(value).or(member.take());
            continue;
        }
        match name.as_str() {
            "port" => draft.port = port(&value),
            "securePort" => draft.secure_port = port(&value),
            "countryId" => draft.country_id = integer(&value).map(small),
            "dataCenterInfo" => draft.data_center = data_center(value),
            "leaseInfo" => {
                draft.renewal_secs = value.get("renewalIntervalInSecs").and_then(integer);
                draft.duration_secs = value.get("durationInSecs").and_then(integer);
            }
            "metadata" => draft.metadata = pairs(value),
            "lastDirtyTimestamp" => draft.last_dirty = integer(&value),
            _ => {}
        }
    }
    draft
}

/// `{"$": 8080, "@enabled": "true"}`, each in whatever type, or the number alone.
fn port(value: &Value) -> PortDraft {
    match value {
        Value::Object(parts) => PortDraft {
            number: parts.get("$").and_then(integer).map(small),
            enabled: parts.get("@enabled").and_then(flag),
        },
        Value::Number(_) | Value::String(_) => PortDraft { number: integer(value).map(small), enabled: None },
        Value::Null | Value::Bool(_) | Value::Array(_) => PortDraft::default(),
    }
}

fn data_center(value: Value) -> Option<DataCenterDraft> {
    let Value::Object(mut members) = value else { return None };
    Some(DataCenterDraft {
        name: members.remove("name").and_then(text),
        metadata: members.remove("metadata").map(pairs).unwrap_or_default(),
    })
}

/// Labels: values that are no texts become some; `@class` is Jackson's, not a label.
fn pairs(value: Value) -> Vec<(String, String)> {
    let Value::Object(members) = value else { return Vec::new() };
    members
        .into_iter()
        .filter(|(key, _)| key != "@class")
        .map(|(key, value)| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            (key, text)
        })
        .collect()
}

/// A scalar as text; null, arrays and objects are no texts.
pub(super) fn text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A whole number, also in a text; 0 for a text that is none.
pub(super) fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().map(|number| number as i64)),
        Value::String(text) => Some(number(text)),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) => Some(text.trim().eq_ignore_ascii_case("true")),
        Value::Number(number) => Some(number.as_i64() != Some(0)),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
