//! Request bodies as each family of clients writes them.

use muster_model::Weight;
use muster_nacos_wire::{
    ParamError, Text, check_clusters, config_key,
    grpc::{
        BatchInstanceRequest, BodyError, ConfigBatchListenRequest, ConfigPublishRequest, ConfigQueryRequest,
        ConnectionSetupRequest, EmptyRequest, InstanceBody, InstanceRequest, LockOperationRequest,
        NamingFuzzyWatchRequest, ServiceListRequest, ServiceQueryRequest, SubscribeServiceRequest, parse,
        service_key,
    },
};
use proptest::prelude::*;

const PYTHON: &str = r#"{"headers":{},"requestId":"","module":"","namespace":"public","serviceName":"s1",
  "groupName":"DEFAULT_GROUP","type":"registerInstance","instance":{"instanceId":"","ip":"1.1.1.1","port":80,
  "weight":1.0,"healthy":true,"enabled":true,"ephemeral":true,"clusterName":"DEFAULT","serviceName":"","metadata":{"a":"b"}}}"#;
const RUST: &str = r#"{"type":"registerInstance","instance":{"instanceId":null,"ip":"1.1.1.1","port":80,
  "weight":1.0,"healthy":true,"enabled":true,"ephemeral":true,"clusterName":"DEFAULT","serviceName":null,"metadata":{}},
  "headers":{},"requestId":"17","namespace":"public","serviceName":"s1","groupName":"DEFAULT_GROUP"}"#;
const GO: &str = r#"{"type":"registerInstance","instance":{"ip":"1.1.1.1","port":80,"weight":1,"healthy":true,
  "enabled":true,"ephemeral":true,"clusterName":"","metadata":null},"namespace":"","serviceName":"s1","groupName":null}"#;

