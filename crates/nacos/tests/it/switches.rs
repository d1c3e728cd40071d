//! Switches: set over any generation, shown by all, and in effect.

use crate::world::World;
use muster_consensus::Machine as _;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::net::UdpSocket;

const JAVA: (&str, &str) = ("User-Agent", "Nacos-Java-Client:v1.4.2");
const LIST: &str = "/nacos/v1/ns/instance/list?serviceName=s";
const BEAT: &str = "/nacos/v1/ns/instance/beat?serviceName=s&ip=10.0.0.1&port=80";

async fn set(world: &World, entry: &str, value: &str) {
    let form = format!("entry={entry}&value={value}&debug=false");
    world.form("PUT", "/nacos/v1/ns/operator/switches", &form).await.is(200, "ok");
}

async fn shown(world: &World, name: &str) -> Value {
    let v1 = world.ask("GET", "/nacos/v1/ns/operator/switches").await.json();
    for path in ["/nacos/v2/ns/ops/switches", "/nacos/v3/admin/ns/ops/switches"] {
        assert_eq!(world.ask("GET", path).await.json()["data"], v1, "{path}");
    }
    v1[name].clone()
}

async fn register(world: &World, ip: &str, more: &str) {
    let path = format!("/nacos/v1/ns/instance?serviceName=s&ip={ip}&port=80&{more}");
    world.ask("POST", &path).await.is(200, "ok");
}

#[tokio::test]
async fn beats_are_answered_as_switches_say() {
    let world = World::new().await;
    register(&world, "10.0.0.1", "").await;
    set(&world, "clientBeatInterval", "7000").await;
    set(&world, "lightBeatEnabled", "false").await;
    let told = r#"{"clientBeatInterval":7000,"code":10200,"lightBeatEnabled":false}"#;
    world.ask("PUT", BEAT).await.is(200, told);
    assert_eq!(shown(&world, "clientBeatInterval").await, 7000);
    // What an instance says of itself wins, also where it is the default.
    register(&world, "10.0.0.1", "metadata=preserved.heart.beat.interval=5000").await;
    assert_eq!(world.ask("PUT", BEAT).await.json()["clientBeatInterval"], 5000);
}

#[tokio::test]
async fn instances_are_of_the_default_kind_that_is_set() {
    let world = World::new().await;
    let put = world
        .form("PUT", "/nacos/v3/admin/ns/ops/switches", "entry=defaultInstanceEphemeral&value=false")
        .await;
    assert_eq!(put.status, 200);
    register(&world, "10.0.0.1", "").await;
    assert_eq!(world.ask("GET", LIST).await.json()["hosts"][0]["ephemeral"], false);
}

#[tokio::test]
async fn clients_read_as_often_as_they_are_told() {
    let world = World::new().await;
    register(&world, "10.0.0.1", "").await;
    assert_eq!(world.ask("GET", LIST).await.json()["cacheMillis"], 10_000);
    set(&world, "pushCacheMillis", "20000").await;
    assert_eq!(world.ask("GET", LIST).await.json()["cacheMillis"], 20_000, "no old bytes are sent");
}

