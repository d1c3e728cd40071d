//! A node whose disk is memory, and requests to it that come from a connection of nobody.

use axum::{Router, body::Body};
use flate2::read::GzDecoder;
use http::{HeaderMap, Request};
use http_body_util::BodyExt as _;
use muster_consensus::Parts;
use muster_eureka::{EurekaSettings, PeerSettings, Peers, router};
use muster_model::{ConnectionId, NodeId};
use muster_node::{Node, NodeParts, Settings};
use muster_runtime::{
    Rng, SkippingClock, Tasks,
    disk::{Disk, MemoryDisk},
};
use muster_storage::{
    journal::{Journal, JournalSettings},
    log::{Log, LogSettings},
    snapshot::Snapshots,
    state::MemoryStore,
};
use muster_transport::{ConnectionInfo, ListenerIndex, Surfaces};
use serde_json::{Value, json};
use std::{
    io::Read as _,
    net::{IpAddr, SocketAddr},
    path::Path,
    sync::Arc,
};
use tower::ServiceExt as _;

pub(crate) const JSON: (&str, &str) = ("accept", "application/json");
pub(crate) const XML: (&str, &str) = ("accept", "application/xml");
pub(crate) const GZIP: (&str, &str) = ("accept-encoding", "gzip");
pub(crate) const PEER: (&str, &str) = ("x-netflix-discovery-replication", "true");
pub(crate) const AS_JSON: (&str, &str) = ("content-type", "application/json");

pub(crate) struct World {
    pub(crate) node: Arc<Node>,
    pub(crate) clock: Arc<SkippingClock>,
    pub(crate) peers: Arc<Peers>,
    router: Router,
    surfaces: Surfaces,
}

/// An answer, read.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The body, unpacked if it is packed.
    pub(crate) fn plain(&self) -> Vec<u8> {
        if self.header("content-encoding").is_some() { self.unpacked() } else { self.body.clone() }
    }

    /// The body of a packed answer: one gzip member and nothing behind it.
    pub(crate) fn unpacked(&self) -> Vec<u8> {
        assert_eq!(self.header("content-encoding"), Some("gzip"));
        let mut rest = &*self.body;
        let mut text = Vec::new();
        GzDecoder::new(&mut rest).read_to_end(&mut text).unwrap();
        assert!(rest.is_empty());
        text
    }

    pub(crate) fn is(&self, status: u16, body: &str) {
        assert_eq!((self.status, self.text()), (status, body));
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(EurekaSettings::default()).await
    }

    pub(crate) async fn with(settings: EurekaSettings) -> Self {
        let world = Self::starting(settings);
        world.finish_start().await;
        world
    }

    /// A node that is ready and has peers, which are not started.
    pub(crate) async fn with_peers(peers: PeerSettings) -> Self {
        let world = Self::build(EurekaSettings::default(), peers);
        world.finish_start().await;
        world
    }

    /// The same on a listener that shows these surfaces.
    pub(crate) fn showing(self, surfaces: Surfaces) -> Self {
        Self { surfaces, ..self }
    }

    /// A node that is not ready: consensus has not started.
    pub(crate) fn starting(settings: EurekaSettings) -> Self {
        Self::build(settings, PeerSettings::none(IpAddr::from([127, 0, 0, 1])))
    }

    fn build(settings: EurekaSettings, peers: PeerSettings) -> Self {
        let disk: Arc<dyn Disk> = Arc::new(MemoryDisk::new());
        let journal = Path::new("/journal");
        disk.create_dir_all(journal).unwrap();
        let (journal, _) = Journal::open(disk, journal, JournalSettings::default()).unwrap();
        let clock = Arc::new(SkippingClock::default());
        let node = Node::new(
            NodeParts {
                settings: Settings::default(),
                state: Arc::new(MemoryStore::new()),
                journal,
                clock: clock.clone(),
                tasks: Tasks::new(),
                epoch: muster_model::Epoch { boot: 1, random: 1 },
                rng: Rng::seeded(1),
            },
            NodeId(1),
        );
        let peers = Arc::new(Peers::new(node.clone(), settings.base.clone(), peers));
        let router = router(node.clone(), peers.clone(), settings);
        Self { router, peers, node, clock, surfaces: Surfaces::ALL }
    }

    async fn finish_start(&self) {
        let disk: Arc<dyn Disk> = Arc::new(MemoryDisk::new());
        let (log, snapshots) = (Path::new("/log"), Path::new("/snapshots"));
        disk.create_dir_all(log).unwrap();
        disk.create_dir_all(snapshots).unwrap();
        let parts = Parts {
            disk: disk.clone(),
            data_dir: "/".into(),
            log: Log::open(disk.clone(), log, LogSettings::default()).unwrap().0,
            state: self.node.state().clone(),
            snapshots: Snapshots::open(disk, snapshots).unwrap(),
            machine: self.node.clone(),
            clock: self.clock.clone(),
            tasks: Tasks::new(),
            fatal: Arc::new(|why: &str| panic!("{why}")),
            links: None,
        };
        self.node.join(muster_consensus::Settings::default(), parts).await.unwrap();
        self.node.consensus().unwrap().wait_ready().await.unwrap();
    }

    pub(crate) async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send("GET", path, headers, Body::empty()).await
    }

    pub(crate) async fn put(&self, path: &str) -> Answer {
        self.send("PUT", path, &[], Body::empty()).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, &[], Body::empty()).await
    }

    /// Registers an instance with these members beside the ones every instance has.
    pub(crate) async fn register(&self, app: &str, id: &str, members: &str) {
        let answer =
            self.send("POST", &format!("/eureka/apps/{app}"), &[AS_JSON], instance(app, id, members)).await;
        answer.is(204, "");
    }

    /// What a peer tells; the answers to the items.
    pub(crate) async fn batch(&self, items: &[Value]) -> Value {
        let body = json!({ "replicationList": items }).to_string();
        let answer = self.send("POST", "/eureka/peerreplication/batch/", &[AS_JSON], body).await;
        assert_eq!(answer.status, 200);
        answer.json()["responseList"].take()
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(body.into()).unwrap();
        request.extensions_mut().insert(ConnectionInfo {
            id: ConnectionId(1),
            remote: SocketAddr::from(([127, 0, 0, 1], 5_000)),
            local: SocketAddr::from(([127, 0, 0, 1], 8_848)),
            listener: ListenerIndex(0),
            surfaces: self.surfaces,
        });
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.into_body().collect().await.unwrap().to_bytes().to_vec();
        Answer { status, headers, body }
    }
}

/// A body that registers an instance.
pub(crate) fn instance(app: &str, id: &str, members: &str) -> String {
    let comma = if members.is_empty() { "" } else { "," };
    format!(
        r#"{{"instance":{{"instanceId":"{id}","hostName":"{id}.example","app":"{app}","ipAddr":"10.0.0.5","vipAddress":"{}",
        "dataCenterInfo":{{"@class":"com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo","name":"MyOwn"}}{comma}{members}}}}}"#,
        app.to_lowercase()
    )
}
