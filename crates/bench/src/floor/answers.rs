//! What the floor answers, made once, and the parsing that comes before.

use crate::bodies::{self, GROUP};
use axum::{Router, http::StatusCode, routing, routing::MethodRouter};
use bytes::Bytes;
use muster_nacos_wire::grpc::Payload;
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::{Value, json};
use std::{collections::HashMap, hint::black_box, sync::Arc};
use tokio::sync::mpsc;
use tonic::Status;

/// The body of any request, typed as a server that means it would.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Body {
    headers: HashMap<String, String>,
    request_id: Option<String>,
    namespace: Option<String>,
    service_name: Option<String>,
    group_name: Option<String>,
    r#type: Option<String>,
    instance: Option<Instance>,
    instances: Vec<Instance>,
    cluster: Option<String>,
    healthy_only: bool,
    data_id: Option<String>,
    group: Option<String>,
    tenant: Option<String>,
    content: Option<String>,
    cas_md5: Option<String>,
    addition_map: HashMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "parsed as a server would, then dropped")]
struct Instance {
    ip: String,
    port: u16,
    weight: f64,
    healthy: bool,
    enabled: bool,
    ephemeral: bool,
    cluster_name: String,
    metadata: HashMap<String, String>,
}

/// The bytes of all answers, and the open streams.
pub(crate) struct Answers {
    done: HashMap<&'static str, (&'static str, Bytes)>,
    hosts_10: Bytes,
    hosts_100: Bytes,
    streams: Mutex<Vec<mpsc::Sender<Result<Payload, Status>>>>,
}

impl Answers {
    /// Makes them.
    pub(crate) fn new() -> Self {
        let success = json!({"resultCode": 200, "errorCode": 0, "success": true});
        let with = |more: Value| {
            let mut all = success.clone();
            if let (Some(all), Value::Object(more)) = (all.as_object_mut(), more) {
                all.extend(more);
            }
            Bytes::from(all.to_string())
        };
        let plain = || with(json!({}));
        let hosts = |count: u32| with(json!({"serviceInfo": service_info(count)}));
        let config = json!({
            "content": bodies::content(0), "contentType": "properties", "md5": "0".repeat(32), "beta": false,
            "encryptedDataKey": "", "lastModified": 1_700_000_000_000_u64
        });
        let done = HashMap::from([
            ("ServerCheckRequest", ("ServerCheckResponse", with(json!({"connectionId": "1_127.0.0.1_1"})))),
            ("InstanceRequest", ("InstanceResponse", with(json!({"type": "registerInstance"})))),
            (
                "BatchInstanceRequest",
                ("BatchInstanceResponse", with(json!({"type": "batchRegisterInstance"}))),
            ),
            ("SubscribeServiceRequest", ("SubscribeServiceResponse", hosts(10))),
            ("ConfigPublishRequest", ("ConfigPublishResponse", plain())),
            ("ConfigQueryRequest", ("ConfigQueryResponse", with(config))),
            (
                "ConfigBatchListenRequest",
                ("ConfigChangeBatchListenResponse", with(json!({"changedConfigs": []}))),
            ),
        ]);
        Self { done, hosts_10: hosts(10), hosts_100: hosts(100), streams: Mutex::new(Vec::new()) }
    }

    /// Parses and answers.
    pub(crate) fn answer(&self, request: &Payload) -> Result<Payload, Status> {
        let body: Body = serde_json::from_slice(request.json())
            .map_err(|error| Status::invalid_argument(error.to_string()))?;
        let body = black_box(body);
        let pushed = match request.kind() {
            "InstanceRequest" if body.service_name.as_deref() == Some("bench-push") => {
                Some(("NotifySubscriberRequest", body.instance.as_ref().map(mark)))
            }
            "ConfigPublishRequest" if body.data_id.as_deref() == Some("bench-config-push") => {
                Some(("ConfigChangeNotifyRequest", None))
            }
            _ => None,
        };
        if let Some((kind, mark)) = pushed {
            self.push(kind, mark.as_deref().unwrap_or("0"));
        }
        if request.kind() == "ServiceQueryRequest" {
            let large = body.service_name.is_some_and(|name| name.starts_with("bench-query-100"));
            let hosts = if large { &self.hosts_100 } else { &self.hosts_10 };
            return Ok(Payload::new("QueryServiceResponse", hosts.clone()));
        }
        let (kind, bytes) = self
            .done
            .get(request.kind())
            .ok_or_else(|| Status::unimplemented(format!("the floor does not know {}", request.kind())))?;
        Ok(Payload::new(kind, bytes.clone()))
    }

