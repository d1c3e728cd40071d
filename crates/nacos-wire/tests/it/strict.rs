//! The strict-parser matrix of the protocol notes: what breaks a client when a body of ours has it. Every gRPC body
//! we can write is held against all rows.

use crate::sample::{info, instance, json, service};
use muster_nacos_wire::{
    Shape, Text,
    grpc::{
        Failure, Payload, PushType, RequestType,
        answer::{self, ChangedConfig, FoundConfig},
        push::{self, SyncBatch, SyncType},
    },
};
use serde_json::Value;

fn services() -> Vec<Vec<u8>> {
    let key = service("G", "s");
    let odd = instance("10.0.0.1", 0, &[("", ""), ("a\"", "\u{1}华")]);
    vec![info(Shape::Grpc, &key, &[]), info(Shape::Grpc, &key, &[odd, instance("", 1, &[])])]
}

fn answers() -> Vec<(RequestType, Payload)> {
    let found = FoundConfig {
        content: "c",
        content_type: "text",
        md5: "m",
        encrypted_data_key: "",
        last_modified: 1,
        beta: false,
        tag: None,
    };
    let mut all = vec![
        (RequestType::ServerCheck, answer::server_check("1_a_2")),
        (RequestType::HealthCheck, answer::success(RequestType::HealthCheck)),
        (RequestType::Instance, answer::instance(RequestType::Instance, "registerInstance")),
        (RequestType::ServiceList, answer::service_list(0, [])),
        (RequestType::ConfigQuery, answer::config_query(&found)),
        (RequestType::ConfigQuery, answer::config_query(&FoundConfig { beta: true, ..found })),
        (RequestType::ConfigBatchListen, answer::changed_configs([])),
        (
            RequestType::ConfigBatchListen,
            answer::changed_configs([ChangedConfig { group: "g", data_id: "d", tenant: &Text::null() }]),
        ),
        (RequestType::LockOperation, answer::lock(true)),
    ];
    for service_info in services() {
        all.push((RequestType::ServiceQuery, answer::query_service(&service_info)));
        all.push((RequestType::SubscribeService, answer::subscribe_service(&service_info)));
    }
    for kind in RequestType::ALL {
        all.push((*kind, Failure::typed(400, "").answer(*kind)));
        all.push((*kind, Failure::unregistered().answer(*kind)));
    }
    all
}

fn pushes() -> Vec<Payload> {
    let batch = SyncBatch { sync: SyncType::Finish, pattern: "p", total: 1, current: 1 };
    let mut all = vec![
        push::setup_ack([]),
        push::client_detection(1),
        push::connect_reset(1, "c", None),
        push::config_change(1, "d", "g", &Text::null()),
        push::naming_fuzzy_sync(1, batch, []),
        push::naming_fuzzy_change(1, "k", true),
        push::config_fuzzy_sync(1, batch, []),
        push::config_fuzzy_change(1, "k", false),
        push::client_config_metric(1, "k"),
    ];
    all.extend(services().iter().map(|service_info| push::notify_subscriber(1, service_info)));
    all
}

