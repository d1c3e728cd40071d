//! The switches of an operator (nacos-http.md 3.3.5).

use super::Refusal;
use crate::json::Object;
use muster_model::{ErrorCode, HealthParams, Switches};
use serde::Deserialize;

/// Writes all switches, in the original's order and under its names.
pub fn switches(out: &mut Vec<u8>, switches: &Switches) {
    let mut object = Object::open(out);
    object.value("masters", &switches.masters).raw("adWeightMap", b"{}");
    object.value("defaultPushCacheMillis", &switches.push_cache_ms);
    object.value("clientBeatInterval", &switches.client_beat_interval_ms);
    object.value("defaultCacheMillis", &switches.default_cache_ms);
    object.value("distroThreshold", &switches.distro_threshold);
    object.value("healthCheckEnabled", &switches.health_check);
    object.value("autoChangeHealthCheckEnabled", &switches.auto_change_health_check);
    object.value("distroEnabled", &switches.distro).value("enableStandalone", &switches.standalone);
    object.value("pushEnabled", &switches.push).value("checkTimes", &switches.check_times);
    for (key, params) in [
        ("httpHealthParams", switches.http_health),
        ("tcpHealthParams", switches.tcp_health),
        ("mysqlHealthParams", switches.mysql_health),
    ] {
        health_params(object.key(key), params);
    }
    object.raw("incrementalList", b"[]");
    object.value("serverStatusSynchronizationPeriodMillis", &switches.server_status_sync_ms);
    object.value("serviceStatusSynchronizationPeriodMillis", &switches.service_status_sync_ms);
    object.value("disableAddIP", &switches.disable_add_ip).value("sendBeatOnly", &switches.send_beat_only);
    object.value("lightBeatEnabled", &switches.light_beat).value("limitedUrlMap", &switches.limited_urls);
    object.value("distroServerExpiredMillis", &switches.distro_server_expired_ms);
    let since = &switches.push_since;
    object.string("pushGoVersion", &since.go).string("pushJavaVersion", &since.java);
    object.string("pushPythonVersion", &since.python).string("pushCVersion", &since.c);
    object.string("pushCSharpVersion", &since.csharp).raw("enableAuthentication", b"false");
    object.value("overriddenServerStatus", &switches.overridden_status.map(|status| status.as_str()));
    object.value("defaultInstanceEphemeral", &switches.default_ephemeral);
    object.raw("healthCheckWhiteList", b"[]");
    object.string("name", "00-00---000-NACOS_SWITCH_DOMAIN-000---00-00").raw("checksum", b"null");
    object.close();
}

fn health_params(out: &mut Vec<u8>, params: HealthParams) {
    let mut object = Object::open(out);
    object.value("max", &params.max).value("min", &params.min).value("factor", &params.factor);
    object.close();
}

#[derive(Deserialize)]
struct HealthParamsBody {
    max: i64,
    min: i64,
    factor: f32,
}

/// The text of a switch as [`Switches::set`] reads it: JSON of a pace becomes `max,min,factor`, all else is as it is.
/// Keys that are not given keep the default.
pub fn switch_text(entry: &str, value: &str) -> Result<String, Refusal> {
    let defaults = Switches::default();
    let params = match entry {
        "httpHealthParams" => defaults.http_health,
        "tcpHealthParams" => defaults.tcp_health,
        "mysqlHealthParams" => defaults.mysql_health,
        _ => return Ok(value.to_owned()),
    };
    let mut body: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(value).map_err(|_| invalid_json())?;
    body.entry("max").or_insert(params.max.into());
    body.entry("min").or_insert(params.min.into());
    body.entry("factor").or_insert(params.factor.into());
    let HealthParamsBody { max, min, factor } =
        serde_json::from_value(body.into()).map_err(|_| invalid_json())?;
    Ok(format!("{max},{min},{factor}"))
}

fn invalid_json() -> Refusal {
    Refusal::failed(ErrorCode::InvalidParameter, "json param invalid.")
}

