//! Instances over v1 and v3, and what operators lay over them.

use crate::world::World;
use serde_json::{Value, json};

const LIST: &str = "/nacos/v1/ns/instance/list?serviceName=s";

async fn hosts(world: &World, path: &str) -> Vec<Value> {
    world.ask("GET", path).await.json()["hosts"].as_array().unwrap().clone()
}

#[tokio::test]
async fn parameters_are_in_the_query_the_form_or_both() {
    let world = World::new().await;
    world.form("POST", "/nacos/v1/ns/instance?serviceName=s", "ip=10.0.0.1&port=80").await.is(200, "ok");
    world.ask("POST", "/nacos/v1/ns/instance?serviceName=G@@s&ip=10.0.0.2&port=80").await.is(200, "ok");
    assert_eq!(hosts(&world, LIST).await.len(), 1);
    assert_eq!(hosts(&world, "/nacos/v1/ns/instance/list?serviceName=s&groupName=G").await.len(), 1);
    world.form("DELETE", "/nacos/v1/ns/instance", "serviceName=s&ip=10.0.0.1&port=80").await.is(200, "ok");
    assert_eq!(hosts(&world, LIST).await, Vec::<Value>::new());
}

#[tokio::test]
async fn an_operators_word_wins_over_later_registrations() {
    let world = World::new().await;
    let instance = "/nacos/v1/ns/instance?serviceName=s&ip=10.0.0.1&port=80";
    world.ask("POST", &format!("{instance}&metadata=a=1,b=1&weight=3")).await.is(200, "ok");
    world.ask("PUT", &format!("{instance}&metadata=b=2&weight=7")).await.is(200, "ok");
    world.ask("POST", &format!("{instance}&metadata=a=3,b=3&weight=3")).await.is(200, "ok");
    let shown = &hosts(&world, LIST).await[0];
    assert_eq!((&shown["weight"], &shown["metadata"]), (&json!(7.0), &json!({"a": "3", "b": "2"})));
    // A PATCH keeps what it does not name; metadata it replaces, of the override (recording v2-ns-instance-lifecycle).
    world.ask("PATCH", &format!("{instance}&metadata=c=4")).await.is(200, "ok");
    let shown = &hosts(&world, LIST).await[0];
    assert_eq!(shown["weight"], json!(7.0));
    assert_eq!(shown["metadata"], json!({"a": "3", "b": "3", "c": "4"}));
    world.ask("PATCH", &format!("{instance}&weight=8")).await.is(200, "ok");
    let shown = &hosts(&world, LIST).await[0];
    assert_eq!((&shown["weight"], &shown["metadata"]["c"]), (&json!(8.0), &json!("4")));
}

#[tokio::test]
async fn updates_of_nothing_are_refused() {
    let world = World::new().await;
    let put = world.ask("PUT", "/nacos/v1/ns/instance?serviceName=s&ip=10.0.0.1&port=80").await;
    put.is(400, "service not found, namespace: public, service: Service{namespace='public', group='DEFAULT_GROUP', name='s', ephemeral=true, revision=0}");
    let patch = world.ask("PATCH", "/nacos/v1/ns/instance?serviceName=s&ip=10.0.0.1&port=80").await;
    patch.is(404, "no ips found for cluster DEFAULT in service DEFAULT_GROUP@@s");
}

#[tokio::test]
async fn lists_hide_what_is_disabled_and_filter_clusters() {
    let world = World::new().await;
    for instance in ["ip=10.0.0.1&cluster=c1", "ip=10.0.0.2&enabled=false", "ip=10.0.0.3&healthy=false"] {
        let path = format!("/nacos/v1/ns/instance?serviceName=s&port=80&{instance}");
        world.ask("POST", &path).await.is(200, "ok");
    }
    let ips = |hosts: Vec<Value>| {
        hosts.iter().map(|host| host["ip"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ips(hosts(&world, LIST).await), ["10.0.0.3", "10.0.0.1"]);
    assert_eq!(ips(hosts(&world, &format!("{LIST}&clusters=c1")).await), ["10.0.0.1"]);
    assert_eq!(ips(hosts(&world, &format!("{LIST}&healthyOnly=yes")).await), ["10.0.0.1"]);
    let one = world.ask("GET", "/nacos/v1/ns/instance?serviceName=s&ip=10.0.0.2&port=80").await;
    assert_eq!(one.json()["ip"], "10.0.0.2", "read by its address a disabled one is found");
}

#[tokio::test]
async fn full_beats_register_and_light_ones_ask_for_it() {
    let world = World::new().await;
    let light = "/nacos/v1/ns/instance/beat?serviceName=s&ip=10.0.0.1&port=80";
    assert_eq!(world.ask("PUT", light).await.json()["code"], 20404);
    let beat = "beat=%7B%22ip%22%3A%2210.0.0.1%22%2C%22port%22%3A80%2C%22weight%22%3A2.0%7D";
    let full = world.form("PUT", "/nacos/v1/ns/instance/beat?serviceName=s", beat).await;
    full.is(200, r#"{"clientBeatInterval":5000,"code":10200,"lightBeatEnabled":true}"#);
    assert_eq!(world.ask("PUT", light).await.json()["code"], 10200);
    assert_eq!(hosts(&world, LIST).await[0]["weight"], json!(2.0));
}

#[tokio::test]
async fn v3_lists_one_cluster_and_renews_by_heart_beat() {
    let world = World::new().await;
    let instance = "/nacos/v3/client/ns/instance?serviceName=s&ip=10.0.0.1&port=80";
    let beat = world.ask("POST", &format!("{instance}&heartBeat=true")).await;
    beat.is(200, r#"{"code":21003,"message":"instance not found","data":null}"#);
    world.ask("POST", &format!("{instance}&clusterName=c1")).await;
    let done = world.ask("POST", &format!("{instance}&heartBeat=true")).await;
    done.is(200, r#"{"code":0,"message":"success","data":"ok"}"#);
    let list = "/nacos/v3/client/ns/instance/list?serviceName=s";
    assert_eq!(world.ask("GET", list).await.json()["data"], json!([]));
    let listed = world.ask("GET", &format!("{list}&clusterName=c1")).await.json();
    assert_eq!(listed["data"][0]["clusterName"], "c1");
    assert_eq!(listed["data"][0].get("instanceId"), None);
}

#[tokio::test]
async fn service_names_come_in_pages() {
    let world = World::new().await;
    for name in ["a", "b", "c"] {
        let path = format!("/nacos/v1/ns/instance?serviceName={name}&ip=10.0.0.1&port=80");
        world.ask("POST", &path).await.is(200, "ok");
    }
    let list = |query: &str| format!("/nacos/v1/ns/service/list?{query}");
    world.ask("GET", &list("pageNo=2&pageSize=2")).await.is(200, r#"{"count":3,"doms":["c"]}"#);
    world.ask("GET", &list("pageNo=0&pageSize=2")).await.is(200, r#"{"count":3,"doms":["a","b"]}"#);
    world.ask("GET", &list("pageNo=1&pageSize=0")).await.is(200, r#"{"count":3,"doms":[]}"#);
    world
        .ask("GET", &list("pageNo=9223372036854775807&pageSize=2147483647"))
        .await
        .is(200, r#"{"count":3,"doms":[]}"#);
    world.ask("GET", &list("pageSize=1")).await.is(400, "Param 'pageNo' is required.");
}
