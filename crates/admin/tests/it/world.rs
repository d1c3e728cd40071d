//! A node whose disk is memory, and requests to it that come from a connection of nobody.

use axum::{Router, body::Body};
use http::{HeaderMap, Request};
use http_body_util::BodyExt as _;
use muster_admin::{AdminState, router};
use muster_consensus::Parts;
use muster_model::{
    Actor, ClientId, ClusterName, ConnectionId, DataCenter, EurekaInstance, EurekaLease, EurekaPort,
    EurekaStatus, GroupName, Host, Instance, Kind, Metadata, Namespace, NodeId, ServiceKey, ServiceName,
    Weight,
};
use muster_node::{EurekaRegistration, Node, NodeParts, Settings, registry::EurekaBase};
use muster_runtime::{
    Clock, Rng, SystemClock, Tasks,
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

/// The size of the node's disk.
pub(crate) const DISK_BYTES: u64 = 1 << 30;

pub(crate) struct World {
    pub(crate) node: Arc<Node>,
    router: Router,
}

/// An answer, read.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        let world = Self::starting();
        world.finish_start(muster_consensus::Settings::default()).await;
        world
    }

    /// A node that is not ready: consensus has not started.
    pub(crate) fn starting() -> Self {
        let disk: Arc<dyn Disk> = Arc::new(MemoryDisk::new());
        let journal = Path::new("/journal");
        disk.create_dir_all(journal).unwrap();
        let (journal, _) = Journal::open(disk, journal, JournalSettings::default()).unwrap();
        let node = Node::new(
            NodeParts {
                settings: Settings::default(),
                state: Arc::new(MemoryStore::new()),
                journal,
                clock: Arc::new(SystemClock::new()),
                tasks: Tasks::new(),
                epoch: muster_model::Epoch { boot: 1, random: 1 },
                rng: Rng::seeded(1),
            },
            NodeId(1),
        );
        let router = router(AdminState {
            node: node.clone(),
            connections: Arc::new(ConnectionTable::new()),
            version: "1 <b>",
            openapi: "{}",
            context_path: "/nacos".to_owned(),
        });
        Self { node, router }
    }

    pub(crate) async fn finish_start(&self, settings: muster_consensus::Settings) {
        let memory = MemoryDisk::new();
        memory.set_capacity(Some(DISK_BYTES));
        let disk: Arc<dyn Disk> = Arc::new(memory);
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
            clock: Arc::<SystemClock>::new(SystemClock::new()) as Arc<dyn Clock>,
            tasks: Tasks::new(),
            fatal: Arc::new(|why: &str| panic!("{why}")),
            links: None,
        };
        self.node.join(settings, parts).await.unwrap();
        self.node.consensus().unwrap().wait_ready().await.unwrap();
    }

    /// Registers an instance of a service in a namespace, by a connection.
    pub(crate) async fn register(&self, namespace: &str, service: &str) {
        self.publish(ClientId::Connection(ConnectionId(7)), namespace, service).await;
    }

    /// Registers an instance of a service in a namespace that is kept by beats.
    pub(crate) async fn beat(&self, namespace: &str, service: &str) {
        let host = Host::new("10.0.0.7").unwrap();
        self.publish(ClientId::Address(host, 8080, Kind::Ephemeral), namespace, service).await;
    }

    /// Registers an instance over Eureka.
    pub(crate) fn register_eureka(&self, app: &str, id: &str) {
        let port = EurekaPort { number: 80, enabled: true };
        let instance = EurekaInstance {
            app: app.into(),
            instance_id: Some(id.into()),
            host_name: "h1".into(),
            ip_addr: "10.0.0.8".into(),
            sid: None,
            status: EurekaStatus::Up,
            port,
            secure_port: EurekaPort { number: 443, enabled: false },
            country_id: 1,
            data_center: DataCenter::MyOwn,
            lease: EurekaLease::default(),
            metadata: Metadata::default(),
            app_group: None,
            home_page_url: None,
            status_page_url: None,
            health_check_url: None,
            secure_health_check_url: None,
            vip_address: Some(app.to_lowercase().into()),
            secure_vip_address: None,
            asg_name: None,
            last_dirty: 1,
        };
        let registration = EurekaRegistration {
            instance: Arc::new(instance),
            overridden: EurekaStatus::Unknown,
            replicated: false,
        };
        self.node.eureka_register(&EurekaBase::default(), registration, Actor::default()).unwrap();
    }

    async fn publish(&self, client: ClientId, namespace: &str, service: &str) {
        let key = ServiceKey::new(
            Namespace::new(namespace).unwrap(),
            GroupName::new("DEFAULT_GROUP").unwrap(),
            ServiceName::new(service).unwrap(),
        );
        let actor = Actor { connection: Some(ConnectionId(7)), address: None, user: None };
        let instance = Instance {
            host: Host::new("10.0.0.7").unwrap(),
            port: 8080,
            cluster: ClusterName::new("DEFAULT").unwrap(),
            weight: Weight::default(),
            enabled: true,
            healthy: true,
            metadata: Metadata::default(),
        };
        self.node.register(client, key, vec![instance], actor).await.unwrap();
    }

    /// A GET from this machine.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.get_from([127, 0, 0, 1], path).await
    }

    /// A GET from an address.
    pub(crate) async fn get_from(&self, remote: [u8; 4], path: &str) -> Answer {
        self.send(remote, "GET", path).await
    }

    /// A request without a body from an address.
    pub(crate) async fn send(&self, remote: [u8; 4], method: &str, path: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        request.extensions_mut().insert(ConnectionInfo {
            id: ConnectionId(1),
            remote: SocketAddr::from((remote, 5_000)),
            local: SocketAddr::from(([127, 0, 0, 1], 8_848)),
            listener: ListenerIndex(0),
            surfaces: Surfaces::ALL,
        });
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.into_body().collect().await.unwrap().to_bytes().to_vec();
        Answer { status, headers, body }
    }
}
