//! Active health checks of the real binary.

use crate::{
    figures::{figure, say},
    lane::Lane,
    node::Node,
};
use serde_json::Value;
use std::{fs, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::{Instant, sleep},
};

/// How long what is awaited may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Something that is checked, on every loopback address; it ends when it is dropped.
struct Target {
    port: u16,
    _tasks: JoinSet<()>,
}

impl Target {
    /// Answers each connection with a text once something was asked; says nothing if the text is empty.
    async fn answering(answer: &'static str) -> Self {
        let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                connections.spawn(answer_one(stream, answer));
                while connections.try_join_next().is_some() {}
            }
        });
        Self { port, _tasks: tasks }
    }
}

async fn answer_one(mut stream: TcpStream, answer: &'static str) {
    let mut asked = [0; 1_024];
    // Whoever checks goes away as it likes.
    while !answer.is_empty() && stream.read(&mut asked).await.is_ok_and(|count| count > 0) {
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn register(lane: &mut Lane, service: &str, address: &str) {
    let path = format!("/nacos/v1/ns/instance?serviceName={service}&{address}&ephemeral=false");
    lane.ok("POST", &path).await;
}

/// The health of each instance of a service, by address.
async fn health(lane: &mut Lane, service: &str) -> Vec<(String, bool)> {
    let list = lane.ok("GET", &format!("/nacos/v1/ns/instance/list?serviceName={service}")).await;
    let list: Value = serde_json::from_str(&list).unwrap();
    let host = |host: &Value| (host["ip"].as_str().unwrap().to_owned(), host["healthy"].as_bool().unwrap());
    list["hosts"].as_array().unwrap().iter().map(host).collect()
}

async fn wait_health(lane: &mut Lane, service: &str, wanted: &[(&str, bool)]) {
    let begun = Instant::now();
    loop {
        let now = health(lane, service).await;
        if now.iter().map(|(ip, healthy)| (ip.as_str(), *healthy)).eq(wanted.iter().copied()) {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{service}: {now:?}, not {wanted:?}");
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_refuses_a_connection_is_unhealthy_until_it_takes_one() {
    let base = tempfile::tempdir().unwrap();
    let dir = base.path().join("data");
    let node = Node::start(&dir, &[]).await;
    let mut lane = Lane::open(node.port).await;
    let target = Target::answering("").await;
    let port = target.port;
    register(&mut lane, "tcp", &format!("ip=127.0.0.1&port={port}")).await;
    register(&mut lane, "tcp", "ip=127.0.0.2&port=1").await;
    wait_health(&mut lane, "tcp", &[("127.0.0.1", true), ("127.0.0.2", false)]).await;
    drop(target);
    wait_health(&mut lane, "tcp", &[("127.0.0.1", false), ("127.0.0.2", false)]).await;
    let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    wait_health(&mut lane, "tcp", &[("127.0.0.1", true), ("127.0.0.2", false)]).await;
    // What checks found is in no log: after a restart it is found again.
    node.kill();
    drop(listener);
    let node = Node::start(&dir, &[]).await;
    let mut lane = Lane::open(node.port).await;
    wait_health(&mut lane, "tcp", &[("127.0.0.1", false), ("127.0.0.2", false)]).await;
}

/// CPU time a process used, in ticks of 10 ms.
fn ticks(id: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
    let fields: Vec<&str> = stat[stat.rfind(')').unwrap()..].split(' ').collect();
    fields[12].parse::<u64>().unwrap() + fields[13].parse::<u64>().unwrap()
}

/// Share of a core, in percent, that the node takes for a while in which nobody asks it anything.
async fn load(node: &Node, over: Duration) -> f64 {
    let (begun, before) = (Instant::now(), ticks(node.id()));
    sleep(over).await;
    (ticks(node.id()) - before) as f64 / begun.elapsed().as_secs_f64()
}

/// The 99th percentile of the time that a query takes, milliseconds.
async fn p99(lane: &mut Lane, over: Duration) -> f64 {
    let begun = Instant::now();
    let mut times = Vec::new();
    while begun.elapsed() < over {
        let asked = Instant::now();
        lane.ok("GET", "/nacos/v1/ns/instance/list?serviceName=queried").await;
        times.push(asked.elapsed());
        sleep(Duration::from_millis(1)).await;
    }
    times.sort_unstable();
    times[times.len() * 99 / 100].as_secs_f64() * 1_000.0
}

/// `MUSTER_CHECKED=2000 MUSTER_CHECKED_HTTP=1 cargo test --release -p muster-server --test it -- --ignored --nocapture
/// cost_of_checks`: what checks of so many instances cost, over TCP or HTTP.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement, for a quiet machine"]
async fn cost_of_checks() {
    let instances = figure("MUSTER_CHECKED", 2_000);
    let is_http = figure("MUSTER_CHECKED_HTTP", 0) == 1;
    let over = Duration::from_secs(figure("MUSTER_CHECKED_SECS", 20));
    let base = tempfile::tempdir().unwrap();
    let node = Node::start(&base.path().join("data"), &[]).await;
    let mut lane = Lane::open(node.port).await;
    for number in 0..10 {
        lane.ok("POST", &format!("/nacos/v1/ns/instance?serviceName=queried&ip=10.0.0.{number}&port=80"))
            .await;
    }
    let (idle, quiet) = (load(&node, over).await, p99(&mut lane, over).await);
    let target = Target::answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
    if is_http {
        lane.ok("POST", "/nacos/v1/ns/service?serviceName=checked&protectThreshold=0&ephemeral=false").await;
        let checker = "%7B%22type%22%3A%22HTTP%22%2C%22path%22%3A%22%2Fhealth%22%7D";
        let cluster =
            format!("clusterName=DEFAULT&checkPort=80&useInstancePort4Check=true&healthChecker={checker}");
        lane.ok("PUT", &format!("/nacos/v1/ns/cluster?serviceName=checked&{cluster}")).await;
    }
    for number in 0..instances {
        let ip = format!("127.1.{}.{}", number / 250, number % 250 + 1);
        register(&mut lane, "checked", &format!("ip={ip}&port={}", target.port)).await;
    }
    // The pauses settle.
    sleep(Duration::from_secs(15)).await;
    let (busy, checked) = (load(&node, over).await, p99(&mut lane, over).await);
    let unhealthy = health(&mut lane, "checked").await.iter().filter(|(_, healthy)| !healthy).count();
    say(&format!(
        "{instances} instances checked over {}: {busy:.1} % of a core ({idle:.1} % without); p99 of queries \
         {checked:.2} ms ({quiet:.2} ms without); {unhealthy} unhealthy",
        if is_http { "HTTP" } else { "TCP" }
    ));
    assert_eq!(unhealthy, 0);
}
