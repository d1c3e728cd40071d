//! Several nodes that make one cluster, and the network between them.

use crate::{
    http::Caller,
    process::{Process, command, free_port, muster},
    relay::Network,
    small::Small,
};
use serde_json::Value;
use std::{fs, net::SocketAddr, path::Path, time::Duration};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

/// How long a node waits for peers at its start here.
pub(crate) const JOIN_WAIT: Duration = Duration::from_secs(10);
/// How long a test waits for what has no limit of its own.
const PATIENCE: Duration = Duration::from_secs(60);

/// The nodes.
#[derive(Debug)]
pub(crate) struct Ensemble {
    pub(crate) nodes: Vec<Process>,
    pub(crate) network: Network,
    /// A node whose disk is small, and the disk.
    pub(crate) small: Option<(usize, Small)>,
    /// Where peers are told to find each node.
    advertised: Vec<SocketAddr>,
    settings: Vec<String>,
    folder: TempDir,
}

impl Ensemble {
    /// Starts so many nodes: one by itself, or several that begin together.
    pub(crate) async fn start(count: usize, settings: &[&str]) -> Self {
        Self::start_on(count, settings, 512).await
    }

    /// As [`Ensemble::start`], with so many megabytes on the small disk.
    pub(crate) async fn start_on(count: usize, settings: &[&str], megabytes: u32) -> Self {
        Self::start_with(count, settings, Some(megabytes), &muster()).await
    }

    /// As [`Ensemble::start`], with no small disk.
    pub(crate) async fn start_large(count: usize, settings: &[&str]) -> Self {
        Self::start_with(count, settings, None, &muster()).await
    }

    /// As [`Ensemble::start`], with another program than the one under test.
    pub(crate) async fn start_as(count: usize, settings: &[&str], binary: &Path) -> Self {
        Self::start_with(count, settings, Some(512), binary).await
    }

    async fn start_with(count: usize, settings: &[&str], megabytes: Option<u32>, binary: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port(count);
        let mut network = Network::new();
        let (mut nodes, mut advertised, mut small) = (Vec::new(), Vec::new(), None);
        for index in 0..count {
            let place = folder.path().join(format!("node-{index}"));
            if let Some(megabytes) = megabytes
                && index + 1 == count
            {
                small = Small::mount(&place, megabytes).map(|small| (index, small));
            }
            let mut node = Process::new(index, &place, port);
            node.binary = binary.to_owned();
            if count > 1 {
                advertised.push(network.relay(index, node.cluster).await);
            }
            nodes.push(node);
        }
        let level = std::env::vars().find(|(key, _)| key == "MUSTER_LOG_LEVEL");
        let level = level.map(|(_, level)| format!("log_level={level}"));
        let settings = settings.iter().map(|setting| (*setting).to_owned()).chain(level).collect();
        let mut ensemble = Self { nodes, network, small, advertised, settings, folder };
        ensemble.found().await;
        ensemble
    }

    /// All start together, from a list of all, and prove who they are by a secret.
    async fn found(&mut self) {
        let secret = self.folder.path().join("secret");
        fs::write(&secret, "the secret of this ensemble, of 32 bytes and more").unwrap();
        let list: Vec<_> = self.advertised.iter().map(ToString::to_string).collect();
        let peers = format!("cluster_peers={}", list.join(","));
        let secret = format!("cluster_secret_file={}", secret.display());
        let listed = ["--set", &peers, "--set", &secret];
        for index in 0..self.nodes.len() {
            self.set_arguments(index, if list.is_empty() { &[] } else { &listed });
            self.start_node(index);
        }
        for node in &mut self.nodes {
            node.wait_ready().await;
        }
        self.wait_voters().await;
    }

    /// Starts a node that has nothing stored, so that it joins by way of another one.
    pub(crate) async fn join(&mut self, index: usize, by: usize) {
        let told = self.ask(by, &["cluster", "token", "create", "--json"]).await;
        let token: Value = serde_json::from_str(&told).unwrap();
        let file = self.folder.path().join(format!("token-{index}"));
        fs::write(&file, token["token"].as_str().unwrap()).unwrap();
        let (file, address) = (file.display().to_string(), self.advertised[by].to_string());
        self.set_arguments(index, &["--join", &address, "--set", &format!("join_token_file={file}")]);
        self.start_node(index);
        self.nodes[index].wait_ready().await;
    }

