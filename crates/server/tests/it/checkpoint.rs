//! kill -9 under registered instances: no list that a client reads afterwards is shorter than before, except for
//! instances that died.

use crate::{
    client::Session,
    figures::{figure, say},
    lane::Lane,
    node::{Node, http, log_of},
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fs, path::Path, time::Duration};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

const SESSIONS: u64 = 10;
const HTTP_SERVICES: u64 = 50;
const APPS: u64 = 50;
/// Connections that register over HTTP.
const LANES: u64 = 4;
/// How long what is awaited may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Who is registered: so many over gRPC by each session, so many over HTTP.
#[derive(Clone, Copy)]
struct Crowd {
    services_a_session: u64,
    over_http: u64,
}

impl Crowd {
    fn of(instances: u64) -> Self {
        Self { services_a_session: instances / 2 / SESSIONS, over_http: instances / 2 }
    }

    fn all(self) -> u64 {
        SESSIONS * self.services_a_session + self.over_http
    }

    fn http_service(number: u64) -> String {
        format!("http-{}", number % HTTP_SERVICES)
    }

    fn http_address(number: u64) -> String {
        format!("ip=10.1.{}.{}&port=80", number / 250, number % 250)
    }

    /// Sessions that registered, one instance to each of their services.
    async fn register_over_grpc(self, address: &str, sessions: std::ops::Range<u64>) -> Vec<Session> {
        let mut tasks = JoinSet::new();
        for number in sessions {
            let address = address.to_owned();
            tasks.spawn(async move {
                let session = Session::open(&address).await.unwrap();
                for service in 0..self.services_a_session {
                    session.register(&format!("grpc-{service}"), 1_000 + number as u16).await.unwrap();
                }
                session
            });
        }
        tasks.join_all().await
    }

    /// Sends something for each instance that is kept by beats and passes.
    async fn over_http(self, port: u16, method: &'static str, path: &'static str, passes: fn(u64) -> bool) {
        let mut lanes = JoinSet::new();
        for lane in 0..LANES {
            lanes.spawn(async move {
                let mut connection = Lane::open(port).await;
                for number in (lane..self.over_http).step_by(LANES as usize).filter(|number| passes(*number))
                {
                    let (service, address) = (Self::http_service(number), Self::http_address(number));
                    connection.ok(method, &format!("{path}?serviceName={service}&{address}")).await;
                }
            });
        }
        lanes.join_all().await;
    }

    /// The length of each list, as clients read them.
    async fn lists(self, port: u16) -> BTreeMap<String, usize> {
        let mut lane = Lane::open(port).await;
        let mut lists = BTreeMap::new();
        let group = crate::client::GROUP;
        let grpc = (0..self.services_a_session).map(|number| format!("{group}@@grpc-{number}"));
        for service in grpc.chain((0..HTTP_SERVICES).map(Self::http_service)) {
            let path = format!("/nacos/v1/ns/instance/list?serviceName={service}&healthyOnly=true");
            let list: Value = serde_json::from_str(&lane.ok("GET", &path).await).unwrap();
            lists.insert(service, list["hosts"].as_array().unwrap().len());
        }
        lists
    }
}

/// As many instances of Eureka clients.
#[derive(Clone, Copy)]
struct EurekaCrowd(u64);

impl EurekaCrowd {
    /// Sends something for each instance; with a body if it registers.
    async fn each(self, port: u16, method: &'static str, expected: u16) {
        let mut lanes = JoinSet::new();
        for lane in 0..LANES {
            lanes.spawn(async move {
                let mut connection = Lane::open(port).await;
                for number in (lane..self.0).step_by(LANES as usize) {
                    let (app, id) = (number % APPS, format!("i-{number}"));
                    let (path, body) = match method {
                        "POST" => (format!("/eureka/apps/APP-{app}"), Self::body(app, &id, number)),
                        _ => (format!("/eureka/apps/APP-{app}/{id}"), String::new()),
                    };
                    let (status, text) = connection.send(method, &path, body).await;
                    assert_eq!(status, expected, "{method} {path}: {text}");
                }
            });
        }
        lanes.join_all().await;
    }

