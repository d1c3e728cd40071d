//! Three nodes of ours as one peer of real Eureka servers. The two real ones do not know each other, so that whatever one
//! has of the other came through ours. Relays count what is told between nodes and real servers.

mod scenario;
mod watch;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Instant;

use super::client::Launch;
use super::eureka_peers::java::{JavaServer, Place};
use super::eureka_peers::relay::Relay;
use super::scenario::Tally;
use crate::ensemble::Ensemble;
use crate::{process, workspace};

/// The name of this suite on the command line.
pub(super) const NAME: &str = "eureka-ensemble";

/// The servers: our nodes, then the real ones.
const NAMES: [&str; 5] = ["node-1", "node-2", "node-3", "real-a", "real-b"];
const NODES: [usize; 3] = [0, 1, 2];
const REAL: [usize; 2] = [3, 4];

/// Real servers that know of the others only what those tell, and drop what is not renewed.
const OPTIONS: &[&str] = &[
    "--eureka.client.register-with-eureka=false",
    "--eureka.client.fetch-registry=false",
    "--eureka.server.enable-self-preservation=false",
    "--eureka.server.eviction-interval-timer-in-ms=1000",
];

/// Starts everything and goes through it.
pub(super) fn run(real_server: &Launch) -> anyhow::Result<Tally> {
    let began = Instant::now();
    let mut servers = Servers::start(real_server)?;
    println!("   {NAME}: all servers answer after {:.1?}", began.elapsed());
    let tally = scenario::run(&mut servers);
    servers.nodes.check_alive()?;
    tally
}

/// Nodes and real servers, each of which tells the others of the other kind.
struct Servers {
    /// By the places in [`NAMES`].
    addresses: [SocketAddr; 5],
    /// From each node to each real server.
    from_nodes: [[Relay; 2]; 3],
    /// From each real server to each node.
    from_real: [[Relay; 3]; 2],
    nodes: Ensemble,
    real: [JavaServer; 2],
}

impl Servers {
    fn start(real_server: &Launch) -> anyhow::Result<Self> {
        let folder = workspace::target().join("interop").join(NAME);
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        let ports = [process::free_port_pair()?, process::free_port_pair()?];
        let real = ports.map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        let to_real = || Ok::<_, anyhow::Error>([Relay::start(real[0])?, Relay::start(real[1])?]);
        let from_nodes = [to_real()?, to_real()?, to_real()?];
        let nodes = Ensemble::start_with(&format!("interop/{NAME}/nodes"), |node| {
            let peers = from_nodes[node].each_ref().map(Relay::url).join(",");
            vec![("eureka_peers", peers), ("eureka_self_preservation", "false".to_owned())]
        })?;
        let [one, two, three] = nodes.addresses();
        let to_nodes =
            || Ok::<_, anyhow::Error>([Relay::start(one)?, Relay::start(two)?, Relay::start(three)?]);
        let from_real = [to_nodes()?, to_nodes()?];
        let start = |at: usize| {
            let name = NAMES[REAL[at]];
            let peers = from_real[at].each_ref().map(Relay::url);
            let place = Place { name, port: ports[at], folder: folder.join(name) };
            JavaServer::start(real_server, place, &peers, OPTIONS)
        };
        let mut servers = [start(0)?, start(1)?];
        servers.iter_mut().try_for_each(JavaServer::wait_ready)?;
        Ok(Self {
            addresses: [one, two, three, real[0], real[1]],
            from_nodes,
            from_real,
            nodes,
            real: servers,
        })
    }

    /// What all nodes together told a real server of an instance, without heartbeats: each node's in its order.
    fn told(&self, real: usize, id: &str) -> Vec<String> {
        self.from_nodes.iter().flat_map(|relays| relays[real].told_of(id)).collect()
    }

    /// How many heartbeats of an instance each node told a real server.
    fn heartbeats(&self, real: usize, id: &str) -> [usize; 3] {
        self.from_nodes.each_ref().map(|relays| relays[real].heartbeats_of(id))
    }
}