    fn set_arguments(&mut self, index: usize, more: &[&str]) {
        let mut arguments: Vec<String> =
            self.settings.iter().flat_map(|setting| ["--set".to_owned(), setting.clone()]).collect();
        if let Some(advertised) = self.advertised.get(index) {
            let listen = self.nodes[index].cluster;
            for setting in [format!("cluster_listen={listen}"), format!("cluster_address={advertised}")] {
                arguments.extend(["--set".to_owned(), setting]);
            }
        }
        arguments.extend(more.iter().map(|word| (*word).to_owned()));
        self.nodes[index].set_arguments(arguments);
    }

    /// Runs a command of `muster` against a node, and gives what it printed.
    pub(crate) async fn ask(&self, node: usize, words: &[&str]) -> String {
        let told = self.try_ask(node, words).await;
        told.unwrap_or_else(|complaint| panic!("muster {words:?}: {complaint}"))
    }

    /// As [`Ensemble::ask`], or what it complains of.
    pub(crate) async fn try_ask(&self, node: usize, words: &[&str]) -> Result<String, String> {
        let mut command = command();
        command.args(words).arg("--server").arg(self.nodes[node].http.to_string());
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        Ok(String::from_utf8(output.stdout).unwrap())
    }

    /// The cluster as a node sees it, if it answers.
    pub(crate) async fn status(&self, node: usize) -> Option<Value> {
        let mut caller = Caller::new(self.nodes[node].http, Duration::from_secs(5));
        let answer = caller.get("/muster/v1/cluster").await.ok()?;
        (answer.status == 200).then(|| serde_json::from_slice(&answer.body).unwrap())
    }

    /// The newest term that a node has heard of: each election has one, or more if votes were split.
    pub(crate) async fn term(&self, node: usize) -> u64 {
        self.status(node).await.unwrap()["term"].as_u64().unwrap()
    }

    /// The id that a node has now.
    pub(crate) async fn id(&self, node: usize) -> u64 {
        self.status(node).await.unwrap()["node"].as_u64().unwrap()
    }

    /// Waits until every node votes.
    pub(crate) async fn wait_voters(&self) {
        let begun = Instant::now();
        loop {
            let status = self.status(0).await;
            if status.as_ref().is_some_and(|status| status["voters"] == self.nodes.len()) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "not all nodes vote: {status:?}");
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Removes a node for good, as somebody does who is told that the others did not answer in time: again, in a moment. How
    /// often that was.
    pub(crate) async fn remove(&self, by: usize, id: u64) -> u32 {
        let (begun, mut refused) = (Instant::now(), 0);
        loop {
            let complaint = match self.try_ask(by, &["cluster", "remove", &id.to_string()]).await {
                Ok(_) => return refused,
                Err(complaint) => complaint,
            };
            assert!(complaint.contains("it would lose its quorum"), "{complaint}");
            assert!(begun.elapsed() < PATIENCE, "{complaint}");
            refused += 1;
            sleep(Duration::from_millis(200)).await;
        }
    }

    /// Where clients connect.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.nodes.iter().map(|node| node.http).collect()
    }

    /// Starts a node and does not wait.
    pub(crate) fn start_node(&mut self, index: usize) {
        self.nodes[index].spawn();
        self.network.is_process(index, self.nodes[index].id());
    }

    /// Ends a node without warning.
    pub(crate) fn kill(&mut self, index: usize) {
        self.nodes[index].kill();
        self.network.is_process(index, None);
    }

    /// The longest time in which a node must be ready.
    pub(crate) fn ready_within(&self) -> Duration {
        JOIN_WAIT + Duration::from_secs(1)
    }

    /// Who leads, as nodes that run see it; waits until one does.
    pub(crate) async fn leader(&self) -> usize {
        let begun = Instant::now();
        loop {
            for index in 0..self.nodes.len() {
                if !self.nodes[index].is_running() {
                    continue;
                }
                let Some(status) = self.status(index).await else { continue };
                if status["role"] == "leader" {
                    return index;
                }
            }
            assert!(begun.elapsed() < PATIENCE, "nobody leads");
            sleep(Duration::from_millis(50)).await;
        }
    }
}
