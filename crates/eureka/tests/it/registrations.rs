//! The life of a registration.

use crate::world::{AS_JSON, JSON, PEER, World, XML, instance};
use axum::body::{Body, Bytes};
use futures_util::stream;
use serde_json::json;
use std::io::Read as _;

#[tokio::test]
async fn an_instance_comes_and_goes() {
    let world = World::new().await;
    world.register("ORDER", "h1:order:8080", r#""port":{"$":8080,"@enabled":"true"}"#).await;
    for path in ["/eureka/apps/ORDER/h1:order:8080", "/eureka/v2/apps/order/h1%3Aorder%3A8080/"] {
        let beat = world.put(&format!("{path}?status=UP")).await;
        beat.is(200, "");
        assert_eq!(beat.header("content-type"), None);
    }
    let found = world.get("/eureka/apps/order/h1:order:8080", &[JSON]).await.json();
    assert_eq!(found["instance"]["port"]["$"], 8080);
    let by_id = world.get("/eureka/instances/h1%3Aorder%3A8080", &[JSON]).await.json();
    assert_eq!(found["instance"]["lastDirtyTimestamp"], by_id["instance"]["lastDirtyTimestamp"]);
    let xml = world.get("/eureka/apps/ORDER", &[XML]).await;
    assert_eq!(xml.header("content-type"), Some("application/xml"));
    assert!(xml.text().starts_with("<application><name>ORDER</name><instance><instanceId>h1:order:8080<"));
    world.delete("/eureka/apps/ORDER/h1:order:8080").await.is(200, "");
    world.delete("/eureka/apps/ORDER/h1:order:8080").await.is(404, "");
    world.put("/eureka/apps/ORDER/h1:order:8080").await.is(404, "");
    world.get("/eureka/apps/ORDER", &[JSON]).await.is(404, "");
}

#[tokio::test]
async fn bodies_come_in_chunks_and_packed() {
    let world = World::new().await;
    let body = instance("A", "chunked", "");
    let chunks: Vec<Result<Bytes, std::io::Error>> =
        body.as_bytes().chunks(7).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
    let chunked = Body::from_stream(stream::iter(chunks));
    world.send("POST", "/eureka/apps/A", &[AS_JSON], chunked).await.is(204, "");
    let mut packed = Vec::new();
    let body = instance("A", "packed", "");
    flate2::read::GzEncoder::new(body.as_bytes(), flate2::Compression::fast())
        .read_to_end(&mut packed)
        .unwrap();
    let headers = [AS_JSON, ("content-encoding", "gzip")];
    world.send("POST", "/eureka/apps/A", &headers, packed).await.is(204, "");
    let latin = b"<instance><instanceId>latin</instanceId><hostName>caf\xE9</hostName><app>a</app><ipAddr>1.2.3.4</ipAddr>\
        <dataCenterInfo><name>MyOwn</name></dataCenterInfo></instance>";
    let headers = [("content-type", "application/xml;charset=ISO-8859-1")];
    world.send("POST", "/eureka/apps/A", &headers, latin.to_vec()).await.is(204, "");
    let app = world.get("/eureka/apps/A", &[JSON]).await.json();
    let ids: Vec<_> =
        app["application"]["instance"].as_array().unwrap().iter().map(|i| &i["instanceId"]).collect();
    assert_eq!(ids, ["chunked", "latin", "packed"]);
    assert_eq!(app["application"]["instance"][1]["hostName"], "café");
}

#[tokio::test]
async fn a_renewal_with_any_body_renews() {
    let world = World::new().await;
    world.register("A", "i", r#""lastDirtyTimestamp":"100""#).await;
    for (content_type, body) in [("application/json", ""), ("application/json", "{}"), ("text/plain", "a=b")]
    {
        let headers = [("content-type", content_type)];
        world.send("PUT", "/eureka/apps/A/i", &headers, body).await.is(200, "");
    }
    for query in ["lastDirtyTimestamp=100", "lastDirtyTimestamp=99", "lastDirtyTimestamp=abc", "status=WHAT"]
    {
        world.put(&format!("/eureka/apps/A/i?{query}")).await.is(200, "");
    }
    world.put("/eureka/apps/A/i?lastDirtyTimestamp=101").await.is(404, "");
    let renew = |query: &'static str, headers: Vec<(&'static str, &'static str)>| {
        let world = &world;
        async move { world.send("PUT", &format!("/eureka/apps/A/i?{query}"), &headers, "").await }
    };
    let conflict = renew("lastDirtyTimestamp=99", vec![PEER, JSON]).await;
    assert_eq!((conflict.status, conflict.header("content-type")), (409, Some("application/json")));
    assert_eq!(conflict.json()["instance"]["lastDirtyTimestamp"], "100");
    let conflict = renew("lastDirtyTimestamp=99", vec![PEER]).await;
    assert_eq!((conflict.status, conflict.header("content-type")), (409, Some("application/xml")));
    renew("lastDirtyTimestamp=99", vec![("x-netflix-discovery-replication", "TRUE")]).await.is(200, "");
}

#[tokio::test]
async fn labels_are_merged_and_of_twins_the_first_counts() {
    let world = World::new().await;
    world.register("A", "i", r#""metadata":{"zone":"z1","version":"1"}"#).await;
    world.put("/eureka/apps/A/i/metadata?version=2&extra=a+b%26c&version=3&empty=").await.is(200, "");
    world.put("/eureka/apps/A/i/metadata").await.is(200, "");
    let found = world.get("/eureka/apps/A/i", &[JSON]).await.json();
    let expected = json!({"zone": "z1", "version": "2", "extra": "a b&c", "empty": ""});
    assert_eq!(found["instance"]["metadata"], expected);
}

#[tokio::test]
async fn a_plus_in_an_id_is_a_plus_or_else_a_space() {
    let world = World::new().await;
    world.register("A", "with space", "").await;
    world.register("A", "with+plus", "").await;
    world.put("/eureka/apps/A/with+space").await.is(200, "");
    world.put("/eureka/apps/A/with%20space").await.is(200, "");
    world.put("/eureka/apps/A/with+plus").await.is(200, "");
    world.delete("/eureka/apps/A/with+plus").await.is(200, "");
    world.delete("/eureka/apps/A/with+space").await.is(200, "");
    world.put("/eureka/apps/A/neither+nor").await.is(404, "");
}
