//! Nodes that make one cluster, or try to.

use crate::{
    http::{Ask, Caller},
    process::{Process, command, free_port},
};
use hyper::Method;
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

/// How long a test waits for what has no limit of its own.
const PATIENCE: Duration = Duration::from_secs(60);
/// So that a node without a leader says so soon.
const JOIN_WAIT: &str = "cluster_join_wait=1s";

/// What a command came to.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Done {
    /// What it printed; it has succeeded.
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{}{}", self.out, self.err);
        self.out
    }

    /// It has failed with this code, and says this.
    pub(crate) fn refused(&self, code: i32, why: &str) {
        assert_eq!(self.code, Some(code), "{}{}", self.out, self.err);
        assert!(self.err.contains(why), "{why:?} is not in: {}", self.err);
    }
}

/// The nodes, and a folder for everything they need.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) nodes: Vec<Process>,
    folder: TempDir,
}

impl Group {
    /// So many nodes that were not started yet.
    pub(crate) fn new(count: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port(count);
        let place = |index: usize| folder.path().join(format!("node-{index}"));
        let nodes = (0..count).map(|index| Process::new(index, &place(index), port)).collect();
        Self { nodes, folder }
    }

    /// The same, with room for more nodes, up to so many.
    pub(crate) fn with(mut self, count: usize) -> Self {
        for index in self.nodes.len()..count {
            let folder = self.path(&format!("node-{index}"));
            self.nodes.push(Process::new(index, &folder, free_port(count)));
        }
        self
    }

    /// One that begins a cluster and others that join it; all of them vote.
    pub(crate) async fn of(count: usize) -> Self {
        let mut group = Self::new(count);
        group.start(0, &["--cluster-init"]);
        group.nodes[0].wait_ready().await;
        for index in 1..count {
            group.join(index, 0).await;
        }
        group.wait_voters(0, count).await;
        group
    }

    /// All of them begin together, from a list, and know each other by a secret.
    pub(crate) async fn listed(count: usize) -> Self {
        let mut group = Self::new(count);
        for index in 0..count {
            group.start_listed(index);
        }
        for node in &mut group.nodes {
            node.wait_ready().await;
        }
        group.wait_voters(0, count).await;
        group
    }

    /// Starts a node that knows the list and the secret.
    pub(crate) fn start_listed(&mut self, index: usize) {
        let (list, secret) = (self.list(), self.secret("of this cluster"));
        self.start(index, &["--set", &list, "--set", &secret]);
    }

    /// The setting that lists all nodes.
    pub(crate) fn list(&self) -> String {
        let list: Vec<_> = self.nodes.iter().map(|node| node.cluster.to_string()).collect();
        format!("cluster_peers={}", list.join(","))
    }

    /// The setting that names a file with a secret.
    pub(crate) fn secret(&self, which: &str) -> String {
        let file = self.file("secret", &format!("the secret, of 32 bytes and more, {which}\n"));
        format!("cluster_secret_file={}", file.display())
    }

    /// Writes a file that nodes are given.
    pub(crate) fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// Where a file of the test is.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What a node is started with.
    pub(crate) fn arguments(&self, index: usize, more: &[&str]) -> Vec<String> {
        let listen = self.nodes[index].cluster.to_string();
        let words = ["--cluster-listen", &listen, "--set", JOIN_WAIT].into_iter().chain(more.iter().copied());
        words.map(str::to_owned).collect()
    }

    /// Starts a node and does not wait.
    pub(crate) fn start(&mut self, index: usize, more: &[&str]) {
        let arguments = self.arguments(index, more);
        self.nodes[index].set_arguments(arguments);
        self.nodes[index].spawn();
    }

    /// Starts a node again as it was started before, and does not wait.
    pub(crate) fn start_again(&mut self, index: usize) {
        self.nodes[index].spawn();
    }

    /// Has a node join by way of another one, and waits until it serves.
    pub(crate) async fn join(&mut self, index: usize, by: usize) {
        let token = self.token(by, &[]).await;
        self.join_with(index, by, &token);
        self.nodes[index].wait_ready().await;
    }

    /// Starts a node that joins with a token from a file, and does not wait.
    pub(crate) fn join_with(&mut self, index: usize, by: usize, token: &str) {
        let file = self.file(&format!("token-{index}"), token);
        let (file, address) = (file.display().to_string(), self.nodes[by].cluster.to_string());
        self.start(index, &["--join", &address, "--join-token-file", &file]);
    }

