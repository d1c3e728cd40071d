//! Three nodes and an Eureka server that is their peer: it is told each change of their clients once, and nothing that it
//! told itself.

use crate::{
    group::Group,
    http::{Answer, Ask, Caller},
    recorder::{Recorder, Told},
};
use hyper::Method;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};

/// How long a test waits for what has no limit of its own.
const PATIENCE: Duration = Duration::from_secs(60);
/// By then nodes have looked for the last time at the list of a peer that answered.
const LAST_LOOK: Duration = Duration::from_secs(35);
const APP: &str = "FOREIGN-TEST";
const DIRTY: u64 = 1_700_000_000_000;

struct Stage {
    group: Group,
    peer: Recorder,
    callers: Vec<Caller>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_peer_is_told_each_change_once_and_none_of_its_own() {
    let mut stage = Stage::start().await;
    let joined = Instant::now();
    stage.changes_at_any_node_are_told_once().await;
    stage.heartbeats_at_any_node_are_told_by_the_owner().await;
    stage.copies_of_the_peer_are_one_publication().await;
    // Its list does not show its override, as if a cache had it: no node may take that for a loss.
    sleep_until(joined + LAST_LOOK).await;
    stage.told_nothing_of_its_own();
    stage.an_owner_is_killed().await;
    stage.told_nothing_of_its_own();
}

impl Stage {
    async fn start() -> Self {
        let (mut group, peer) = (Group::new(3), Recorder::start().await);
        let (list, secret) = (group.list(), group.secret("of this cluster"));
        let peers = format!("eureka_peers={}", peer.url());
        for index in 0..3 {
            group.start(index, &["--set", &list, "--set", &secret, "--set", &peers]);
        }
        for node in &mut group.nodes {
            node.wait_ready().await;
        }
        group.wait_voters(0, 3).await;
        let callers = group.nodes.iter().map(|node| Caller::new(node.http, PATIENCE)).collect();
        Self { group, peer, callers }
    }

    async fn call(&mut self, node: usize, method: Method, path: &str, body: Option<Value>) -> Answer {
        let path = format!("/eureka/{path}");
        let headers = [("content-type", "application/json"), ("accept", "application/json")];
        let body = body.map_or_else(Vec::new, |body| body.to_string().into());
        let headers = if body.is_empty() { &headers[1..] } else { &headers };
        self.callers[node].call(&Ask { method, path: &path, headers, body }).await.unwrap()
    }

    async fn register(&mut self, node: usize, id: &str) {
        let body = json!({ "instance": instance(id) });
        let answer = self.call(node, Method::POST, &format!("apps/{APP}"), Some(body)).await;
        assert_eq!(answer.status, 204, "{}", answer.text());
    }

    async fn change(&mut self, node: usize, method: Method, rest: &str) {
        let answer = self.call(node, method, &format!("apps/{APP}/{rest}"), None).await;
        assert_eq!(answer.status, 200, "{rest}: {}", answer.text());
    }

    /// What the peer tells these nodes.
    async fn tell(&mut self, nodes: &[usize], items: &[Value]) {
        for node in nodes {
            let body = json!({ "replicationList": items });
            let answer = self.call(*node, Method::POST, "peerreplication/batch/", Some(body)).await;
            assert_eq!(
                answer.text().matches(r#""statusCode":200"#).count(),
                items.len(),
                "{}",
                answer.text()
            );
        }
    }

    /// Waits until all of these nodes show an instance so.
    async fn shown(&mut self, nodes: &[usize], id: &str, is_so: impl Fn(Option<&Value>) -> bool) {
        for node in nodes {
            let begun = Instant::now();
            loop {
                let answer = self.call(*node, Method::GET, &format!("apps/{APP}/{id}"), None).await;
                let shown: Option<Value> =
                    answer.is_ok().then(|| serde_json::from_slice(&answer.body).unwrap());
                if is_so(shown.as_ref().map(|shown| &shown["instance"])) {
                    break;
                }
                assert!(begun.elapsed() < PATIENCE, "node {node} shows {id} as {shown:?}");
                sleep(Duration::from_millis(20)).await;
            }
        }
    }

    /// Waits until the peer was told this of an instance, in this order, and looks that it was told nothing else.
    async fn told(&self, id: &str, actions: &[&str]) -> Vec<Told> {
        let begun = Instant::now();
        while self.peer.told(id).len() < actions.len() {
            assert!(begun.elapsed() < PATIENCE, "{actions:?} of {id}, not {:?}", self.peer.told(id));
            sleep(Duration::from_millis(20)).await;
        }
        let told = self.peer.told(id);
        assert_eq!(told.iter().map(|told| &*told.action).collect::<Vec<_>>(), actions, "{told:?}");
        told
    }

    /// One instance, each of whose changes comes to another node.
    async fn changes_at_any_node_are_told_once(&mut self) {
        let is = |status: &'static str| {
            move |shown: Option<&Value>| shown.is_some_and(|shown| shown["status"] == status)
        };
        self.register(0, "changed").await;
        self.shown(&[0, 1, 2], "changed", is("UP")).await;
        self.change(1, Method::PUT, "changed/status?value=OUT_OF_SERVICE").await;
        self.shown(&[0, 1, 2], "changed", is("OUT_OF_SERVICE")).await;
        self.change(2, Method::DELETE, "changed/status").await;
        self.shown(&[0, 1, 2], "changed", is("UP")).await;
        self.change(1, Method::PUT, "changed/metadata?version=2").await;
        let has_version = |shown: Option<&Value>| shown.is_some_and(|one| one["metadata"]["version"] == "2");
        self.shown(&[0, 1, 2], "changed", has_version).await;
        self.told("changed", &["Register", "StatusUpdate", "DeleteStatusOverride", "Register"]).await;
        self.change(2, Method::DELETE, "changed").await;
        self.shown(&[0, 1, 2], "changed", |shown| shown.is_none()).await;
        let all = ["Register", "StatusUpdate", "DeleteStatusOverride", "Register", "Cancel"];
        self.told("changed", &all).await;
    }

