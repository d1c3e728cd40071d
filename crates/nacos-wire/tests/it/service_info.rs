//! ServiceInfo in its three shapes.

use crate::sample::{info, instance, json, service};
use muster_model::{ClusterName, Instance, Metadata, Weight};
use muster_nacos_wire::{
    HostView, ServiceInfoView, Shape, grpc::reply, http::parse_metadata, write_hosts, write_service_info,
};
use proptest::prelude::*;
use serde_json::json;

#[test]
fn grpc_is_as_3_0_3_writes_it() {
    // naming-register-query-deregister.json, "found"
    let host = instance("10.0.0.1", 8080, &[("version", "1"), ("zone", "east")]);
    let body = json(&info(Shape::Grpc, &service("DEFAULT_GROUP", "s"), &[host]));
    assert_eq!(
        body,
        json!({"name": "s", "groupName": "DEFAULT_GROUP", "clusters": "", "cacheMillis": 10000, "hosts": [
            {"instanceId": "10.0.0.1#8080#DEFAULT#DEFAULT_GROUP@@s", "ip": "10.0.0.1", "port": 8080, "weight": 1.0,
             "healthy": true, "enabled": true, "ephemeral": true, "clusterName": "DEFAULT",
             "serviceName": "DEFAULT_GROUP@@s", "metadata": {"version": "1", "zone": "east"},
             "instanceHeartBeatInterval": 5000, "instanceHeartBeatTimeOut": 15000, "ipDeleteTimeout": 30000}],
            "lastRefTime": 1_795_253_250_276_u64, "checksum": "", "allIps": false,
            "reachProtectionThreshold": false, "valid": true})
    );
}

#[test]
fn v1_is_as_2_5_1_writes_it() {
    // v1-ns-instance-all-fields.json, "list"
    let host = Instance {
        cluster: ClusterName::new("c1").unwrap(),
        weight: Weight::new(2.5).unwrap(),
        ..instance("10.0.0.1", 8080, &[("a", "1"), ("b", "x y")])
    };
    let service = service("G1", "run");
    let about = ServiceInfoView {
        service: &service,
        clusters: Some("c1"),
        last_ref_time: 7,
        protected: false,
        cache_millis: 10_000,
    };
    let mut out = Vec::new();
    let shown = HostView { instance: &host, healthy: true, ephemeral: true };
    write_service_info(&mut out, Shape::V1, &about, [shown]);
    assert_eq!(
        json(&out),
        json!({"name": "G1@@run", "groupName": "G1", "clusters": "c1", "cacheMillis": 10000, "hosts": [
            {"instanceId": "10.0.0.1#8080#c1#G1@@run", "ip": "10.0.0.1", "port": 8080, "weight": 2.5, "healthy": true,
             "enabled": true, "ephemeral": true, "clusterName": "c1", "serviceName": "G1@@run",
             "metadata": {"a": "1", "b": "x y"}, "instanceHeartBeatInterval": 5000,
             "instanceHeartBeatTimeOut": 15000, "ipDeleteTimeout": 30000}],
            "lastRefTime": 7, "checksum": "", "allIPs": false, "reachProtectionThreshold": false, "valid": true})
    );
}

#[test]
fn null_clusters_have_no_key() {
    let service = service("G", "s");
    let about = ServiceInfoView {
        service: &service,
        clusters: None,
        last_ref_time: 7,
        protected: false,
        cache_millis: 10_000,
    };
    let mut out = Vec::new();
    write_service_info(&mut out, Shape::Grpc, &about, []);
    assert_eq!(json(&out).get("clusters"), None);
}

#[test]
fn v3_is_the_hosts_without_ids() {
    // v3-client-ns-instance.json, "list persistent"
    let host = instance("10.0.0.5", 80, &[]);
    let mut out = Vec::new();
    let shown = HostView { instance: &host, healthy: true, ephemeral: false };
    write_hosts(&mut out, Shape::V3, &service("DEFAULT_GROUP", "p"), [shown]);
    assert_eq!(
        json(&out),
        json!([{"ip": "10.0.0.5", "port": 80, "weight": 1.0, "healthy": true, "enabled": true, "ephemeral": false,
            "clusterName": "DEFAULT", "serviceName": "DEFAULT_GROUP@@p", "metadata": {},
            "instanceHeartBeatInterval": 5000, "instanceHeartBeatTimeOut": 15000, "ipDeleteTimeout": 30000,
            "instanceIdGenerator": "simple"}])
    );
}

