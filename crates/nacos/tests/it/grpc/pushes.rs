//! How pushes reach those who read slowly, or do not acknowledge.

use super::{
    naming::{addresses, register, register_with, subscribe},
    server::Server,
};
use serde_json::{Value, json};
use std::time::Duration;

const PUSH: &str = "NotifySubscriberRequest";

fn version(push: &Value) -> String {
    push["serviceInfo"]["hosts"][0]["metadata"]["version"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn two_thousand_changes_are_a_handful_of_pushes_to_a_slow_subscriber() {
    const CHANGES: usize = 2_000;
    let server = Server::start().await;
    let (publisher, mut slow) = (server.naming().await, server.naming().await);
    subscribe(&slow, "s", "").await;
    for number in 1..=CHANGES {
        register_with(&publisher, "s", "10.0.0.1", json!({"version": number.to_string()})).await;
    }
    let mut pushes = 0;
    loop {
        let push = slow.take(PUSH).await;
        pushes += 1;
        if version(&push) == CHANGES.to_string() {
            break;
        }
    }
    // Six, and up to two more each time that five seconds pass without an acknowledgement.
    assert!(pushes <= CHANGES / 100, "{pushes} pushes");
    assert!(slow.is_quiet(Duration::from_millis(100)).await, "the newest state is the last");
}

#[tokio::test]
async fn a_subscriber_that_reads_nothing_holds_up_nobody() {
    let server = Server::start().await;
    let (publisher, stuck, mut reader) =
        (server.naming().await, server.naming().await, server.naming().await);
    subscribe(&stuck, "s", "").await;
    subscribe(&reader, "s", "").await;
    assert_eq!(addresses(&reader.take(PUSH).await), [""; 0]);
    for number in 0..50 {
        register_with(&publisher, "s", "10.0.0.1", json!({"version": number.to_string()})).await;
        assert_eq!(version(&reader.take(PUSH).await), number.to_string(), "each change is pushed at once");
    }
}

#[tokio::test]
async fn what_is_not_acknowledged_is_pushed_again() {
    let server = Server::start().await;
    let (publisher, mut subscriber) = (server.naming().await, server.naming().await);
    register(&publisher, "s", "10.0.0.1").await;
    subscribe(&subscriber, "s", "").await;
    let first = subscriber.push(PUSH).await;
    // After 5 s it is late, after 6 s it comes again.
    server.world.clock.skip(Duration::from_secs(2));
    assert!(subscriber.is_quiet(Duration::from_millis(1_500)).await, "too early");
    server.world.clock.skip(Duration::from_secs(3));
    let again = subscriber.take(PUSH).await;
    assert_eq!(again["serviceInfo"], first["serviceInfo"]);
    server.world.clock.skip(Duration::from_secs(10));
    assert!(subscriber.is_quiet(Duration::from_millis(1_500)).await, "it is acknowledged");
}

#[tokio::test]
async fn an_acknowledgement_that_failed_counts_as_none() {
    let server = Server::start().await;
    let mut subscriber = server.naming().await;
    register(&subscriber, "s", "10.0.0.1").await;
    subscribe(&subscriber, "s", "").await;
    let first = subscriber.push(PUSH).await;
    let body = json!({"resultCode": 500, "errorCode": 500, "requestId": first["requestId"]});
    subscriber.send("NotifySubscriberResponse", &body).await;
    let again = tokio::time::timeout(Duration::from_secs(4), subscriber.push(PUSH)).await;
    // Without any answer it would take 6 s.
    assert_eq!(again.expect("after 1 s")["serviceInfo"], first["serviceInfo"]);
}

#[tokio::test]
async fn each_subscriber_gets_the_clusters_it_asked_for() {
    let server = Server::start().await;
    let (publisher, mut all, mut some) =
        (server.naming().await, server.naming().await, server.naming().await);
    subscribe(&all, "s", "").await;
    subscribe(&some, "s", "A,B").await;
    all.take(PUSH).await;
    some.take(PUSH).await;
    register(&publisher, "s", "10.0.0.1").await;
    assert_eq!(addresses(&all.take(PUSH).await), ["10.0.0.1"]);
    let filtered = some.take(PUSH).await;
    assert_eq!((addresses(&filtered), &filtered["serviceInfo"]["clusters"]), (vec![], &json!("A,B")));
}
