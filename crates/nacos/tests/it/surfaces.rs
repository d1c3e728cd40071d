//! What listeners show, and pages of other origins.

use crate::world::World;
use muster_nacos::HttpSettings;
use muster_transport::{Surface, Surfaces};

async fn showing(surfaces: &[Surface]) -> World {
    World { surfaces: Surfaces::of(surfaces), ..World::new().await }
}

#[tokio::test]
async fn the_console_is_found_with_and_without_the_context_path() {
    let world = showing(&[Surface::Console]).await;
    for path in [
        "/v3/console/server/state",
        "/v1/console/namespaces",
        "/v2/console/namespace/list",
        "/actuator/health",
    ] {
        for prefix in ["", "/nacos"] {
            assert_eq!(world.ask("GET", &format!("{prefix}{path}")).await.status, 200, "{prefix}{path}");
        }
    }
    assert_eq!(world.ask("POST", "/v3/auth/user/login?username=a&password=b").await.status, 200);
    for path in [
        "/nacos/v1/ns/operator/metrics",
        "/v1/ns/operator/metrics",
        "/nacos/v3/client/cs/config?dataId=a&groupName=G",
        "/nacos/v3/admin/core/state",
    ] {
        assert_eq!(world.ask("GET", path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn a_listener_for_clients_has_no_administration_but_health() {
    let world = showing(&[Surface::NacosClient]).await;
    assert_eq!(world.ask("GET", "/nacos/v1/ns/instance/list?serviceName=s").await.status, 200);
    assert_eq!(world.ask("GET", "/nacos/v1/console/health/readiness").await.status, 200);
    assert_eq!(world.ask("GET", "/nacos/v3/admin/core/state/readiness").await.status, 200);
    assert_eq!(world.ask("GET", "/nacos/v1/ns/operator/metrics").await.status, 200);
    for path in [
        "/nacos/v1/console/namespaces",
        "/nacos/v3/admin/core/state",
        "/nacos/v1/core/cluster/nodes",
        "/nacos/v1/ns/operator/switches",
        "/nacos/v1/ns/catalog/services?pageNo=1&pageSize=1",
        "/nacos/v2/ns/client/list",
        "/nacos/v1/cs/history?search=accurate&dataId=a&group=G",
    ] {
        assert_eq!(world.ask("GET", path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn without_the_context_path_only_the_console_is_found() {
    let world = World::new().await;
    assert_eq!(world.ask("GET", "/v3/console/core/namespace/list").await.status, 200);
    assert_eq!(world.ask("GET", "/v1/ns/instance/list?serviceName=s").await.status, 404);
    let world = World::with(HttpSettings { context_path: String::new(), ..HttpSettings::default() }).await;
    assert_eq!(world.ask("GET", "/v1/ns/instance/list?serviceName=s").await.status, 200);
}

#[tokio::test]
async fn a_client_of_grpc_finds_no_method_where_clients_are_not_shown() {
    let world = showing(&[Surface::Console]).await;
    let headers = [("Content-Type", "application/grpc")];
    let answer = world.body("POST", "/Request/request", "\0\0\0\0\0", &headers).await;
    assert_eq!(answer.header("grpc-status"), Some("12"), "{answer:?}");
}

#[tokio::test]
async fn pages_of_other_origins_may_call_unless_it_is_forbidden() {
    let world = World::new().await;
    let (path, origin) = ("/nacos/v1/cs/configs", ("Origin", "http://a.example"));
    let wanted =
        [origin, ("Access-Control-Request-Method", "POST"), ("Access-Control-Request-Headers", "x-a")];
    let answer = world.send("OPTIONS", path, "", &wanted).await;
    assert_eq!(answer.status, 200);
    for (name, value) in [
        ("Access-Control-Allow-Origin", "http://a.example"),
        ("Access-Control-Allow-Methods", "POST"),
        ("Access-Control-Allow-Headers", "x-a"),
        ("Access-Control-Max-Age", "18000"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{name}");
    }
    // A refusal must be readable, too.
    let answer = world.send("GET", path, "", &[origin]).await;
    assert_eq!(
        (answer.status, answer.header("Access-Control-Allow-Origin")),
        (500, Some("http://a.example"))
    );
    assert_eq!(world.ask("GET", path).await.header("Access-Control-Allow-Origin"), None);
    let world = World::with(HttpSettings { cors: false, ..HttpSettings::default() }).await;
    let answer = world.send("OPTIONS", path, "", &wanted).await;
    assert_eq!((answer.status, answer.header("Access-Control-Allow-Origin")), (500, None));
}
