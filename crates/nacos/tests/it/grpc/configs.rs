//! Publishing, querying and listening.

use super::{peer::Peer, server::Server};
use serde_json::{Value, json};
use std::time::Duration;

const NOTIFY: &str = "ConfigChangeNotifyRequest";

fn named(data_id: &str, tenant: &Value, mut more: Value) -> Value {
    more["dataId"] = data_id.into();
    more["group"] = "G".into();
    if !tenant.is_null() {
        more["tenant"] = tenant.clone();
    }
    more
}

async fn publish(peer: &Peer, data_id: &str, tenant: &Value, content: &str) {
    peer.ask("ConfigPublishRequest", named(data_id, tenant, json!({"content": content}))).await;
}

async fn query(peer: &Peer, data_id: &str, tenant: &Value) -> Value {
    peer.ask("ConfigQueryRequest", named(data_id, tenant, json!({}))).await
}

async fn listen(peer: &Peer, data_id: &str, tenant: &Value, md5: &str) -> Value {
    let context = named(data_id, tenant, json!({"md5": md5}));
    let body = json!({"listen": true, "configListenContexts": [context]});
    peer.ask("ConfigBatchListenRequest", body).await["changedConfigs"].clone()
}

#[tokio::test]
async fn what_was_published_is_read_at_once() {
    let server = Server::start().await;
    let (writer, reader) = (server.config().await, server.config().await);
    for number in 0..100 {
        let content = format!("content {number}");
        publish(&writer, "d", &json!(""), &content).await;
        assert_eq!(query(&reader, "d", &json!("public")).await["content"], content);
    }
}

#[tokio::test]
async fn a_change_is_told_in_the_listeners_own_spelling() {
    let server = Server::start().await;
    let writer = server.config().await;
    let spellings = [Value::Null, json!(""), json!("public")];
    let mut listeners = Vec::new();
    for tenant in &spellings {
        let listener = server.config().await;
        assert_eq!(listen(&listener, "d", tenant, "").await, json!([]));
        listeners.push(listener);
    }
    for (number, publisher) in spellings.iter().enumerate() {
        publish(&writer, "d", publisher, &number.to_string()).await;
        for (listener, tenant) in listeners.iter_mut().zip(&spellings) {
            let told = listener.take(NOTIFY).await;
            assert_eq!((&told["dataId"], &told["group"]), (&json!("d"), &json!("G")));
            // An empty one has no key, as recorded (config-change-notify).
            assert_eq!(told["tenant"].as_str().unwrap_or_default(), tenant.as_str().unwrap_or_default());
            // What is told can be read: it was there before the telling.
            assert_eq!(query(listener, "d", tenant).await["content"], number.to_string());
        }
    }
}

#[tokio::test]
async fn a_listener_is_told_at_once_of_what_it_missed() {
    let server = Server::start().await;
    let (writer, mut listener) = (server.config().await, server.config().await);
    publish(&writer, "d", &json!(""), "one").await;
    let changed = listen(&listener, "d", &json!(""), "").await;
    assert_eq!(changed, json!([{"group": "G", "dataId": "d", "tenant": ""}]));
    let md5 = query(&listener, "d", &json!("")).await["md5"].as_str().unwrap().to_owned();
    assert_eq!(listen(&listener, "d", &json!(""), &md5).await, json!([]));

    let stop = json!({"listen": false, "configListenContexts": [named("d", &json!(""), json!({"md5": ""}))]});
    listener.ask("ConfigBatchListenRequest", stop).await;
    publish(&writer, "d", &json!(""), "two").await;
    assert!(listener.is_quiet(Duration::from_millis(200)).await, "it listens no more");
    assert_eq!(server.world.node.watch_counts().configs, 0);
}

#[tokio::test]
async fn a_removal_is_a_change() {
    let server = Server::start().await;
    let (writer, mut listener) = (server.config().await, server.config().await);
    publish(&writer, "d", &json!(""), "one").await;
    listen(&listener, "d", &json!(""), "").await;
    writer.ask("ConfigRemoveRequest", named("d", &json!("public"), json!({}))).await;
    listener.take(NOTIFY).await;
    let gone = listener.refused("ConfigQueryRequest", named("d", &json!(""), json!({}))).await;
    assert_eq!(gone, ("ConfigQueryResponse".to_owned(), 300));
}

#[tokio::test]
async fn an_unacknowledged_notice_comes_again() {
    let server = Server::start().await;
    let (writer, mut listener) = (server.config().await, server.config().await);
    listen(&listener, "d", &json!(""), "").await;
    publish(&writer, "d", &json!(""), "one").await;
    listener.push(NOTIFY).await;
    // After 3 s it is late, after 2 s more it comes again.
    server.world.clock.skip(Duration::from_secs(1));
    assert!(listener.is_quiet(Duration::from_millis(1_500)).await, "too early");
    server.world.clock.skip(Duration::from_secs(3));
    assert_eq!(listener.take(NOTIFY).await["dataId"], "d");
}

#[tokio::test]
async fn contents_of_ten_mebibytes_come_and_go_and_larger_ones_are_refused() {
    let server = Server::start().await;
    let peer = server.config().await;
    // Half of it is written as two bytes in JSON.
    let content = "a\n".repeat(5 << 20);
    publish(&peer, "d", &json!(""), &content).await;
    let found = query(&peer, "d", &json!("")).await;
    assert!(found["content"] == content.as_str(), "another content came back");
    let larger = named("d", &json!(""), json!({"content": format!("{content}.")}));
    assert_eq!(peer.refused("ConfigPublishRequest", larger).await, ("ConfigPublishResponse".to_owned(), 400));
    assert_eq!(query(&peer, "d", &json!("")).await["md5"], found["md5"]);
}

#[tokio::test]
async fn a_namespace_nobody_created_works() {
    let server = Server::start().await;
    let (writer, mut listener) = (server.config().await, server.config().await);
    let tenant = json!("never-created");
    listen(&listener, "d", &tenant, "").await;
    publish(&writer, "d", &tenant, "there").await;
    assert_eq!(listener.take(NOTIFY).await["tenant"], tenant);
    assert_eq!(query(&listener, "d", &tenant).await["content"], "there");
    let other = listener.refused("ConfigQueryRequest", named("d", &json!(""), json!({}))).await;
    assert_eq!(other.1, 300);
}
