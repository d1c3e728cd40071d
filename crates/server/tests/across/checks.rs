//! Checks of persistent instances, when the node that makes some of them is lost.

use crate::{
    figures::say,
    group::Group,
    http::{Ask, Caller},
};
use hyper::Method;
use serde_json::Value;
use std::{net::SocketAddr, time::Duration};
use tokio::{
    net::TcpListener,
    task::JoinSet,
    time::{Instant, sleep},
};

/// How long a test waits for what has no limit of its own.
const PATIENCE: Duration = Duration::from_secs(60);
/// A lost checker is replaced within this.
const REPLACED_WITHIN: Duration = Duration::from_secs(5);
/// So many that each of three nodes checks some.
const INSTANCES: usize = 24;
const LIST: &str = "/nacos/v1/ns/instance/list?serviceName=checked";
/// What a node logs when it takes over.
const TAKEN: &str = "health checks of another node are taken over";

/// Something that is checked: whoever connects is let in, and nothing is said.
struct Target {
    port: u16,
    _accepting: JoinSet<()>,
}

impl Target {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut accepting = JoinSet::new();
        accepting.spawn(async move {
            loop {
                drop(listener.accept().await);
            }
        });
        Self { port, _accepting: accepting }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_checker_is_replaced_and_nothing_changes_by_that() {
    let mut group = Group::listed(3).await;
    let mut targets = Vec::new();
    for _ in 0..INSTANCES {
        targets.push(Target::start().await);
    }
    let mut callers: Vec<_> = group.nodes.iter().map(|node| Caller::new(node.http, PATIENCE)).collect();
    for (at, target) in targets.iter().enumerate() {
        let path = format!(
            "/nacos/v1/ns/instance?serviceName=checked&ip=127.0.0.1&port={}&ephemeral=false",
            target.port
        );
        assert!(callers[at % 3].call(&Ask::plain(Method::POST, &path)).await.unwrap().is_ok());
    }
    // One is down all the while, and stays so in the lists.
    let down = targets.pop().unwrap().port;
    for caller in &mut callers {
        wait(caller, |listed| is_down(listed, &[down])).await;
    }

    let left: Vec<SocketAddr> = group.nodes[1..].iter().map(|node| node.http).collect();
    let taken = |group: &Group| group.nodes[1..].iter().map(|node| taken_over(&node.log())).sum::<usize>();
    let before = taken(&group);
    group.nodes[0].kill();
    let killed = Instant::now();
    let mut callers: Vec<_> = left.iter().map(|node| Caller::new(*node, PATIENCE)).collect();
    let mut replaced = None;
    while replaced.is_none() || killed.elapsed() < REPLACED_WITHIN {
        for caller in &mut callers {
            let listed = health(caller).await;
            assert!(is_down(&listed, &[down]), "after {:?}: {listed:?}", killed.elapsed());
        }
        if replaced.is_none() && taken(&group) > before {
            replaced = Some(killed.elapsed());
        }
        assert!(killed.elapsed() < PATIENCE, "nobody takes over: {}", group.nodes[1].log_tail());
        sleep(Duration::from_millis(20)).await;
    }
    let replaced = replaced.unwrap();
    say(&format!("{} checks are taken over after {replaced:.1?}", taken(&group) - before));
    assert!(replaced < REPLACED_WITHIN, "after {replaced:?}");

    // Whoever checks now sees what happens next, of every instance.
    let mut ports: Vec<u16> = targets.iter().map(|target| target.port).collect();
    drop(targets);
    ports.push(down);
    for caller in &mut callers {
        wait(caller, |listed| is_down(listed, &ports)).await;
    }
}

/// How many checks a node says in its log that it took over.
fn taken_over(log: &str) -> usize {
    let lines = log.lines().filter(|line| line.contains(TAKEN));
    let count = |line: &str| {
        let number = line.split_once("instances")?.1.trim_start_matches(|one: char| !one.is_ascii_digit());
        number.split(|one: char| !one.is_ascii_digit()).next()?.parse::<usize>().ok()
    };
    lines.map(|line| count(line).unwrap_or_else(|| panic!("no count in {line}"))).sum()
}

/// The ports of all instances, and whether each is healthy.
async fn health(caller: &mut Caller) -> Vec<(u16, bool)> {
    let answer = caller.get(LIST).await.unwrap();
    assert!(answer.is_ok(), "{}", answer.text());
    let listed: Value = serde_json::from_slice(&answer.body).unwrap();
    let host = |host: &Value| {
        let port = u16::try_from(host["port"].as_u64().unwrap()).unwrap();
        (port, host["healthy"].as_bool().unwrap())
    };
    listed["hosts"].as_array().unwrap().iter().map(host).collect()
}

/// Whether all are listed, these are not healthy, and all others are.
fn is_down(listed: &[(u16, bool)], down: &[u16]) -> bool {
    listed.len() == INSTANCES && listed.iter().all(|(port, healthy)| *healthy != down.contains(port))
}

async fn wait(caller: &mut Caller, is_so: impl Fn(&[(u16, bool)]) -> bool) {
    let begun = Instant::now();
    loop {
        let listed = health(caller).await;
        if is_so(&listed) {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{listed:?}");
        sleep(Duration::from_millis(50)).await;
    }
}
