//! Eureka's clients at three nodes: one that asks another node each time for what changed, and one that renews so.

use crate::{
    ensemble::Ensemble,
    figures,
    http::{Ask, Caller},
};
use hyper::Method;
use muster_runtime::Rng;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

/// How long a test waits for what has no limit of its own.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long instances change before the lists are compared.
const CHURN: Duration = Duration::from_millis(1_500);
const ROUNDS: usize = 4;
const APPS: [&str; 3] = ["ORDER", "PAY", "SHIP"];

/// Instances as JSON, by application and id.
type Listed = BTreeMap<(String, String), Value>;

/// Fetches `/eureka/apps` or `/eureka/apps/delta`: the instances, in order, and the hash.
async fn fetch(caller: &mut Caller, path: &str) -> (Vec<((String, String), Value)>, String) {
    let headers = [("accept", "application/json")];
    let ask = Ask { method: Method::GET, path, headers: &headers, body: Vec::new() };
    let answer = caller.call(&ask).await.unwrap();
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    let root = &body["applications"];
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let instances = root["application"].as_array().unwrap().iter().flat_map(|app| {
        let name = text(&app["name"]);
        app["instance"].as_array().unwrap().iter().map(move |one| {
            let mut one = one.clone();
            // What happened last is no state, and the renewal is as of some rendering.
            one["leaseInfo"].as_object_mut().unwrap().remove("lastRenewalTimestamp");
            ((name.clone(), text(&one["instanceId"])), one)
        })
    });
    (instances.collect(), text(&root["apps__hashcode"]))
}

async fn whole(caller: &mut Caller) -> Listed {
    let (mut instances, _) = fetch(caller, "/eureka/apps").await;
    instances.iter_mut().for_each(|(_, one)| drop(one.as_object_mut().unwrap().remove("actionType")));
    instances.into_iter().collect()
}

/// As Eureka's own client applies what changed: it upserts, removes, and fetches everything when its hash is another.
#[derive(Debug, Default)]
struct Client {
    listed: Option<Listed>,
    polls: usize,
    whole: usize,
}

impl Client {
    async fn poll(&mut self, caller: &mut Caller) {
        self.polls += 1;
        let Some(listed) = &mut self.listed else {
            self.listed = Some(whole(caller).await);
            return;
        };
        let (changed, hash) = fetch(caller, "/eureka/apps/delta").await;
        for (key, mut one) in changed {
            match one.as_object_mut().unwrap().remove("actionType").unwrap().as_str().unwrap() {
                "ADDED" | "MODIFIED" => listed.insert(key, one),
                "DELETED" => listed.remove(&key),
                other => panic!("{other} of {key:?}"),
            };
        }
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        listed.values().for_each(|one| *counts.entry(one["status"].as_str().unwrap()).or_default() += 1);
        let own: String = counts.iter().map(|(status, count)| format!("{status}_{count}_")).collect();
        if own != hash {
            self.whole += 1;
            self.listed = Some(whole(caller).await);
        }
    }
}

/// One call that changes something, at any node, of either protocol.
async fn change(caller: &mut Caller, rng: &mut Rng, dirty: u64) {
    let app = APPS[rng.below(3) as usize];
    let (lower, number) = (app.to_lowercase(), rng.below(8));
    let id = format!("10.1.0.{number}:{lower}:80");
    let (ip, service) = (format!("10.2.0.{number}"), format!("serviceName={lower}"));
    let nacos = "/nacos/v1/ns/instance";
    let (method, path) = match rng.below(10) {
        0..3 => return register(caller, app, number, dirty).await,
        3 => (Method::DELETE, format!("/eureka/apps/{app}/{id}")),
        4 => (Method::PUT, format!("/eureka/apps/{app}/{id}/metadata?v={dirty}")),
        5 => {
            let status = ["OUT_OF_SERVICE", "UP", "DOWN"][rng.below(3) as usize];
            (Method::PUT, format!("/eureka/apps/{app}/{id}/status?value={status}"))
        }
        6 => (Method::DELETE, format!("/eureka/apps/{app}/{id}/status")),
        7 | 8 => {
            let weight = 1 + rng.below(2);
            (Method::POST, format!("{nacos}?{service}&ip={ip}&port=80&ephemeral=true&weight={weight}"))
        }
        _ => (Method::DELETE, format!("{nacos}?{service}&ip={ip}&port=80&ephemeral=true")),
    };
    let answer = caller.call(&Ask::plain(method, &path)).await.unwrap();
    // Some instances are not there.
    assert!(answer.is_ok() || answer.status == 404, "{path}: {} {}", answer.status, answer.text());
}

/// Changes something again and again, as long as there is to be churn.
async fn change_all_the_while(mut caller: Caller, mut rng: Rng, first: u64, churn: Arc<AtomicBool>) {
    for dirty in (first..).step_by(3) {
        if !churn.load(Relaxed) {
            return;
        }
        change(&mut caller, &mut rng, dirty).await;
        sleep(Duration::from_millis(rng.below(20))).await;
    }
}

