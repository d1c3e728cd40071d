//! What is refused, and that nothing is said with it.

use crate::world::{AS_JSON, JSON, PEER, World, XML, instance};
use axum::body::Body;
use muster_eureka::EurekaSettings;
use muster_transport::{Surface, Surfaces};

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"];

const BASES: [&str; 6] =
    ["/eureka", "/eureka/v2", "/eureka/ns/dev", "/eureka/v2/ns/dev/group/g", "/registry", "/eureka/ns/a%20b"];

/// What follows a base.
const PATHS: [&str; 26] = [
    "",
    "/",
    "/nothing",
    "/apps",
    "/apps/",
    "/apps/delta",
    "/apps/NONE",
    "/apps/NONE/x",
    "/apps/NONE/x/status",
    "/apps/NONE/x/status?value=UP",
    "/apps/NONE/x/status?value=bogus",
    "/apps/NONE/x/metadata?a=b",
    "/apps/NONE/x/other",
    "/apps/NONE/x/status/deep",
    "/apps//x",
    "/apps/KNOWN/known/status?value=bogus",
    "/instances/none",
    "/vips/",
    "/vips/none",
    "/svips/none",
    "/asg/none/status?value=ENABLED",
    "/peerreplication/batch/",
    "/peerreplication/none",
    "/status",
    "/v1/apps",
    "/apps/%FF%00/..%2F",
];

#[tokio::test]
async fn no_route_says_anything_with_a_refusal() {
    let world =
        World::with(EurekaSettings { extra_path: "/registry".into(), ..EurekaSettings::default() }).await;
    world.register("KNOWN", "known", "").await;
    let mut refused = 0;
    for base in BASES {
        for path in PATHS {
            for method in METHODS {
                refused += refusals(&world, method, &format!("{base}{path}")).await;
            }
        }
    }
    assert!(refused > 2_000, "only {refused}");
}

/// How many requests to a path are refused, in whatever form; none of them with a word.
async fn refusals(world: &World, method: &str, path: &str) -> usize {
    let mut refused = 0;
    for headers in [&[JSON][..], &[XML], &[PEER, ("content-type", "text/plain")], &[]] {
        let answer = world.send(method, path, headers, Body::from("x")).await;
        if answer.status >= 400 {
            refused += 1;
            answer.is(answer.status, "");
            assert_eq!(answer.header("content-type"), None, "{method} {path}");
        }
    }
    refused
}