    /// Opens a stream: a setup acknowledgement, then pushes.
    pub(crate) fn open_stream(&self) -> mpsc::Receiver<Result<Payload, Status>> {
        let (sender, receiver) = mpsc::channel(64);
        let ack = Payload::new("SetupAckRequest", r#"{"headers":{},"requestId":"0","abilityTable":{}}"#);
        sender.try_send(Ok(ack)).expect("the queue is new");
        self.streams.lock().push(sender);
        receiver
    }

    /// Sends to every open stream; one whose queue is full misses it, one that is closed is forgotten.
    fn push(&self, kind: &str, mark: &str) {
        let body =
            json!({"headers": {}, "requestId": "1", "hosts": [{"metadata": {"mark": mark}}]}).to_string();
        let push = Payload::new(kind, body);
        self.streams.lock().retain(|stream| stream.try_send(Ok(push.clone())).is_ok() || !stream.is_closed());
    }
}

fn mark(instance: &Instance) -> String {
    instance.metadata.get("mark").cloned().unwrap_or_default()
}

fn service_info(hosts: u32) -> Value {
    let hosts: Vec<Value> = (0..hosts)
        .map(|number| {
            let mut host = bodies::instance(number, 8080, 1);
            host["serviceName"] = format!("{GROUP}@@bench-query").into();
            host["instanceId"] = format!("10.0.0.{number}#8080#DEFAULT#{GROUP}@@bench-query").into();
            host
        })
        .collect();
    json!({
        "name": "bench-query", "groupName": GROUP, "clusters": "", "cacheMillis": 10000, "hosts": hosts,
        "lastRefTime": 1_700_000_000_000_u64, "checksum": "", "allIPs": false, "allIps": false,
        "reachProtectionThreshold": false, "valid": true
    })
}

/// The same over HTTP/1.1, without parsing. `PUT /floor/PATH` gives what the path is to answer from then on.
pub(crate) fn over_http(router: Router) -> Router {
    let list = Answer::new(service_info(10).to_string());
    let apps =
        Answer::new(r#"{"applications":{"versions__delta":"1","apps__hashcode":"","application":[]}}"#);
    let content = Bytes::from(bodies::content(0));
    let beat = r#"{"clientBeatInterval":5000,"code":10200,"lightBeatEnabled":true}"#;
    router
        .route("/nacos/v1/ns/instance/list", list.get())
        .route("/floor/nacos/v1/ns/instance/list", list.put())
        .route("/nacos/v1/cs/configs", routing::get(move || std::future::ready(content.clone())))
        .route("/nacos/v1/ns/instance", routing::post(|| std::future::ready("ok")))
        .route("/nacos/v1/ns/instance/beat", routing::put(move || std::future::ready(beat)))
        .route("/eureka/apps", apps.get())
        .route("/floor/eureka/apps", apps.put())
        .route("/eureka/apps/delta", apps.get())
        .route("/eureka/apps/{app}", routing::post(|| std::future::ready(StatusCode::NO_CONTENT)))
        .route("/eureka/apps/{app}/{id}", routing::put(|| std::future::ready(())))
}

/// What a path answers.
#[derive(Clone)]
struct Answer(Arc<Mutex<Bytes>>);

impl Answer {
    fn new(text: impl Into<Bytes>) -> Self {
        Self(Arc::new(Mutex::new(text.into())))
    }

    fn get(&self) -> MethodRouter {
        let answer = self.clone();
        routing::get(move || std::future::ready(answer.0.lock().clone()))
    }

    fn put(&self) -> MethodRouter {
        let answer = self.clone();
        routing::put(move |body: Bytes| {
            *answer.0.lock() = body;
            std::future::ready(())
        })
    }
}
