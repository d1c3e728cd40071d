//! Effects that run in another order than their changes were made.

use crate::{Node, NodeParts, Push, Settings, WatcherKind, watch::*};
use muster_model::{
    Actor, Cause, ClientId, ClusterName, ConnectionId, GroupName, Host, Instance, Metadata, Namespace,
    NodeId, Reason, ServiceKey, ServiceName, Weight,
};
use muster_registry::{Close, Effect, Op, Register};
use muster_runtime::{
    Rng, SystemClock, Tasks,
    disk::{Disk, MemoryDisk},
};
use muster_storage::{
    journal::{Journal, JournalSettings},
    state::MemoryStore,
};
use std::{path::Path, sync::Arc};

/// A node without consensus: enough for what is ephemeral.
fn node() -> Arc<Node> {
    let disk: Arc<dyn Disk> = Arc::new(MemoryDisk::new());
    disk.create_dir_all(Path::new("/journal")).unwrap();
    let (journal, _) = Journal::open(disk, Path::new("/journal"), JournalSettings::default()).unwrap();
    let parts = NodeParts {
        settings: Settings::default(),
        state: Arc::new(MemoryStore::new()),
        journal,
        clock: Arc::new(SystemClock::new()),
        tasks: Tasks::new(),
        epoch: muster_model::Epoch { boot: 1, random: 1 },
        rng: Rng::seeded(1),
    };
    Node::new(parts, NodeId(1))
}

fn apply(node: &Node, op: Op) -> Vec<Effect> {
    let mut effects = Vec::new();
    node.registry.lock().apply(op, node.now(), &mut effects).unwrap();
    effects
}

#[test]
fn whoever_watches_names_ends_with_what_is_true() {
    let node = node();
    let watcher = node.open_watcher(WatcherKind::Connection);
    let pattern = Pattern::parse("public>>*>>*").unwrap();
    watcher.watch_service_names(&pattern, SyncKind::Difference, Vec::new()).unwrap();
    let service =
        ServiceKey::new(Namespace::default(), GroupName::default(), ServiceName::new("order").unwrap());
    let client = ClientId::Connection(ConnectionId(7));
    let instance = Instance {
        host: Host::new("10.0.0.1").unwrap(),
        port: 80,
        cluster: ClusterName::default(),
        weight: Weight::default(),
        enabled: true,
        healthy: true,
        metadata: Metadata::default(),
    };
    let cause = |reason| Cause { actor: Actor::default(), reason };
    let register = Register {
        client: client.clone(),
        origin: NodeId(1),
        service: service.clone(),
        instances: vec![instance],
        cause: cause(Reason::Registered),
    };
    let registered = apply(&node, Op::Register(register));
    let closed = apply(&node, Op::Close(Close { client, cause: cause(Reason::ConnectionLost) }));
    // As two threads may: each has its effects, the later change's run first.
    node.run_registry_effects(closed);
    node.run_registry_effects(registered);
    let Some(Push::FuzzyService(last)) = std::iter::from_fn(|| watcher.try_next()).last() else {
        panic!("nothing is told");
    };
    assert_eq!(last.message, FuzzyMessage::Changed { key: service, presence: Presence::Absent });
}