/// Python and Rust break on a null anywhere.
fn assert_no_null(value: &Value, body: &Value) {
    match value {
        Value::Null => panic!("a null in {body}"),
        Value::Array(items) => items.iter().for_each(|item| assert_no_null(item, body)),
        Value::Object(fields) => fields.values().for_each(|field| assert_no_null(field, body)),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn assert_service_info(info: &Value) {
    for key in ["name", "groupName", "clusters", "checksum"] {
        assert!(info[key].is_string(), "{key} in {info}");
    }
    for key in ["cacheMillis", "lastRefTime"] {
        assert!(info[key].is_u64(), "{key} in {info}");
    }
    assert!(info["reachProtectionThreshold"].is_boolean(), "{info}");
    for host in info["hosts"].as_array().unwrap() {
        for key in ["healthy", "enabled", "ephemeral"] {
            assert!(host[key].is_boolean(), "{key} in {host}");
        }
        for key in ["ip", "clusterName", "serviceName", "instanceId"] {
            assert!(host[key].is_string(), "{key} in {host}");
        }
        assert!(host["weight"].is_f64() && host["port"].is_u64(), "{host}");
        assert!(host["metadata"].as_object().unwrap().values().all(Value::is_string), "{host}");
    }
}

#[test]
fn no_client_breaks_on_an_answer() {
    for (kind, payload) in answers() {
        let body = json(payload.json());
        assert_no_null(&body, &body);
        let failed = body["resultCode"] != 200;
        assert!(body["resultCode"].is_u64() && body["errorCode"].is_i64(), "{body}");
        // Python takes errorCode 0 for success; old Go needs `success`.
        assert_eq!(body["errorCode"] != 0, failed, "{body}");
        assert_eq!(body["success"], !failed, "{body}");
        assert!(!failed || body["message"].is_string(), "{body}");
        // Go panics on another type.
        assert!([kind.response(), "ErrorResponse"].contains(&payload.kind()), "{body}");
        if payload.kind() == "ErrorResponse" {
            continue;
        }
        assert_answer(kind, &body, failed);
    }
}

fn assert_answer(kind: RequestType, body: &Value, failed: bool) {
    if kind == RequestType::ConfigQuery {
        assert!(body["beta"].is_boolean() && body["lastModified"].is_u64(), "{body}");
        assert_eq!(body.get("tag"), None, "{body}");
        let texts = ["content", "contentType", "md5", "encryptedDataKey"];
        assert!(failed || texts.iter().all(|key| body[key].is_string()), "{body}");
    } else if kind == RequestType::ConfigBatchListen {
        let changed = body["changedConfigs"].as_array().unwrap();
        assert!(
            changed.iter().all(|one| ["group", "dataId", "tenant"].iter().all(|key| one[key].is_string()))
        );
    } else if kind == RequestType::ServiceList {
        assert!(body["count"].is_u64() && (failed || body["serviceNames"].is_array()), "{body}");
    } else if !failed && [RequestType::ServiceQuery, RequestType::SubscribeService].contains(&kind) {
        assert_service_info(&body["serviceInfo"]);
    }
}

#[test]
fn no_client_breaks_on_a_push() {
    let pushes = pushes();
    for kind in PushType::ALL {
        assert!(pushes.iter().any(|push| push.kind() == kind.as_str()), "{kind:?} is not written here");
        assert_eq!(PushType::parse(kind.as_str()), Some(kind));
    }
    for payload in pushes {
        let body = json(payload.json());
        assert_no_null(&body, &body);
        // Rust drops a push without headers, and says nothing.
        assert_eq!(body["headers"], serde_json::json!({}), "{body}");
        assert!(body["module"].is_string(), "{body}");
        if payload.kind() == PushType::SetupAck.as_str() {
            assert!(body["abilityTable"].is_object(), "{body}");
        } else {
            assert!(body["requestId"].is_string(), "{body}");
        }
        if payload.kind() == PushType::NotifySubscriber.as_str() {
            assert_service_info(&body["serviceInfo"]);
        }
    }
}

#[test]
fn request_types_are_the_recorded_ones() {
    for kind in RequestType::ALL {
        assert_eq!(RequestType::parse(kind.as_str()), Some(*kind));
    }
    // unknown-types.json: case matters, packages and responses are none.
    for name in [
        "healthcheckrequest",
        "com.alibaba.nacos.api.remote.request.HealthCheckRequest",
        "",
        "HealthCheckResponse",
        "FooRequest",
        "PushAckRequest",
        "NotifySubscriberRequest",
        "ClientDetectionRequest",
    ] {
        assert_eq!(RequestType::parse(name), None, "{name}");
    }
    let cluster_only = RequestType::ALL.iter().filter(|kind| kind.is_cluster_only()).count();
    assert_eq!(cluster_only, 5);
}
