//! Answers to unary requests, whole bodies.

use crate::sample::{info, instance, service, typed};
use muster_model::{ErrorCode, NameError};
use muster_nacos_wire::{
    ParamError, Shape, Text,
    grpc::{BodyError, Failure, RequestType, answer},
};
use serde_json::json;

#[test]
fn successes() {
    let ok = json!({"resultCode": 200, "errorCode": 0, "success": true});
    assert_eq!(typed(&answer::success(RequestType::HealthCheck)), ("HealthCheckResponse", ok.clone()));
    assert_eq!(typed(&answer::success(RequestType::ConfigPublish)), ("ConfigPublishResponse", ok.clone()));
    assert_eq!(typed(&answer::success(RequestType::ConfigFuzzyWatch)), ("ConfigFuzzyWatchResponse", ok));
    assert_eq!(
        typed(&answer::server_check("1795253214582_127.0.0.1_34364")),
        (
            "ServerCheckResponse",
            json!({"resultCode": 200, "errorCode": 0, "connectionId": "1795253214582_127.0.0.1_34364",
                "supportAbilityNegotiation": true, "success": true})
        )
    );
    for (kind, response, action) in [
        (RequestType::Instance, "InstanceResponse", "registerInstance"),
        (RequestType::PersistentInstance, "InstanceResponse", "deregisterInstance"),
        (RequestType::BatchInstance, "BatchInstanceResponse", "batchRegisterInstance"),
    ] {
        let expected = json!({"resultCode": 200, "errorCode": 0, "type": action, "success": true});
        assert_eq!(typed(&answer::instance(kind, action)), (response, expected));
    }
    assert_eq!(
        typed(&answer::service_list(7, ["a", "b\""])),
        (
            "ServiceListResponse",
            json!({"resultCode": 200, "errorCode": 0, "count": 7, "serviceNames": ["a", "b\""], "success": true})
        )
    );
    assert_eq!(
        typed(&answer::lock(false)),
        (
            "LockOperationResponse",
            json!({"resultCode": 200, "errorCode": 0, "result": false, "success": true})
        )
    );
}

#[test]
fn services() {
    let service_info = info(Shape::Grpc, &service("G", "s"), &[instance("10.0.0.1", 80, &[])]);
    let inner: serde_json::Value = serde_json::from_slice(&service_info).unwrap();
    assert_eq!(
        typed(&answer::query_service(&service_info)),
        (
            "QueryServiceResponse",
            json!({"resultCode": 200, "errorCode": 0, "serviceInfo": inner, "success": true})
        )
    );
    assert_eq!(
        typed(&answer::subscribe_service(&service_info)),
        (
            "SubscribeServiceResponse",
            json!({"resultCode": 200, "errorCode": 0, "message": "success", "serviceInfo": inner, "success": true})
        )
    );
}

#[test]
fn configs() {
    let found = answer::FoundConfig {
        content: "k: \"v\"\r\n# 华 \u{1F600} \u{1}",
        content_type: "yaml",
        md5: "987bcab01b929eb2c07877b224215c92",
        encrypted_data_key: "",
        last_modified: 1_795_253_214_947,
        beta: false,
        tag: None,
    };
    let expected = json!({"resultCode": 200, "errorCode": 0, "content": found.content, "encryptedDataKey": "",
        "contentType": "yaml", "md5": found.md5, "lastModified": 1_795_253_214_947_u64, "beta": false, "success": true});
    assert_eq!(typed(&answer::config_query(&found)), ("ConfigQueryResponse", expected));
    // config-tag.json: the key `tag` only with a tag's version.
    let tagged =
        typed(&answer::config_query(&answer::FoundConfig { tag: Some("green"), beta: false, ..found })).1;
    assert_eq!(tagged["tag"], "green");
    let beta = typed(&answer::config_query(&answer::FoundConfig { beta: true, ..found })).1;
    assert_eq!((&beta["beta"], beta.get("tag")), (&json!(true), None));

    let spellings = [Text::from("public"), Text::from(""), Text::null()];
    let changed = spellings.iter().map(|tenant| answer::ChangedConfig { group: "G", data_id: "d", tenant });
    let expected = json!({"resultCode": 200, "errorCode": 0, "changedConfigs": [
        {"group": "G", "dataId": "d", "tenant": "public"},
        {"group": "G", "dataId": "d", "tenant": ""},
        {"group": "G", "dataId": "d", "tenant": ""}], "success": true});
    assert_eq!(typed(&answer::changed_configs(changed)), ("ConfigChangeBatchListenResponse", expected));
}