#[tokio::test]
async fn a_status_that_is_set_refuses_what_it_means_to() {
    let world = World::new().await;
    let (get, put) = (LIST, BEAT);
    set(&world, "overriddenServerStatus", "READ_ONLY").await;
    assert_eq!(world.ask("GET", get).await.status, 200);
    world.ask("PUT", put).await.is(503, "server is READ_ONLYnow, please try again later!");
    set(&world, "overriddenServerStatus", "WRITE_ONLY").await;
    assert_eq!((world.ask("GET", get).await.status, world.ask("PUT", put).await.status), (503, 200));
    set(&world, "overriddenServerStatus", "DOWN").await;
    for path in [get, "/nacos/v2/ns/service/list", "/nacos/v3/client/ns/instance/list?serviceName=s"] {
        assert_eq!(world.ask("GET", path).await.status, 503, "{path}");
    }
    assert_eq!(world.ask("GET", "/nacos/v1/cs/configs?dataId=d&group=G").await.status, 404, "naming alone");
    world.ask("GET", "/nacos/v1/ns/operator/metrics").await.is(200, r#"{"status":"DOWN"}"#);
    // There is a way back.
    set(&world, "overriddenServerStatus", "").await;
    assert_eq!(world.ask("PUT", put).await.status, 200);
    let bad = "entry=overriddenServerStatus&value=SLEEPY";
    assert_eq!(world.form("PUT", "/nacos/v1/ns/operator/switches", bad).await.status, 400);
}

#[tokio::test]
async fn limited_paths_answer_the_status_that_is_set() {
    let world = World::new().await;
    set(&world, "limitedUrlMap", "/nacos/v1/ns/instance/list:429").await;
    world.ask("GET", LIST).await.is(429, "");
    assert_eq!(world.ask("PUT", BEAT).await.status, 200);
    assert_eq!(shown(&world, "limitedUrlMap").await, json!({"/nacos/v1/ns/instance/list": 429}));
}

#[tokio::test]
async fn pushes_that_are_switched_off_come_when_they_are_on_again() {
    let world = World::new().await;
    let client = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = client.local_addr().unwrap().port();
    set(&world, "pushEnabled", "false").await;
    world.send("GET", &format!("{LIST}&udpPort={port}"), "", &[JAVA]).await;
    register(&world, "10.0.0.1", "").await;
    register(&world, "10.0.0.2", "").await;
    assert_eq!(world.node.push_counts().sent, 0);
    set(&world, "pushEnabled", "true").await;
    let mut buffer = [0; 4096];
    let received = tokio::time::timeout(Duration::from_secs(10), client.recv_from(&mut buffer)).await;
    let (_, server) = received.unwrap().unwrap();
    assert_eq!(world.node.push_counts().sent, 1, "what was missed is one push");
    // It is what the numbers tell of, and its acknowledgement too.
    let state = "/nacos/v1/ns/operator/push/state?detail=true";
    assert_eq!(world.ask("GET", state).await.json()["total"], 1);
    let number = lowest_number(&buffer);
    let ack = format!(r#"{{"type":"push-ack","lastRefTime":"{number}","data":""}}"#);
    client.send_to(ack.as_bytes(), server).await.unwrap();
    let acknowledged = async {
        while world.node.push_counts().acknowledged == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), acknowledged).await.unwrap();
    let told = world.ask("GET", &format!("{state}&reset=true")).await.json();
    assert_eq!((&told["succeed"], &told["ratio"], &told["reset"]), (&json!(1), &json!(1.0), &json!(true)));
    assert!(told["detail"]["maxPushCost"].as_i64().unwrap() >= 0);
    let anew = world.ask("GET", state).await.json();
    assert_eq!((&anew["total"], &anew["detail"]["avgPushCost"]), (&json!(0), &json!(-1)));
}

/// The `lastRefTime` of a datagram, which may be packed.
fn lowest_number(datagram: &[u8]) -> u64 {
    let push: Value = if datagram.starts_with(&[0x1f, 0x8b]) {
        serde_json::from_reader(flate2::read::GzDecoder::new(datagram)).unwrap()
    } else {
        let end = datagram.iter().position(|byte| *byte == 0).unwrap();
        serde_json::from_slice(&datagram[..end]).unwrap()
    };
    push["lastRefTime"].as_u64().unwrap()
}

#[tokio::test]
async fn clients_too_old_for_pushes_are_not_told() {
    let world = World::new().await;
    set(&world, "pushVersion", "java:1.4.3").await;
    world.send("GET", &format!("{LIST}&udpPort=50001"), "", &[JAVA]).await;
    assert_eq!(world.node.watch_counts().watchers, 0);
    set(&world, "pushVersion", "java:1.4.2").await;
    world.send("GET", &format!("{LIST}&udpPort=50001"), "", &[JAVA]).await;
    assert_eq!(world.node.watch_counts().watchers, 1);
}

#[tokio::test]
async fn without_health_checks_a_silent_instance_stays_as_it_is() {
    let world = World::new().await;
    register(&world, "10.0.0.1", "metadata=preserved.ip.delete.timeout=600000").await;
    set(&world, "check", "false").await;
    world.clock.skip(Duration::from_secs(20));
    // Another service's empty record is looked for by the same timer: it goes, the lease does not.
    world.ask("POST", "/nacos/v1/ns/instance?serviceName=gone&ip=10.0.0.9&port=80").await;
    world.ask("DELETE", "/nacos/v1/ns/instance?serviceName=gone&ip=10.0.0.9&port=80").await;
    world.clock.skip(Duration::from_secs(61));
    until(|| world.node.registry_counts().services == 1).await;
    assert_eq!(world.ask("GET", LIST).await.json()["hosts"][0]["healthy"], true);
    set(&world, "healthCheckEnabled", "true").await;
    let is_unhealthy = async {
        while world.ask("GET", LIST).await.json()["hosts"][0]["healthy"] == true {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), is_unhealthy).await.unwrap();
}

async fn until(holds: impl Fn() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), waiting).await.expect("it never came to hold");
}

