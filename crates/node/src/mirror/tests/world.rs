//! Nodes without consensus that mirror each other over sockets of this machine, at ten times the usual pace.

use crate::{Node, NodeParts, Settings, health_check::HealthChecks};
use muster_mirror::Addresses;
use muster_model::{
    Actor, Cause, ClientId, ClusterId, ClusterName, ConnectionId, Epoch, GroupName, Host, Instance, Kind,
    Metadata, Namespace, NodeId, Reason, ServiceKey, ServiceName, Weight,
};
use muster_peer::{Links, LinksParts, Plaintext};
use muster_registry::{Close, Deregister, Op, Outcome, Register};
use muster_runtime::{
    Rng, SystemClock, Tasks,
    disk::{Disk, MemoryDisk},
    net::{Network as _, RealNetwork},
};
use muster_storage::{
    checkpoint::CheckpointFile,
    journal::{Journal, JournalSettings},
    state::MemoryStore,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
    time::Duration,
};
use tokio::{sync::watch, time::Instant};

pub(super) const SILENCE: Duration = Duration::from_millis(600);
pub(super) const JOIN_WAIT: Duration = Duration::from_millis(3_000);

pub(super) struct Running {
    pub(super) node: Arc<Node>,
    tasks: Tasks,
}

impl Running {
    /// The ports that are listed of a service.
    pub(super) fn ports(&self) -> BTreeSet<u16> {
        self.node.view(&service()).hosts.iter().map(|host| host.port).collect()
    }

    pub(super) fn apply(&self, op: Op) -> Outcome {
        self.node.apply_ephemeral(op).unwrap()
    }

    /// A connection of this node registers an instance at a port.
    pub(super) fn connection_registers(&self, number: u64, port: u16) {
        let client = ClientId::Connection(ConnectionId(number));
        self.register(client, port);
    }

    /// One of many clients that beat registers at this node, a hundred to a service.
    pub(super) fn beater_registers_of(&self, number: u32) {
        let [_, high, middle, low] = number.to_be_bytes();
        let host = Host::new(&format!("10.{high}.{middle}.{low}")).unwrap();
        let client = ClientId::Address(host.clone(), 80, Kind::Ephemeral);
        let name = ServiceName::new(&format!("service-{}", number / 100)).unwrap();
        let service = ServiceKey::new(Namespace::default(), GroupName::default(), name);
        let metadata = Metadata::new([("version", "1.0"), ("zone", "a")]);
        let instances = vec![Instance { host, metadata, ..instance(80) }];
        let cause = cause(Reason::Registered);
        self.apply(Op::Register(Register { client, origin: self.node.id, service, instances, cause }));
    }

    /// How many instances it lists.
    pub(super) fn count(&self) -> usize {
        self.node.registry.lock().counts().instances
    }

    /// A client that beats registers at this node.
    pub(super) fn beater_registers(&self, port: u16) {
        self.register(beater(port), port);
    }

    fn register(&self, client: ClientId, port: u16) {
        let cause = cause(Reason::Registered);
        let instances = vec![instance(port)];
        self.apply(Op::Register(Register {
            client,
            origin: self.node.id,
            service: service(),
            instances,
            cause,
        }));
    }

    /// A persistent instance of this machine, as the log would give it to each node.
    pub(super) fn persistent_registers(&self, port: u16) {
        let (host, cause) = (Host::new("127.0.0.1").unwrap(), cause(Reason::Registered));
        let client = persistent(port);
        let instances = vec![Instance { host, ..instance(port) }];
        let register =
            Register { client: client.clone(), origin: NodeId(0), service: checked(), instances, cause };
        let (now, mut effects) = (self.node.now(), Vec::new());
        self.node.registry.lock().apply(Op::Register(register), now, &mut effects).unwrap();
        self.node.health_checks.begin(&client, &checked(), now.mono);
    }

    pub(super) fn is_healthy(&self, port: u16) -> bool {
        self.node.view(&checked()).hosts.iter().any(|host| host.port == port && host.healthy)
    }

    /// Who found the health that is shown.
    pub(super) fn checker_of(&self, port: u16) -> Option<u64> {
        self.node.registry.lock().health_owner(&checked(), &persistent(port)).map(|node| node.0)
    }

    pub(super) fn beater_deregisters(&self, port: u16) {
        let (client, cause) = (beater(port), cause(Reason::Deregistered));
        self.apply(Op::Deregister(Deregister { client, service: service(), cause }));
    }

    pub(super) fn connection_closes(&self, number: u64) {
        let client = ClientId::Connection(ConnectionId(number));
        self.apply(Op::Close(Close { client, cause: cause(Reason::ConnectionLost) }));
    }
}

pub(super) fn beater(port: u16) -> ClientId {
    ClientId::Address(Host::new("10.0.0.1").unwrap(), port, Kind::Ephemeral)
}

pub(super) fn service() -> ServiceKey {
    ServiceKey::new(Namespace::default(), GroupName::default(), ServiceName::new("order").unwrap())
}

fn persistent(port: u16) -> ClientId {
    ClientId::Address(Host::new("127.0.0.1").unwrap(), port, Kind::Persistent)
}

fn checked() -> ServiceKey {
    ServiceKey::new(Namespace::default(), GroupName::default(), ServiceName::new("checked").unwrap())
}

