//! Distributed locks.

use super::{peer::Peer, server::Server};
use serde_json::json;
use std::time::Duration;

async fn lock(peer: &Peer, operation: &str, hold_ms: i64) -> bool {
    let body = json!({"lockOperationEnum": operation,
        "lockInstance": {"key": "k", "expiredTime": hold_ms, "lockType": "NACOS_LOCK", "params": {}}});
    peer.ask("LockOperationRequest", body).await["result"].as_bool().unwrap()
}

#[tokio::test]
async fn a_lock_is_held_until_it_is_released_or_its_time_is_over() {
    let server = Server::start().await;
    let (one, other) = (server.config().await, server.config().await);
    assert!(lock(&one, "ACQUIRE", 60_000).await);
    assert!(!lock(&other, "ACQUIRE", 60_000).await);
    assert!(lock(&one, "RELEASE", -1).await);
    assert!(!lock(&one, "RELEASE", -1).await, "it is not taken");
    assert!(lock(&other, "ACQUIRE", 60_000).await);
    drop(other);
    server.until_connections(1).await;
    assert!(!lock(&one, "ACQUIRE", 60_000).await, "a lock outlives its connection");
    server.world.clock.skip(Duration::from_secs(61));
    assert!(lock(&one, "RELEASE", -1).await, "it was taken, if for too long");
    assert!(lock(&one, "ACQUIRE", 0).await);
    assert!(lock(&one, "ACQUIRE", 0).await, "a time of 0 is over at once");
}

#[tokio::test]
async fn what_can_not_be_done_to_a_lock_is_refused() {
    let server = Server::start().await;
    let peer = server.config().await;
    let expire =
        json!({"lockOperationEnum": "EXPIRE", "lockInstance": {"key": "k", "lockType": "NACOS_LOCK"}});
    assert_eq!(peer.refused("LockOperationRequest", expire).await.0, "LockOperationResponse");
}
