//! What peers pass on.

use crate::world::{AS_JSON, JSON, World, instance};
use serde_json::{Value, json};

fn register(app: &str, id: &str, last_dirty: u64) -> Value {
    let body: Value =
        serde_json::from_str(&instance(app, id, &format!(r#""lastDirtyTimestamp":{last_dirty}"#))).unwrap();
    json!({"appName": app, "id": id, "lastDirtyTimestamp": last_dirty, "status": "UP",
        "instanceInfo": body["instance"], "action": "Register"})
}

#[tokio::test]
async fn items_are_answered_one_by_one_in_order() {
    let world = World::new().await;
    assert_eq!(world.batch(&[]).await, json!([]));
    let beat = |id: &str, last_dirty: u64| json!({"appName": "A", "id": id, "lastDirtyTimestamp": last_dirty, "status": "UP", "action": "Heartbeat"});
    let answer = world
        .batch(&[
            register("A", "i", 100),
            beat("i", 100),
            beat("i", 99),
            beat("i", 101),
            beat("none", 1),
            json!({"appName": "A", "id": "i", "action": "Register"}),
            json!({"appName": "A", "id": "i"}),
            json!({"appName": "B", "id": "j", "action": "Register", "instanceInfo": {"instanceId": "j"}}),
            json!({"appName": "A", "id": "i", "action": "Cancel"}),
            json!({"appName": "A", "id": "i", "action": "Cancel"}),
        ])
        .await;
    let codes: Vec<_> =
        answer.as_array().unwrap().iter().map(|item| item["statusCode"].as_u64().unwrap()).collect();
    assert_eq!(codes, [200, 200, 409, 404, 404, 500, 500, 200, 200, 404]);
    assert_eq!(answer[2]["responseEntity"]["lastDirtyTimestamp"], "100");
    world.get("/eureka/apps/A", &[JSON]).await.is(404, "");
}

#[tokio::test]
async fn a_full_batch_registers_them_all() {
    let world = World::new().await;
    let items: Vec<_> = (0..250).map(|number| register("A", &format!("i{number}"), 1)).collect();
    let answer = world.batch(&items).await;
    assert!(answer.as_array().unwrap().iter().all(|item| item["statusCode"] == 200));
    let list = world.get("/eureka/apps", &[JSON]).await.json();
    assert_eq!(list["applications"]["apps__hashcode"], "UP_250_");
}

#[tokio::test]
async fn a_batch_that_is_none_is_refused() {
    let world = World::new().await;
    let post = |body: &'static str| world.send("POST", "/eureka/peerreplication/batch", &[AS_JSON], body);
    post("{bad").await.is(400, "");
    assert_eq!(post(r#"{"replicationList":[{"action":"Dance"}]}"#).await.status, 400);
    post("{}").await.is(500, "");
    let many = format!(r#"{{"replicationList":[{}{{}}]}}"#, "{},".repeat(2_500));
    world.send("POST", "/eureka/peerreplication/batch/", &[AS_JSON], many).await.is(413, "");
}
