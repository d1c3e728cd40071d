//! Other namespaces, groups and paths.

use crate::world::{AS_JSON, JSON, World, instance};
use muster_eureka::EurekaSettings;
use muster_model::{GroupName, Namespace};
use muster_node::registry::EurekaBase;

#[tokio::test]
async fn views_are_apart() {
    let world = World::new().await;
    let post = |path: &'static str, id: &'static str| {
        let world = &world;
        async move { world.send("POST", path, &[AS_JSON], instance("A", id, "")).await.is(204, "") }
    };
    post("/eureka/apps/A", "plain").await;
    post("/eureka/ns/dev/apps/A", "dev").await;
    post("/eureka/v2/ns/dev/group/g/apps/A", "group").await;
    for (path, id) in [
        ("/eureka/apps", "plain"),
        ("/eureka/ns/public/apps", "plain"),
        ("/eureka/ns/dev/apps", "dev"),
        ("/eureka/ns/dev/group/DEFAULT_GROUP/apps/", "dev"),
        ("/eureka/ns/dev/group/g/apps/delta", "group"),
    ] {
        let list = world.get(path, &[JSON]).await.json();
        let instances = &list["applications"]["application"][0]["instance"];
        assert_eq!(instances.as_array().unwrap().len(), 1, "{path}");
        assert_eq!(instances[0]["instanceId"], id, "{path}");
    }
    world.put("/eureka/ns/dev/apps/A/dev").await.is(200, "");
    world.put("/eureka/ns/dev/apps/A/plain").await.is(404, "");
    assert_eq!(
        world.get("/eureka/ns/none/apps", &[JSON]).await.json()["applications"]["application"],
        serde_json::json!([])
    );
}

#[tokio::test]
async fn the_plain_base_and_one_more_path_are_settings() {
    let base = EurekaBase { namespace: Namespace::new("dev").unwrap(), group: GroupName::new("g").unwrap() };
    let settings = EurekaSettings { base, extra_path: "/registry".into(), ..EurekaSettings::default() };
    let world = World::with(settings).await;
    world.register("A", "i", "").await;
    for path in ["/registry/apps/A/i", "/registry/v2/apps/a/i/", "/eureka/ns/dev/group/g/apps/A/i"] {
        assert_eq!(world.get(path, &[JSON]).await.status, 200, "{path}");
    }
    world.get("/eureka/ns/public/apps/A/i", &[JSON]).await.is(404, "");
}
