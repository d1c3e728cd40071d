//! How a connection begins, and what it survives.

use super::{
    naming::{query, register, subscribe},
    peer::{Peer, payload},
    server::Server,
};
use serde_json::json;
use std::{pin::pin, time::Duration};
use tonic::Code;

/// More than a message may have: twice a content's limit and 1 MiB.
const TOO_LONG: usize = 25 << 20;

#[tokio::test]
async fn before_the_set_up_only_the_server_check_is_answered() {
    let server = Server::start().await;
    let peer = Peer::bare(server.address).await;
    let check = peer.ask("ServerCheckRequest", json!({})).await;
    assert_eq!(check["supportAbilityNegotiation"], true);
    assert!(check["connectionId"].as_str().unwrap().contains("_127.0.0.1_"));
    let unregistered = ("ErrorResponse".to_owned(), 301);
    assert_eq!(peer.refused("HealthCheckRequest", json!({})).await, unregistered);
    assert_eq!(peer.refused("SubscribeServiceRequest", json!({})).await, unregistered);
    assert_eq!(server.world.sessions.count(), 0);
}

#[tokio::test]
async fn a_request_waits_for_the_set_up_that_is_under_way() {
    let server = Server::start().await;
    let mut peer = Peer::bare(server.address).await;
    peer.open_stream().await.unwrap();
    {
        let mut early = pin!(peer.try_ask("HealthCheckRequest", json!({})));
        tokio::select! {
            answer = &mut early => panic!("answered before the set-up: {answer:?}"),
            () = tokio::time::sleep(Duration::from_millis(300)) => {}
        }
        peer.send_set_up("naming").await;
        assert_eq!(early.await.unwrap().0, "HealthCheckResponse");
    }
    peer.push("SetupAckRequest").await;
}

#[tokio::test]
async fn a_second_stream_is_refused_and_the_first_goes_on() {
    let server = Server::start().await;
    let mut peer = server.naming().await;
    let mut second = peer.another();
    assert_eq!(second.open_stream().await.unwrap_err().code(), Code::AlreadyExists);
    peer.send_set_up("config").await;
    register(&peer, "s", "10.0.0.1").await;
    subscribe(&peer, "s", "").await;
    peer.push("NotifySubscriberRequest").await;
}

#[tokio::test]
async fn a_message_over_the_limit_fails_its_call_and_nothing_else() {
    let server = Server::start().await;
    let peer = server.naming().await;
    register(&peer, "s", "10.0.0.1").await;
    for _ in 0..3 {
        let body = json!({"content": "x".repeat(TOO_LONG)});
        let status = peer.try_ask("ConfigPublishRequest", body).await.unwrap_err();
        assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
        peer.ask("HealthCheckRequest", json!({})).await;
    }
    assert_eq!(query(&peer, "s").await, ["10.0.0.1"]);
}

#[tokio::test]
async fn a_message_over_the_limit_ends_the_stream_and_says_why() {
    let server = Server::start().await;
    let mut peer = server.naming().await;
    register(&peer, "s", "10.0.0.1").await;
    peer.send("NotifySubscriberResponse", &json!({"requestId": "x".repeat(TOO_LONG)})).await;
    assert_eq!(peer.end_of_stream().await, Code::ResourceExhausted);
    // A client without its stream can be told nothing: it has to connect anew.
    server.until_connections(0).await;
    assert_eq!(server.world.node.registry_counts().publications, 0);
}

#[tokio::test]
async fn malformed_requests_are_refused_and_the_connection_stays() {
    let server = Server::start().await;
    let mut peer = server.naming().await;
    for (kind, body, code) in [
        ("InstanceRequest", "{", 502),
        ("InstanceRequest", "null", 502),
        ("InstanceRequest", "[1]", 502),
        ("NoSuchRequest", "{}", 302),
        ("", "{}", 302),
        ("HealthCheckResponse", "{}", 302),
        ("DistroDataRequest", "{}", 502),
    ] {
        let answer = peer.raw(kind, body.as_bytes()).await;
        assert_eq!(
            (answer.0.as_str(), answer.1["errorCode"].as_i64()),
            ("ErrorResponse", Some(code)),
            "{kind} {body}"
        );
    }
    for body in [json!(null), json!([]), json!({"requestId": {}}), json!({"requestId": "no number"})] {
        peer.send("NotifySubscriberResponse", &body).await;
    }
    peer.outgoing.as_ref().unwrap().send(payload("", &json!(""))).await.unwrap();
    register(&peer, "s", "10.0.0.1").await;
    subscribe(&peer, "s", "").await;
    peer.take("NotifySubscriberRequest").await;
}