#[tokio::test]
async fn what_is_set_for_good_is_there_after_a_restart_and_the_rest_is_not() {
    let world = World::new().await;
    set(&world, "healthCheckTimes", "5").await;
    let here = "entry=distroThreshold&value=0.9&debug=true";
    world.form("PUT", "/nacos/v1/ns/operator/switches", here).await.is(200, "ok");
    assert_eq!(
        (shown(&world, "checkTimes").await, shown(&world, "distroThreshold").await),
        (json!(5), json!(0.9))
    );
    world.node.load(&**world.node.state()).unwrap();
    assert_eq!(
        (shown(&world, "checkTimes").await, shown(&world, "distroThreshold").await),
        (json!(5), json!(0.7))
    );
}

#[tokio::test]
async fn bad_values_and_unknown_switches() {
    let world = World::new().await;
    let path = "/nacos/v1/ns/operator/switches";
    let before = world.ask("GET", path).await.body;
    for (form, text) in [
        ("entry=pushCacheMillis&value=1", "min cache time for http or tcp is too small(<10000)"),
        ("entry=tcpHealthParams&value=x", "json param invalid."),
        ("entry=tcpHealthParams&value={\"max\":1}", "max check time for http or tcp is too small(<3000)"),
        ("entry=healthCheckTimes&value=many", "For input string: \"many\""),
    ] {
        world.form("PUT", path, form).await.is(400, text);
    }
    world.form("PUT", path, "entry=nonsense&value=1").await.is(200, "ok");
    world.ask("GET", path).await.is(200, &before);
    let v3 = world.form("PUT", "/nacos/v3/admin/ns/ops/switches", "entry=pushCacheMillis&value=1").await;
    assert_eq!((v3.status, v3.json()["code"].clone()), (400, json!(20002)));
}

#[tokio::test]
async fn the_numbers_are_those_of_the_server_and_its_machine() {
    let world = World::new().await;
    register(&world, "10.0.0.1", "").await;
    world
        .ask("POST", "/nacos/v1/ns/instance?serviceName=p&ip=10.0.0.2&port=80&ephemeral=false")
        .await
        .is(200, "ok");
    let v1 = world.ask("GET", "/nacos/v1/ns/operator/metrics?onlyStatus=false").await.json();
    for (key, number) in [
        ("serviceCount", 2),
        ("instanceCount", 2),
        ("clientCount", 2),
        ("ephemeralIpPortClientCount", 1),
        ("persistentIpPortClientCount", 1),
        ("responsibleInstanceCount", 2),
    ] {
        assert_eq!(v1[key], number, "{key}");
    }
    assert!(v1["mem"].as_f64().unwrap() > 0.0, "{v1}");
    assert!(v1["load"].is_f64() && v1["cpu"].is_f64(), "{v1}");
    let v2 = world.ask("GET", "/nacos/v2/ns/operator/metrics?onlyStatus=false").await.json();
    assert_eq!((&v2["data"]["serviceCount"], v2["data"].get("responsibleInstanceCount")), (&json!(2), None));
}
