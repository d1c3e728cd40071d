//! HTTP answers, whole bodies.

use crate::sample::{instance, service, view};
use muster_model::{ErrorCode, Timestamp};
use muster_nacos_wire::http::{
    Answer, ConfigHeaders, Dialect, Refusal, ResultCode, V3Config, beat_answer, config_headers, error_page,
    page, rest_result, result, result_error, v1_instance, v1_service_names, v3_config,
};

fn body(answer: &Answer) -> &str {
    std::str::from_utf8(&answer.body).unwrap()
}

#[test]
fn wrappers_are_compact_and_in_order() {
    let ok = result(|out| out.extend_from_slice(b"\"ok\""));
    assert_eq!((ok.status, ok.content_type), (200, Some("application/json")));
    assert_eq!(body(&ok), r#"{"code":0,"message":"success","data":"ok"}"#);
    let absent = result_error(200, ResultCode::NotFound, None);
    assert_eq!(body(&absent), r#"{"code":20004,"message":"resource not found","data":null}"#);
    let beta = rest_result(200, Some("query beta ok"), |out| out.extend_from_slice(b"null"));
    assert_eq!(body(&beta), r#"{"code":200,"message":"query beta ok","data":null}"#);
    let quiet = rest_result(200, None, |out| out.extend_from_slice(b"[]"));
    assert_eq!(body(&quiet), r#"{"code":200,"message":null,"data":[]}"#);
    let mut out = Vec::new();
    page(&mut out, 5, 2, 2, &["c", "d"]);
    assert_eq!(out, br#"{"totalCount":5,"pageNumber":2,"pagesAvailable":3,"pageItems":["c","d"]}"#);
    assert_eq!(body(&Answer::ok()), "ok");
}

#[test]
fn the_error_page_is_spring_boots() {
    let page =
        error_page(501, "no such api:GET:/nacos/v1/ns/x", "/nacos/v1/ns/x", Timestamp(1_735_689_600_000));
    assert_eq!(page.status, 501);
    assert_eq!(
        body(&page),
        r#"{"timestamp":"2025-01-01T00:00:00.000+00:00","status":501,"error":"Not Implemented","message":"no such api:GET:/nacos/v1/ns/x","path":"/nacos/v1/ns/x"}"#
    );
}

#[test]
fn failures_in_every_dialect() {
    let clash = Refusal::failed(ErrorCode::KindClash, "errCode: 400, errMsg: x. ");
    let of = |refusal: &Refusal, dialect| {
        let answer = refusal.answer(dialect, "", Timestamp(0));
        (answer.status, body(&answer).to_owned())
    };
    assert_eq!(of(&clash, Dialect::V1Naming), (400, "errCode: 400, errMsg: x. ".to_owned()));
    // v3-client-ns-instance.json, "ephemeral into the persistent service"
    assert_eq!(
        of(&clash, Dialect::V3),
        (400, r#"{"code":30000,"message":"server error","data":"errCode: 400, errMsg: x. "}"#.to_owned())
    );
    let blank = Refusal::failed(ErrorCode::InvalidParameter, "content is blank : ");
    assert_eq!(of(&blank, Dialect::V1Config), (400, "caused: content is blank : ;".to_owned()));
    let cas = Refusal::failed(ErrorCode::Conflict, "Cas publish fail, server md5 may have changed.");
    assert_eq!(
        of(&cas, Dialect::V1Config),
        (500, "caused: Cas publish fail, server md5 may have changed.;".to_owned())
    );
    assert_eq!(of(&cas, Dialect::V3).0, 500);
    let gone = Refusal::failed(ErrorCode::NotFound, "no matched ip found!");
    assert_eq!(of(&gone, Dialect::V1Naming), (404, "no matched ip found!".to_owned()));
    assert_eq!(of(&Refusal::failed(ErrorCode::Unavailable, ""), Dialect::V1Naming).0, 503);
}

#[test]
fn naming_answers() {
    assert_eq!(
        body(&beat_answer(5000, true, true)),
        r#"{"clientBeatInterval":5000,"code":10200,"lightBeatEnabled":true}"#
    );
    assert_eq!(
        body(&beat_answer(2000, false, true)),
        r#"{"clientBeatInterval":2000,"code":20404,"lightBeatEnabled":true}"#
    );
    assert_eq!(body(&v1_service_names(2, ["a", "b"])), r#"{"count":2,"doms":["a","b"]}"#);
    // v1-ns-instance-read-one.json, "found"
    let host = instance("10.0.0.1", 8080, &[]);
    assert_eq!(
        body(&v1_instance(&service("DEFAULT_GROUP", "run"), view(&host))),
        r#"{"service":"DEFAULT_GROUP@@run","ip":"10.0.0.1","port":8080,"clusterName":"DEFAULT","weight":1.0,"healthy":true,"instanceId":"10.0.0.1#8080#DEFAULT#DEFAULT_GROUP@@run","metadata":{}}"#
    );
}

#[test]
fn config_reads() {
    // v1-cs-lifecycle.json, "read"; v1-cs-beta.json; v1-cs-tag.json
    let plain = ConfigHeaders {
        config_type: "text",
        md5: "5d41402abc4b2a76b9719d911017c592",
        encrypted_data_key: "",
        last_modified: Timestamp(0),
        beta: false,
        tag: None,
    };
    let expected = [
        ("Config-Type", "text"),
        ("Content-MD5", "5d41402abc4b2a76b9719d911017c592"),
        ("Encrypted-Data-Key", ""),
        ("Last-Modified", "Thu, 01 Jan 1970 00:00:00 GMT"),
        ("Pragma", "no-cache"),
        ("Expires", "Thu, 01 Jan 1970 00:00:00 GMT"),
        ("Cache-Control", "no-cache,no-store"),
    ];
    assert_eq!(config_headers(&plain), expected.map(|(name, value)| (name, value.to_owned())));
    let last = |headers: ConfigHeaders<'_>| config_headers(&headers).pop().unwrap();
    assert_eq!(last(ConfigHeaders { beta: true, ..plain }), ("isBeta", "true".to_owned()));
    assert_eq!(last(ConfigHeaders { tag: Some("blue"), ..plain }), ("tag", "blue".to_owned()));
    // v3-client-cs-config.json, "read" and "beta address"
    let config = V3Config {
        content: "hello",
        config_type: "yaml",
        md5: "5d41402abc4b2a76b9719d911017c592",
        encrypted_data_key: Some(""),
        last_modified: Timestamp(1_795_253_353_287),
        beta: false,
        tag: None,
    };
    assert_eq!(
        body(&v3_config(&config)),
        r#"{"code":0,"message":"success","data":{"resultCode":200,"errorCode":0,"message":null,"requestId":null,"content":"hello","encryptedDataKey":"","contentType":"yaml","md5":"5d41402abc4b2a76b9719d911017c592","lastModified":1795253353287,"tag":null,"beta":false,"success":true}}"#
    );
    assert!(
        body(&v3_config(&V3Config { encrypted_data_key: None, ..config }))
            .contains(r#""encryptedDataKey":null"#)
    );
}

#[test]
fn codes_have_their_numbers_and_texts() {
    for (code, number, text) in [
        (ResultCode::Success, 0, "success"),
        (ResultCode::InstanceNotFound, 21003, "instance not found"),
        (ResultCode::ServiceExists, 21007, "service already exist"),
        (ResultCode::NoSelection, 100_006, "No configuration selected"),
    ] {
        assert_eq!((code.number(), code.message()), (number, text));
    }
    let mut numbers: Vec<_> = ResultCode::ALL.iter().map(|code| code.number()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), ResultCode::ALL.len());
}
