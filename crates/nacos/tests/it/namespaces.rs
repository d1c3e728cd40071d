//! Namespaces, in all generations.

use crate::world::World;
use serde_json::{Value, json};

const V1: &str = "/nacos/v1/console/namespaces";
const V2: &str = "/nacos/v2/console/namespace";
const ADMIN: &str = "/nacos/v3/admin/core/namespace";
const CONSOLE: &str = "/nacos/v3/console/core/namespace";

async fn listed(world: &World) -> Vec<String> {
    let list = world.ask("GET", &format!("{ADMIN}/list")).await.json();
    list["data"].as_array().unwrap().iter().map(|one| one["namespace"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn what_one_generation_creates_all_show_and_change() {
    let world = World::new().await;
    world
        .form("POST", V1, "customNamespaceId=dev&namespaceName=Dev&namespaceDesc=about")
        .await
        .is(200, "true");
    for (path, kind) in [(V2, 2), (ADMIN, 1), (CONSOLE, 1)] {
        let shown = world.ask("GET", &format!("{path}?namespaceId=dev")).await.json();
        let expected = json!({"namespace": "dev", "namespaceShowName": "Dev", "namespaceDesc": "about",
            "quota": 200, "configCount": 0, "type": kind});
        assert_eq!(shown, json!({"code": 0, "message": "success", "data": expected}), "{path}");
    }
    for (path, name) in [(V2, "Two"), (ADMIN, "Admin"), (CONSOLE, "Console")] {
        let changed = world.form("PUT", path, &format!("namespaceId=dev&namespaceName={name}")).await;
        assert_eq!(changed.json()["data"], true, "{path}");
        let shown = world.ask("GET", &format!("{V1}?show=all&namespaceId=dev")).await.json();
        assert_eq!((&shown["namespaceShowName"], &shown["namespaceDesc"]), (&json!(name), &Value::Null));
    }
    world.ask("DELETE", &format!("{CONSOLE}?namespaceId=dev")).await;
    assert_eq!(listed(&world).await, ["public"]);
}

#[tokio::test]
async fn public_and_blank_are_one_namespace_that_always_exists() {
    let world = World::new().await;
    world.form("POST", "/nacos/v1/cs/configs", "dataId=a&group=G&content=x").await.is(200, "true");
    for text in ["", "public"] {
        for (path, shown) in [(V2, ""), (ADMIN, "public"), (CONSOLE, "public")] {
            let namespace = world.ask("GET", &format!("{path}?namespaceId={text}")).await.json();
            let data = &namespace["data"];
            assert_eq!(
                (&data["namespace"], &data["type"], &data["configCount"]),
                (&json!(shown), &json!(0), &json!(1))
            );
        }
        let namespace = world.ask("GET", &format!("{V1}?show=all&namespaceId={text}")).await.json();
        assert_eq!((&namespace["namespace"], &namespace["configCount"]), (&json!(""), &json!(1)), "{text}");
    }
    world.form("POST", V1, "customNamespaceId=public&namespaceName=x").await.is(200, "false");
    for path in [ADMIN, CONSOLE] {
        let refused =
            world.form("POST", path, "namespaceId=public&customNamespaceId=public&namespaceName=x").await;
        assert_eq!(refused.json()["data"], "namespaceId [public] is default namespace id and already exist.");
    }
    // Nobody removes it, and nobody fails in trying.
    world.ask("DELETE", &format!("{V1}?namespaceId=public")).await.is(200, "true");
    world.ask("DELETE", &format!("{V1}?namespaceId=")).await.is(200, "true");
    assert_eq!(listed(&world).await, ["public"]);
    assert_eq!(world.ask("GET", &format!("{ADMIN}/check?namespaceId=public")).await.json()["data"], 1);
    assert_eq!(world.ask("GET", &format!("{CONSOLE}/exist?customNamespaceId=")).await.json()["data"], false);
}

#[tokio::test]
async fn a_blank_id_is_a_random_one() {
    let world = World::new().await;
    world.form("POST", V1, "customNamespaceId=&namespaceName=a").await.is(200, "true");
    world.form("POST", ADMIN, "namespaceName=b").await;
    let ids: Vec<String> = listed(&world).await.into_iter().filter(|id| id != "public").collect();
    assert_eq!(ids.len(), 2);
    for id in &ids {
        let parts: Vec<usize> = id.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12], "{id}");
        assert_eq!(id.as_bytes()[14], b'4', "{id}");
        assert!(b"89ab".contains(&id.as_bytes()[19]), "{id}");
    }
}

#[tokio::test]
async fn what_was_in_a_namespace_stays_when_it_is_removed() {
    let world = World::new().await;
    world.form("POST", ADMIN, "namespaceId=dev&namespaceName=Dev").await;
    world.form("POST", "/nacos/v1/cs/configs", "tenant=dev&dataId=a&group=G&content=x").await.is(200, "true");
    world.ask("DELETE", &format!("{ADMIN}?namespaceId=dev")).await;
    world.ask("GET", "/nacos/v1/cs/configs?tenant=dev&dataId=a&group=G").await.is(200, "x");
    assert_eq!(world.ask("GET", &format!("{ADMIN}?namespaceId=dev")).await.status, 404);
}

#[tokio::test]
async fn names_and_ids_are_refused_in_the_words_of_each_generation() {
    let world = World::new().await;
    let name = "Param 'namespaceShowName' is illegal, illegal characters should not appear in the param.\r\n";
    let id = "Param 'namespaceId/tenant' is illegal, illegal characters should not appear in the param.\r\n";
    world.form("POST", V1, "customNamespaceId=a&namespaceName=a@b").await.is(400, name);
    world.form("POST", V1, "customNamespaceId=a.b&namespaceName=a").await.is(400, id);
    world.form("POST", V1, "customNamespaceId=a&namespaceName=").await.is(200, "false");
    world.form("PUT", V1, "namespace=a&namespaceShowName=a@b").await.is(200, "false");
    world.form("POST", V2, "namespaceId=a&namespaceName=a@b").await.is(400, name);
    let refused = world.form("PUT", CONSOLE, "namespaceId=a&namespaceName=a@b").await;
    assert_eq!(
        (refused.status, &refused.json()["data"]),
        (400, &json!("namespaceName [a@b] contains illegal char"))
    );
    let missing = world.form("POST", V1, "customNamespaceId=a").await;
    missing.is(
        500,
        "caused: Required request parameter &#39;namespaceName&#39; for method parameter type String is not present;",
    );
    let again = world.form("POST", V2, "namespaceId=twice&namespaceName=a").await;
    assert_eq!(again.status, 200);
    let again = world.form("POST", V2, "namespaceId=twice&namespaceName=a").await.json();
    assert_eq!(
        (&again["code"], &again["data"]),
        (&json!(22000), &json!("the namespaceId is existed, namespaceId: twice"))
    );
}