/// How pushes go: handed out, acknowledged, and milliseconds until then (average, longest).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PushState {
    /// Acknowledged.
    pub succeeded: u64,
    /// Handed out.
    pub total: u64,
    /// Milliseconds to the acknowledgement: average and longest; `None` before the first.
    pub cost_ms: Option<(u64, u64)>,
}

/// Writes `operator/push/state`:
/// `{"succeed":1,"total":1,"ratio":1.0,"detail":{"avgPushCost":-1,"maxPushCost":-1},"reset":false}`, `detail` if it is
/// asked for.
pub fn push_state(out: &mut Vec<u8>, state: PushState, detailed: bool, reset: bool) {
    let ratio = if state.total == 0 { 0.0 } else { state.succeeded as f32 / state.total as f32 };
    let mut object = Object::open(out);
    object.value("succeed", &state.succeeded).value("total", &state.total).value("ratio", &ratio);
    if detailed {
        let (average, longest) = state.cost_ms.map_or((-1, -1), |(average, longest)| {
            (i64::try_from(average).unwrap_or(i64::MAX), i64::try_from(longest).unwrap_or(i64::MAX))
        });
        let mut detail = Object::open(object.key("detail"));
        detail.value("avgPushCost", &average).value("maxPushCost", &longest);
        detail.close();
    }
    object.value("reset", &reset);
    object.close();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_the_recorded_ones() {
        let mut out = Vec::new();
        switches(&mut out, &Switches::default());
        let recorded = r#"{"masters":null,"adWeightMap":{},"defaultPushCacheMillis":10000,"clientBeatInterval":5000,"defaultCacheMillis":3000,"distroThreshold":0.7,"healthCheckEnabled":true,"autoChangeHealthCheckEnabled":true,"distroEnabled":true,"enableStandalone":true,"pushEnabled":true,"checkTimes":3,"httpHealthParams":{"max":5000,"min":500,"factor":0.85},"tcpHealthParams":{"max":5000,"min":1000,"factor":0.75},"mysqlHealthParams":{"max":3000,"min":2000,"factor":0.65},"incrementalList":[],"serverStatusSynchronizationPeriodMillis":2000,"serviceStatusSynchronizationPeriodMillis":5000,"disableAddIP":false,"sendBeatOnly":false,"lightBeatEnabled":true,"limitedUrlMap":{},"distroServerExpiredMillis":10000,"pushGoVersion":"0.1.0","pushJavaVersion":"0.1.0","pushPythonVersion":"0.4.3","pushCVersion":"1.0.12","pushCSharpVersion":"0.9.0","enableAuthentication":false,"overriddenServerStatus":null,"defaultInstanceEphemeral":true,"healthCheckWhiteList":[],"name":"00-00---000-NACOS_SWITCH_DOMAIN-000---00-00","checksum":null}"#;
        assert_eq!(String::from_utf8(out).unwrap(), recorded);
    }

    #[test]
    fn paces_are_read_from_json() {
        assert_eq!(
            switch_text("tcpHealthParams", r#"{"max":6000,"min":1000,"factor":0.5}"#).unwrap(),
            "6000,1000,0.5"
        );
        assert_eq!(switch_text("tcpHealthParams", r#"{"max":6000}"#).unwrap(), "6000,1000,0.75");
        assert_eq!(switch_text("httpHealthParams", "x"), Err(invalid_json()));
        assert_eq!(switch_text("pushEnabled", "false").unwrap(), "false");
    }

    #[test]
    fn the_push_state_tells_costs_if_asked() {
        let mut out = Vec::new();
        push_state(&mut out, PushState { succeeded: 1, total: 2, cost_ms: Some((3, 4)) }, true, false);
        let text = String::from_utf8(out).unwrap();
        assert_eq!(
            text,
            r#"{"succeed":1,"total":2,"ratio":0.5,"detail":{"avgPushCost":3,"maxPushCost":4},"reset":false}"#
        );
    }
}
