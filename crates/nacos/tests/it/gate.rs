//! The gate of 3.x.

use crate::world::World;
use muster_nacos::HttpSettings;

fn hint(kind: &str, instead: &str) -> String {
    format!(
        r#"{{"code":40000,"message":"Current API will be deprecated, please use API(s) `{instead}` instead, or set `nacos.core.api.compatibility.{kind}.enabled=true` in application.properties."}}"#
    )
}

async fn gated() -> World {
    World::with(HttpSettings { gate_v1_v2: true, ..HttpSettings::default() }).await
}

#[tokio::test]
async fn administration_is_gone_and_says_where_to() {
    let world = gated().await;
    for (method, path, kind, instead) in [
        ("PUT", "/v1/ns/instance", "admin", "PUT ${contextPath:nacos}/v3/admin/ns/instance"),
        ("PATCH", "/v1/ns/instance", "admin", "PUT ${contextPath:nacos}/v3/admin/ns/instance/partial"),
        (
            "GET",
            "/v1/cs/configs?search=blur",
            "console",
            "GET ${contextPath:nacos}/v3/console/cs/config/list",
        ),
        ("GET", "/v1/cs/configs?show=all", "console", "GET ${contextPath:nacos}/v3/console/cs/config"),
        (
            "DELETE",
            "/v1/cs/configs?delType=ids",
            "console",
            "DELETE ${contextPath:nacos}/v3/console/cs/config/batchDelete",
        ),
        (
            "GET",
            "/v1/console/namespaces",
            "console",
            "GET ${contextPath:nacos}/v3/console/core/namespace/list",
        ),
        (
            "GET",
            "/v1/console/namespaces?show=all",
            "console",
            "GET ${contextPath:nacos}/v3/console/core/namespace",
        ),
        (
            "GET",
            "/v1/console/health/liveness",
            "console",
            "GET ${contextPath:nacos}/v3/console/health/liveness",
        ),
        (
            "GET",
            "/v1/core/cluster/nodes",
            "console",
            "GET ${contextPath:nacos}/v3/admin/core/cluster/node/list",
        ),
        ("GET", "/v2/console/namespace", "console", "GET ${contextPath:nacos}/v3/console/core/namespace"),
        (
            "GET",
            "/v2/core/cluster/node/self",
            "admin",
            "GET {contextPath:nacos}/v3/admin/core/cluster/node/self",
        ),
        (
            "GET",
            "/v2/core/loader/reloadCurrent",
            "admin",
            "POST ${contextPath:nacos}/v3/admin/core/loader/reloadCurrent",
        ),
    ] {
        let answer = world.ask(method, &format!("/nacos{path}")).await;
        assert_eq!(answer.status, 410, "{method} {path}: {answer:?}");
        assert_eq!(answer.json()["message"], hint(kind, instead), "{method} {path}");
        assert_eq!(answer.json()["error"], "Gone");
    }
}

#[tokio::test]
async fn what_clients_call_stays_open() {
    let world = gated().await;
    world.form("POST", "/nacos/v1/ns/instance", "serviceName=s&ip=1.1.1.1&port=1").await.is(200, "ok");
    assert_eq!(world.ask("GET", "/nacos/v1/ns/instance/list?serviceName=s").await.status, 200);
    assert_eq!(
        world.ask("PUT", "/nacos/v1/ns/instance/beat?serviceName=s&ip=1.1.1.1&port=1").await.status,
        200
    );
    world.form("DELETE", "/nacos/v1/ns/instance", "serviceName=s&ip=1.1.1.1&port=1").await.is(200, "ok");
    assert_eq!(world.ask("GET", "/nacos/v1/ns/service/list?pageNo=1&pageSize=1").await.status, 200);
    world.ask("GET", "/nacos/v1/ns/operator/metrics").await.is(200, r#"{"status":"UP"}"#);
    world.form("POST", "/nacos/v1/cs/configs", "dataId=a&group=G&content=x").await.is(200, "true");
    world.ask("GET", "/nacos/v1/cs/configs?dataId=a&group=G").await.is(200, "x");
    assert_eq!(world.ask("HEAD", "/nacos/v1/cs/configs?dataId=a&group=G").await.status, 200);
    world.ask("DELETE", "/nacos/v1/cs/configs?dataId=a&group=G").await.is(200, "true");
    assert_eq!(world.ask("POST", "/nacos/v1/auth/users/login?username=a&password=b").await.status, 200);
    // v3 is what it points to.
    assert_eq!(world.ask("GET", "/nacos/v3/admin/core/namespace/list").await.status, 200);
}

#[tokio::test]
async fn an_unknown_path_is_unknown_behind_the_gate_too() {
    let world = gated().await;
    assert_eq!(world.ask("GET", "/nacos/v1/ns/nothing").await.status, 501);
    assert_eq!(world.ask("GET", "/nacos/v2/core/nothing").await.status, 404);
}
