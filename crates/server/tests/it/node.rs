//! A `muster` process.

use crate::figures::say;
use rustix::process::{Pid, Signal, kill_process};
use std::{
    ffi::OsStr,
    fs::{self, File},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::atomic::{AtomicU16, Ordering::Relaxed},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, sleep, timeout},
};

/// The binary under test.
pub(crate) const MUSTER: &str = env!("CARGO_BIN_EXE_muster");
/// How long a start, or an end, may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running node; it is killed when dropped.
#[derive(Debug)]
pub(crate) struct Node {
    child: Child,
    /// Its main port.
    pub(crate) port: u16,
    /// Its standard error.
    log: PathBuf,
}

/// How a start ended.
#[derive(Debug)]
pub(crate) enum Started {
    /// It serves.
    Ready(Node),
    /// It ended before it served.
    Refused(Refusal),
}

/// A start that was refused.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// The exit code; `None` when a signal ended it.
    pub(crate) code: Option<i32>,
    /// Everything it wrote to standard error.
    pub(crate) text: String,
}

impl Refusal {
    /// The line for people.
    pub(crate) fn message(&self) -> &str {
        self.text.lines().rev().find(|line| line.starts_with("muster: ")).unwrap_or_default()
    }
}

impl Node {
    /// Starts a node that must come up.
    pub(crate) async fn start(dir: &Path, settings: &[&str]) -> Self {
        match Self::try_start(dir, settings).await {
            Started::Ready(node) => node,
            Started::Refused(refusal) => panic!("no start in {}: {refusal:?}", dir.display()),
        }
    }

    /// Starts a node and waits until it is ready or has ended.
    pub(crate) async fn try_start(dir: &Path, settings: &[&str]) -> Started {
        loop {
            match Self::spawn(dir, settings).wait_ready().await {
                // Somebody else took the port meanwhile.
                Started::Refused(Refusal { code: Some(5), .. }) => {}
                started @ (Started::Ready(_) | Started::Refused(_)) => return started,
            }
        }
    }

    /// As [`Node::start`], with its log in a file of another folder.
    pub(crate) async fn start_logging(dir: &Path, settings: &[&str], folder: &Path) -> Self {
        let log = folder.join("stderr");
        loop {
            match Self::spawn_logging(Command::new(MUSTER), dir, settings, log.clone()).wait_ready().await {
                // Somebody else took the port meanwhile.
                Started::Refused(Refusal { code: Some(5), .. }) => {}
                Started::Ready(node) => return node,
                Started::Refused(refusal) => panic!("no start in {}: {refusal:?}", dir.display()),
            }
        }
    }

    /// Starts a process on free ports and does not wait for it.
    pub(crate) fn spawn(dir: &Path, settings: &[&str]) -> Self {
        Self::spawn_with(Command::new(MUSTER), dir, settings)
    }

    /// As [`Node::spawn`], under a command that runs `muster` when its path is added.
    pub(crate) fn spawn_with(command: Command, dir: &Path, settings: &[&str]) -> Self {
        Self::spawn_logging(command, dir, settings, log_of(dir))
    }

    fn spawn_logging(mut command: Command, dir: &Path, settings: &[&str], log: PathBuf) -> Self {
        let port = free_port();
        forget_figures(&mut command);
        command.arg("serve").arg("--listen").arg(format!("127.0.0.1:{port}")).arg("--data-dir").arg(dir);
        for setting in settings {
            command.arg("--set").arg(setting);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&log).unwrap());
        Self { child: command.spawn().unwrap(), port, log }
    }

    /// Waits until the node says that it is ready, or has ended.
    pub(crate) async fn wait_ready(mut self) -> Started {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return Started::Refused(Refusal { code: status.code(), text: self.log() });
            }
            if matches!(http(self.port, "GET", "/ready").await, Ok((200, _))) {
                return Started::Ready(self);
            }
            assert!(begun.elapsed() < PATIENCE, "neither ready nor ended: {}", self.log());
            sleep(Duration::from_millis(2)).await;
        }
    }

    /// Where clients connect.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// The process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as a power-off of the process: SIGKILL.
    pub(crate) fn kill(mut self) {
        self.end();
    }

    /// Asks it to end, and waits.
    pub(crate) async fn stop(self) -> ExitStatus {
        self.terminate();
        self.wait_end().await
    }

    /// Asks it to end.
    pub(crate) fn terminate(&self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
    }

    /// Waits for its end.
    pub(crate) async fn wait_end(mut self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(begun.elapsed() < PATIENCE, "does not end: {}", self.log());
            sleep(Duration::from_millis(2)).await;
        }
    }

    /// Whether it still runs.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    fn end(&mut self) {
        // It may have ended by itself.
        self.child.kill().ok();
        self.child.wait().unwrap();
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if std::thread::panicking() {
            say(&format!("log of the node on port {}:\n{}", self.port, self.log()));
        }
        self.end();
    }
}

/// What the environment says to the tests is no setting of the node.
fn forget_figures(command: &mut Command) {
    for (key, _) in std::env::vars().filter(|(key, _)| key.starts_with("MUSTER_")) {
        command.env_remove(key);
    }
}

/// Where the log of a node with this data directory is: beside it.
pub(crate) fn log_of(dir: &Path) -> PathBuf {
    let mut name = dir.as_os_str().to_owned();
    name.push(".stderr");
    PathBuf::from(name)
}

/// Runs a command of `muster` to its end.
pub(crate) async fn muster<A: AsRef<OsStr>>(args: &[A]) -> Output {
    let mut command = Command::new(MUSTER);
    forget_figures(&mut command);
    command.args(args).stdin(Stdio::null());
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

/// Text of a command's standard error.
pub(crate) fn complaint(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// One HTTP request without a body; the status and the body of the answer.
pub(crate) async fn http(port: u16, method: &str, path: &str) -> std::io::Result<(u16, String)> {
    let exchange = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let status = answer.get(9..12).and_then(|digits| digits.parse().ok());
        let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
        status.zip(body).ok_or_else(|| std::io::ErrorKind::UnexpectedEof.into())
    };
    timeout(Duration::from_secs(10), exchange).await.unwrap_or(Err(std::io::ErrorKind::TimedOut.into()))
}

/// A port that is free, as is the one 1,000 above it. Below the range from which clients are given theirs.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let base = (std::process::id() % 17) as u16 * 1_000;
    loop {
        let step = NEXT.fetch_add(1, Relaxed);
        let port = 10_000 + (base + step) % 20_000;
        let is_free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
        if is_free(port) && is_free(port + 1_000) {
            return port;
        }
    }
}
