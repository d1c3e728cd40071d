//! Registering and discovering.

use super::{peer::Peer, server::Server};
use serde_json::{Value, json};

/// A request about a service of the default group.
pub(super) fn service(name: &str, mut more: Value) -> Value {
    more["namespace"] = "public".into();
    more["groupName"] = "DEFAULT_GROUP".into();
    more["serviceName"] = name.into();
    more
}

pub(super) fn instance(ip: &str, metadata: Value) -> Value {
    json!({"ip": ip, "port": 80, "weight": 1.0, "healthy": true, "enabled": true, "ephemeral": true,
        "clusterName": "DEFAULT", "metadata": metadata})
}

pub(super) async fn register(peer: &Peer, name: &str, ip: &str) {
    register_with(peer, name, ip, json!({})).await;
}

pub(super) async fn register_with(peer: &Peer, name: &str, ip: &str, metadata: Value) {
    let body = json!({"type": "registerInstance", "instance": instance(ip, metadata)});
    peer.ask("InstanceRequest", service(name, body)).await;
}

pub(super) async fn subscribe(peer: &Peer, name: &str, clusters: &str) -> Value {
    let body = service(name, json!({"subscribe": true, "clusters": clusters}));
    peer.ask("SubscribeServiceRequest", body).await
}

/// The addresses a query lists.
pub(super) async fn query(peer: &Peer, name: &str) -> Vec<String> {
    let body = service(name, json!({"cluster": "", "healthyOnly": false}));
    addresses(&peer.ask("ServiceQueryRequest", body).await)
}

pub(super) fn addresses(body: &Value) -> Vec<String> {
    let hosts = body["serviceInfo"]["hosts"].as_array().unwrap();
    hosts.iter().map(|host| host["ip"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_subscriber_sees_register_change_and_deregister() {
    let server = Server::start().await;
    let (publisher, mut subscriber) = (server.naming().await, server.naming().await);
    assert_eq!(addresses(&subscribe(&subscriber, "s", "").await), [""; 0]);
    assert_eq!(addresses(&subscriber.take("NotifySubscriberRequest").await), [""; 0]);

    register(&publisher, "s", "10.0.0.1").await;
    let first = subscriber.take("NotifySubscriberRequest").await;
    assert_eq!(addresses(&first), ["10.0.0.1"]);
    register_with(&publisher, "s", "10.0.0.1", json!({"version": "2"})).await;
    let second = subscriber.take("NotifySubscriberRequest").await;
    assert_eq!(second["serviceInfo"]["hosts"][0]["metadata"]["version"], "2");
    let time = |push: &Value| push["serviceInfo"]["lastRefTime"].as_u64().unwrap();
    assert!(time(&second) > time(&first), "clients drop what is not newer");

    let body = json!({"type": "deregisterInstance", "instance": instance("10.9.9.9", json!({}))});
    publisher.ask("InstanceRequest", service("s", body)).await;
    assert_eq!(addresses(&subscriber.take("NotifySubscriberRequest").await), [""; 0]);
    server.stop().await;
}

#[tokio::test]
async fn what_a_connection_registered_goes_with_it() {
    let server = Server::start().await;
    let (publisher, mut subscriber) = (server.naming().await, server.naming().await);
    register(&publisher, "s", "10.0.0.1").await;
    subscribe(&subscriber, "s", "").await;
    assert_eq!(addresses(&subscriber.take("NotifySubscriberRequest").await), ["10.0.0.1"]);
    drop(publisher);
    assert_eq!(addresses(&subscriber.take("NotifySubscriberRequest").await), [""; 0]);
    server.until_connections(1).await;
    assert_eq!(server.world.node.registry_counts().publications, 0);
}

#[tokio::test]
async fn the_same_address_on_a_newer_connection_stays() {
    let server = Server::start().await;
    let (old, new, other) = (server.naming().await, server.naming().await, server.naming().await);
    register(&old, "s", "10.0.0.1").await;
    register(&new, "s", "10.0.0.1").await;
    drop(old);
    server.until_connections(2).await;
    assert_eq!(query(&other, "s").await, ["10.0.0.1"]);
    drop(new);
    server.until_connections(1).await;
    assert_eq!(query(&other, "s").await, [""; 0]);
}

#[tokio::test]
async fn a_batch_replaces_what_there_was() {
    let server = Server::start().await;
    let peer = server.naming().await;
    for (ips, expected) in
        [(&["10.0.0.1", "10.0.0.2"][..], 2), (&["10.0.0.3"], 1), (&[], 0), (&["10.0.0.4"], 1)]
    {
        let instances: Vec<_> = ips.iter().map(|ip| instance(ip, json!({}))).collect();
        let body = json!({"type": "batchRegisterInstance", "instances": instances});
        peer.ask("BatchInstanceRequest", service("s", body)).await;
        assert_eq!(query(&peer, "s").await, ips);
        assert_eq!(server.world.node.registry_counts().instances, expected);
    }
}

#[tokio::test]
async fn a_connection_that_is_not_for_naming_publishes_and_subscribes_nothing() {
    let server = Server::start().await;
    let peer = server.config().await;
    let body = json!({"type": "registerInstance", "instance": instance("10.0.0.1", json!({}))});
    let lost = ("ErrorResponse".to_owned(), -401);
    assert_eq!(peer.refused("InstanceRequest", service("s", body)).await, lost);
    let body = service("s", json!({"subscribe": true, "clusters": ""}));
    assert_eq!(peer.refused("SubscribeServiceRequest", body).await, lost);
    assert_eq!(query(&peer, "s").await, [""; 0]);
    assert_eq!(server.world.node.watch_counts().services, 0);
}