    /// Makes a join token.
    pub(crate) async fn token(&self, by: usize, more: &[&str]) -> String {
        let words: Vec<_> = ["cluster", "token", "create"].iter().chain(more).copied().collect();
        self.ask(by, &words).await.ok().trim().to_owned()
    }

    /// Runs a command of `muster` against a node.
    pub(crate) async fn ask(&self, node: usize, words: &[&str]) -> Done {
        let server = self.nodes[node].http.to_string();
        let words: Vec<_> = words.iter().copied().chain(["--server", &server]).collect();
        muster(&words).await
    }

    /// The cluster as a node sees it; none where nobody answers.
    pub(crate) async fn status(&self, node: usize) -> Option<Value> {
        let mut caller = Caller::new(self.nodes[node].http, Duration::from_secs(5));
        let answer = caller.get("/muster/v1/cluster").await.ok()?;
        (answer.status == 200).then(|| serde_json::from_slice(&answer.body).unwrap())
    }

    /// The id of a node.
    pub(crate) async fn id(&self, node: usize) -> u64 {
        self.status(node).await.unwrap()["node"].as_u64().unwrap()
    }

    /// The members as a node sees them: id, role and state.
    pub(crate) async fn members(&self, node: usize) -> Vec<(u64, String, String)> {
        let status = self.status(node).await.unwrap();
        let member = |member: &Value| {
            let word = |key: &str| member[key].as_str().unwrap().to_owned();
            (member["node"].as_u64().unwrap(), word("role"), word("state"))
        };
        status["members"].as_array().unwrap().iter().map(member).collect()
    }

    /// Waits until a node sees so many voters, and a leader.
    pub(crate) async fn wait_voters(&self, node: usize, voters: usize) {
        let is_so = |status: &Value| {
            status["voters"] == voters && status["leader"].is_u64() && status["changing"] == false
        };
        self.wait_status(node, &format!("{voters} voters"), is_so).await;
    }

    /// Waits until a node sees it so.
    pub(crate) async fn wait_status(&self, node: usize, what: &str, is_so: impl Fn(&Value) -> bool) {
        let begun = Instant::now();
        loop {
            let status = self.status(node).await;
            if status.as_ref().is_some_and(&is_so) {
                return;
            }
            let tail = self.nodes[node].log_tail();
            assert!(begun.elapsed() < PATIENCE, "node {node} does not see {what}: {status:?}\n{tail}");
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Publishes a config at a node; whether that was acknowledged within two seconds.
    pub(crate) async fn publish(&self, node: usize, data_id: &str, content: &str) -> bool {
        let path = format!("/nacos/v1/cs/configs?dataId={data_id}&group=membership&content={content}");
        let mut caller = Caller::new(self.nodes[node].http, Duration::from_secs(2));
        let answer = caller.call(&Ask::plain(Method::POST, &path)).await;
        answer.is_ok_and(|answer| answer.is_ok() && answer.text() == "true")
    }

    /// Publishes as soon as it is acknowledged.
    pub(crate) async fn publish_soon(&self, node: usize, data_id: &str, content: &str) {
        let begun = Instant::now();
        while !self.publish(node, data_id, content).await {
            assert!(begun.elapsed() < PATIENCE, "nothing can be written: {}", self.nodes[node].log_tail());
        }
    }

    /// The content of a config as a node has it after whatever was acknowledged before. While the node starts, or nobody
    /// leads, it is asked again.
    pub(crate) async fn read(&self, node: usize, data_id: &str) -> Option<String> {
        let path = format!("/nacos/v1/cs/configs?dataId={data_id}&group=membership");
        let headers = [("x-muster-consistency", "linearizable")];
        let ask = Ask { headers: &headers, ..Ask::plain(Method::GET, &path) };
        let begun = Instant::now();
        loop {
            let answer = Caller::new(self.nodes[node].http, PATIENCE).call(&ask).await.unwrap();
            if answer.status < 500 {
                return answer.is_ok().then(|| answer.text());
            }
            assert!(begun.elapsed() < PATIENCE, "nothing can be read: {}", self.nodes[node].log_tail());
            sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Runs a command of `muster`.
pub(crate) async fn muster(words: &[&str]) -> Done {
    let mut command = command();
    command.args(words);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    Done {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Copies a folder with everything in it.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
