//! Watching by pattern.

use super::{naming::register, peer::Peer, server::Server};
use serde_json::{Value, json};

const SYNC: &str = "NamingFuzzyWatchSyncRequest";
const CHANGE: &str = "NamingFuzzyWatchChangeNotifyRequest";

fn watch(pattern: &str) -> Value {
    json!({"namespace": "public", "groupKeyPattern": format!("public>>{pattern}"), "receivedGroupKeys": [],
        "watchType": "WATCH", "initializing": true})
}

async fn begin(peer: &Peer, pattern: &str) {
    peer.ask("NamingFuzzyWatchRequest", watch(pattern)).await;
}

#[tokio::test]
async fn a_watcher_gets_what_there_is_and_then_what_comes_and_goes() {
    let server = Server::start().await;
    let (first, second, mut watcher) = (server.naming().await, server.naming().await, server.naming().await);
    register(&first, "orders", "10.0.0.1").await;
    register(&first, "users", "10.0.0.1").await;
    begin(&watcher, "DEFAULT_GROUP>>order*").await;
    let sync = watcher.take(SYNC).await;
    assert_eq!(sync["syncType"], "FUZZY_WATCH_INIT_NOTIFY");
    assert_eq!(
        sync["contexts"],
        json!([{"serviceKey": "public@@DEFAULT_GROUP@@orders", "changedType": "ADD_SERVICE"}])
    );
    assert_eq!(watcher.take(SYNC).await["syncType"], "FINISH_FUZZY_WATCH_INIT_NOTIFY");

    register(&second, "orders-2", "10.0.0.2").await;
    let added = watcher.take(CHANGE).await;
    assert_eq!(
        (&added["serviceKey"], &added["changedType"]),
        (&json!("public@@DEFAULT_GROUP@@orders-2"), &json!("ADD_SERVICE"))
    );
    drop(second);
    assert_eq!(watcher.take(CHANGE).await["changedType"], "DELETE_SERVICE");
}

#[tokio::test]
async fn patterns_give_their_places_back_when_their_connection_goes() {
    let server = Server::start().await;
    let max = server.world.node.settings().limits.fuzzy_patterns_max;
    let (holder, other) = (server.naming().await, server.naming().await);
    for number in 0..max {
        begin(&holder, &format!("g>>p{number}*")).await;
    }
    let full = other.refused("NamingFuzzyWatchRequest", watch("g>>one-more")).await;
    assert_eq!(full, ("NamingFuzzyWatchResponse".to_owned(), 50_310));
    begin(&other, "g>>p0*").await;
    drop(holder);
    server.until_connections(1).await;
    begin(&other, "g>>one-more").await;
}
