//! Several nodes of Muster that make one cluster, on three loopback addresses, with their data side by side.

use crate::{
    http1::Client,
    process::Process,
    server::{Kind, Places, Server, free_port},
};
use anyhow::{Context, Result, ensure};
use futures_util::future::try_join_all;
use http::Method;
use serde_json::Value;
use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};
use tempfile::TempDir;
use tokio::{process::Command, time::Instant};

/// From the port for clients to the one for peers.
const CLUSTER_OFFSET: u16 = 2_000;
/// How long joining may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The nodes.
pub(crate) struct Cluster {
    nodes: Vec<Server>,
    port: u16,
    places: Places,
    /// Nodes read it at their start.
    _secrets: TempDir,
}

impl Cluster {
    /// Starts so many nodes together, from a list of all, and waits until all vote.
    pub(crate) async fn start(places: &Places, count: usize) -> Result<Self> {
        let secrets = tempfile::tempdir_in(&places.data_root).context("create a directory for the secret")?;
        let secret = secrets.path().join("secret");
        std::fs::write(&secret, "the secret of this cluster, of 32 bytes and more")
            .context("write the secret")?;
        let mut cluster =
            Self { nodes: Vec::new(), port: free_port()?, places: places.clone(), _secrets: secrets };
        let peers: Vec<_> = (0..count).map(|node| cluster.addresses(node).1.to_string()).collect();
        let arguments = |node: usize| {
            [
                format!("--set=cluster_listen={}", peers[node]),
                format!("--set=cluster_peers={}", peers.join(",")),
                format!("--set=cluster_secret_file={}", secret.display()),
            ]
        };
        let all: Vec<_> = (0..count).map(|node| (cluster.addresses(node).0, arguments(node))).collect();
        let starts =
            all.iter().map(|(http, arguments)| Server::start_at(Kind::Muster, places, *http, arguments));
        cluster.nodes = try_join_all(starts).await?;
        cluster.wait_voters(count).await?;
        Ok(cluster)
    }

    /// Starts one more node, and waits until it serves.
    pub(crate) async fn join(&mut self) -> Result<()> {
        let mut ask = Command::new(&self.places.muster);
        let first = &self.nodes[0];
        ask.args(["cluster", "token", "create", "--json", "--server", &first.http().to_string()]);
        let output = ask.output().await.context("ask for a join token")?;
        ensure!(output.status.success(), "no join token: {}", String::from_utf8_lossy(&output.stderr));
        let made: Value = serde_json::from_slice(&output.stdout).context("read the join token")?;
        let file = first.directory().join(format!("token-{}", self.nodes.len()));
        std::fs::write(&file, made["token"].as_str().context("no token in the answer")?)
            .context("write the join token")?;
        let (http, cluster_at) = self.addresses(self.nodes.len());
        let arguments = [
            format!("--join={}", self.addresses(0).1),
            format!("--set=join_token_file={}", file.display()),
            format!("--set=cluster_listen={cluster_at}"),
        ];
        self.nodes.push(Server::start_at(Kind::Muster, &self.places, http, &arguments).await?);
        Ok(())
    }

    /// The nodes.
    pub(crate) fn nodes(&self) -> &[Server] {
        &self.nodes
    }

    /// All processes as one.
    pub(crate) fn process(&self) -> Process {
        Process::together(self.nodes.iter().map(Server::process))
    }

    /// A node that does not lead.
    pub(crate) async fn follower(&self) -> Result<&Server> {
        let begun = Instant::now();
        loop {
            for node in &self.nodes {
                if status(node).await?["role"] == "follower" {
                    return Ok(node);
                }
            }
            ensure!(begun.elapsed() < PATIENCE, "no node follows");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn wait_voters(&self, count: usize) -> Result<()> {
        let begun = Instant::now();
        while status(&self.nodes[0]).await?["voters"] != count {
            ensure!(begun.elapsed() < PATIENCE, "not all nodes vote");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// Where node number `node` is reached by clients and by peers.
    fn addresses(&self, node: usize) -> (SocketAddr, SocketAddr) {
        let ip = Ipv4Addr::new(127, 0, 0, u8::try_from(node + 1).expect("a cluster has a few nodes"));
        ((ip, self.port).into(), (ip, self.port + CLUSTER_OFFSET).into())
    }
}

async fn status(node: &Server) -> Result<Value> {
    let answer = Client::open(node.http()).await?.call(&Method::GET, "/muster/v1/cluster").await?;
    ensure!(answer.status.is_success(), "/muster/v1/cluster answers {}", answer.status);
    serde_json::from_str(&answer.text()).context("read the status of the cluster")
}
