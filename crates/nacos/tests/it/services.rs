//! Services over all generations: one of them, lists, catalogues, selectors, clusters.

use crate::world::{Answer, World};
use serde_json::{Value, json};

const ADMIN: &str = "/nacos/v3/admin/ns/service";

async fn register(world: &World, more: &str) {
    world.ask("POST", &format!("/nacos/v1/ns/instance?{more}")).await.is(200, "ok");
}

async fn create(world: &World, name: &str, more: &str) {
    let created = world.ask("POST", &format!("{ADMIN}?serviceName={name}&{more}")).await;
    created.is(200, r#"{"code":0,"message":"success","data":"ok"}"#);
}

fn is_refused(answer: &Answer, status: u16, code: u32) {
    assert_eq!((answer.status, answer.json()["code"].as_u64()), (status, Some(code.into())), "{answer:?}");
}

async fn ips(world: &World, path: &str) -> Vec<String> {
    let hosts = world.ask("GET", path).await.json()["hosts"].as_array().unwrap().clone();
    hosts.iter().map(|host| host["ip"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn what_one_generation_writes_the_others_read() {
    let world = World::new().await;
    let form = r#"protectThreshold=0.5&metadata={"team":"core"}&namespaceId=n"#;
    world.form("POST", "/nacos/v1/ns/service?serviceName=s", form).await.is(200, "ok");
    let v2 = world.ask("GET", "/nacos/v2/ns/service?serviceName=s&namespaceId=n").await.json();
    let v3 = world.ask("GET", &format!("{ADMIN}?serviceName=s&namespaceId=n")).await.json();
    for (answer, namespace) in [(&v2, "namespace"), (&v3, "namespaceId")] {
        let data = &answer["data"];
        assert_eq!(data[namespace], "n");
        assert_eq!(data["metadata"], json!({"team": "core"}));
        assert_eq!((&data["protectThreshold"], &data["ephemeral"]), (&json!(0.5), &json!(false)));
    }
    world.form("PUT", "/nacos/v2/ns/service?serviceName=s&namespaceId=n", "metadata=x=y").await;
    let v1 = world.ask("GET", "/nacos/v1/ns/service?serviceName=s&namespaceId=n").await.json();
    assert_eq!(v1["metadata"], json!({"x": "y"}));
    let gone = world.ask("DELETE", "/nacos/v3/console/ns/service?serviceName=s&namespaceId=n").await;
    assert_eq!(gone.status, 200);
    assert_eq!(world.ask("GET", "/nacos/v1/ns/service?serviceName=s&namespaceId=n").await.status, 400);
}

#[tokio::test]
async fn every_generation_says_in_its_own_words_what_is_wrong() {
    let world = World::new().await;
    register(&world, "serviceName=full&ip=10.0.0.1&port=80").await;
    let v1 = world.ask("DELETE", "/nacos/v1/ns/service?serviceName=full").await;
    let text = "Service DEFAULT_GROUP@@full is not empty, can't be delete. Please unregister instance first";
    v1.is(400, text);
    is_refused(&world.ask("DELETE", "/nacos/v2/ns/service?serviceName=full").await, 400, 21009);
    is_refused(&world.ask("DELETE", &format!("{ADMIN}?serviceName=no")).await, 400, 21008);
    is_refused(&world.ask("PUT", "/nacos/v3/console/ns/service?serviceName=no").await, 404, 21008);
    is_refused(&world.ask("GET", "/nacos/v3/console/ns/service?serviceName=no").await, 404, 30000);
    world.ask("POST", "/nacos/v1/ns/service").await.is(400, "Parameter 'serviceName' is missing");
    let bad = world.ask("POST", "/nacos/v1/ns/service?serviceName=t&protectThreshold=x").await;
    assert_eq!(bad.status, 500);
    assert!(bad.body.starts_with("caused: Failed to convert value"), "{bad:?}");
    let bad = world.ask("POST", &format!("{ADMIN}?serviceName=t&protectThreshold=x")).await;
    is_refused(&bad, 500, 30000);
    assert_eq!(bad.json()["data"], Value::Null);
    // The threshold is a share; what is beyond one counts as one.
    create(&world, "t", "protectThreshold=2&ephemeral=true").await;
    let shown = world.ask("GET", &format!("{ADMIN}?serviceName=t")).await.json();
    assert_eq!(shown["data"]["protectThreshold"], json!(1.0));
}

#[tokio::test]
async fn a_label_selector_shows_a_consumer_what_is_like_it() {
    let world = World::new().await;
    let selector =
        "%7B%22type%22%3A%22label%22%2C%22expression%22%3A%22CONSUMER.label.zone%3DPROVIDER.label.zone%22%7D";
    create(&world, "s", &format!("ephemeral=true&selector={selector}")).await;
    for (ip, zone) in [("10.0.0.1", "a"), ("10.0.0.2", "b"), ("10.0.0.3", "b")] {
        register(&world, &format!("serviceName=s&ip={ip}&port=80&metadata=zone={zone}")).await;
    }
    let list = "/nacos/v1/ns/instance/list?serviceName=s";
    let all = ["10.0.0.1", "10.0.0.2", "10.0.0.3"];
    assert_eq!(ips(&world, list).await, all, "nothing is known of the one who asks");
    register(&world, "serviceName=consumer&ip=10.1.0.1&port=90&metadata=zone=b").await;
    let asked = format!("{list}&clientIP=10.1.0.1");
    assert_eq!(ips(&world, &asked).await, ["10.0.0.2", "10.0.0.3"]);
    assert_eq!(ips(&world, &format!("{list}&clientIP=10.1.0.2")).await, all);
    // The address it seems to have counts as well, in every generation.
    let forwarded = [("X-Forwarded-For", "10.1.0.1")];
    let v2 = world.send("GET", "/nacos/v2/ns/instance/list?serviceName=s", "", &forwarded).await.json();
    assert_eq!(v2["data"]["hosts"].as_array().unwrap().len(), 2);
    let v3 =
        world.send("GET", "/nacos/v3/client/ns/instance/list?serviceName=s", "", &forwarded).await.json();
    assert_eq!(v3["data"].as_array().unwrap().len(), 2);
    // Where nothing is like it, it is shown all.
    register(&world, "serviceName=consumer&ip=10.1.0.1&port=90&metadata=zone=c").await;
    assert_eq!(ips(&world, &asked).await, all);
    let shown = world.ask("GET", "/nacos/v1/ns/service?serviceName=s").await.json();
    assert_eq!(shown["selector"]["labels"], json!(["zone"]));
    let catalog = "/nacos/v1/ns/catalog/instances?serviceName=s&clusterName=DEFAULT&pageNo=1&pageSize=9";
    assert_eq!(world.ask("GET", catalog).await.json()["count"], 3, "operators are shown all");
}

#[tokio::test]
async fn catalogues_come_in_pages_of_any_size() {
    let world = World::new().await;
    for number in 1..=5 {
        register(&world, &format!("serviceName=s{number}&ip=10.0.0.{number}&port=80")).await;
    }
    let names = |answer: Value| {
        let rows = answer["serviceList"].as_array().unwrap().clone();
        rows.iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let catalog = |page: &str| format!("/nacos/v1/ns/catalog/services?{page}");
    let page = |page: &'static str| {
        let world = &world;
        async move {
            let answer = world.ask("GET", &catalog(page)).await.json();
            assert_eq!(answer["count"], 5, "{page}");
            names(answer)
        }
    };
    assert_eq!(page("pageNo=1&pageSize=2").await, ["s1", "s2"]);
    assert_eq!(page("pageNo=3&pageSize=2").await, ["s5"]);
    assert_eq!(page("pageNo=4&pageSize=2").await, [""; 0], "beyond the end there is nothing");
    assert_eq!(page("pageNo=1&pageSize=2147483647").await.len(), 5);
    assert_eq!(page("pageNo=2147483647&pageSize=2147483647").await, [""; 0]);
    assert_eq!(page("pageNo=-1&pageSize=-5").await, [""; 0]);
    for bad in ["pageNo=x&pageSize=2", "pageNo=1&pageSize=99999999999", "pageSize=2"] {
        let answer = world.ask("GET", &catalog(bad)).await;
        assert_eq!(answer.status, 500, "{bad}");
        assert!(answer.body.starts_with("caused: "), "{answer:?}");
    }
    let search = "pageNo=1&pageSize=9&serviceNameParam=s3&groupNameParam=DEFAULT";
    let found = world.ask("GET", &catalog(search)).await.json();
    assert_eq!((found["count"].clone(), names(found)), (json!(1), vec!["s3".to_owned()]));
    let detailed = world.ask("GET", &catalog("pageNo=1&pageSize=1&withInstances=true")).await.json();
    assert_eq!(detailed[0]["clusterMap"]["DEFAULT"]["hosts"][0]["ip"], "10.0.0.1");
    let v2 = world.ask("GET", "/nacos/v2/ns/service/list?pageNo=1&pageSize=2147483647").await.json();
    assert_eq!((&v2["data"]["count"], v2["data"]["services"].as_array().unwrap().len()), (&json!(5), 5));
    let v3 = world.ask("GET", &format!("{ADMIN}/list?pageNo=2147483647&pageSize=2147483647")).await.json();
    assert_eq!((&v3["data"]["totalCount"], &v3["data"]["pageItems"]), (&json!(5), &json!([])));
    is_refused(&world.ask("GET", &format!("{ADMIN}/list?pageSize=0")).await, 400, 20002);
    is_refused(&world.ask("GET", &format!("{ADMIN}/list?pageNo=1.5")).await, 500, 30000);
}

#[tokio::test]
async fn the_catalogue_counts_disabled_ones_and_sees_the_threshold() {
    let world = World::new().await;
    create(&world, "s", "ephemeral=true&protectThreshold=0.6").await;
    register(&world, "serviceName=s&ip=10.0.0.1&port=80&healthy=false&clusterName=c1").await;
    register(&world, "serviceName=s&ip=10.0.0.2&port=80&enabled=false").await;
    create(&world, "empty", "ephemeral=true").await;
    let list = world.ask("GET", "/nacos/v3/console/ns/service/list").await.json();
    let empty = json!({"name": "empty", "groupName": "DEFAULT_GROUP", "clusterCount": 0, "ipCount": 0,
        "healthyInstanceCount": 0, "triggerFlag": "false"});
    let full = json!({"name": "s", "groupName": "DEFAULT_GROUP", "clusterCount": 2, "ipCount": 2,
        "healthyInstanceCount": 1, "triggerFlag": "true"});
    assert_eq!(list["data"]["pageItems"], json!([empty, full]));
    let hidden = world.ask("GET", "/nacos/v1/ns/catalog/services?pageNo=1&pageSize=9&hasIpCount=true").await;
    assert_eq!(hidden.json()["count"], 1);
    let admin = "/nacos/v3/admin/ns/instance/list?serviceName=s";
    assert_eq!(world.ask("GET", admin).await.json()["data"][0]["ip"], "10.0.0.2");
    assert_eq!(
        world.ask("GET", &format!("{admin}&clusterName=c1&healthyOnly=true")).await.json()["data"],
        json!([])
    );
    is_refused(&world.ask("GET", &format!("{admin}&clusterName=c9")).await, 404, 30000);
}

#[tokio::test]
async fn health_is_set_by_hand_where_nothing_checks() {
    let world = World::new().await;
    register(&world, "serviceName=s&ip=10.0.0.1&port=80&ephemeral=false").await;
    let set =
        |healthy| format!("/nacos/v1/ns/health/instance?serviceName=s&ip=10.0.0.1&port=80&healthy={healthy}");
    let text = "health check is still working, service: DEFAULT_GROUP@@s, cluster: DEFAULT";
    world.ask("PUT", &set("false")).await.is(400, text);
    let cluster = "/nacos/v3/admin/ns/cluster?serviceName=s&clusterName=DEFAULT&checkPort=80&useInstancePort4Check=true";
    let none = world.form("PUT", cluster, r#"healthChecker={"type":"NONE"}"#).await;
    assert_eq!(none.status, 200);
    world.ask("PUT", &set("false")).await.is(200, "ok");
    // Not the list of clients, where the service's threshold of 0 lifts it: it has attributes now.
    let one = "/nacos/v1/ns/instance?serviceName=s&ip=10.0.0.1&port=80";
    assert_eq!(world.ask("GET", one).await.json()["healthy"], false);
    let v3 = "/nacos/v3/admin/ns/health/instance?serviceName=s&ip=10.0.0.1&port=80&healthy=true";
    assert_eq!(world.ask("PUT", v3).await.status, 200);
    assert_eq!(world.ask("GET", one).await.json()["healthy"], true);
    let unknown = "/nacos/v1/ns/health?serviceName=s&ip=10.0.0.9&port=80&valid=true";
    world.ask("PUT", unknown).await.is(404, "no matched ip found!");
    // Beats check ephemeral ones, whatever their cluster says.
    register(&world, "serviceName=e&ip=10.0.0.1&port=80").await;
    world
        .form("PUT", &cluster.replace("serviceName=s", "serviceName=e"), r#"healthChecker={"type":"NONE"}"#)
        .await;
    assert_eq!(world.ask("PUT", &set("false").replace("serviceName=s", "serviceName=e")).await.status, 400);
}

#[tokio::test]
async fn clusters_are_checked_as_they_are_told() {
    let world = World::new().await;
    register(&world, "serviceName=s&ip=10.0.0.1&port=80&ephemeral=false").await;
    let put = |more: &str| {
        format!("/nacos/v1/ns/cluster?serviceName=s&clusterName=DEFAULT&useInstancePort4Check=no&{more}")
    };
    let checker = r#"healthChecker={"type":"HTTP","path":"/up","headers":"","expectedResponseCode":"204"}"#;
    world.form("PUT", &put("checkPort=81"), checker).await.is(200, "ok");
    let v3 = world.ask("GET", &format!("{ADMIN}?serviceName=s")).await.json();
    assert_eq!(
        v3["data"]["clusterMap"]["DEFAULT"],
        json!({"clusterName": "DEFAULT", "healthChecker": {"type": "HTTP", "path": "/up", "headers": "",
            "expectedResponseCode": 204}, "healthyCheckPort": 81, "useInstancePortForCheck": false,
            "metadata": {}, "hosts": null})
    );
    for (port, checker) in [("x", checker), ("70000", checker), ("81", "healthChecker=oops")] {
        let answer = world.form("PUT", &put(&format!("checkPort={port}")), checker).await;
        assert_eq!(answer.status, 400, "{port} {checker}");
    }
}
