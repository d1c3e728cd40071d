//! A change at one node is pushed to whoever listens at another, over each protocol.

use crate::{
    http::{Ask, Caller},
    listener::{GROUP, Listener, instance},
};
use hyper::Method;
use muster_client::{Publish, Push, RequestType};
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use std::{net::SocketAddr, time::Duration};
use tokio::{task::JoinSet, time::sleep};

/// How long an answer may take on a busy machine: shorter than a poll is held.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a node is asked to hold a poll: longer than anybody waits.
const HOLD: &str = "60000";

/// A name for what is done at one node and seen at another.
fn name(what: &str, at: SocketAddr, to: SocketAddr) -> String {
    format!("{what}-{}-{}", at.ip(), to.ip()).replace('.', "-")
}

/// Instances of a connection, and of beats, come and go.
pub(crate) async fn services(at: SocketAddr, to: SocketAddr) {
    let service = name("service", at, to);
    let mut subscriber = Listener::at(to).await;
    assert!(subscriber.client.subscribe(GROUP, &service, "").await.unwrap().hosts.is_empty());
    let publisher = Listener::at(at).await;
    publisher.register(&service, "10.0.0.1").await;
    told(&mut subscriber, &service, &["10.0.0.1"]).await;

    let mut caller = Caller::new(at, PATIENCE);
    let path = format!("/nacos/v1/ns/instance?serviceName={service}&ip=10.0.0.2&port=80&ephemeral=true");
    assert!(caller.call(&Ask::plain(Method::POST, &path)).await.unwrap().is_ok());
    told(&mut subscriber, &service, &["10.0.0.1", "10.0.0.2"]).await;
    assert!(caller.call(&Ask::plain(Method::DELETE, &path)).await.unwrap().is_ok());
    told(&mut subscriber, &service, &["10.0.0.1"]).await;

    publisher.client.deregister(GROUP, &service, instance("10.0.0.1")).await.unwrap();
    told(&mut subscriber, &service, &[]).await;
    publisher.register(&service, "10.0.0.3").await;
    told(&mut subscriber, &service, &["10.0.0.3"]).await;
    drop(publisher);
    told(&mut subscriber, &service, &[]).await;
}

/// Waits for a push of a service with exactly these hosts.
async fn told(subscriber: &mut Listener, service: &str, wanted: &[&str]) {
    let is_so = |push| {
        let Push::Service(told) = push else { return None };
        let mut hosts: Vec<&str> = told.hosts.iter().map(|host| host.ip.as_str()).collect();
        hosts.sort_unstable();
        (told.name.ends_with(service) && hosts == wanted).then_some(())
    };
    subscriber.wait(&format!("{service} with {wanted:?}"), is_so).await;
}

/// Fuzzy watches of services and of configs.
pub(crate) async fn names(at: SocketAddr, to: SocketAddr) {
    let (service, data_id) = (name("named", at, to), name("named-config", at, to));
    let mut watcher = Listener::at(to).await;
    let watch = |pattern: &str| {
        json!({"namespace": "public", "groupKeyPattern": pattern, "receivedGroupKeys": [], "watchType": "WATCH",
            "initializing": true})
    };
    for (kind, name) in [(RequestType::NamingFuzzyWatch, &service), (RequestType::ConfigFuzzyWatch, &data_id)]
    {
        let pattern = format!("public>>{GROUP}>>{name}*");
        watcher.client.request::<IgnoredAny>(kind, &watch(&pattern)).await.unwrap();
    }
    let publisher = Listener::at(at).await;
    publisher.register(&service, "10.0.0.1").await;
    let key = format!("public@@{GROUP}@@{service}");
    named(&mut watcher, &[("serviceKey", &key), ("changedType", "ADD_SERVICE")]).await;
    drop(publisher);
    named(&mut watcher, &[("serviceKey", &key), ("changedType", "DELETE_SERVICE")]).await;

    let publisher = Listener::at(at).await;
    publish(&publisher, &data_id, "1").await;
    let key = format!("{data_id}+{GROUP}+public");
    named(&mut watcher, &[("groupKey", &key), ("changeType", "CONFIG_CHANGED")]).await;
    publisher.client.remove(GROUP, &data_id).await.unwrap();
    named(&mut watcher, &[("groupKey", &key), ("changeType", "DELETE_CONFIG")]).await;
}