    fn body(app: u64, id: &str, number: u64) -> String {
        let port = |number: u16, enabled: bool| json!({ "$": number, "@enabled": enabled.to_string() });
        let status = if number.is_multiple_of(7) { "OUT_OF_SERVICE" } else { "UP" };
        json!({ "instance": {
            "instanceId": id, "hostName": format!("{id}.example"), "app": format!("APP-{app}"),
            "ipAddr": format!("10.2.{}.{}", number / 250, number % 250), "status": status,
            "port": port(8080, true), "securePort": port(8443, number.is_multiple_of(2)),
            "dataCenterInfo": {
                "@class": "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo", "name": "MyOwn",
            },
            "leaseInfo": { "renewalIntervalInSecs": 20, "durationInSecs": 120 },
            "metadata": { "zone": "z1", "number": number.to_string() },
            "homePageUrl": format!("http://{id}.example/"), "vipAddress": format!("app-{app}"),
            "lastDirtyTimestamp": (1_700_000_000_000_u64 + number).to_string(),
        } })
        .to_string()
    }

    /// Each application as clients read it, by name.
    async fn lists(self, port: u16) -> BTreeMap<String, Value> {
        let mut lane = Lane::open(port).await;
        let mut lists = BTreeMap::new();
        for app in 0..APPS {
            let (status, text) = lane.send("GET", &format!("/eureka/apps/APP-{app}"), String::new()).await;
            assert_eq!(status, 200, "APP-{app}: {text}");
            let mut list: Value = serde_json::from_str(&text).unwrap();
            for instance in list["application"]["instance"].as_array_mut().unwrap() {
                // A renewal is no change, so when the last one was is not stored.
                instance["leaseInfo"]["lastRenewalTimestamp"].take();
            }
            lists.insert(format!("APP-{app}"), list);
        }
        lists
    }
}

fn total(lists: &BTreeMap<String, usize>) -> u64 {
    lists.values().sum::<usize>() as u64
}

async fn metric(port: u16, name: &str) -> u64 {
    let (_, text) = http(port, "GET", "/metrics").await.unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ').map(str::to_owned));
    line.unwrap_or_else(|| panic!("no {name}")).parse().unwrap()
}

