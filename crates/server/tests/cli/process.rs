//! Running the binary.

use muster_runtime::{Clock, SystemClock};
use serde_json::Value;
use std::{
    fs::{self, File},
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::atomic::{AtomicU16, Ordering},
    time::Duration,
};
use tempfile::TempDir;

/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(30);
/// The exit code of an address that can't be opened: somebody was faster, another port is taken.
const ADDRESS: i32 = 5;

/// Waits until `check` gives something.
pub(crate) fn wait_for<T>(what: &str, mut check: impl FnMut() -> Option<T>) -> T {
    let clock = SystemClock::new();
    let since = clock.now().mono;
    loop {
        if let Some(found) = check() {
            return found;
        }
        let waited = clock.now().mono.since(since);
        assert!(u128::from(waited) < PATIENCE.as_millis(), "{what} did not happen in {waited} ms");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

/// The binary with arguments, in a directory and an environment without settings of ours.
pub(crate) fn command(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_muster"));
    command.args(arguments).current_dir(dir).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if ["MUSTER_", "NACOS_", "SPRING_", "MODE"].iter().any(|prefix| name.starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    command
}

/// Runs the binary to its end.
pub(crate) fn run(dir: &Path, arguments: &[&str]) -> Output {
    command(dir, arguments).output().unwrap()
}

/// What a run printed on standard output.
pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// What a run printed on standard error.
pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Sends a signal by its name.
pub(crate) fn signal(child: &Child, name: &str) {
    let sent = Command::new("sh").args(["-c", &format!("kill -{name} {}", child.id())]).status().unwrap();
    assert!(sent.success());
}

/// Waits for a process to end.
pub(crate) fn ended(child: &mut Child) -> ExitStatus {
    wait_for("the end of the process", || child.try_wait().unwrap())
}

/// A running node.
pub(crate) struct Node {
    pub(crate) child: Child,
    pub(crate) port: u16,
    /// Holds the data directory `data` and what was printed.
    pub(crate) dir: TempDir,
    arguments: Vec<String>,
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Node {
    /// Starts a node on free ports and waits until it is ready.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), arguments)
    }

    /// The same over what is in `data` of a directory already.
    pub(crate) fn start_in(dir: TempDir, arguments: &[&str]) -> Self {
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        for _ in 0..20 {
            let port = free_ports();
            let mut child = spawn(dir.path(), port, &arguments);
            if wait_ready(&mut child, port) {
                return Self { child, port, dir, arguments };
            }
            assert_eq!(child.wait().unwrap().code(), Some(ADDRESS), "{}", read(&dir.path().join("err")));
        }
        panic!("no free ports");
    }

    /// Kills it as a crash would, and starts it again on the same ports and data.
    pub(crate) fn crash_and_restart(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.child = spawn(self.dir.path(), self.port, &self.arguments);
        assert!(wait_ready(&mut self.child, self.port), "{}", self.err());
    }

    /// Where clients are pointed at.
    pub(crate) fn server(&self) -> String {
        format!("--server=127.0.0.1:{}", self.port)
    }

    /// The command line of a client of this node.
    pub(crate) fn client(&self, arguments: &[&str]) -> Command {
        let mut command = command(self.dir.path(), arguments);
        command.arg(self.server());
        command
    }

    /// Runs a client of this node to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.client(arguments).output().unwrap()
    }

    /// What a client command that must succeed printed.
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
        stdout(&output)
    }

    /// The same, as JSON.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.ok(arguments)).unwrap()
    }

    /// An open connection to it.
    pub(crate) fn connect(&self) -> TcpStream {
        connect(self.port).unwrap()
    }

    /// The status line, head and body of a GET.
    pub(crate) fn get(&self, path: &str) -> String {
        get(self.port, path).unwrap()
    }

    /// A metric's value.
    pub(crate) fn metric(&self, name: &str) -> u64 {
        let text = self.get("/metrics");
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
        line.unwrap_or_else(|| panic!("no {name} in {text}")).parse().unwrap()
    }

    /// What it printed on standard output.
    pub(crate) fn out(&self) -> String {
        read(&self.dir.path().join("out"))
    }

    /// What it printed on standard error: its log.
    pub(crate) fn err(&self) -> String {
        read(&self.dir.path().join("err"))
    }
}

fn read(path: &PathBuf) -> String {
    fs::read_to_string(path).unwrap()
}

fn spawn(dir: &Path, port: u16, arguments: &[String]) -> Child {
    let listen = format!("--listen=127.0.0.1:{port}");
    command(dir, &["serve", &listen, "--data-dir=data"])
        .args(arguments)
        .stdout(File::create(dir.join("out")).unwrap())
        .stderr(File::create(dir.join("err")).unwrap())
        .spawn()
        .unwrap()
}

/// False: it ended instead.
fn wait_ready(child: &mut Child, port: u16) -> bool {
    wait_for("readiness", || {
        if child.try_wait().unwrap().is_some() {
            return Some(false);
        }
        get(port, "/ready").ok()?.starts_with("HTTP/1.1 200 ").then_some(true)
    })
}

/// A connection whose reads end.
fn connect(port: u16) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}

fn get(port: u16, path: &str) -> std::io::Result<String> {
    let mut stream = connect(port)?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: muster\r\nconnection: close\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}

/// A port that is free as is the one 1000 above; below those the system gives to clients.
fn free_ports() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    let start = (std::process::id() % 90) as u16 * 20;
    wait_for("a free port", || {
        let port = 14_000 + (start + NEXT.fetch_add(1, Ordering::Relaxed)) % 1_800;
        // The thousands are kept apart, so that no port is another's upper one.
        let port = if port >= 15_000 { port + 1_000 } else { port };
        (free(port) && free(port + 1_000)).then_some(port)
    })
}
