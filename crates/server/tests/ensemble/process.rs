//! A node of the ensemble: one `muster` process, its addresses and its data.

use crate::{
    figures::say,
    http::{Answer, Caller},
};
use parking_lot::Mutex;
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::atomic::{AtomicU16, Ordering::Relaxed},
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// How long a start may take on a busy machine before a test gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// The binary under test: a release build where the caller has one.
pub(crate) fn muster() -> PathBuf {
    let given = std::env::vars_os().find(|(key, _)| key == "MUSTER_BINARY").map(|(_, path)| path.into());
    given.unwrap_or_else(|| env!("CARGO_BIN_EXE_muster").into())
}

/// A node, running or not; killed when dropped.
#[derive(Debug)]
pub(crate) struct Process {
    /// Where clients connect.
    pub(crate) http: SocketAddr,
    /// Where peers connect, behind the relay.
    pub(crate) cluster: SocketAddr,
    /// What it stores.
    pub(crate) data: PathBuf,
    log: PathBuf,
    /// How long the log was when it was started last.
    pub(crate) logged_before: usize,
    /// What it is started with, beside its addresses.
    pub(crate) arguments: Vec<String>,
    /// What its environment says.
    pub(crate) environment: Vec<(String, String)>,
    /// Which program it is.
    pub(crate) binary: PathBuf,
    pub(crate) child: Option<Child>,
    stopped: bool,
}

impl Process {
    /// A node that was not started yet, number `index` from 0, in a folder of its own.
    pub(crate) fn new(index: usize, folder: &Path, port: u16) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "a handful of nodes")]
        let ip = Ipv4Addr::new(127, 0, 0, index as u8 + 1);
        fs::create_dir_all(folder).unwrap();
        Self {
            http: (ip, port).into(),
            cluster: (ip, port + CLUSTER_OFFSET).into(),
            data: folder.join("data"),
            log: log(index, folder),
            logged_before: 0,
            arguments: Vec::new(),
            environment: Vec::new(),
            binary: muster(),
            child: None,
            stopped: false,
        }
    }

    /// What it is started with, beside its addresses.
    pub(crate) fn set_arguments(&mut self, arguments: Vec<String>) {
        self.arguments = arguments;
    }

    /// Starts it and does not wait.
    pub(crate) fn spawn(&mut self) {
        assert!(self.child.is_none(), "it runs already");
        let mut command = command_of(&self.binary);
        command.arg("serve").arg("--listen").arg(self.http.to_string()).arg("--data-dir").arg(&self.data);
        command.args(&self.arguments).envs(self.environment.iter().cloned());
        self.logged_before = self.log().len();
        let log = File::options().create(true).append(true).open(&self.log).unwrap();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.child = Some(command.spawn().unwrap());
        self.stopped = false;
    }

    /// The process, if it runs.
    pub(crate) fn id(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Whether it runs, stopped or not.
    pub(crate) fn is_running(&self) -> bool {
        self.child.is_some()
    }

    /// Ends it without warning.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself; who waits for readiness sees that.
            child.kill().ok();
            child.wait().unwrap();
        }
    }

    /// Ends it as an operator does, and waits until it has.
    pub(crate) async fn stop(&mut self) {
        self.signal(Signal::TERM);
        let status = self.wait_exit().await;
        assert!(status.success(), "{} ended with {status}: {}", self.http, self.log_tail());
    }

    /// Waits until it ends by itself.
    pub(crate) async fn wait_exit(&mut self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.as_mut().unwrap().try_wait().unwrap() {
                self.child = None;
                return status;
            }
            assert!(begun.elapsed() < PATIENCE, "{} does not end: {}", self.http, self.log_tail());
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Lets it do nothing, as a machine that hangs.
    pub(crate) fn pause(&mut self) {
        self.signal(Signal::STOP);
        self.stopped = true;
    }

    /// Ends [`Process::pause`].
    pub(crate) fn resume(&mut self) {
        self.signal(Signal::CONT);
        self.stopped = false;
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(self.child.as_ref().unwrap()), signal).unwrap();
    }

    /// Forgets what it stored.
    pub(crate) fn wipe(&self) {
        assert!(self.child.is_none(), "it runs");
        fs::remove_dir_all(&self.data).unwrap();
    }

    /// What `/ready` answers; none where nobody answers.
    pub(crate) async fn ready(&self, path: &str) -> Option<Answer> {
        Caller::new(self.http, Duration::from_secs(2)).get(path).await.ok()
    }

    /// Waits until it answers at all.
    pub(crate) async fn wait_live(&mut self) {
        self.wait_for("/live").await;
    }

    /// Waits until it serves, and says how long that took since it answered at all.
    pub(crate) async fn wait_ready(&mut self) -> Duration {
        self.wait_live().await;
        let begun = Instant::now();
        self.wait_for("/ready").await;
        begun.elapsed()
    }

    async fn wait_for(&mut self, path: &str) {
        let begun = Instant::now();
        while self.ready(path).await.is_none_or(|answer| answer.status != 200) {
            let ended = self.child.as_mut().unwrap().try_wait().unwrap();
            assert!(ended.is_none(), "{} ended at its start: {}", self.http, self.log_tail());
            assert!(begun.elapsed() < PATIENCE, "{} is not ready: {}", self.http, self.log_tail());
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// All it logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The end of its log.
    pub(crate) fn log_tail(&self) -> String {
        let log = self.log();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.stopped {
            self.resume();
        }
        if std::thread::panicking() {
            say(&format!("the end of the log of {}:\n{}", self.http, self.log_tail()));
        }
        self.kill();
    }
}

/// Where a node logs: in the folder that `MUSTER_LOGS` names, if any, which stays.
fn log(index: usize, folder: &Path) -> PathBuf {
    let kept = std::env::vars_os().find(|(key, _)| key == "MUSTER_LOGS").map(|(_, kept)| PathBuf::from(kept));
    kept.map_or_else(|| folder.join("stderr"), |kept| kept.join(format!("{}.log", index + 1)))
}

/// From the port for clients to the one for peers.
const CLUSTER_OFFSET: u16 = 2_000;
/// Whoever listens here on a port has it on the addresses of nodes.
const CLAIMS: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 250);

/// `muster`, without what the environment says to the tests.
pub(crate) fn command() -> Command {
    command_of(&muster())
}

fn command_of(binary: &Path) -> Command {
    let mut command = Command::new(binary);
    for (key, _) in std::env::vars().filter(|(key, _)| key.starts_with("MUSTER_")) {
        command.env_remove(key);
    }
    command
}

/// A port that is free on the first addresses of the loopback interface, as are those 1,000 and 2,000 above it. It is
/// this process's until it ends, also while the nodes are down: another suite that looks finds it taken.
pub(crate) fn free_port(nodes: usize) -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    static TAKEN: Mutex<Vec<TcpListener>> = Mutex::new(Vec::new());
    let base = (std::process::id() % 13) as u16 * 1_000;
    loop {
        let port = 10_000 + (base + NEXT.fetch_add(1, Relaxed)) % 18_000;
        let is_free = |node: usize, port: u16| {
            #[expect(clippy::cast_possible_truncation, reason = "a handful of nodes")]
            let ip = Ipv4Addr::new(127, 0, 0, node as u8 + 1);
            TcpListener::bind((ip, port)).is_ok()
        };
        let all_free = |node| [0, 1_000, CLUSTER_OFFSET].iter().all(|above| is_free(node, port + above));
        let Ok(claim) = TcpListener::bind((CLAIMS, port)) else { continue };
        if (0..nodes).all(all_free) {
            TAKEN.lock().push(claim);
            return port;
        }
    }
}