#[test]
fn timing_and_generator_come_from_metadata() {
    let timing = [
        ("preserved.heart.beat.interval", "1000"),
        ("preserved.heart.beat.timeout", "3000"),
        ("preserved.ip.delete.timeout", "60000"),
        ("preserved.instance.id.generator", "snowflake"),
    ];
    let host = &json(&info(Shape::V1, &service("G", "s"), &[instance("h", 1, &timing)]))["hosts"][0];
    assert_eq!(host["instanceHeartBeatInterval"], 1000);
    assert_eq!(host["instanceHeartBeatTimeOut"], 3000);
    assert_eq!(host["ipDeleteTimeout"], 60000);
    assert_eq!(host["instanceIdGenerator"], "snowflake");
    let host = &json(&info(Shape::V1, &service("G", "s"), &[instance("h", 1, &[("a", "b")])]))["hosts"][0];
    assert_eq!(host.get("instanceIdGenerator"), None);
}

#[test]
fn a_null_of_v1_metadata_is_null_there_and_absent_over_grpc() {
    // v1-ns-instance-metadata.json, "list numbers"
    let metadata = parse_metadata(r#"{"n":1,"b":true,"z":null}"#).unwrap();
    let host = Instance { metadata, ..instance("h", 1, &[]) };
    let shown = |shape| {
        json(&info(shape, &service("G", "s"), std::slice::from_ref(&host)))["hosts"][0]["metadata"].clone()
    };
    assert_eq!(shown(Shape::V1), json!({"n": "1", "b": "true", "z": null}));
    assert_eq!(shown(Shape::Grpc), json!({"n": "1", "b": "true"}));
}

fn text() -> impl Strategy<Value = String> {
    // Whatever metadata may hold: controls, quotes, other planes.
    proptest::collection::vec(any::<char>(), 0..12).prop_map(|chars| chars.into_iter().collect())
}

/// Two decimals are meaningful in Nacos; serde_json may miss the last bit of long fractions.
fn weight() -> impl Strategy<Value = f64> {
    (0..=1_000_000_u32).prop_map(|hundredths| f64::from(hundredths) / 100.0)
}

proptest! {
    #[test]
    fn hosts_read_back_as_they_were(
        hosts in proptest::collection::vec(
            ("[a-z0-9.:-]{0,20}", any::<u16>(), weight(), any::<[bool; 3]>(),
             proptest::collection::btree_map(text(), text(), 0..4)),
            0..4),
        clusters in "[a-z,]{0,8}",
    ) {
        let service = service("G", "providers:a.b/C%20\"'\\:1.0:");
        let instances: Vec<Instance> = hosts.iter().map(|(host, port, weight, [enabled, ..], metadata)| Instance {
            weight: Weight::new(*weight).unwrap(),
            enabled: *enabled,
            metadata: Metadata::new(metadata),
            ..instance(host, *port, &[])
        }).collect();
        let views = instances.iter().zip(&hosts).map(|(instance, host)| HostView {
            instance, healthy: host.3[1], ephemeral: host.3[2],
        });
        let about = ServiceInfoView { service: &service, clusters: Some(&clusters), last_ref_time: 3, protected: true, cache_millis: 10_000 };
        let mut out = Vec::new();
        write_service_info(&mut out, Shape::Grpc, &about, views);
        let read: reply::ServiceInfo = serde_json::from_slice(&out).unwrap();
        prop_assert_eq!((&read.name, &read.clusters, read.last_ref_time), (&service.name().as_str().to_owned(), &clusters, 3));
        prop_assert!(read.reach_protection_threshold);
        for (read, (host, port, weight, [enabled, healthy, ephemeral], metadata)) in read.hosts.iter().zip(&hosts) {
            prop_assert_eq!((&read.ip, read.port, read.weight), (host, *port, *weight));
            prop_assert_eq!([read.enabled, read.healthy, read.ephemeral], [*enabled, *healthy, *ephemeral]);
            prop_assert_eq!(&read.metadata, metadata);
        }
        prop_assert_eq!(read.hosts.len(), hosts.len());
    }
}
