use super::*;
use muster_model::{
    DataCenter, EurekaAction, EurekaInstance, EurekaLease, EurekaPort, EurekaStatus, EurekaTimes, Metadata,
    Timestamp,
};
use proptest::prelude::*;
use std::sync::Arc;

const FULL_JSON: Form = Form { format: Format::Json, amount: Amount::Full };

fn declare(format: Format, body: &str, app: &str) -> Result<Declared, Refusal> {
    Body::read(format, body.as_bytes()).expect("the body reads").declare(app, 77)
}

fn shown(instance: &EurekaInstance) -> Shown<'_> {
    Shown {
        instance,
        status: instance.status,
        overridden: EurekaStatus::Unknown,
        action: EurekaAction::Added,
        times: EurekaTimes {
            registered: Timestamp(1_700_000_000_000),
            renewed: Timestamp(1_700_000_090_000),
            evicted: Timestamp(0),
            service_up: Timestamp(1_700_000_000_000),
            updated: Timestamp(1_700_000_000_456),
        },
        last_dirty: instance.last_dirty,
    }
}

fn minimal(app: &str) -> EurekaInstance {
    let body = format!(
        r#"{{"instance":{{"hostName":"h","ipAddr":"10.0.0.7","app":"{app}","dataCenterInfo":{{"name":"MyOwn"}}}}}}"#
    );
    declare(Format::Json, &body, app).unwrap().instance
}

#[test]
fn an_instance_is_written_to_the_byte() {
    let body = r#"{"instance":{"instanceId":"h1:order:8080","hostName":"h1.example","app":"order","ipAddr":"10.0.0.5",
        "status":"UP","port":{"$":"8080","@enabled":true},"securePort":{"$":443,"@enabled":"false"},
        "dataCenterInfo":{"@class":"com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo","name":"MyOwn"},
        "leaseInfo":{"renewalIntervalInSecs":30,"durationInSecs":90},"metadata":{"management.port":8080,"zone":"z1"},
        "appGroupName":"GRP","homePageUrl":"http://h1.example:8080/","vipAddress":"order","secureVipAddress":null,
        "asgName":"asg1","lastDirtyTimestamp":"1700000000123","sid":"na","unknown":{"a":[1]}}}"#;
    let declared = declare(Format::Json, body, "Order").unwrap();
    let json = String::from_utf8(write_instance(Format::Json, &shown(&declared.instance))).unwrap();
    assert_eq!(
        json,
        concat!(
            r#"{"instance":{"instanceId":"h1:order:8080","hostName":"h1.example","app":"ORDER","ipAddr":"10.0.0.5","#,
            r#""status":"UP","overriddenStatus":"UNKNOWN","port":{"$":8080,"@enabled":"true"},"#,
            r#""securePort":{"$":443,"@enabled":"false"},"countryId":1,"#,
            r#""dataCenterInfo":{"@class":"com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo","name":"MyOwn"},"#,
            r#""leaseInfo":{"renewalIntervalInSecs":30,"durationInSecs":90,"registrationTimestamp":1700000000000,"#,
            r#""lastRenewalTimestamp":1700000090000,"evictionTimestamp":0,"serviceUpTimestamp":1700000000000},"#,
            r#""metadata":{"management.port":"8080","zone":"z1"},"appGroupName":"GRP","#,
            r#""homePageUrl":"http://h1.example:8080/","vipAddress":"order","#,
            r#""isCoordinatingDiscoveryServer":"false","lastUpdatedTimestamp":"1700000000456","#,
            r#""lastDirtyTimestamp":"1700000000123","actionType":"ADDED","asgName":"asg1"}}"#
        )
    );
    let xml = String::from_utf8(write_instance(Format::Xml, &shown(&declared.instance))).unwrap();
    assert!(xml.starts_with(
        "<instance><instanceId>h1:order:8080</instanceId><hostName>h1.example</hostName><app>ORDER</app>"
    ));
    for part in [
        "<overriddenstatus>UNKNOWN</overriddenstatus><port enabled=\"true\">8080</port>",
        "<dataCenterInfo class=\"com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo\"><name>MyOwn</name>",
        "<metadata><management.port>8080</management.port><zone>z1</zone></metadata>",
        "<lastDirtyTimestamp>1700000000123</lastDirtyTimestamp><actionType>ADDED</actionType>",
    ] {
        assert!(xml.contains(part), "{part} is missing in {xml}");
    }
}