    async fn heartbeats_at_any_node_are_told_by_the_owner(&mut self) {
        self.register(0, "beating").await;
        self.shown(&[0, 1, 2], "beating", |shown| shown.is_some()).await;
        for node in [1, 2, 0] {
            let before = self.peer.heartbeats("beating").len();
            let begun = Instant::now();
            self.change(node, Method::PUT, &format!("beating?lastDirtyTimestamp={DIRTY}")).await;
            while self.peer.heartbeats("beating").len() == before {
                assert!(begun.elapsed() < PATIENCE, "a beat at node {node} is not told");
                sleep(Duration::from_millis(20)).await;
            }
        }
        let owner = self.group.nodes[0].http.ip().to_string();
        assert_eq!(self.peer.heartbeats("beating"), [&*owner; 3]);
        self.told("beating", &["Register"]).await;
    }

    /// The peer tells all three nodes of one instance, and one of them of another.
    async fn copies_of_the_peer_are_one_publication(&mut self) {
        for (id, nodes) in [("copied", &[0, 1, 2][..]), ("single", &[1])] {
            self.peer.list(id, instance(id));
            self.tell(nodes, &[item("Register", id)]).await;
            self.shown(&[0, 1, 2], id, |shown| shown.is_some()).await;
            self.tell(nodes, &[item("Heartbeat", id), item("StatusUpdate", id)]).await;
            self.shown(&[0, 1, 2], id, |shown| shown.is_some_and(|one| one["status"] == "OUT_OF_SERVICE"))
                .await;
        }
        for node in 0..3 {
            let answer = self.call(node, Method::GET, &format!("apps/{APP}"), None).await;
            let listed: Value = serde_json::from_slice(&answer.body).unwrap();
            let listed = listed["application"]["instance"].as_array().unwrap().iter();
            let mut ids: Vec<&str> = listed.map(|one| one["instanceId"].as_str().unwrap()).collect();
            ids.sort_unstable();
            assert_eq!(ids, ["beating", "copied", "single"], "at node {node}");
        }
        // A beat of the peer's client that reaches another node than its changes did.
        self.tell(&[2], &[item("Heartbeat", "single")]).await;
    }

    fn told_nothing_of_its_own(&self) {
        for id in ["copied", "single"] {
            assert_eq!((self.peer.told(id), self.peer.heartbeats(id)), (vec![], vec![]), "of {id}");
        }
    }

    /// What a killed node owned goes on at the others, and what it comes back with is told to nobody again.
    async fn an_owner_is_killed(&mut self) {
        self.group.nodes[0].kill();
        self.callers[0] = Caller::new(self.group.nodes[0].http, PATIENCE);
        let beats = self.peer.heartbeats("beating").len();
        let begun = Instant::now();
        while self.peer.heartbeats("beating").len() == beats {
            self.change(1, Method::PUT, &format!("beating?lastDirtyTimestamp={DIRTY}")).await;
            assert!(begun.elapsed() < PATIENCE, "nobody tells of beats");
            sleep(Duration::from_millis(500)).await;
        }
        self.change(2, Method::PUT, "beating/status?value=OUT_OF_SERVICE").await;
        self.told("beating", &["Register", "StatusUpdate"]).await;
        self.tell(&[1, 2], &[item("Heartbeat", "copied")]).await;
        self.tell(&[2], &[item("Cancel", "single")]).await;
        self.peer.forget("single");
        self.group.start_again(0);
        self.group.nodes[0].wait_ready().await;
        self.shown(&[0, 1, 2], "single", |shown| shown.is_none()).await;
        self.shown(&[0, 1, 2], "beating", |shown| {
            shown.is_some_and(|shown| shown["status"] == "OUT_OF_SERVICE")
        })
        .await;
        // It has compared its registry with the peer's: what it tells now comes after whatever that brought.
        self.register(0, "last").await;
        self.told("last", &["Register"]).await;
        self.told("beating", &["Register", "StatusUpdate"]).await;
    }
}

fn instance(id: &str) -> Value {
    json!({
        "instanceId": id, "hostName": id, "app": APP, "ipAddr": "10.0.0.1", "status": "UP",
        "overriddenStatus": "UNKNOWN", "port": {"$": 8080, "@enabled": "true"},
        "securePort": {"$": 443, "@enabled": "false"}, "countryId": 1,
        "dataCenterInfo": {"@class": "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo", "name": "MyOwn"},
        "leaseInfo": {"renewalIntervalInSecs": 30, "durationInSecs": 180},
        "metadata": {"zone": "z1"}, "vipAddress": "foreign-test", "secureVipAddress": "foreign-test",
        "lastDirtyTimestamp": DIRTY.to_string(), "lastUpdatedTimestamp": DIRTY.to_string(),
    })
}

/// One item of what the peer tells.
fn item(action: &str, id: &str) -> Value {
    let status = if action == "StatusUpdate" { "OUT_OF_SERVICE" } else { "UP" };
    let mut item = json!({
        "appName": APP, "id": id, "lastDirtyTimestamp": DIRTY, "status": status, "action": action
    });
    if action == "Register" {
        item["instanceInfo"] = instance(id);
    }
    item
}
