//! A node that listens on a port of its own.

use super::peer::Peer;
use crate::world::World;
use muster_nacos::{HttpSettings, SessionSettings};
use muster_node::Settings;
use muster_transport::{Drained, Transport, TransportParts, TransportSettings, bind};
use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

/// The longest that anything may take here.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// The times of the defaults, looked at more often.
pub(super) fn often() -> SessionSettings {
    SessionSettings { scan_every: Duration::from_millis(20), ..SessionSettings::default() }
}

pub(super) struct Server {
    pub(super) world: World,
    pub(super) address: SocketAddr,
    transport: Transport,
}

impl Server {
    pub(super) async fn start() -> Self {
        Self::with(often()).await
    }

    pub(super) async fn with(sessions: SessionSettings) -> Self {
        let world = World::with_sessions(HttpSettings::default(), Settings::default(), sessions);
        world.finish_start().await;
        let transport = Transport::start(TransportParts {
            listeners: bind(&[SocketAddr::from((Ipv4Addr::LOCALHOST, 0))]).unwrap(),
            router: world.router.clone(),
            settings: TransportSettings::default(),
            table: world.table.clone(),
            observer: world.sessions.clone(),
            clock: world.clock.clone(),
            tasks: world.tasks.clone(),
        });
        let detection = world.sessions.clone().run_detection(world.tasks.stopping());
        world.tasks.spawn("detection", detection);
        Self { address: transport.addresses()[0], world, transport }
    }

    /// A naming connection that is set up.
    pub(super) async fn naming(&self) -> Peer {
        Peer::set_up(self.address, "naming").await
    }

    /// A config connection that is set up.
    pub(super) async fn config(&self) -> Peer {
        Peer::set_up(self.address, "config").await
    }

    /// Waits until so many connections are open, and nothing of the others is left.
    pub(super) async fn until_connections(&self, count: usize) {
        until(|| {
            self.world.table.count() == count
                && self.world.sessions.count() == count
                && self.world.node.watch_counts().watchers == count
        })
        .await;
    }

    /// Closes its connections.
    pub(super) async fn drain(&self) -> Drained {
        self.transport.drain(PATIENCE).await
    }

    /// Ends it in order; no task may be left.
    pub(super) async fn stop(self) {
        self.drain().await;
        self.world.node.consensus().unwrap().shutdown(PATIENCE).await;
        assert!(self.world.tasks.shutdown(PATIENCE).await, "tasks still run");
    }
}

/// Waits until something holds.
pub(super) async fn until(holds: impl Fn() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("it never came to hold");
}
