//! What is asked about the server, and logins.

use crate::world::World;
use muster_nacos::HttpSettings;
use muster_node::Settings;
use serde_json::json;

#[tokio::test]
async fn a_starting_server_sends_clients_to_the_next_one_and_is_not_ready() {
    let world = World::starting(HttpSettings::default(), Settings::default());
    let text = "server is STARTING now, please try again later!";
    for (method, path, status, body) in [
        ("GET", "/nacos/v1/ns/instance/list?serviceName=s", 503, text.to_owned()),
        ("GET", "/nacos/v1/cs/configs?dataId=d&group=G", 503, format!("caused: {text};")),
        ("GET", "/nacos/v1/ns/operator/metrics", 200, r#"{"status":"STARTING"}"#.to_owned()),
        ("GET", "/nacos/v1/console/health/liveness", 200, "OK".to_owned()),
        ("GET", "/nacos/v1/console/health/readiness", 500, "config and naming not in readiness".to_owned()),
    ] {
        world.ask(method, path).await.is(status, &body);
    }
    assert_eq!(world.ask("GET", "/nacos/v3/client/ns/instance/list?serviceName=s").await.status, 503);
    assert_eq!(world.ask("GET", "/nacos/v3/admin/core/state/readiness").await.status, 500);
    assert_eq!(world.ask("GET", "/nacos/actuator/health").await.status, 503);
    world.finish_start().await;
    world.ask("GET", "/nacos/v1/console/health/readiness").await.is(200, "OK");
    world.ask("GET", "/nacos/v1/ns/operator/metrics").await.is(200, r#"{"status":"UP"}"#);
}

#[tokio::test]
async fn an_open_server_welcomes_every_login() {
    let world = World::new().await;
    let granted = r#"{"accessToken":"AUTH_DISABLED","tokenTtl":18000,"globalAdmin":true,"username":"nacos"}"#;
    for path in ["/nacos/v1/auth/login", "/nacos/v1/auth/users/login", "/nacos/v3/auth/user/login"] {
        world.form("POST", &format!("{path}?username=nacos"), "password=x").await.is(200, granted);
    }
    assert_eq!(world.ask("POST", "/nacos/v1/auth/login").await.status, 500);
}

#[tokio::test]
async fn the_context_path_may_be_another_or_none() {
    for context_path in ["", "/registry/nacos"] {
        let context_path = context_path.to_owned();
        let world =
            World::with(HttpSettings { context_path: context_path.clone(), ..HttpSettings::default() }).await;
        let liveness = format!("{context_path}/v1/console/health/liveness");
        world.ask("GET", &liveness).await.is(200, "OK");
        world.ask("GET", &format!("{liveness}/")).await.is(200, "OK");
        assert_eq!(world.ask("GET", "/nacos/v1/console/health/liveness").await.status, 404);
    }
}

#[tokio::test]
async fn state_and_namespaces_are_told() {
    let world = World::with(HttpSettings { main_port: 28_848, ..HttpSettings::default() }).await;
    let state = world.ask("GET", "/nacos/v1/console/server/state").await.json();
    assert_eq!(state["server_port"], "28848");
    assert_eq!(world.ask("GET", "/nacos/v3/admin/core/state").await.json()["data"], state);
    world.form("POST", "/nacos/v1/cs/configs?dataId=d&group=G", "content=x").await.is(200, "true");
    let list = world.ask("GET", "/nacos/v1/console/namespaces").await.json();
    assert_eq!(
        list["data"][0],
        json!({
            "namespace": "", "namespaceShowName": "public", "namespaceDesc": "Default Namespace",
            "quota": 200, "configCount": 1, "type": 0
        })
    );
}

#[tokio::test]
async fn a_service_is_created_once() {
    let world = World::new().await;
    let path = "/nacos/v3/admin/ns/service?serviceName=s&ephemeral=true&protectThreshold=0.6";
    world.ask("POST", path).await.is(200, r#"{"code":0,"message":"success","data":"ok"}"#);
    let again = world.ask("POST", path).await;
    again.is(400, r#"{"code":21007,"message":"service already exist","data":"specified service DEFAULT_GROUP@@s already exists!"}"#);
    world
        .ask("POST", "/nacos/v1/ns/instance?serviceName=s&ip=10.0.0.1&port=80&healthy=false")
        .await
        .is(200, "ok");
    let list = world.ask("GET", "/nacos/v1/ns/instance/list?serviceName=s").await.json();
    assert_eq!(
        (&list["hosts"][0]["healthy"], &list["reachProtectionThreshold"]),
        (&json!(true), &json!(true))
    );
    let bad = world
        .ask("POST", "/nacos/v3/admin/ns/service?serviceName=t&selector=%7B%22type%22%3A%22magic%22%7D")
        .await;
    assert_eq!((bad.status, bad.json()["code"].clone()), (400, json!(21006)));
}

#[tokio::test]
async fn a_client_that_is_not_there_needs_no_reload() {
    let world = World::new().await;
    let path = "/nacos/v3/admin/core/loader/reloadClient?connectionId=nobody";
    world.ask("POST", path).await.is(200, r#"{"code":0,"message":"success","data":null}"#);
    let target = world.ask("POST", &format!("{path}&redirectAddress=here")).await;
    assert_eq!((target.status, target.json()["code"].clone()), (400, json!(20002)));
    let metrics = "/nacos/v3/admin/cs/metrics/ip?ip=10.0.0.1&dataId=d&groupName=G";
    world.ask("GET", metrics).await.is(200, r#"{"code":0,"message":"success","data":{}}"#);
}