/// Waits until a checkpoint holds so many publications.
async fn wait_checkpoint(port: u16, publications: u64) {
    let begun = Instant::now();
    loop {
        let held = metric(port, "muster_checkpoint_publications").await;
        if held == publications {
            return;
        }
        if begun.elapsed() > PATIENCE {
            let (_, metrics) = http(port, "GET", "/metrics").await.unwrap();
            panic!("the checkpoint holds {held}, not {publications}: {metrics}");
        }
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_list_is_shorter_after_kill_9_except_for_who_died() {
    let crowd = Crowd::of(figure("MUSTER_CHECKPOINT_INSTANCES", 10_000));
    let base = tempfile::tempdir().unwrap();
    let dir = base.path().join("data");
    let node = Node::start(&dir, &[]).await;
    let sessions = crowd.register_over_grpc(&node.address(), 0..SESSIONS).await;
    crowd.over_http(node.port, "POST", "/nacos/v1/ns/instance", |_| true).await;
    wait_checkpoint(node.port, crowd.all()).await;
    crowd.over_http(node.port, "PUT", "/nacos/v1/ns/instance/beat", |_| true).await;
    let before = crowd.lists(node.port).await;
    assert_eq!(total(&before), crowd.all());
    let (bytes, took) = (
        metric(node.port, "muster_checkpoint_bytes").await,
        metric(node.port, "muster_checkpoint_milliseconds").await,
    );
    say(&format!("checkpoint: {} instances, {bytes} bytes in {took} ms", crowd.all()));
    node.kill();
    drop(sessions);

    let node = Node::start(&dir, &[]).await;
    let begun = Instant::now();
    assert_eq!(crowd.lists(node.port).await, before, "what is ready shows what was there");
    assert_eq!(metric(node.port, "muster_restored_registrations_total").await, crowd.all());
    // One of the ten sessions does not come back, and nor does one in ten of those that beat.
    let sessions = crowd.register_over_grpc(&node.address(), 1..SESSIONS).await;
    assert_eq!(crowd.lists(node.port).await, before, "who registers again is there once");
    let alive = crowd.services_a_session * (SESSIONS - 1) + crowd.over_http / 10 * 9;
    loop {
        // A light beat: 200 with a code in it either way, so what counts is what is listed.
        crowd
            .over_http(node.port, "PUT", "/nacos/v1/ns/instance/beat", |number| {
                number / HTTP_SERVICES % 10 != 3
            })
            .await;
        let now = crowd.lists(node.port).await;
        let left = total(&now);
        assert!(left >= alive, "{left} are listed and {alive} live");
        if left == alive {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "{left} are still listed and {alive} live");
        sleep(Duration::from_millis(200)).await;
    }
    assert!(begun.elapsed() >= Duration::from_secs(15), "the dead were given time: {:?}", begun.elapsed());
    wait_checkpoint(node.port, alive).await;
    drop(sessions);
}

/// Starts a node that finds the file, and gives what it said of it and how many instances it shows.
async fn start_with(dir: &Path, change: impl FnOnce(&mut Vec<u8>)) -> (String, u64) {
    let file = dir.join("ephemeral");
    let mut bytes = fs::read(&file).unwrap();
    change(&mut bytes);
    fs::write(&file, bytes).unwrap();
    let node = Node::start(dir, &[]).await;
    let shown = metric(node.port, "muster_instances").await;
    node.kill();
    (fs::read_to_string(log_of(dir)).unwrap(), shown)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkpoint_that_cannot_be_used_is_named_and_ignored() {
    let base = tempfile::tempdir().unwrap();
    let dir = base.path().join("data");
    let node = Node::start(&dir, &[]).await;
    let session = Session::open(&node.address()).await.unwrap();
    session.register("s", 80).await.unwrap();
    wait_checkpoint(node.port, 1).await;
    node.kill();
    let whole = fs::read(dir.join("ephemeral")).unwrap();
    let (log, shown) = start_with(&dir, |_| {}).await;
    assert!(log.contains("are restored until they are confirmed") && shown == 1, "{log}");
    let (log, shown) = start_with(&dir, |bytes| *bytes = whole[..whole.len() - 1].to_vec()).await;
    assert!(log.contains("is ignored") && log.contains("it is cut") && shown == 0, "{log}");
    let (log, shown) = start_with(&dir, |bytes| {
        *bytes = whole.clone();
        bytes[40] ^= 1;
    })
    .await;
    assert!(log.contains("is ignored") && log.contains("a chunk is damaged") && shown == 0, "{log}");
    let (log, shown) = start_with(&dir, |bytes| {
        *bytes = whole.clone();
        bytes[8] += 1;
        let crc = crc32c::crc32c(&bytes[..24]);
        bytes[24..28].copy_from_slice(&crc.to_le_bytes());
    })
    .await;
    assert!(log.contains("is ignored") && log.contains("has format version 2") && shown == 0, "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_keeps_what_its_clients_did_not_take_back() {
    let base = tempfile::tempdir().unwrap();
    let dir = base.path().join("data");
    let node = Node::start(&dir, &["drain=1s"]).await;
    let session = Session::open(&node.address()).await.unwrap();
    for port in [80, 81] {
        session.register(&format!("s-{port}"), port).await.unwrap();
    }
    let mut lane = Lane::open(node.port).await;
    lane.ok("POST", "/nacos/v1/ns/instance?serviceName=beating&ip=10.0.0.1&port=80").await;
    session.deregister("s-81", 81).await.unwrap();
    node.stop().await;
    drop(session);
    let node = Node::start(&dir, &[]).await;
    let session = Session::open(&node.address()).await.unwrap();
    assert_eq!(session.instances("s-80").await.unwrap().len(), 1);
    assert_eq!(session.instances("s-81").await.unwrap().len(), 0);
    assert_eq!(metric(node.port, "muster_instances").await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eureka_clients_find_everything_again_after_kill_9() {
    let crowd = EurekaCrowd(figure("MUSTER_CHECKPOINT_INSTANCES", 10_000));
    let base = tempfile::tempdir().unwrap();
    let dir = base.path().join("data");
    let node = Node::start(&dir, &[]).await;
    crowd.each(node.port, "POST", 204).await;
    crowd.each(node.port, "PUT", 200).await;
    wait_checkpoint(node.port, crowd.0).await;
    let before = crowd.lists(node.port).await;
    let (bytes, took) = (
        metric(node.port, "muster_checkpoint_bytes").await,
        metric(node.port, "muster_checkpoint_milliseconds").await,
    );
    say(&format!("checkpoint: {} Eureka instances, {bytes} bytes in {took} ms", crowd.0));
    node.kill();
    let node = Node::start(&dir, &[]).await;
    let after = crowd.lists(node.port).await;
    for (app, list) in &before {
        assert_eq!(&after[app], list, "{app}");
    }
    // No client is told to register again, and what they are told is the same after their renewals.
    crowd.each(node.port, "PUT", 200).await;
    assert_eq!(crowd.lists(node.port).await, before);
}
