//! An Eureka server as nodes see it: it takes what it is told, lists that, and notes who told it what.

use parking_lot::Mutex;
use serde_json::{Value, json};
use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// What it was told of one instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    /// The address by which the node names itself.
    pub(crate) by: String,
    pub(crate) action: String,
    pub(crate) id: String,
}

#[derive(Debug, Default)]
struct Registry {
    told: Vec<Told>,
    /// What it lists, by id.
    listed: BTreeMap<String, Value>,
}

/// It ends when it is dropped.
pub(crate) struct Recorder {
    pub(crate) address: SocketAddr,
    registry: Arc<Mutex<Registry>>,
    _serving: JoinSet<()>,
}

impl Recorder {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, registry) = (listener.local_addr().unwrap(), Arc::<Mutex<Registry>>::default());
        let (mut serving, shared) = (JoinSet::new(), registry.clone());
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let shared = shared.clone();
                // A node that is killed breaks its connection.
                connections.spawn(async move { drop(serve(stream, &shared).await) });
                while connections.try_join_next().is_some() {}
            }
        });
        Self { address, registry, _serving: serving }
    }

    /// Its base URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/eureka/", self.address)
    }

    /// A client registers with it.
    pub(crate) fn list(&self, id: &str, instance: Value) {
        self.registry.lock().listed.insert(id.to_owned(), instance);
    }

    /// A client leaves it.
    pub(crate) fn forget(&self, id: &str) {
        self.registry.lock().listed.remove(id);
    }

    /// What it was told of an instance, in order; heartbeats apart.
    pub(crate) fn told(&self, id: &str) -> Vec<Told> {
        let registry = self.registry.lock();
        let of_it = registry.told.iter().filter(|told| told.id == id && told.action != "Heartbeat");
        of_it.cloned().collect()
    }

    /// Who told it of heartbeats of an instance, in order.
    pub(crate) fn heartbeats(&self, id: &str) -> Vec<String> {
        let registry = self.registry.lock();
        let of_it = registry.told.iter().filter(|told| told.id == id && told.action == "Heartbeat");
        of_it.map(|told| told.by.clone()).collect()
    }
}

impl Registry {
    fn take(&mut self, by: &str, item: &Value) -> Value {
        let text = |key: &str| item[key].as_str().unwrap_or_default().to_owned();
        let (action, id) = (text("action"), text("id"));
        self.told.push(Told { by: by.to_owned(), action: action.clone(), id: id.clone() });
        let known = self.listed.get_mut(&id);
        let status = match (&*action, known) {
            ("Register", _) => {
                self.listed.insert(id, item["instanceInfo"].clone());
                200
            }
            ("Cancel", known) => {
                let was_known = known.is_some();
                self.listed.remove(&id);
                if was_known { 200 } else { 404 }
            }
            ("StatusUpdate", Some(known)) => {
                known["status"] = item["status"].clone();
                known["overriddenStatus"] = item["status"].clone();
                200
            }
            ("DeleteStatusOverride", Some(known)) => {
                known["status"] = item["status"].clone();
                known["overriddenStatus"] = "UNKNOWN".into();
                200
            }
            (_, known) => {
                if known.is_some() {
                    200
                } else {
                    404
                }
            }
        };
        json!({ "statusCode": status })
    }
}

/// Answers one connection until it ends.
async fn serve(mut stream: TcpStream, registry: &Mutex<Registry>) -> std::io::Result<()> {
    let (from, mut to) = stream.split();
    let mut from = BufReader::new(from);
    loop {
        let (mut first, mut by, mut length) = (String::new(), String::new(), 0);
        loop {
            let mut line = String::new();
            if from.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            match line.split_once(": ") {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    length = value.parse().unwrap();
                }
                Some((name, value)) if name.eq_ignore_ascii_case("discoveryidentity-id") => {
                    by = value.to_owned();
                }
                Some(_) => {}
                None => first = line.to_owned(),
            }
        }
        let mut body = vec![0; length];
        from.read_exact(&mut body).await?;
        let answer = answer(&first, &by, &body, &mut registry.lock()).to_string();
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length";
        to.write_all(format!("{head}: {}\r\n\r\n{answer}", answer.len()).as_bytes()).await?;
    }
}

fn answer(first: &str, by: &str, body: &[u8], registry: &mut Registry) -> Value {
    if first.starts_with("GET ") {
        let app = |one: &Value| json!({ "name": one["app"], "instance": [one] });
        let apps: Vec<Value> = registry.listed.values().map(app).collect();
        return json!({ "applications": {
            "versions__delta": "1", "apps__hashcode": "", "application": apps
        } });
    }
    let batch: Value = serde_json::from_slice(body).unwrap();
    let items = batch["replicationList"].as_array().unwrap_or_else(|| panic!("{first}: {batch}"));
    let replies: Vec<Value> = items.iter().map(|item| registry.take(by, item)).collect();
    json!({ "responseList": replies })
}
