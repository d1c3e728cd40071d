//! A node whose disk is memory, and requests to it that come from a connection of nobody.

use axum::{Router, body::Body};
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use muster_consensus::Parts;
use muster_model::{ConnectionId, NodeId};
use muster_nacos::{HttpSettings, SessionSettings, Sessions, router};
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
use muster_transport::{ConnectionInfo, ConnectionTable, ListenerIndex, Surfaces};
use std::{net::SocketAddr, path::Path, sync::Arc};
use tower::ServiceExt as _;

pub(crate) struct World {
    pub(crate) node: Arc<Node>,
    pub(crate) table: Arc<ConnectionTable>,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) clock: Arc<SkippingClock>,
    pub(crate) tasks: Tasks,
    pub(crate) router: Router,
    /// What the listener shows that requests come in on.
    pub(crate) surfaces: Surfaces,
}

/// An answer, read.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    pub(crate) bytes: Bytes,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn is(&self, status: u16, body: &str) {
        assert_eq!((self.status, self.body.as_str()), (status, body));
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(HttpSettings::default()).await
    }

    pub(crate) async fn with(settings: HttpSettings) -> Self {
        let world = Self::starting(settings, Settings::default());
        world.finish_start().await;
        world
    }

    /// A node that is not ready: consensus has not started.
    pub(crate) fn starting(http: HttpSettings, settings: Settings) -> Self {
        Self::with_sessions(http, settings, SessionSettings::default())
    }

    pub(crate) fn with_sessions(
        http: HttpSettings,
        settings: Settings,
        session_settings: SessionSettings,
    ) -> Self {
        let (tasks, clock) = (Tasks::new(), Arc::new(SkippingClock::default()));
        let disk: Arc<dyn Disk> = Arc::new(MemoryDisk::new());
        let journal = Path::new("/journal");
        disk.create_dir_all(journal).unwrap();
        let (journal, _) = Journal::open(disk, journal, JournalSettings::default()).unwrap();
        let node = Node::new(
            NodeParts {
                settings,
                state: Arc::new(MemoryStore::new()),
                journal,
                clock: clock.clone(),
                tasks: tasks.clone(),
                epoch: muster_model::Epoch { boot: 1, random: 1 },
                rng: Rng::seeded(1),
            },
            NodeId(1),
        );
        let table = Arc::new(ConnectionTable::new());
        let sessions = Sessions::with_settings(node.clone(), table.clone(), session_settings);
        let router = router(node.clone(), sessions.clone(), tasks.clone(), http);
        Self { node, table, sessions, clock, tasks, router, surfaces: Surfaces::ALL }
    }

    pub(crate) async fn finish_start(&self) {
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

    /// A request without a body.
    pub(crate) async fn ask(&self, method: &str, path_and_query: &str) -> Answer {
        self.send(method, path_and_query, "", &[]).await
    }

    /// A request with a form.
    pub(crate) async fn form(&self, method: &str, path: &str, form: &str) -> Answer {
        self.send(method, path, form, &[]).await
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        form: &str,
        headers: &[(&str, &str)],
    ) -> Answer {
        let kind = ("Content-Type", "application/x-www-form-urlencoded;charset=GBK");
        let mut headers = headers.to_vec();
        if !form.is_empty() {
            headers.push(kind);
        }
        self.body(method, path, form, &headers).await
    }

    /// A request with any body.
    pub(crate) async fn body(
        &self,
        method: &str,
        path: &str,
        form: &str,
        headers: &[(&str, &str)],
    ) -> Answer {
        self.raw(method, path, form.to_owned(), headers).await
    }

    /// A multipart form: texts, and an archive as the file `file`.
    pub(crate) async fn upload(&self, path: &str, texts: &[(&str, &str)], file: &[u8]) -> Answer {
        const HEAD: &str = "--cut\r\nContent-Disposition: form-data; name=";
        let mut body = Vec::new();
        for (name, text) in texts {
            body.extend(format!("{HEAD}\"{name}\"\r\n\r\n{text}\r\n").as_bytes());
        }
        let name = "\"file\"; filename=\"c.zip\"\r\nContent-Type: application/zip";
        body.extend(format!("{HEAD}{name}\r\n\r\n").as_bytes());
        body.extend(file);
        body.extend(b"\r\n--cut--\r\n");
        let headers = [("Content-Type", "multipart/form-data; boundary=cut")];
        self.raw("POST", path, body, &headers).await
    }

    async fn raw(&self, method: &str, path: &str, body: impl Into<Body>, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let mut request = request.body(body.into()).unwrap();
        request.extensions_mut().insert(ConnectionInfo {
            id: ConnectionId(1),
            remote: SocketAddr::from(([127, 0, 0, 1], 5_000)),
            local: SocketAddr::from(([127, 0, 0, 1], 8_848)),
            listener: ListenerIndex(0),
            surfaces: self.surfaces,
        });
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (StatusCode::as_u16(&response.status()), response.headers().clone());
        let body = response.into_body().collect().await.unwrap().to_bytes();
        Answer { status, headers, body: String::from_utf8_lossy(&body).into_owned(), bytes: body }
    }
}
