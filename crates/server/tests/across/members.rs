//! The cluster as Nacos's interfaces tell of it.

use crate::http::Caller;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// How long a test waits for what has no limit of its own.
const PATIENCE: Duration = Duration::from_secs(60);
/// Lists of nodes, and where in the answer the list is.
const LISTS: [(&str, &str); 4] = [
    ("/nacos/v1/core/cluster/nodes", "/data"),
    ("/nacos/v1/ns/operator/servers", "/servers"),
    ("/nacos/v2/core/cluster/node/list", "/data"),
    ("/nacos/v3/admin/core/cluster/node/list", "/data"),
];
/// What a node says of itself.
const SELF: [&str; 3] = [
    "/nacos/v1/core/cluster/self",
    "/nacos/v2/core/cluster/node/self",
    "/nacos/v3/admin/core/cluster/node/self",
];
const HEALTH: [&str; 2] = ["/nacos/v1/core/cluster/health", "/nacos/v2/core/cluster/node/self/health"];

/// The states of nodes by address.
type States = BTreeMap<String, String>;

/// Waits until each node of these tells the same in all lists: so many nodes, in these states.
pub(crate) async fn told(asked: &[SocketAddr], wanted: &[(SocketAddr, &str)]) {
    let wanted: States =
        wanted.iter().map(|(address, state)| (address.to_string(), (*state).to_owned())).collect();
    for node in asked {
        let mut caller = Caller::new(*node, PATIENCE);
        let begun = Instant::now();
        loop {
            let listed = lists(&mut caller).await;
            if listed.iter().all(|(_, states)| *states == wanted) {
                break;
            }
            assert!(begun.elapsed() < PATIENCE, "{node} lists {listed:#?} instead of {wanted:#?}");
            sleep(Duration::from_millis(100)).await;
        }
        only_those_that_are_up(&mut caller, &wanted).await;
        itself(&mut caller, *node).await;
    }
}

async fn lists(caller: &mut Caller) -> Vec<(&'static str, States)> {
    let mut lists = Vec::new();
    for (path, place) in LISTS {
        let answer = json(caller, path).await;
        let nodes = answer.pointer(place).and_then(Value::as_array).unwrap_or_else(|| panic!("{answer}"));
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        lists.push((path, nodes.iter().map(|node| (text(&node["address"]), text(&node["state"]))).collect()));
    }
    lists
}

/// Lists for clients leave those out that do not answer.
async fn only_those_that_are_up(caller: &mut Caller, wanted: &States) {
    let all: BTreeSet<&str> = wanted.keys().map(String::as_str).collect();
    let up = wanted.iter().filter(|(_, state)| *state == "UP").map(|(address, _)| address.as_str());
    let up: BTreeSet<&str> = up.collect();
    let addresses = caller.get("/nacos/serverlist").await.unwrap().text();
    assert_eq!(addresses.split("\r\n").collect::<BTreeSet<_>>(), up);
    let healthy = json(caller, "/nacos/v1/ns/operator/servers?healthy=true").await;
    let healthy = healthy["servers"].as_array().unwrap();
    assert_eq!(healthy.iter().map(|node| node["address"].as_str().unwrap()).collect::<BTreeSet<_>>(), up);
    let states = json(caller, "/nacos/v2/core/cluster/node/list?state=up").await;
    assert_eq!(states["data"].as_array().unwrap().len(), up.len());
    let names = json(caller, "/nacos/v1/core/cluster/simple/nodes").await;
    let names = names["data"].as_array().unwrap();
    assert_eq!(names.iter().map(|name| name.as_str().unwrap()).collect::<BTreeSet<_>>(), all);
}

async fn itself(caller: &mut Caller, node: SocketAddr) {
    for path in SELF {
        let own = json(caller, path).await;
        assert_eq!(own["data"]["address"], node.to_string(), "{path}");
        assert_eq!(own["data"]["state"], "UP", "{path}");
    }
    for path in HEALTH {
        assert_eq!(json(caller, path).await["data"], "UP", "{path}");
    }
}

pub(crate) async fn json(caller: &mut Caller, path: &str) -> Value {
    let answer = caller.get(path).await.unwrap();
    assert!(answer.is_ok(), "{path}: {} {}", answer.status, answer.text());
    serde_json::from_slice(&answer.body).unwrap()
}