#[test]
fn what_is_absent_has_the_originals_defaults() {
    let instance = minimal("A");
    assert_eq!(instance.instance_id, None);
    assert_eq!(&**instance.id(), "h");
    assert_eq!(instance.port, EurekaPort { number: 7001, enabled: true });
    assert_eq!(instance.secure_port, EurekaPort { number: 7002, enabled: false });
    assert_eq!(instance.status, EurekaStatus::Up);
    assert_eq!(instance.last_dirty, 77);
    let json = String::from_utf8(write_instance(Format::Json, &shown(&instance))).unwrap();
    assert!(json.starts_with(r#"{"instance":{"hostName":"h","#), "{json}");
    assert!(json.contains(r#""metadata":{"@class":"java.util.Collections$EmptyMap"}"#), "{json}");
    let xml = String::from_utf8(write_instance(Format::Xml, &shown(&instance))).unwrap();
    assert!(xml.contains(r#"<metadata class="java.util.Collections$EmptyMap"/>"#), "{xml}");
}

#[test]
fn odd_members_are_read_as_the_original_reads_them() {
    let with = |member: &str| {
        let body = format!(
            r#"{{"instance":{{"instanceId":"i","hostName":"h","ipAddr":"1.2.3.4","app":"A","dataCenterInfo":{{"name":"MyOwn"}},{member}}}}}"#
        );
        declare(Format::Json, &body, "A").unwrap()
    };
    assert_eq!(with(r#""port":null"#).instance.port.number, 7001);
    assert_eq!(with(r#""port":8080"#).instance.port, EurekaPort { number: 8080, enabled: true });
    assert_eq!(with(r#""status":"up""#).instance.status, EurekaStatus::Unknown);
    assert_eq!(with(r#""lastDirtyTimestamp":"abc""#).instance.last_dirty, 0);
    assert_eq!(with(r#""lastDirtyTimestamp":5"#).instance.last_dirty, 5);
    assert_eq!(with(r#""leaseInfo":null"#).instance.lease, EurekaLease::default());
    let lease = with(r#""leaseInfo":{"renewalIntervalInSecs":-1,"durationInSecs":"45"}"#).instance.lease;
    assert_eq!(lease, EurekaLease { renewal_secs: 30, duration_secs: 45 });
    let labels = with(r#""metadata":{"@class":"x","a":null,"b":1,"c":true,"d":{"e":[]}}"#).instance.metadata;
    assert_eq!(labels, Metadata::new([("a", "null"), ("b", "1"), ("c", "true"), ("d", r#"{"e":[]}"#)]));
    for spelling in ["overriddenStatus", "overriddenstatus"] {
        assert_eq!(with(&format!(r#""{spelling}":"DOWN""#)).overridden, Some(EurekaStatus::Down));
    }
    assert_eq!(with(r#""overriddenstatus":"""#).overridden, None);
    assert_eq!(with(r#""overriddenStatus":"UNKNOWN""#).overridden, None);
    assert_eq!(with(r#""secureHealthCheckUrl":"""#).instance.secure_health_check_url.as_deref(), Some(""));
}

#[test]
fn an_amazon_machine_has_an_id() {
    let body = |id: &str, labels: &str| {
        format!(
            r#"{{"instance":{{{id}"hostName":"h","ipAddr":"1.2.3.4","app":"A","dataCenterInfo":{{"@class":"com.netflix.appinfo.AmazonInfo","name":"Amazon","metadata":{{{labels}}}}}}}}}"#
        )
    };
    let named = declare(Format::Json, &body("", r#""instance-id":"i-1""#), "A").unwrap().instance;
    assert_eq!(&**named.id(), "i-1");
    let unnamed = declare(Format::Json, &body(r#""instanceId":"x","#, ""), "A").unwrap().instance;
    let DataCenter::Amazon(machine) = unnamed.data_center else { panic!("Amazon") };
    assert_eq!(machine.get("instance-id"), Some("x"));
}

#[test]
fn xml_leniencies() {
    let body = r#"<?xml version="1.0" encoding="UTF-8"?><!-- c --><e:instance xmlns:e="urn:x"><e:hostName>h</e:hostName>
        <app>a</app><ipAddr>1.2.3.4</ipAddr><port>80</port><securePort>443</securePort><odd><app>no</app></odd>
        <dataCenterInfo><name>MyOwn</name><metadata/></dataCenterInfo>
        <metadata><a__b>1 &amp; 2</a__b><_.0031x/></metadata></e:instance>"#;
    let instance = declare(Format::Xml, body, "A").unwrap().instance;
    assert_eq!(instance.port, EurekaPort { number: 80, enabled: true });
    assert_eq!(instance.secure_port, EurekaPort { number: 443, enabled: false });
    assert_eq!(instance.metadata, Metadata::new([("a_b", "1 & 2"), ("1x", "")]));
    assert_eq!(instance.data_center, DataCenter::MyOwn);
}

#[test]
fn refusals_have_the_originals_texts_and_order() {
    let all = [
        (r#""instanceId":"i","hostName":"h","ipAddr":"1""#, "Missing appName"),
        (r#""instanceId":"i","hostName":"h","ipAddr":"","app":"A""#, "Missing ip address"),
        (r#""instanceId":"i","app":"A""#, "Missing hostname"),
        (r#""instanceId":"","app":"B""#, "Missing instanceId"),
        (r#""hostName":"h","ipAddr":"1","app":"b""#, "Mismatched appName, expecting A but was B"),
        (r#""hostName":"h","ipAddr":"1","app":"A""#, "Missing dataCenterInfo"),
        (r#""hostName":"h","ipAddr":"1","app":"A","dataCenterInfo":{}"#, "Missing dataCenterInfo Name"),
    ];
    for (members, text) in all {
        let body = format!(r#"{{"instance":{{{members}}}}}"#);
        assert_eq!(declare(Format::Json, &body, "a").unwrap_err().to_string(), text);
    }
}

#[test]
fn bodies_that_are_none_do_not_read() {
    for body in ["", "{bad", "[]", "null", "{}", r#"{"app":{}}"#, r#"{"instance":[]}"#, "\u{1}"] {
        assert!(Body::read(Format::Json, body.as_bytes()).is_err(), "{body}");
    }
    for body in ["", "<bad", "<app/>", "{}", "<instance>"] {
        assert!(Body::read(Format::Xml, body.as_bytes()).is_err(), "{body}");
    }
    assert!(Body::read(Format::Xml, b"<instance>\xFF</instance>").is_err());
}

#[test]
fn the_compact_form_keeps_what_the_original_keeps() {
    let instance = minimal("A");
    let mut out = Vec::new();
    write_fragment(&mut out, Form { format: Format::Json, amount: Amount::Compact }, &shown(&instance));
    assert_eq!(
        String::from_utf8(out).unwrap(),
        concat!(
            r#"{"app":"A","ipAddr":"10.0.0.7","dataCenterInfo":{"@class":"com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo","#,
            r#""name":"MyOwn"},"hostName":"h","status":"UP","lastUpdatedTimestamp":1700000000456,"actionType":"ADDED","#,
            r#""port":{"$":7001,"@enabled":"true"},"securePort":{"$":7002,"@enabled":"false"}}"#
        )
    );
}

#[test]
fn batches_come_back() {
    let instance = minimal("ORDER");
    let mut register = BatchItem::new("ORDER", "h", BatchAction::Register);
    register.last_dirty = Some(5);
    register.status = Some(EurekaStatus::Up);
    register.overridden = Some(EurekaStatus::OutOfService);
    let cancel = BatchItem::new("ORDER", "h", BatchAction::Cancel);
    let bytes = write_batch([(&register, Some(shown(&instance))), (&cancel, None)]);
    let mut items = read_batch(&bytes).unwrap();
    assert_eq!((items.len(), items[0].action, items[1].action), (2, register.action, cancel.action));
    assert_eq!((items[0].last_dirty, items[0].overridden), (Some(5), Some(EurekaStatus::OutOfService)));
    assert_eq!(items[0].take_instance(0).unwrap().unwrap().instance, instance);
    assert!(items[1].take_instance(0).is_none());

    let bytes = write_batch_replies([(200, None), (409, Some(shown(&instance))), (404, None)]);
    let replies = read_batch_replies(&bytes, 0).unwrap();
    assert_eq!(replies.iter().map(|reply| reply.status).collect::<Vec<_>>(), [200, 409, 404]);
    assert_eq!(replies[1].instance.as_ref().unwrap().instance, instance);
}

#[test]
fn a_batch_is_refused_as_a_whole_for_what_the_original_does_not_know() {
    for (body, error) in [
        ("{}", BatchError::NoList),
        (r#"{"replicationList":null}"#, BatchError::NoList),
        ("[]", BatchError::Unreadable),
        (r#"{"replicationList":[{"action":"Dance"}]}"#, BatchError::Unreadable),
        (r#"{"replicationList":[{"mood":"good"}]}"#, BatchError::Unreadable),
    ] {
        assert_eq!(read_batch(body.as_bytes()).unwrap_err(), error, "{body}");
    }
    assert_eq!(read_batch(br#"{"replicationList":[{"id":"x"}]}"#).unwrap()[0].action, None);
}

fn text() -> impl Strategy<Value = Arc<str>> {
    prop_oneof!["[a-zA-Z0-9:./_-]{1,20}".prop_map(Arc::from), "[^\\p{C}\\p{Z}]{1,10}".prop_map(Arc::from),]
}

fn maybe() -> impl Strategy<Value = Option<Arc<str>>> {
    proptest::option::of(text())
}

fn labels() -> impl Strategy<Value = Metadata> {
    proptest::collection::vec(("[^\\p{C}@][^\\p{C}]{0,8}", "[^\\p{C}]{0,12}"), 0..5).prop_map(Metadata::new)
}

prop_compose! {
    fn instance()(
        names in (text(), maybe(), text(), text()),
        sid in proptest::option::of("[x-z]{1,4}".prop_map(Arc::<str>::from)),
        numbers in (any::<i32>(), any::<i32>(), any::<i32>(), any::<i64>(), 1u32..1_000_000, 1u32..1_000_000),
        flags in (any::<bool>(), any::<bool>()),
        place in 0usize..3,
        status in 0usize..5,
        metadata in labels(),
        machine in labels(),
        urls in (maybe(), maybe(), maybe(), maybe(), maybe()),
        vips in (maybe(), maybe(), maybe()),
    ) -> EurekaInstance {
        let (app, instance_id, host_name, ip_addr) = names;
        let id = instance_id.clone().unwrap_or_else(|| host_name.clone());
        let machine = machine.overlaid(&Metadata::new([("instance-id", &*id)]));
        let amazon = place == 2;
        EurekaInstance {
            app: Arc::from(app.to_uppercase()),
            // Without an id of its own an instance on a machine of Amazon takes the machine's.
            instance_id: if amazon { Some(id) } else { instance_id },
            host_name,
            ip_addr,
            sid,
            status: EurekaStatus::ALL[status],
            port: EurekaPort { number: numbers.0, enabled: flags.0 },
            secure_port: EurekaPort { number: numbers.1, enabled: flags.1 },
            country_id: numbers.2,
            data_center: [DataCenter::MyOwn, DataCenter::Netflix, DataCenter::Amazon(machine)][place].clone(),
            lease: EurekaLease { renewal_secs: numbers.4, duration_secs: numbers.5 },
            metadata,
            app_group: urls.0,
            home_page_url: urls.1,
            status_page_url: urls.2,
            health_check_url: urls.3,
            secure_health_check_url: urls.4,
            vip_address: vips.0,
            secure_vip_address: vips.1,
            asg_name: vips.2,
            last_dirty: numbers.3,
        }
    }
}

proptest! {
    #[test]
    fn what_is_written_reads_the_same(instance in instance()) {
        for format in [Format::Json, Format::Xml] {
            let bytes = write_instance(format, &shown(&instance));
            let back = Body::read(format, &bytes).unwrap().declare(&instance.app, 0).unwrap();
            prop_assert_eq!(&back.instance, &instance, "{}", String::from_utf8_lossy(&bytes));
        }
    }

    #[test]
    fn lists_read_the_same(instances in proptest::collection::vec(instance(), 0..4)) {
        let frame = Frame(FULL_JSON);
        let list = Listed { version: "1", hash: "UP_1_", empty: instances.is_empty() };
        let mut out = Vec::new();
        frame.head(&mut out, &list);
        for (at, instance) in instances.iter().enumerate() {
            if at > 0 {
                out.extend_from_slice(frame.separator());
            }
            frame.app_head(&mut out, &instance.app);
            write_fragment(&mut out, FULL_JSON, &shown(instance));
            frame.app_tail(&mut out);
        }
        frame.tail(&mut out, &list);
        let back: Vec<_> = read_applications(&out, 0).unwrap().into_iter().map(|read| read.instance).collect();
        prop_assert_eq!(back, instances);
    }

    #[test]
    fn no_bytes_make_the_readers_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in ".{0,200}") {
        for input in [&bytes[..], text.as_bytes()] {
            for format in [Format::Json, Format::Xml] {
                if let Ok(body) = Body::read(format, input) {
                    drop(body.declare("A", 0));
                }
            }
            drop((read_batch(input), read_applications(input, 0)));
        }
    }
}