#[tokio::test]
async fn a_refused_registration_says_why() {
    let world = World::new().await;
    let post = |headers: Vec<(&'static str, &'static str)>, body: &'static str| {
        let world = &world;
        async move { world.send("POST", "/eureka/apps/A", &headers, body).await }
    };
    let json = post(vec![AS_JSON], "{bad").await;
    json.is(400, "{\"error\": \"cannot parse request body\"}");
    assert_eq!(json.header("content-type"), Some("application/json"));
    let xml = post(vec![("content-type", "application/xml")], "<bad").await;
    xml.is(400, "<error><message>cannot parse request body</message></error>");
    assert_eq!(xml.header("content-type"), Some("application/xml"));
    let missing = post(vec![AS_JSON], r#"{"instance":{"instanceId":"i","app":"A"}}"#).await;
    missing.is(400, "Missing hostname");
    assert_eq!(missing.header("content-type"), Some("application/xml"));
    let accepts = post(vec![AS_JSON, JSON], r#"{"instance":{"app":"A"}}"#).await;
    accepts.is(400, "Missing instanceId");
    assert_eq!(accepts.header("content-type"), Some("application/json"));
    for content_type in ["text/plain", "text/xml", "application/x-www-form-urlencoded"] {
        post(vec![("content-type", content_type)], "a=b").await.is(415, "");
    }
    post(vec![], "{}").await.is(415, "");
    world.get("/eureka/apps/A", &[JSON]).await.is(404, "");
}

#[tokio::test]
async fn bodies_have_a_size() {
    let world = World::with(EurekaSettings { body_bytes_max: 4_096, ..EurekaSettings::default() }).await;
    let long = instance("A", "i", &format!(r#""metadata":{{"k":"{}"}}"#, "x".repeat(5_000)));
    world.send("POST", "/eureka/apps/A", &[AS_JSON], long.clone()).await.is(413, "");
    let mut packed = Vec::new();
    std::io::Read::read_to_end(
        &mut flate2::read::GzEncoder::new(long.as_bytes(), flate2::Compression::best()),
        &mut packed,
    )
    .unwrap();
    assert!(packed.len() < 1_000);
    let headers = [AS_JSON, ("content-encoding", "gzip")];
    world.send("POST", "/eureka/apps/A", &headers, packed).await.is(413, "");
    world.send("POST", "/eureka/apps/A", &headers, "no gzip").await.is(400, "");
    let headers = [AS_JSON, ("content-encoding", "br")];
    world.send("POST", "/eureka/apps/A", &headers, "x").await.is(415, "");
    world.send("PUT", "/eureka/apps/A/i", &[], "x".repeat(5_000)).await.is(413, "");
}

#[tokio::test]
async fn a_node_that_starts_sends_clients_on() {
    let world = World::starting(EurekaSettings::default());
    for path in ["/eureka/apps", "/eureka/apps/delta", "/eureka/apps/A", "/eureka/apps/A/i", "/eureka/vips/a"]
    {
        world.get(path, &[JSON]).await.is(503, "");
    }
    world.put("/eureka/apps/A/i").await.is(503, "");
    world.send("POST", "/eureka/apps/A", &[AS_JSON], instance("A", "i", "")).await.is(503, "");
    let batch = r#"{"replicationList":[{"appName":"A","id":"i","action":"Cancel"}]}"#;
    world.send("POST", "/eureka/peerreplication/batch/", &[AS_JSON], batch).await.is(503, "");
}

#[tokio::test]
async fn a_listener_without_eureka_shows_none() {
    let world = World::new().await.showing(Surfaces::of(&[Surface::NacosClient, Surface::Metrics]));
    for path in ["/eureka/apps", "/eureka/status", "/lastn"] {
        world.get(path, &[]).await.is(404, "");
    }
    let world = world.showing(Surfaces::of(&[Surface::Eureka]));
    assert_eq!(world.get("/eureka/apps", &[]).await.status, 200);
}

#[tokio::test]
async fn instances_have_a_size() {
    let world = World::new().await;
    let post = |id: String, members: String| {
        let world = &world;
        async move { world.send("POST", "/eureka/apps/A", &[AS_JSON], instance("A", &id, &members)).await }
    };
    let label = |length: usize| format!(r#""metadata":{{"k":"{}"}}"#, "x".repeat(length));
    post("i".into(), label(60_000)).await.is(204, "");
    post("j".into(), label(70_000)).await.is(400, "");
    post("i".repeat(5_000), String::new()).await.is(400, "");
    post("j".into(), format!(r#""homePageUrl":"{}""#, "x".repeat(40_000))).await.is(400, "");
    world.get("/eureka/apps/A/j", &[JSON]).await.is(404, "");
    let pairs = format!("/eureka/apps/A/i/metadata?l={}", "x".repeat(10_000));
    world.put(&pairs).await.is(400, "");
}

#[tokio::test]
async fn applications_with_odd_names_are_found_again() {
    let world = World::new().await;
    for (app, path) in [
        ("stra\u{DF}e 1", "stra%C3%9Fe%201"),
        ("\u{8BA2}\u{DF}", "%E8%AE%A2%C3%9F"),
        ("a@b", "a@b"),
        ("@@", "@@"),
        ("%zz/..", "%25zz%2F.."),
    ] {
        let body = instance(app, "i", "");
        world.send("POST", &format!("/eureka/apps/{path}"), &[AS_JSON], body).await.is(204, "");
        world.put(&format!("/eureka/apps/{path}/i")).await.is(200, "");
        assert_eq!(world.get(&format!("/eureka/apps/{path}"), &[JSON]).await.status, 200, "{app}");
    }
}

#[tokio::test]
async fn another_method_is_told_those_there_are() {
    let world = World::new().await;
    for (method, path, allowed) in [
        ("OPTIONS", "/eureka/apps", "GET, HEAD"),
        ("DELETE", "/eureka/apps/A", "GET, HEAD, POST"),
        ("POST", "/eureka/apps/A/i", "GET, HEAD, PUT, DELETE"),
        ("GET", "/eureka/apps/A/i/status?value=UP", "PUT, DELETE"),
        ("GET", "/eureka/peerreplication/batch/", "POST"),
    ] {
        let answer = world.send(method, path, &[], Body::empty()).await;
        answer.is(405, "");
        assert_eq!(answer.header("allow"), Some(allowed), "{method} {path}");
    }
}