#[test]
fn typed_failures() {
    let failed = |failure: Failure, kind| typed(&failure.answer(kind)).1;
    assert_eq!(
        typed(&answer::config_not_found(None)),
        (
            "ConfigQueryResponse",
            json!({"resultCode": 500, "errorCode": 300, "message": "config data not exist", "lastModified": 0,
                "beta": false, "success": false})
        )
    );
    assert_eq!(typed(&answer::config_not_found(Some("blue"))).1["tag"], "blue");
    let namespace = ParamError::from(NameError::IllegalCharacters("namespaceId/tenant"));
    assert_eq!(
        failed(namespace.into(), RequestType::ServiceList),
        json!({"resultCode": 500, "errorCode": 400, "count": 0, "success": false, "message":
            "Param check invalid:Param 'namespaceId/tenant' is illegal, illegal characters should not appear in the param."})
    );
    assert_eq!(
        failed(Failure::too_many_patterns(), RequestType::NamingFuzzyWatch),
        json!({"resultCode": 500, "errorCode": 50310, "message": "fuzzy watch pattern over limit", "success": false})
    );
    assert_eq!(
        Failure::too_many_patterns().answer(RequestType::NamingFuzzyWatch).kind(),
        "NamingFuzzyWatchResponse"
    );
    let locked = failed(Failure::of(ErrorCode::Unavailable, "x"), RequestType::LockOperation);
    assert_eq!(locked["errorCode"], 300);
    let locked = failed(Failure::of(ErrorCode::Internal, "x"), RequestType::LockOperation);
    assert_eq!((&locked["result"], &locked["errorCode"]), (&json!(false), &json!(500)));
}

#[test]
fn param_texts_are_the_recorded_ones() {
    let of = |error: ParamError| Failure::from(error).message.into_owned();
    for (error, text) in [
        (
            ParamError::Port,
            "Param check invalid:Param 'port' is illegal, the value should be between 0 and 65535.",
        ),
        (
            ParamError::Metadata(1024),
            "Param check invalid:Param 'Metadata' is illegal, the param length should not exceed 1024.",
        ),
        (
            NameError::TooLong { what: "dataId", max: 256 }.into(),
            "Param check invalid:Param 'dataId' is illegal, the param length should not exceed 256.",
        ),
        (ParamError::Blank("groupName"), "Param 'groupName' is illegal, groupName is blank"),
        (NameError::Blank("serviceName").into(), "Param 'serviceName' is illegal, serviceName is blank"),
        (
            ParamError::Cluster("a_b".to_owned()),
            "Instance 'clusterName' should be characters with only 0-9a-zA-Z-. (current: a_b)",
        ),
        (
            ParamError::Timing,
            "Instance 'heart beat interval' must less than 'heart beat timeout' and 'ip delete timeout'.",
        ),
    ] {
        assert_eq!(of(error), text);
    }
}

#[test]
fn error_responses_are_the_recorded_ones() {
    for (failure, code, text) in [
        (Failure::starting(), 300, "Server is starting,please try later."),
        (Failure::unregistered(), 301, "Connection is unregistered."),
        (Failure::no_handler(), 302, "RequestHandler Not Found"),
        (
            Failure::forbidden_source(RequestType::DistroData),
            502,
            " invoke DistroDataRequest from sdk is forbidden",
        ),
        (BodyError::Malformed.into(), 502, "errCode: 101, errMsg: Nacos deserialize failed.  "),
        (BodyError::Null.into(), 502, "Invalid request"),
        (
            Failure::no_naming_client("1795253243733_127.0.0.1_59714"),
            -401,
            "errCode: -401, errMsg: Client [1795253243733_127.0.0.1_59714] connection already disconnect, can't register ephemeral instance. ",
        ),
    ] {
        // What a handler finds has its own code as result (naming-on-config-connection.json).
        let result = if code == -401 { -401 } else { 500 };
        let expected = json!({"resultCode": result, "errorCode": code, "message": text, "success": false});
        assert_eq!(typed(&failure.error()), ("ErrorResponse", expected.clone()));
        assert_eq!(typed(&failure.answer(RequestType::Instance)), ("ErrorResponse", expected));
    }
}

#[test]
fn kind_clashes_are_worded_for_each_request() {
    for (persistent, batch, text) in [
        (
            true,
            false,
            "errCode: 400, errMsg: Current service G@@p is persistent service, can't register ephemeral instance. ",
        ),
        (
            true,
            true,
            "errCode: 400, errMsg: Current service G@@p is persistent service, can't batch register ephemeral instance. ",
        ),
        (
            false,
            false,
            "errCode: 400, errMsg: Current service G@@p is ephemeral service, can't register persistent instance. ",
        ),
    ] {
        assert_eq!(Failure::kind_clash("G@@p", persistent, batch).message, text);
    }
}