fn cause(reason: Reason) -> Cause {
    Cause { actor: Actor::default(), reason }
}

fn instance(port: u16) -> Instance {
    Instance {
        host: Host::new("10.0.0.1").unwrap(),
        port,
        cluster: ClusterName::default(),
        weight: Weight::default(),
        enabled: true,
        healthy: true,
        metadata: Metadata::default(),
    }
}

pub(super) struct World {
    pub(super) nodes: BTreeMap<u64, Running>,
    addresses: watch::Sender<Addresses>,
    disks: BTreeMap<u64, MemoryDisk>,
    boots: u64,
}

impl World {
    /// A world of members, none of which runs.
    pub(super) async fn of(members: u64) -> Self {
        let mut addresses = BTreeMap::new();
        for node in 1..=members {
            // The port is free again when it is needed.
            let incoming = RealNetwork.listen("127.0.0.1:0").await.unwrap();
            addresses.insert(NodeId(node), incoming.address());
        }
        let disks = (1..=members).map(|node| (node, MemoryDisk::new())).collect();
        Self { nodes: BTreeMap::new(), addresses: watch::Sender::new(Arc::new(addresses)), disks, boots: 0 }
    }

    /// A world whose members all run and are ready.
    pub(super) async fn running(members: u64) -> Self {
        let mut world = Self::of(members).await;
        for node in 1..=members {
            world.start(node).await;
        }
        for node in world.nodes.values() {
            node.node.restore_ephemeral().await;
        }
        world
    }

    /// Starts a node; what it had before is not put back yet.
    pub(super) async fn start(&mut self, id: u64) -> &Running {
        self.boots += 1;
        let epoch = Epoch { boot: self.boots, random: self.boots * 31 };
        let disk: Arc<dyn Disk> = Arc::new(self.disks[&id].clone());
        for dir in ["/journal", "/data"] {
            disk.create_dir_all(Path::new(dir)).unwrap();
        }
        let (journal, _) =
            Journal::open(disk.clone(), Path::new("/journal"), JournalSettings::default()).unwrap();
        let mut settings = Settings::default();
        let mirror = &mut settings.mirror;
        mirror.heartbeat = Duration::from_millis(50);
        mirror.silence = Duration::from_millis(400);
        mirror.reconnect = Duration::from_millis(50);
        mirror.peer_silence = SILENCE;
        mirror.join_wait = JOIN_WAIT;
        mirror.renewals = Duration::from_millis(50);
        mirror.digest_min = Duration::from_millis(100);
        mirror.digest_max = Duration::from_millis(200);
        let tasks = Tasks::new();
        let parts = NodeParts {
            settings,
            state: Arc::new(MemoryStore::new()),
            journal,
            clock: Arc::new(SystemClock::new()),
            tasks: tasks.clone(),
            epoch,
            rng: Rng::seeded(id),
        };
        let node = Node::new(parts, NodeId(id));
        node.keep_checkpoint(CheckpointFile::new(disk, Path::new("/data/ephemeral")));
        let links = Links::new(LinksParts {
            network: Arc::new(RealNetwork),
            security: Arc::new(Plaintext),
            tasks: tasks.clone(),
        });
        links.identify(ClusterId(9), NodeId(id));
        let address = self.addresses.borrow()[&NodeId(id)].clone();
        let incoming = RealNetwork.listen(&address).await.unwrap();
        node.mirror_members(links.clone(), self.addresses.subscribe()).unwrap();
        tasks.spawn("links", links.serve(incoming));
        tasks.spawn("timers", node.clone().run_timers());
        tasks.spawn("health checks", HealthChecks::run(node.clone()));
        self.nodes.insert(id, Running { node, tasks });
        &self.nodes[&id]
    }

    /// Starts nodes together and waits until each is ready; gives how long the slowest took.
    pub(super) async fn start_all(&mut self, ids: &[u64]) -> Duration {
        for id in ids {
            self.start(*id).await;
        }
        let begun = Instant::now();
        let all = ids.iter().map(|id| self.nodes[id].node.restore_ephemeral());
        futures_util::future::join_all(all).await;
        begun.elapsed()
    }

    /// Ends a node as a crash does; `checkpoint`: after one was written.
    pub(super) async fn stop(&mut self, id: u64, checkpoint: bool) {
        let running = self.nodes.remove(&id).unwrap();
        if checkpoint {
            running.node.write_checkpoint().await;
        }
        assert!(running.tasks.shutdown(Duration::from_secs(5)).await, "its tasks end");
    }

    pub(super) async fn until(&self, what: &str, condition: impl Fn(&Self) -> bool) {
        let begun = Instant::now();
        while !condition(self) {
            assert!(begun.elapsed() < Duration::from_secs(20), "{what}: not in time: {self:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until every node that runs lists these ports.
    pub(super) async fn all_list(&self, ports: &BTreeSet<u16>) {
        let all = |world: &Self| world.nodes.values().all(|node| node.ports() == *ports);
        self.until("all list them", all).await;
    }
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (id, running) in &self.nodes {
            let figures = running.node.registry.lock().mirror_figures();
            writeln!(f, "{id}: lists {:?}, {figures:?}", running.ports())?;
            writeln!(f, "{:#?}", running.node.mirror_status())?;
        }
        Ok(())
    }
}