async fn register(caller: &mut Caller, app: &str, number: u64, dirty: u64) {
    let (ip, lower) = (format!("10.1.0.{number}"), app.to_lowercase());
    let body = json!({"instance": {
        "instanceId": format!("{ip}:{lower}:80"), "app": app, "hostName": ip, "ipAddr": ip, "status": "UP",
        "port": {"$": 80, "@enabled": "true"}, "metadata": {"v": dirty.to_string()}, "vipAddress": lower,
        "dataCenterInfo": {"@class": "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo", "name": "MyOwn"},
        "lastDirtyTimestamp": dirty.to_string()
    }});
    let path = format!("/eureka/apps/{app}");
    let headers = [("content-type", "application/json")];
    let ask = Ask { method: Method::POST, path: &path, headers: &headers, body: body.to_string().into() };
    assert_eq!(caller.call(&ask).await.unwrap().status, 204);
}

fn callers(nodes: &[SocketAddr]) -> Vec<Caller> {
    nodes.iter().map(|node| Caller::new(*node, PATIENCE)).collect()
}

/// Waits until every node lists the same, and gives it.
async fn equal(callers: &mut [Caller]) -> Listed {
    let began = Instant::now();
    loop {
        let mut all = Vec::new();
        for caller in callers.iter_mut() {
            all.push(whole(caller).await);
        }
        if all.windows(2).all(|pair| pair[0] == pair[1]) {
            return all.remove(0);
        }
        assert!(began.elapsed() < PATIENCE, "the nodes list {all:#?}");
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_of_deltas_that_asks_another_node_each_time_has_what_all_list() {
    let mut rng = figures::rng("deltas");
    let ensemble = Ensemble::start(3, &[]).await;
    let nodes = ensemble.addresses();
    let mut asking = callers(&nodes);
    // The one reads all the while, the other as rarely as real ones: what happens between is more.
    let (mut busy, mut idle) = (Client::default(), Client::default());
    for round in 0..ROUNDS {
        let churn = Arc::new(AtomicBool::new(true));
        let mut changing = JoinSet::new();
        for (writer, node) in (0..).zip(&nodes) {
            let (churn, rng) = (churn.clone(), Rng::seeded(rng.next_u64()));
            let caller = Caller::new(*node, PATIENCE);
            let first = (round as u64 + 1) * 1_000_000 + writer;
            changing.spawn(change_all_the_while(caller, rng, first, churn));
        }
        let began = Instant::now();
        while began.elapsed() < CHURN {
            busy.poll(&mut asking[busy.polls % 3]).await;
            if busy.polls.is_multiple_of(20) {
                idle.poll(&mut asking[idle.polls % 3]).await;
            }
            sleep(Duration::from_millis(10)).await;
        }
        churn.store(false, Relaxed);
        while let Some(ended) = changing.join_next().await {
            ended.unwrap();
        }
        let listed = equal(&mut asking).await;
        for client in [&mut busy, &mut idle] {
            client.poll(&mut asking[rng.below(3) as usize]).await;
            assert_eq!(client.listed.as_ref(), Some(&listed));
        }
    }
    let (polls, whole) = (busy.polls, busy.whole);
    figures::say(&format!("deltas: {polls} polls, of which {whole} had to fetch everything"));
    assert!(whole * 4 < polls, "most changes come by deltas");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_eureka_client_renews_at_any_node() {
    let ensemble = Ensemble::start(3, &[]).await;
    let mut asking = callers(&ensemble.addresses());
    register(&mut asking[0], "ORDER", 1, 5).await;
    let listed = equal(&mut asking).await;
    assert_eq!(listed.len(), 1);
    let path = "/eureka/apps/ORDER/10.1.0.1:order:80?status=UP&lastDirtyTimestamp=5";
    let renewal = Ask::plain(Method::PUT, path);
    let began = Instant::now();
    let renewed = async |caller: &mut Caller| -> u64 {
        let headers = [("accept", "application/json")];
        let path = "/eureka/apps/ORDER/10.1.0.1:order:80";
        let ask = Ask { method: Method::GET, path, headers: &headers, body: Vec::new() };
        let answer = caller.call(&ask).await.unwrap();
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        body["instance"]["leaseInfo"]["lastRenewalTimestamp"].as_u64().unwrap()
    };
    let first = renewed(&mut asking[0]).await;
    // At the others only: their owner hears of it.
    while renewed(&mut asking[0]).await <= first {
        for caller in &mut asking[1..] {
            assert_eq!(caller.call(&renewal).await.unwrap().status, 200);
        }
        assert!(began.elapsed() < PATIENCE, "the owner does not hear of renewals at other nodes");
        sleep(Duration::from_millis(20)).await;
    }
    for (node, caller) in asking.iter_mut().enumerate() {
        let figures = caller.get("/metrics").await.unwrap().text();
        for moved in ["muster_mirror_adopted_total", "muster_mirror_yielded_total"] {
            let line = figures.lines().find(|line| line.starts_with(moved));
            assert!(line.is_none_or(|line| line.ends_with(" 0")), "node {node}: {line:?}");
        }
    }
    assert_eq!(equal(&mut asking).await, listed);
}
