//! Held requests.

use crate::world::{Answer, World};
use futures_util::FutureExt as _;
use std::{future::Future, pin::pin, time::Duration};

const CONFIG: &str = "/nacos/v1/cs/configs?dataId=d&group=G";
const LISTENER: &str = "/nacos/v1/cs/configs/listener";
const HOLD: (&str, &str) = ("Long-Pulling-Timeout", "30000");
const HELLO: &str = "5d41402abc4b2a76b9719d911017c592";

fn probe(md5: &str) -> String {
    format!("Listening-Configs=d%02G%02{md5}%01")
}

/// Whether a request is held: it has been polled until nothing more came of it.
async fn is_held(request: &mut (impl Future<Output = Answer> + Unpin)) -> bool {
    for _ in 0..50 {
        if request.now_or_never().is_some() {
            return false;
        }
        tokio::task::yield_now().await;
    }
    true
}

#[tokio::test]
async fn a_difference_is_answered_at_once() {
    let world = World::new().await;
    world.form("POST", CONFIG, "content=hello").await.is(200, "true");
    let answer = world.send("POST", LISTENER, &probe("0"), &[HOLD]).await;
    answer.is(200, "d%02G%01\n");
    assert_eq!(answer.header("Cache-Control"), Some("no-cache,no-store"));
    let same = [HOLD, ("Long-Pulling-Timeout-No-Hangup", "true")];
    world.send("POST", LISTENER, &probe(HELLO), &same).await.is(200, "");
}

#[tokio::test]
async fn a_held_request_is_woken_by_a_publish_and_by_a_removal() {
    let world = World::new().await;
    let headers = [HOLD];
    let first = probe("");
    let mut held = pin!(world.send("POST", LISTENER, &first, &headers));
    assert!(is_held(&mut held).await);
    world.form("POST", CONFIG, "content=hello").await.is(200, "true");
    held.await.is(200, "d%02G%01\n");
    let second = probe(HELLO);
    let mut held = pin!(world.send("POST", LISTENER, &second, &headers));
    assert!(is_held(&mut held).await);
    // The same content again is no change.
    world.form("POST", CONFIG, "content=hello").await.is(200, "true");
    assert!(is_held(&mut held).await);
    world.ask("DELETE", CONFIG).await.is(200, "true");
    held.await.is(200, "d%02G%01\n");
    assert_eq!(world.node.watch_counts().watchers, 0, "an answered request watches nothing");
}

#[tokio::test]
async fn a_beta_wakes_only_those_it_is_for() {
    let world = World::new().await;
    world.form("POST", CONFIG, "content=hello").await.is(200, "true");
    let form = probe(HELLO);
    let (listed, other) = ([HOLD, ("X-Real-IP", "10.0.0.1")], [HOLD, ("X-Real-IP", "10.0.0.2")]);
    let mut listed = pin!(world.send("POST", LISTENER, &form, &listed));
    let mut other = pin!(world.send("POST", LISTENER, &form, &other));
    assert!(is_held(&mut listed).await && is_held(&mut other).await);
    world.send("POST", CONFIG, "content=beta", &[("betaIps", "10.0.0.1")]).await.is(200, "true");
    listed.await.is(200, "d%02G%01\n");
    assert!(is_held(&mut other).await);
    world.form("POST", CONFIG, "content=changed").await.is(200, "true");
    other.await.is(200, "d%02G%01\n");
}

#[tokio::test]
async fn a_request_that_is_given_up_watches_nothing() {
    let world = World::new().await;
    let form = probe("");
    {
        let mut held = Box::pin(world.send("POST", LISTENER, &form, &[HOLD]));
        assert!(is_held(&mut held).await);
        assert_eq!(world.node.watch_counts().configs, 1);
    }
    assert_eq!(world.node.watch_counts().configs, 0);
}

#[tokio::test]
async fn held_requests_end_empty_when_the_server_drains() {
    let world = World::new().await;
    let form = probe("");
    let mut held = pin!(world.send("POST", LISTENER, &form, &[HOLD]));
    assert!(is_held(&mut held).await);
    world.table.draining().cancel();
    tokio::time::timeout(Duration::from_secs(5), held).await.unwrap().is(200, "");
}

#[tokio::test]
async fn the_namespace_is_echoed_as_it_was_spelt() {
    let world = World::new().await;
    let form = "Listening-Configs=d%02G%020%01d%02G%020%02public%01d%02G%020%02%01d%02G%020%02dev%01";
    let answer = world.send("POST", LISTENER, form, &[HOLD]).await;
    answer.is(200, "d%02G%01d%02G%02public%01d%02G%01d%02G%02dev%01\n");
}

#[tokio::test]
async fn without_the_header_the_answer_is_in_headers() {
    let world = World::new().await;
    let answer = world.form("POST", LISTENER, &probe("0")).await;
    answer.is(200, "");
    assert_eq!(answer.header("Probe-Modify-Response"), Some("d:G;"));
    assert_eq!(answer.header("Probe-Modify-Response-New"), Some("d%02G%01"));
    let newer = world.send("POST", LISTENER, &probe("0"), &[("Client-Version", "2.0.4")]).await;
    assert_eq!(newer.header("Probe-Modify-Response-New"), None);
}