#[test]
fn instances_of_all_clients() {
    for (body, pairs) in [(PYTHON, 1), (RUST, 0), (GO, 0)] {
        let request: InstanceRequest<'_> = parse(body.as_bytes()).unwrap();
        let key = service_key(&request.namespace, &request.group_name, &request.service_name).unwrap();
        assert_eq!(key.to_string(), "public@@DEFAULT_GROUP@@s1");
        assert_eq!(&*request.r#type, "registerInstance");
        let instance = request.instance.unwrap().to_instance(1024).unwrap();
        assert_eq!(
            (instance.host.as_str(), instance.port, instance.cluster.as_str()),
            ("1.1.1.1", 80, "DEFAULT")
        );
        assert_eq!((instance.weight, instance.enabled, instance.healthy), (Weight::default(), true, true));
        assert_eq!(instance.metadata.len(), pairs);
    }
}

#[test]
fn every_optional_key_may_be_null_empty_or_absent() {
    for value in ["null", "\"\""] {
        let keys = [
            "namespace",
            "serviceName",
            "groupName",
            "type",
            "clusters",
            "cluster",
            "healthyOnly",
            "subscribe",
            "dataId",
            "group",
            "tenant",
            "tag",
            "content",
            "casMd5",
            "pageNo",
            "pageSize",
            "md5",
            "listen",
            "watchType",
            "groupKeyPattern",
            "initializing",
            "clientVersion",
            "lockOperationEnum",
        ];
        let body = format!("{{{}}}", keys.map(|key| format!("\"{key}\":{value}")).join(","));
        let body = body.as_bytes();
        assert!(!parse::<ServiceQueryRequest<'_>>(body).unwrap().healthy_only);
        assert!(!parse::<SubscribeServiceRequest<'_>>(body).unwrap().subscribe);
        assert_eq!(parse::<ServiceListRequest<'_>>(body).unwrap().page_no, 0);
        assert_eq!(&*parse::<ConfigQueryRequest<'_>>(body).unwrap().tag, "");
        assert_eq!(&*parse::<ConfigPublishRequest<'_>>(body).unwrap().cas_md5, "");
        assert_eq!(parse::<ConfigBatchListenRequest<'_>>(body).unwrap().listen, None);
        assert!(!parse::<NamingFuzzyWatchRequest<'_>>(body).unwrap().initializing);
        assert_eq!(parse::<ConnectionSetupRequest<'_>>(body).unwrap().ability_table, None);
        assert_eq!(parse::<LockOperationRequest<'_>>(body).unwrap().lock_instance.expired_time, None);
    }
    assert_eq!(parse::<InstanceRequest<'_>>(b"{}").unwrap(), InstanceRequest::default());
    let nulls = br#"{"instance":null,"instances":null,"configListenContexts":null,"additionMap":null,"labels":null,"receivedGroupKeys":null,"lockInstance":null,"headers":null}"#;
    assert_eq!(parse::<InstanceRequest<'_>>(nulls).unwrap().instance, None);
    assert_eq!(parse::<BatchInstanceRequest<'_>>(nulls).unwrap().instances, None);
    assert_eq!(parse::<ConfigBatchListenRequest<'_>>(nulls).unwrap().config_listen_contexts, []);
    assert_eq!(parse::<ConfigPublishRequest<'_>>(nulls).unwrap().addition_map.kind(), None);
    assert_eq!(parse::<ConnectionSetupRequest<'_>>(nulls).unwrap().module(), "");
    parse::<NamingFuzzyWatchRequest<'_>>(nulls).unwrap();
    parse::<LockOperationRequest<'_>>(nulls).unwrap();
}

#[test]
fn null_and_empty_are_told_apart_where_answers_repeat_them() {
    let request: ConfigQueryRequest<'_> = parse(br#"{"dataId":"","group":null,"tenant":"public"}"#).unwrap();
    assert_eq!((request.data_id.as_java(), request.group.as_java()), ("", "null"));
    assert!(request.group.is_null() && !request.data_id.is_null() && request.data_id.is_blank());
    assert_eq!(
        (request.tag.as_option(), request.tenant.or("x"), request.data_id.or("x")),
        (None, "public", "x")
    );
}

#[test]
fn broken_bodies_are_told_apart() {
    // malformed-bodies.json
    for text in ["not json", "{\"headers\":", "", "[]", "\"x\""] {
        assert_eq!(parse::<EmptyRequest>(text.as_bytes()), Err(BodyError::Malformed), "{text}");
    }
    assert_eq!(parse::<EmptyRequest>(b"null"), Err(BodyError::Null));
    assert_eq!(parse::<EmptyRequest>(br#"{"foo": {"bar": [1, 2]}, "requestId": null}"#), Ok(EmptyRequest {}));
    let of = |instance: &str| {
        let body = format!(r#"{{"instance":{instance}}}"#);
        parse::<InstanceRequest<'_>>(body.as_bytes()).map(|request| request.instance.unwrap().port)
    };
    assert_eq!(of(r#""x""#), Err(BodyError::Malformed));
    assert_eq!(of(r#"{"port":"eighty"}"#), Err(BodyError::Malformed));
    assert_eq!(of(r#"{"healthy":"yes"}"#), Err(BodyError::Malformed));
    assert_eq!(of(r#"{"port":"8080","metadata":{"n":7,"b":true,"z":null}}"#), Ok(8080));
    assert_eq!(of(r#"{"port":80.0}"#), Ok(80));
}

#[test]
fn instances_are_checked_as_nacos_does() {
    let of = |text: &str| parse::<InstanceBody<'_>>(text.as_bytes()).unwrap().to_instance(1024);
    assert_eq!(of(r#"{"port":-1}"#), Err(ParamError::Port));
    assert_eq!(of(r#"{"port":65536}"#), Err(ParamError::Port));
    assert_eq!(of(r#"{"clusterName":"a_b"}"#), Err(ParamError::Cluster("a_b".to_owned())));
    let long = format!(r#"{{"metadata":{{"k":"{}"}}}}"#, "v".repeat(1024));
    assert_eq!(of(&long), Err(ParamError::Metadata(1024)));
    assert_eq!(of(r#"{"metadata":{"preserved.heart.beat.interval":"20000"}}"#), Err(ParamError::Timing));
    assert!(matches!(of(r#"{"ip":"a b"}"#), Err(ParamError::Name(_))));
    assert!(matches!(of(r#"{"clusterName":"a!b"}"#), Err(ParamError::Name(_))));
    // naming-register-odd-but-valid.json: the weight is stored whatever it is, the address may be a name or nothing.
    assert_eq!(of(r#"{"weight":-1}"#).unwrap().weight.get(), 0.0);
    assert_eq!(of(r#"{"weight":"NaN"}"#).unwrap().weight, Weight::default());
    assert_eq!(of(r#"{"ip":"2001:db8::1"}"#).unwrap().host.as_str(), "2001:db8::1");
    assert_eq!(of("{}").unwrap().port, 0);
}

#[test]
fn empty_additions_are_absent() {
    // Python's publish.
    let body = r#"{"dataId":"d","group":"g","tenant":"","content":"x","casMd5":"","additionMap":{"tag":"","betaIps":"",
        "type":"yaml","config_tags":null,"src_user":"u","appName":"","encryptedDataKey":"k"}}"#;
    let request: ConfigPublishRequest<'_> = parse(body.as_bytes()).unwrap();
    let map = &request.addition_map;
    assert_eq!((map.tag(), map.beta_ips(), map.app_name(), map.config_tags()), (None, None, None, None));
    assert_eq!((map.kind(), map.src_user(), map.encrypted_data_key()), (Some("yaml"), Some("u"), Some("k")));
}

#[test]
fn setups_of_all_clients() {
    let java = br#"{"clientVersion":"Nacos-Java-Client:v3.0.3","labels":{"source":"sdk","module":"naming","app_Vipserver-Tag":"green"},"tenant":"","abilityTable":{}}"#;
    let setup: ConnectionSetupRequest<'_> = parse(java).unwrap();
    assert_eq!((setup.module(), setup.config_tag()), ("naming", Some("green")));
    assert_eq!(setup.ability_table.map(|table| table.len()), Some(0));
    let rust = br#"{"clientVersion":"Nacos-Rust-Client:0.8.3","labels":{"source":"sdk","AppName":"app","Vipserver-Tag":"x"},"tenant":"public","abilities":{"remoteAbility":{"supportRemoteConnection":true}},"headers":{},"requestId":null}"#;
    let setup: ConnectionSetupRequest<'_> = parse(rust).unwrap();
    assert_eq!((setup.app_name(), setup.config_tag(), &setup.ability_table), ("app", None, &None));
}

#[test]
fn keys_take_the_default_spellings() {
    assert_eq!(service_key("", "", "s").unwrap(), service_key("public", "DEFAULT_GROUP", "s").unwrap());
    assert_eq!(
        service_key("", "g", "").unwrap_err().to_string(),
        "Param 'serviceName' is illegal, serviceName is blank"
    );
    assert!(service_key("a.b", "g", "s").unwrap_err().is_filter());
    assert_eq!(config_key("public", "g", "d").unwrap(), config_key(" ", "g", "d").unwrap());
    assert!(config_key("", "", "d").is_err());
    assert_eq!(check_clusters(""), Ok(()));
    assert_eq!(check_clusters("a,b_c"), Ok(()));
    assert!(check_clusters("a,b c").unwrap_err().is_filter());
}

proptest! {
    #[test]
    fn what_the_client_writes_the_server_reads(
        ip in any::<String>(), port in any::<u16>(), weight in proptest::option::of((0..=1_000_000_u32).prop_map(|n| f64::from(n) / 100.0)),
        healthy in proptest::option::of(any::<bool>()), pairs in proptest::collection::vec((any::<String>(), any::<String>()), 0..4),
        cluster in proptest::option::of(any::<String>()),
    ) {
        let body = InstanceBody {
            ip: Text::from(ip), port: port.into(), weight, healthy, cluster_name: cluster.map_or_else(Text::null, Text::from),
            metadata: pairs.into_iter().collect(), ..InstanceBody::default()
        };
        let request = InstanceRequest { instance: Some(body), service_name: Text::from("s"), ..InstanceRequest::default() };
        let written = serde_json::to_vec(&request).unwrap();
        let read: InstanceRequest<'_> = parse(&written).unwrap();
        prop_assert_eq!(&read, &request);
    }

    #[test]
    fn no_bytes_upset_a_parser(bytes in proptest::collection::vec(any::<u8>(), 0..80), text in any::<String>()) {
        for body in [&bytes[..], text.as_bytes()] {
            let _ = parse::<InstanceRequest<'_>>(body);
            let _ = parse::<ConfigBatchListenRequest<'_>>(body);
        }
    }
}
