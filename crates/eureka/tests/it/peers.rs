//! What peers are told, and what their answers do.

use crate::world::{AS_JSON, JSON, PEER, World, instance};
use axum::{Router, body::Body, extract::State, response::Response};
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use muster_eureka::{Ourselves, PeerSettings, PeerUrl};
use muster_model::Actor;
use muster_node::registry::EurekaBase;
use muster_runtime::Tasks;
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::{collections::VecDeque, net::IpAddr, sync::Arc, time::Duration};
use tokio::net::TcpListener;

/// How long a test waits for what must happen.
const WITHIN: Duration = Duration::from_secs(20);

/// An Eureka server that notes what it is told and answers as it is bid.
#[derive(Default)]
struct FakePeer {
    /// The items of each batch, as texts of `action id`; whole batches in `bodies`.
    told: Mutex<Vec<String>>,
    bodies: Mutex<Vec<Value>>,
    headers: Mutex<Vec<http::HeaderMap>>,
    /// What it lists.
    list: Mutex<Vec<Value>>,
    /// Answers to items, in order; 200 when there is none left.
    replies: Mutex<VecDeque<Value>>,
    /// Statuses of whole answers, in order; 200 when there is none left.
    statuses: Mutex<VecDeque<u16>>,
}

impl FakePeer {
    async fn start() -> (Arc<Self>, PeerUrl) {
        let (peer, listener) = (Arc::new(Self::default()), TcpListener::bind("127.0.0.1:0").await.unwrap());
        let url = format!("http://user:secret@{}/eureka/", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(peer.clone());
        Tasks::new().spawn("fake peer", async move { axum::serve(listener, router).await.unwrap() });
        (peer, PeerUrl::parse(&url).unwrap())
    }

    /// Waits until it was told these, and nothing else.
    async fn is_told(&self, expected: &[&str]) {
        wait(|| self.told.lock().len() >= expected.len()).await;
        assert_eq!(*self.told.lock(), expected);
    }
}

async fn answer(State(peer): State<Arc<FakePeer>>, request: Request<Body>) -> Response {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let status = peer.statuses.lock().pop_front().unwrap_or(200);
    let text = if status != 200 {
        String::new()
    } else if head.uri.path() == "/eureka/apps/" {
        let apps: Vec<Value> =
            peer.list.lock().iter().map(|one| json!({"name": one["app"], "instance": [one]})).collect();
        json!({"applications": {"versions__delta": "1", "apps__hashcode": "", "application": apps}})
            .to_string()
    } else {
        assert_eq!(head.uri.path(), "/eureka/peerreplication/batch/");
        let batch: Value = serde_json::from_slice(&body).unwrap();
        let items = batch["replicationList"].as_array().unwrap();
        let text =
            |item: &Value| format!("{} {}", item["action"].as_str().unwrap(), item["id"].as_str().unwrap());
        let replies: Vec<Value> = items
            .iter()
            .map(|_| peer.replies.lock().pop_front().unwrap_or(json!({"statusCode": 200})))
            .collect();
        peer.told.lock().extend(items.iter().map(text));
        peer.bodies.lock().push(batch.clone());
        json!({"responseList": replies}).to_string()
    };
    peer.headers.lock().push(head.headers);
    Response::builder().status(StatusCode::from_u16(status).unwrap()).body(text.into()).unwrap()
}

async fn wait(holds: impl Fn() -> bool) {
    let held = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(WITHIN, held).await.expect("it never came to that");
}

/// A node with these peers, which it has joined.
async fn joined(urls: Vec<PeerUrl>) -> World {
    let peers = PeerSettings { peers: urls, ..PeerSettings::none(IpAddr::from([127, 0, 0, 1])) };
    let world = World::with_peers(peers).await;
    world.peers.start();
    wait(|| !world.peers.is_joining() && world.peers.states().iter().all(|peer| peer.is_up)).await;
    world
}

fn declared(app: &str, id: &str, members: &str) -> Value {
    let body: Value = serde_json::from_str(&instance(app, id, members)).unwrap();
    body["instance"].clone()
}

#[tokio::test]
async fn a_change_is_told_once_to_each_peer() {
    let ((one, first), (two, second)) = (FakePeer::start().await, FakePeer::start().await);
    let world = joined(vec![first, second]).await;
    world.register("ORDER", "a", r#""lastDirtyTimestamp":"100""#).await;
    for peer in [&one, &two] {
        peer.is_told(&["Register a"]).await;
    }
    world.put("/eureka/apps/ORDER/a/status?value=OUT_OF_SERVICE").await.is(200, "");
    one.is_told(&["Register a", "StatusUpdate a"]).await;
    world.put("/eureka/apps/ORDER/a?lastDirtyTimestamp=100").await.is(200, "");
    one.is_told(&["Register a", "StatusUpdate a", "Heartbeat a"]).await;
    world.delete("/eureka/apps/ORDER/a/status").await.is(200, "");
    one.is_told(&["Register a", "StatusUpdate a", "Heartbeat a", "DeleteStatusOverride a"]).await;
    world.delete("/eureka/apps/ORDER/a").await.is(200, "");
    let all = ["Register a", "StatusUpdate a", "Heartbeat a", "DeleteStatusOverride a", "Cancel a"];
    one.is_told(&all).await;
    two.is_told(&all).await;
    // As the bodies of real servers are (recorded).
    let bodies = one.bodies.lock();
    let item = |at: usize| bodies[at]["replicationList"][0].clone();
    let registered = item(0)["instanceInfo"].clone();
    assert_eq!((&registered["instanceId"], &registered["status"]), (&json!("a"), &json!("UP")));
    assert_eq!(registered["leaseInfo"]["registrationTimestamp"], 0);
    let plain = |action: &str, status: &str| json!({"appName": "ORDER", "id": "a", "lastDirtyTimestamp": 100, "status": status, "action": action});
    assert_eq!(item(1), plain("StatusUpdate", "OUT_OF_SERVICE"));
    let mut beat = plain("Heartbeat", "OUT_OF_SERVICE");
    beat["overriddenStatus"] = json!("OUT_OF_SERVICE");
    assert_eq!(item(2), beat);
    assert_eq!(item(3), plain("DeleteStatusOverride", "UP"));
    assert_eq!(item(4), json!({"appName": "ORDER", "id": "a", "action": "Cancel"}));
    let headers = one.headers.lock();
    let last = headers.last().unwrap();
    assert_eq!(
        (&last["discoveryidentity-name"], &last["authorization"]),
        (&"DefaultServer".parse().unwrap(), &"Basic dXNlcjpzZWNyZXQ=".parse().unwrap())
    );
}

#[tokio::test]
async fn what_a_peer_tells_is_not_passed_on() {
    let (peer, url) = FakePeer::start().await;
    let world = joined(vec![url]).await;
    world.send("POST", "/eureka/apps/ORDER", &[AS_JSON, PEER], instance("ORDER", "a", "")).await.is(204, "");
    let item = json!({"appName": "ORDER", "id": "b", "action": "Register", "instanceInfo": declared("ORDER", "b", "")});
    let batch = json!({"replicationList": [item]}).to_string();
    assert_eq!(world.send("POST", "/eureka/peerreplication/batch/", &[AS_JSON], batch).await.status, 200);
    world.send("DELETE", "/eureka/apps/ORDER/a", &[PEER], Body::empty()).await.is(200, "");
    // Another view than the one that is shared.
    world.send("POST", "/eureka/ns/dev/apps/ORDER", &[AS_JSON], instance("ORDER", "c", "")).await.is(204, "");
    world.register("ORDER", "d", "").await;
    peer.is_told(&["Register d"]).await;
}

#[tokio::test]
async fn an_override_is_not_told_to_the_peer_that_told_it() {
    let (peer, url) = FakePeer::start().await;
    let world = joined(vec![url]).await;
    // Its list is of before the override, as that of a real server may be for half a minute.
    let copy = declared("ORDER", "b", r#""lastDirtyTimestamp":"100""#);
    peer.list.lock().push(copy.clone());
    let register = json!({"appName": "ORDER", "id": "b", "action": "Register", "instanceInfo": copy});
    let set = json!({"appName": "ORDER", "id": "b", "action": "StatusUpdate", "status": "OUT_OF_SERVICE", "lastDirtyTimestamp": 100});
    let taken = json!({"statusCode": 200});
    assert_eq!(world.batch(&[register, set]).await, json!([taken, taken]));
    let mut told = Vec::new();
    for (look, after) in ["c", "d", "e"].into_iter().zip([8, 10, 14]) {
        let asked = peer.headers.lock().len();
        world.clock.skip(Duration::from_secs(after));
        world.register("ORDER", look, "").await;
        told.push(format!("Register {look}"));
        // A look at its list, and a batch.
        wait(|| peer.headers.lock().len() >= asked + 2).await;
        assert_eq!(*peer.told.lock(), told);
    }
}

#[tokio::test]
async fn a_peer_that_lost_an_override_is_told_it_again() {
    let (peer, url) = FakePeer::start().await;
    let world = joined(vec![url]).await;
    world.register("ORDER", "a", r#""lastDirtyTimestamp":"100""#).await;
    world.put("/eureka/apps/ORDER/a/status?value=OUT_OF_SERVICE").await.is(200, "");
    peer.is_told(&["Register a", "StatusUpdate a"]).await;
    // Its process ends, and its client comes back to it.
    peer.list.lock().push(declared("ORDER", "a", r#""lastDirtyTimestamp":"100""#));
    peer.statuses.lock().push_back(503);
    world.clock.skip(Duration::from_secs(40));
    world.register("ORDER", "b", "").await;
    wait(|| !world.peers.states()[0].is_up).await;
    world.clock.skip(Duration::from_secs(4));
    peer.is_told(&["Register a", "StatusUpdate a", "Register b", "StatusUpdate a"]).await;
}

#[tokio::test]
async fn a_peer_that_does_not_know_an_instance_is_given_it() {
    let (peer, url) = FakePeer::start().await;
    let world = joined(vec![url]).await;
    world.register("ORDER", "a", "").await;
    peer.is_told(&["Register a"]).await;
    peer.replies.lock().push_back(json!({"statusCode": 404}));
    world.put("/eureka/apps/ORDER/a").await.is(200, "");
    peer.is_told(&["Register a", "Heartbeat a", "Register a"]).await;
}

#[tokio::test]
async fn a_newer_copy_is_taken_over() {
    let (peer, url) = FakePeer::start().await;
    let world = joined(vec![url]).await;
    world.register("ORDER", "a", r#""lastDirtyTimestamp":"100""#).await;
    peer.is_told(&["Register a"]).await;
    let newer = declared(
        "ORDER",
        "a",
        r#""lastDirtyTimestamp":"200","metadata":{"version":"2"},"overriddenStatus":"OUT_OF_SERVICE","status":"OUT_OF_SERVICE""#,
    );
    peer.replies.lock().push_back(json!({"statusCode": 409, "responseEntity": newer}));
    world.put("/eureka/apps/ORDER/a").await.is(200, "");
    peer.is_told(&["Register a", "Heartbeat a"]).await;
    let shown = taken_over(&world, "a", "200").await;
    assert_eq!((&shown["status"], &shown["metadata"]["version"]), (&json!("OUT_OF_SERVICE"), &json!("2")));
    peer.is_told(&["Register a", "Heartbeat a"]).await;
}

/// The instance once its last change is this.
async fn taken_over(world: &World, id: &str, last_dirty: &str) -> Value {
    let shown = async {
        loop {
            let answer = world.get(&format!("/eureka/apps/ORDER/{id}"), &[JSON]).await;
            if answer.status == 200 && answer.json()["instance"]["lastDirtyTimestamp"] == last_dirty {
                return answer.json()["instance"].clone();
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(WITHIN, shown).await.expect("the peer's copy never showed")
}

#[tokio::test]
async fn at_the_start_the_registries_become_equal() {
    let (peer, url) = FakePeer::start().await;
    let peers = PeerSettings { peers: vec![url], ..PeerSettings::none(IpAddr::from([127, 0, 0, 1])) };
    let world = World::with_peers(peers).await;
    peer.list.lock().extend([
        // Larger than an instance may be: it stays with the peer, and keeps nobody else from being taken over.
        declared("LARGE", &"i".repeat(5_000), r#""lastDirtyTimestamp":"100""#),
        declared("ORDER", "a", r#""lastDirtyTimestamp":"100""#),
        declared("ORDER", "b", r#""lastDirtyTimestamp":"100""#),
    ]);
    // Held since before the start; the second one the peer has no more.
    for (id, last_dirty) in [("a", "50"), ("gone", "50"), ("b", "100")] {
        let members = format!(r#""lastDirtyTimestamp":"{last_dirty}""#);
        world
            .send("POST", "/eureka/apps/ORDER", &[AS_JSON, PEER], instance("ORDER", id, &members))
            .await
            .is(204, "");
    }
    assert!(world.peers.is_joining());
    world.peers.start();
    wait(|| !world.peers.is_joining()).await;
    taken_over(&world, "a", "100").await;
    let list = world.get("/eureka/apps/ORDER", &[JSON]).await.json();
    let ids: Vec<&str> = list["application"]["instance"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["instanceId"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["a", "b"]);
    assert!(peer.told.lock().is_empty(), "what the peer has it is not told");
}

#[tokio::test]
async fn what_another_node_cancelled_meanwhile_is_not_taken_over_again() {
    let (peer, url) = FakePeer::start().await;
    let peers = PeerSettings { peers: vec![url], ..PeerSettings::none(IpAddr::from([127, 0, 0, 1])) };
    let world = World::with_peers(peers).await;
    let later = "9000000000000";
    for (id, last_dirty) in [("gone", "100"), ("back", later), ("other", "100")] {
        let members = format!(r#""lastDirtyTimestamp":"{last_dirty}""#);
        peer.list.lock().push(declared("ORDER", id, &members));
    }
    for id in ["gone", "back"] {
        let body = instance("ORDER", id, r#""lastDirtyTimestamp":"100""#);
        world.send("POST", "/eureka/apps/ORDER", &[AS_JSON, PEER], body).await.is(204, "");
    }
    assert_eq!(world.get("/eureka/apps", &[JSON]).await.status, 200);
    // As the mirror does, past the peers: the node that was asked for it tells them, which the list does not show yet.
    for id in ["gone", "back"] {
        assert!(world.node.eureka_cancel(&EurekaBase::default(), "ORDER", id, Actor::default()).unwrap());
    }
    world.peers.start();
    wait(|| !world.peers.is_joining()).await;
    let list = world.get("/eureka/apps/ORDER", &[JSON]).await.json();
    let instances = list["application"]["instance"].as_array().unwrap();
    let ids: Vec<&str> = instances.iter().map(|one| one["instanceId"].as_str().unwrap()).collect();
    assert_eq!(ids, ["back", "other"], "its client registered anew with the peer, or it never went");
}

#[tokio::test]
async fn an_empty_list_is_not_shown_while_peers_are_asked() {
    let (peer, url) = FakePeer::start().await;
    let peers = PeerSettings { peers: vec![url], ..PeerSettings::none(IpAddr::from([127, 0, 0, 1])) };
    let world = World::with_peers(peers).await;
    world.get("/eureka/apps", &[JSON]).await.is(503, "");
    world.peers.start();
    wait(|| !world.peers.is_joining()).await;
    assert_eq!(world.get("/eureka/apps", &[JSON]).await.status, 200);
    assert!(peer.told.lock().is_empty());
}

#[tokio::test]
async fn what_a_busy_peer_did_not_take_is_told_again_in_order() {
    let (peer, url) = FakePeer::start().await;
    let world = joined(vec![url]).await;
    peer.statuses.lock().push_back(503);
    world.register("ORDER", "a", "").await;
    wait(|| peer.statuses.lock().is_empty()).await;
    world.register("ORDER", "b", "").await;
    world.put("/eureka/apps/ORDER/a/metadata?x=1").await.is(200, "");
    world.delete("/eureka/apps/ORDER/b").await.is(200, "");
    peer.is_told(&["Register a", "Cancel b"]).await;
    let whole = peer.bodies.lock()[0]["replicationList"][0]["instanceInfo"].clone();
    assert_eq!(whole["metadata"]["x"], "1", "what is told is what is so when it is told");
}

#[tokio::test]
async fn we_register_ourselves_and_say_when_we_end() {
    let (peer, url) = FakePeer::start().await;
    let ourselves =
        Some(Ourselves { app: "eureka-server".into(), host: "muster.example".into(), port: 8761 });
    let peers =
        PeerSettings { peers: vec![url], ourselves, ..PeerSettings::none(IpAddr::from([127, 0, 0, 1])) };
    let world = World::with_peers(peers).await;
    world.peers.start();
    peer.is_told(&["Register muster.example:eureka-server:8761"]).await;
    let whole = peer.bodies.lock()[0]["replicationList"][0]["instanceInfo"].clone();
    assert_eq!((&whole["app"], &whole["hostName"]), (&json!("EUREKA-SERVER"), &json!("muster.example")));
    world.peers.leave().await;
    peer.is_told(&["Register muster.example:eureka-server:8761", "Cancel muster.example:eureka-server:8761"])
        .await;
}
