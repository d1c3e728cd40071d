//! Each generation refuses in its own words.

use crate::world::World;

#[tokio::test]
async fn refusals_have_the_form_of_their_generation() {
    let world = World::new().await;
    for (method, path, status, body) in [
        ("POST", "/nacos/v1/ns/instance", 400, "Param 'serviceName' is required."),
        (
            "POST",
            "/nacos/v1/ns/instance?serviceName=s&ip=h&port=1&weight=10001",
            400,
            "instance format invalid: The weights range from 0.0 to 10000.0",
        ),
        (
            "POST",
            "/nacos/v1/ns/instance?serviceName=s&ip=h&port=1&weight=NaN",
            400,
            "instance format invalid: The weights range from 0.0 to 10000.0",
        ),
        (
            "GET",
            "/nacos/v1/ns/instance/list?serviceName=a%20b",
            400,
            "Param 'serviceName' is illegal, illegal characters should not appear in the param.\r\n",
        ),
        (
            "GET",
            "/nacos/v1/cs/configs?group=G",
            500,
            "caused: Required request parameter &#39;dataId&#39; for method parameter type String is not present;",
        ),
        (
            "PUT",
            "/nacos/v1/cs/configs?dataId=d&group=G",
            500,
            "caused: Request method &#39;PUT&#39; not supported;",
        ),
        (
            "POST",
            "/nacos/v3/client/ns/instance",
            400,
            r#"{"code":10000,"message":"parameter missing","data":"Required parameter 'serviceName' type String is not present"}"#,
        ),
        (
            "POST",
            "/nacos/v3/client/ns/instance?serviceName=s&ip=h&port=1&weight=-1",
            400,
            r#"{"code":21001,"message":"weight error","data":"instance format invalid: The weights range from 0.0 to 10000.0"}"#,
        ),
        (
            "GET",
            "/nacos/v3/client/cs/config?dataId=d",
            400,
            "caused: Required parameter 'groupName' type String is not present;",
        ),
    ] {
        world.ask(method, path).await.is(status, body);
    }
}

#[tokio::test]
async fn unknown_paths_and_methods_have_their_error_pages() {
    let world = World::new().await;
    for (method, path, status, message) in [
        ("GET", "/nacos/v1/ns/nothing", 501, "no such api:GET:/nacos/v1/ns/nothing"),
        ("GET", "/nacos/v1/cs/nothing", 404, "No message available"),
        ("GET", "/nacos/v9/x", 404, "No message available"),
        ("GET", "/nothing", 404, "No message available"),
        ("POST", "/nacos/v3/client/cs/config", 405, "Method 'POST' is not supported."),
    ] {
        let answer = world.ask(method, path).await;
        let page = answer.json();
        assert_eq!((answer.status, page["message"].as_str()), (status, Some(message)), "{method} {path}");
        assert_eq!((page["path"].as_str(), page["status"].as_u64()), (Some(path), Some(status.into())));
    }
}

#[tokio::test]
async fn naming_knows_no_head() {
    let world = World::new().await;
    assert_eq!(world.ask("HEAD", "/nacos/v1/ns/instance/list?serviceName=s").await.status, 501);
}

#[tokio::test]
async fn kinds_that_clash_are_refused_as_clients_know_it() {
    let world = World::new().await;
    let instance = "/nacos/v1/ns/instance?serviceName=s&ip=10.0.0.1&port=80";
    world.ask("POST", &format!("{instance}&ephemeral=false")).await.is(200, "ok");
    world.ask("POST", instance).await.is(400, "errCode: 400, errMsg: Current service DEFAULT_GROUP@@s is persistent service, can't register ephemeral instance. ");
}

#[tokio::test]
async fn a_grpc_call_of_nobody_learns_so() {
    let world = World::new().await;
    let answer = world.send("POST", "/Nobody/request", "", &[("content-type", "application/grpc")]).await;
    assert_eq!((answer.status, answer.header("grpc-status")), (200, Some("12")));
}
