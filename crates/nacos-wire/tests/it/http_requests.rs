//! HTTP parameters and what is refused in them.

use muster_model::{Kind, Timestamp};
use muster_nacos_wire::http::{
    Answer, Beat, Dialect, Parameters, Refusal, check_filter, instance_of, kind_of, service_of,
    service_of_key,
};

fn parameters(pairs: &[(&str, &str)]) -> Parameters {
    pairs.iter().copied().collect()
}

fn refused<T: std::fmt::Debug>(result: Result<T, Refusal>, dialect: Dialect) -> (u16, String) {
    let Answer { status, body, .. } =
        result.unwrap_err().answer(dialect, "/nacos/v1/ns/instance", Timestamp(0));
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[test]
fn services_are_bare_or_grouped() {
    let of = |pairs: &[(&str, &str)]| service_of(&parameters(pairs)).map(|key| key.to_string());
    assert_eq!(of(&[("serviceName", "s")]).unwrap(), "public@@DEFAULT_GROUP@@s");
    assert_eq!(of(&[("serviceName", "s"), ("groupName", "G"), ("namespaceId", "")]).unwrap(), "public@@G@@s");
    assert_eq!(of(&[("serviceName", "H@@s"), ("groupName", "G"), ("namespaceId", "n")]).unwrap(), "n@@H@@s");
    // v1-ns-instance-namespaces.json: "tenant is not read"
    assert_eq!(of(&[("serviceName", "s"), ("tenant", "t")]).unwrap(), "public@@DEFAULT_GROUP@@s");
    for blank in [&[][..], &[("serviceName", "")]] {
        assert_eq!(
            refused(service_of(&parameters(blank)), Dialect::V1Naming),
            (400, "Param 'serviceName' is required.".to_owned())
        );
    }
    for (half, text) in [
        ("@@s", "groupName can't be empty"),
        ("G@@", "it should be format as 'groupName@@serviceName'"),
        (" @@s", "groupName can't be empty"),
    ] {
        let (status, body) = refused(service_of(&parameters(&[("serviceName", half)])), Dialect::V1Naming);
        assert_eq!(status, 400, "{half}");
        assert!(body.contains(text), "{body}");
    }
}

#[test]
fn instances_have_defaults() {
    let minimal = parameters(&[("ip", "10.0.0.1"), ("port", "80")]);
    let instance = instance_of(&minimal, Dialect::V1Naming).unwrap();
    assert_eq!((instance.port, instance.cluster.as_str(), instance.weight.get()), (80, "DEFAULT", 1.0));
    assert!(instance.enabled && instance.healthy && instance.metadata.is_empty());
    assert_eq!(kind_of(&minimal, Dialect::V3, Kind::Ephemeral), Ok(Kind::Ephemeral));
    let full = parameters(&[
        ("ip", "h"),
        ("port", "80"),
        ("cluster", "c1"),
        ("weight", "2.5"),
        ("enable", "true"),
        ("enabled", "false"),
        ("healthy", "n"),
        ("ephemeral", "false"),
        ("metadata", "a=1,b=2"),
    ]);
    let instance = instance_of(&full, Dialect::V1Naming).unwrap();
    assert_eq!((instance.cluster.as_str(), instance.weight.get(), instance.metadata.len()), ("c1", 2.5, 2));
    assert!(!instance.enabled && !instance.healthy);
    assert_eq!(kind_of(&full, Dialect::V1Naming, Kind::Ephemeral), Ok(Kind::Persistent));
}

#[test]
fn the_filter_speaks_first() {
    // v1-ns-instance-bad-values.json, v1-cs-publish-parameters.json
    for (name, value, text) in [
        ("port", "http", "Param 'port' is illegal, the value should be between 0 and 65535."),
        ("port", "-1", "Param 'port' is illegal, the value should be between 0 and 65535."),
        ("port", "80.5", "Param 'port' is illegal, the value should be between 0 and 65535."),
        ("ip", "10.0.0 1", "Param 'ip' is illegal, illegal characters should not appear in the param."),
        (
            "clusterName",
            "a!b",
            "Param 'cluster' is illegal, illegal characters should not appear in the param.",
        ),
        (
            "clusters",
            "ok,a!b",
            "Param 'cluster' is illegal, illegal characters should not appear in the param.",
        ),
        (
            "namespaceId",
            "a.b",
            "Param 'namespaceId/tenant' is illegal, illegal characters should not appear in the param.",
        ),
        (
            "serviceName",
            "G@@服务",
            "Param 'serviceName' is illegal, illegal characters should not appear in the param.",
        ),
        ("dataId", " a ", "Param 'dataId' is illegal, illegal characters should not appear in the param."),
        ("group", "组", "Param 'group' is illegal, illegal characters should not appear in the param."),
        ("metadata", "k=vv", "Param 'Metadata' is illegal, the param length should not exceed 2."),
    ] {
        let result = check_filter(&parameters(&[(name, value)]), 2);
        let answer = result.unwrap_err().answer(Dialect::V1Naming, "", Timestamp(0));
        assert_eq!((answer.status, answer.content_type), (400, None));
        assert_eq!(answer.body, format!("{text}\r\n"), "{name}={value}");
    }
    let fine = [
        ("port", ""),
        ("ip", " "),
        ("clusters", "a,,b_c"),
        ("serviceName", "G@@providers:a:1:"),
        ("tenant", ""),
    ];
    assert_eq!(check_filter(&parameters(&fine), 2), Ok(()));
}

#[test]
fn handlers_refuse_the_rest_in_their_dialect() {
    let with = |name, value| parameters(&[("ip", "10.0.0.1"), ("port", "80"), (name, value)]);
    let v1 = |name, value| refused(instance_of(&with(name, value), Dialect::V1Naming), Dialect::V1Naming);
    assert_eq!(
        v1("weight", "10001"),
        (400, "instance format invalid: The weights range from 0.0 to 10000.0".to_owned())
    );
    assert_eq!(v1("weight", "heavy"), (400, "For input string: \"heavy\"".to_owned()));
    assert_eq!(
        v1("clusterName", "a_b"),
        (400, "Instance 'clusterName' should be characters with only 0-9a-zA-Z-. (current: a_b)".to_owned())
    );
    let (status, body) = v1("metadata", "abc");
    assert_eq!(status, 500);
    assert!(body.contains(r#""message":"Server failed, caused: ErrCode:400, ErrMsg:metadata format incorrect:abc;caused: metadata format incorrect:abc;""#), "{body}");
    let v3 = |name, value| refused(instance_of(&with(name, value), Dialect::V3), Dialect::V3);
    assert_eq!(
        v3("weight", "-1"),
        (400, r#"{"code":21001,"message":"weight error","data":"instance format invalid: The weights range from 0.0 to 10000.0"}"#.to_owned())
    );
    let (status, body) = v3("enabled", "maybe");
    assert!(status == 500 && body.starts_with(r#"{"code":30000,"#), "{body}");
    assert!(
        v3("metadata", "oops")
            .1
            .contains(r#""message":"ErrCode:400, ErrMsg:metadata format incorrect:oops""#)
    );
}

#[test]
fn missing_parameters_in_every_dialect() {
    let missing =
        |dialect| refused::<()>(Err(Refusal::Missing { name: "dataId", of_type: "String" }), dialect);
    assert_eq!(missing(Dialect::V1Naming), (400, "Param 'dataId' is required.".to_owned()));
    assert_eq!(
        missing(Dialect::V1Config),
        (500, "caused: Required request parameter &#39;dataId&#39; for method parameter type String is not present;".to_owned())
    );
    assert_eq!(
        missing(Dialect::V3ClientConfig),
        (400, "caused: Required parameter 'dataId' type String is not present;".to_owned())
    );
    assert_eq!(
        missing(Dialect::V3),
        (400, r#"{"code":10000,"message":"parameter missing","data":"Required parameter 'dataId' type String is not present"}"#.to_owned())
    );
}

#[test]
fn beats_are_full_light_or_broken() {
    let text = r#"{"cluster":"DEFAULT","ip":"10.0.0.1","metadata":{"a":"1"},"period":5000,"port":8080,"scheduled":false,"serviceName":"DEFAULT_GROUP@@s","stopped":false,"weight":2.0}"#;
    let beat = Beat::parse(text).unwrap().unwrap();
    assert_eq!(&*beat.service_name, "DEFAULT_GROUP@@s");
    let instance = beat.to_instance(1024).unwrap();
    assert_eq!((instance.host.as_str(), instance.port, instance.weight.get()), ("10.0.0.1", 8080, 2.0));
    assert!(instance.healthy && instance.enabled);
    assert_eq!(Beat::parse(" "), Ok(None));
    let (status, body) = refused(Beat::parse("oops"), Dialect::V1Naming);
    assert!(status == 500 && body.contains(r#""error":"Internal Server Error""#), "{body}");
}

#[test]
fn status_keys_are_namespace_group_and_service() {
    // v1-ns-instance-statuses.json
    let of = |pairs: &[(&str, &str)]| service_of_key(&parameters(pairs));
    assert_eq!(of(&[("key", "public##DEFAULT_GROUP@@s")]).unwrap().to_string(), "public@@DEFAULT_GROUP@@s");
    assert_eq!(refused(of(&[]), Dialect::V1Naming), (400, "Parameter 'key' is missing".to_owned()));
    assert_eq!(
        refused(of(&[("key", "oops")]), Dialect::V1Naming),
        (400, "Param 'serviceName' is illegal, it should be format as 'groupName@@serviceName'".to_owned())
    );
}