/// Waits for a push of a name that says all of this.
async fn named(watcher: &mut Listener, wanted: &[(&str, &str)]) {
    let is_so = |push| {
        let Push::Other { body, .. } = push else { return None };
        let body: Value = serde_json::from_slice(&body).unwrap();
        wanted.iter().all(|(key, value)| body[key] == *value).then_some(())
    };
    watcher.wait(&format!("{wanted:?}"), is_so).await;
}

/// Listeners of a config; what they are told of is there when they ask.
pub(crate) async fn configs(at: SocketAddr, to: SocketAddr) {
    let data_id = name("config", at, to);
    let mut listener = Listener::at(to).await;
    let publisher = Listener::at(at).await;
    let mut md5 = String::new();
    for content in ["1", "2", "3"] {
        assert_eq!(listener.client.listen(&[(GROUP, &data_id, &md5)]).await.unwrap(), []);
        publish(&publisher, &data_id, content).await;
        changed(&mut listener, &data_id).await;
        let found = listener.client.get(GROUP, &data_id).await.unwrap().unwrap();
        assert_eq!(found.content, content);
        md5 = found.md5;
    }
    assert_eq!(listener.client.listen(&[(GROUP, &data_id, &md5)]).await.unwrap(), []);
    publisher.client.remove(GROUP, &data_id).await.unwrap();
    changed(&mut listener, &data_id).await;
    assert!(listener.client.get(GROUP, &data_id).await.unwrap().is_none());
}

async fn publish(publisher: &Listener, data_id: &str, content: &str) {
    let publish = Publish { group: GROUP, data_id, content, ..Publish::default() };
    publisher.client.publish(publish).await.unwrap();
}

async fn changed(listener: &mut Listener, data_id: &str) {
    let is_so = |push| match push {
        Push::Config(config) => (config.data_id == data_id).then_some(()),
        Push::Service(_) | Push::Reset { .. } | Push::Other { .. } => None,
    };
    listener.wait(data_id, is_so).await;
}

/// Long polls over HTTP are answered when the config comes, and when it goes.
pub(crate) async fn held_polls(at: SocketAddr, to: SocketAddr) {
    let data_id = name("polled", at, to);
    let path = format!("/nacos/v1/cs/configs?dataId={data_id}&group={GROUP}");
    let mut caller = Caller::new(at, PATIENCE);
    let mut md5 = "";
    for (method, content) in [(Method::POST, "&content=1"), (Method::DELETE, "")] {
        let form = format!("Listening-Configs={data_id}%02{GROUP}%02{md5}%01");
        let mut polls = JoinSet::new();
        polls.spawn(poll(to, form));
        // The node holds the poll meanwhile; were it late, its answer would be the same.
        sleep(Duration::from_millis(100)).await;
        assert!(polls.try_join_next().is_none(), "nothing has changed yet");
        let path = format!("{path}{content}");
        assert_eq!(caller.call(&Ask::plain(method, &path)).await.unwrap().text(), "true");
        let told = polls.join_next().await.unwrap().unwrap();
        assert!(told.contains(&data_id), "{told:?}");
        md5 = "c4ca4238a0b923820dcc509a6f75849b";
    }
}

async fn poll(node: SocketAddr, form: String) -> String {
    let headers = [("long-pulling-timeout", HOLD), ("content-type", "application/x-www-form-urlencoded")];
    let path = "/nacos/v1/cs/configs/listener";
    let ask = Ask { method: Method::POST, path, headers: &headers, body: form.into_bytes() };
    let answer = Caller::new(node, PATIENCE).call(&ask).await.unwrap();
    assert!(answer.is_ok(), "{}", answer.text());
    answer.text()
}
