//! Three servers that make one cluster, on three loopback addresses.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use anyhow::{Context, bail};

use crate::server::{Given, Server};
use crate::{process, workspace};

/// From the port for clients to the one for peers.
const CLUSTER_OFFSET: u16 = 2_000;

/// The servers.
pub(crate) struct Ensemble {
    servers: Vec<Server>,
    addresses: [SocketAddr; 3],
}

impl Ensemble {
    /// Starts all with the list of all, and one secret; data and logs lie below `target/<name>`.
    pub(crate) fn start(name: &str) -> anyhow::Result<Self> {
        Self::start_with(name, |_| Given::new())
    }

    /// As [`Ensemble::start`], with other settings than the defaults for each node.
    pub(crate) fn start_with(name: &str, given: impl Fn(usize) -> Given) -> anyhow::Result<Self> {
        let port = free_port()?;
        let address = |node: u8, port: u16| SocketAddr::from((Ipv4Addr::new(127, 0, 0, node), port));
        let addresses = [1, 2, 3].map(|node| address(node, port));
        let peers = [1, 2, 3].map(|node| address(node, port + CLUSTER_OFFSET).to_string());
        let folder = workspace::target().join(name);
        fs::create_dir_all(&folder).context("create the folder of the servers")?;
        let secret = folder.join("secret");
        fs::write(&secret, "the secret of this ensemble, of 32 bytes and more")
            .context("write the secret")?;
        let mut servers = Vec::new();
        for (number, (address, peer)) in addresses.iter().zip(&peers).enumerate() {
            let settings = [
                format!("cluster_listen={peer}"),
                format!("cluster_peers={}", peers.join(",")),
                format!("cluster_secret_file={}", secret.display()),
            ];
            let more = given(number).into_iter().map(|(key, value)| format!("{key}={value}"));
            let set = settings.into_iter().chain(more).flat_map(|setting| ["--set".to_owned(), setting]);
            let arguments = set.collect();
            servers.push(Server::begin(&format!("{name}/node-{number}"), *address, arguments)?);
        }
        servers.iter_mut().try_for_each(Server::wait_ready)?;
        Ok(Self { servers, addresses })
    }

    /// Where clients connect.
    pub(crate) fn addresses(&self) -> [SocketAddr; 3] {
        self.addresses
    }

    /// Ends a node without any warning to it.
    pub(crate) fn kill(&mut self, node: usize) -> anyhow::Result<()> {
        self.servers[node].kill()
    }

    /// Starts it again and waits until it serves.
    pub(crate) fn restart(&mut self, node: usize) -> anyhow::Result<()> {
        self.servers[node].restart()
    }

    /// Fails if a node died by itself.
    pub(crate) fn check_alive(&mut self) -> anyhow::Result<()> {
        for server in &mut self.servers {
            if !server.alive() {
                bail!("a node died\n{}", server.log_tail());
            }
        }
        Ok(())
    }
}

/// A port that is free on the three addresses, as are those 1,000 and 2,000 above it.
fn free_port() -> anyhow::Result<u16> {
    for _ in 0..1_000 {
        let port = process::free_port_pair()?;
        let is_free = |node: u8, port: u16| TcpListener::bind((Ipv4Addr::new(127, 0, 0, node), port)).is_ok();
        if (1..=3).all(|node| [0, 1_000, CLUSTER_OFFSET].iter().all(|above| is_free(node, port + above))) {
            return Ok(port);
        }
    }
    bail!("no port is free on 127.0.0.1, 127.0.0.2 and 127.0.0.3")
}
