//! Pushes, whole bodies.

use crate::sample::{info, json, service, typed};
use muster_nacos_wire::{
    Shape, Text,
    grpc::{
        Ack, Payload,
        push::{self, ResetTarget, SyncBatch, SyncType},
    },
};
use serde_json::json;

#[test]
fn about_the_connection() {
    assert_eq!(
        typed(&push::setup_ack([("supportPersistentInstanceByGrpc", true), ("lock", false)])),
        (
            "SetupAckRequest",
            json!({"headers": {}, "abilityTable": {"supportPersistentInstanceByGrpc": true, "lock": false}, "module": "internal"})
        )
    );
    assert_eq!(
        typed(&push::client_detection(574)),
        ("ClientDetectionRequest", json!({"headers": {}, "requestId": "574", "module": "internal"}))
    );
    assert_eq!(
        typed(&push::connect_reset(523, "c", None)),
        ("ConnectResetRequest", json!({"headers": {}, "requestId": "523", "module": "internal"}))
    );
    assert_eq!(
        typed(&push::connect_reset(524, "c", Some(ResetTarget { ip: "10.0.0.9", port: 8848 }))).1,
        json!({"headers": {}, "requestId": "524", "serverIp": "10.0.0.9", "serverPort": "8848", "connectionId": "c",
            "module": "internal"})
    );
}

#[test]
fn about_services() {
    let service_info = info(Shape::Grpc, &service("G", "s"), &[]);
    let expected =
        json!({"headers": {}, "requestId": "2337", "serviceInfo": json(&service_info), "module": "naming"});
    assert_eq!(typed(&push::notify_subscriber(2337, &service_info)), ("NotifySubscriberRequest", expected));

    let batch = SyncBatch { sync: SyncType::Init, pattern: "public>>g>>*", total: 1, current: 1 };
    assert_eq!(
        typed(&push::naming_fuzzy_sync(934, batch, [("public@@g@@s", true)])),
        (
            "NamingFuzzyWatchSyncRequest",
            json!({"headers": {}, "requestId": "934", "syncType": "FUZZY_WATCH_INIT_NOTIFY", "groupKeyPattern": "public>>g>>*",
                "contexts": [{"serviceKey": "public@@g@@s", "changedType": "ADD_SERVICE"}], "totalBatch": 1,
                "currentBatch": 1, "module": "naming"})
        )
    );
    let finish = push::naming_fuzzy_sync(1, SyncBatch { sync: SyncType::Finish, ..batch }, []);
    assert_eq!(typed(&finish).1["contexts"], json!([]));
    assert_eq!(
        typed(&push::naming_fuzzy_change(945, "public@@g@@s", false)),
        (
            "NamingFuzzyWatchChangeNotifyRequest",
            json!({"headers": {}, "requestId": "945", "syncType": "FUZZY_WATCH_RESOURCE_CHANGED",
                "serviceKey": "public@@g@@s", "changedType": "DELETE_SERVICE", "module": "naming"})
        )
    );
}

#[test]
fn about_configs() {
    // config-notify-public.json: each in its own spelling.
    let spelled = json!({"headers": {}, "requestId": "488", "dataId": "d", "group": "DEFAULT_GROUP", "tenant": "public", "module": "config"});
    assert_eq!(
        typed(&push::config_change(488, "d", "DEFAULT_GROUP", &Text::from("public"))),
        ("ConfigChangeNotifyRequest", spelled)
    );
    let bare = json!({"headers": {}, "requestId": "475", "dataId": "d", "group": "DEFAULT_GROUP", "module": "config"});
    for tenant in [Text::null(), Text::from("")] {
        assert_eq!(typed(&push::config_change(475, "d", "DEFAULT_GROUP", &tenant)).1, bare);
    }
    let batch = SyncBatch { sync: SyncType::Init, pattern: "public>>G>>*", total: 1, current: 1 };
    assert_eq!(
        typed(&push::config_fuzzy_sync(478, batch, [("d+G+public", true)])),
        (
            "ConfigFuzzyWatchSyncRequest",
            json!({"headers": {}, "requestId": "478", "groupKeyPattern": "public>>G>>*",
                "contexts": [{"groupKey": "d+G+public", "changedType": "ADD_CONFIG"}],
                "syncType": "FUZZY_WATCH_INIT_NOTIFY", "totalBatch": 1, "currentBatch": 1, "module": "config"})
        )
    );
    let finish = SyncBatch { sync: SyncType::Finish, total: 0, current: 0, ..batch };
    assert_eq!(
        typed(&push::config_fuzzy_sync(469, finish, [])).1,
        json!({"headers": {}, "requestId": "469", "groupKeyPattern": "public>>G>>*",
            "syncType": "FINISH_FUZZY_WATCH_INIT_NOTIFY", "totalBatch": 0, "currentBatch": 0, "module": "config"})
    );
    assert_eq!(
        typed(&push::config_fuzzy_change(470, "a:b+G+public", true)).1,
        json!({"headers": {}, "requestId": "470", "groupKey": "a:b+G+public", "changeType": "CONFIG_CHANGED", "module": "config"})
    );
    let key = push::group_key("D+1%", "G", "public");
    assert_eq!(key, "D%2B1%25+G+public");
    assert_eq!(
        typed(&push::client_config_metric(669, "D+G+public")).1,
        json!({"headers": {}, "requestId": "669", "metricsKeys": [{"type": "cacheData", "key": "D+G+public"},
            {"type": "snapshotData", "key": "D+G+public"}], "module": "config"})
    );
}

#[test]
fn acknowledgements_count_by_id_and_result_code() {
    let read = |text: &'static str| Ack::parse(text.as_bytes()).map(|ack| (ack.push_id(), ack.is_success()));
    // Python, Rust, Go, Java.
    assert_eq!(read(r#"{"resultCode":200,"errorCode":0,"message":"","requestId":"2"}"#), Ok((Some(2), true)));
    assert_eq!(
        read(r#"{"resultCode":200,"errorCode":0,"message":"Response ok","requestId":"2"}"#),
        Ok((Some(2), true))
    );
    assert_eq!(
        read(r#"{"resultCode":200,"errorCode":0,"success":false,"requestId":"2"}"#),
        Ok((Some(2), true))
    );
    assert_eq!(read(r#"{"headers":{},"requestId":"2","success":true}"#), Ok((Some(2), true)));
    assert_eq!(read(r#"{"resultCode":500,"errorCode":500,"requestId":"2"}"#), Ok((Some(2), false)));
    assert_eq!(read(r#"{"resultCode":200,"requestId":null}"#), Ok((None, true)));
    assert!(read("not json").is_err());
}

#[test]
fn a_push_survives_the_wire() {
    use prost::Message as _;
    let sent = push::client_detection(u64::MAX);
    let read = Payload::decode(&sent.encode_to_vec()[..]).unwrap();
    assert_eq!(read, sent);
    assert_eq!(typed(&read).1["requestId"], u64::MAX.to_string());
}
