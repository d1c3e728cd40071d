//! A server process under test, on its own ports and its own data folder.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::{process, workspace};

/// How long a start may take before `/ready` answers 200.
const READY_WITHIN: Duration = Duration::from_secs(20);

/// A running `muster serve`; it is killed when this is dropped.
pub(crate) struct Server {
    child: Child,
    address: SocketAddr,
    folder: PathBuf,
    arguments: Vec<String>,
}

/// Settings of a server that are given to it on its command line: keys and values.
pub(crate) type Given = Vec<(&'static str, String)>;

impl Server {
    /// Starts a server with nothing stored; its data and log lie in `target/<name>`.
    pub(crate) fn fresh(name: &str) -> anyhow::Result<Self> {
        Self::fresh_with(name, Given::new())
    }

    /// As [`Server::fresh`], with other settings than the defaults.
    pub(crate) fn fresh_with(name: &str, settings: Given) -> anyhow::Result<Self> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, process::free_port_pair()?));
        let set = |(key, value): (&str, String)| ["--set".to_owned(), format!("{key}={value}")];
        let mut server = Self::begin(name, address, settings.into_iter().flat_map(set).collect())?;
        server.wait_ready()?;
        Ok(server)
    }

    /// As [`Server::fresh`], at an address and with arguments of the caller's; not waited for.
    pub(crate) fn begin(name: &str, address: SocketAddr, arguments: Vec<String>) -> anyhow::Result<Self> {
        let folder = workspace::target().join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder).context("remove what an earlier run stored")?;
        }
        fs::create_dir_all(&folder).context("create the folder of the server")?;
        Ok(Self { child: spawn(&folder, address, &arguments)?, address, folder, arguments })
    }

    /// The port for HTTP; gRPC is 1000 above.
    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Ends the process without any warning to it.
    pub(crate) fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill().context("kill the server")?;
        self.child.wait().context("wait for the killed server").map(drop)
    }

    /// Starts it again on the same ports and data.
    pub(crate) fn restart(&mut self) -> anyhow::Result<()> {
        self.child = spawn(&self.folder, self.address, &self.arguments)?;
        self.wait_ready()
    }

    /// Starts it again on the same ports, with nothing stored.
    pub(crate) fn restart_empty(&mut self) -> anyhow::Result<()> {
        fs::remove_dir_all(self.folder.join("data")).context("remove what the server stored")?;
        self.restart()
    }

    /// The status of its answer to a plain GET, if there is one.
    pub(crate) fn status_of(&self, path: &str) -> Option<u16> {
        status_of(self.address, path)
    }

    /// Whether the process still runs.
    pub(crate) fn alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// The end of what the server wrote.
    pub(crate) fn log_tail(&self) -> String {
        let log = fs::read(self.folder.join("server.log")).unwrap_or_default();
        let text = String::from_utf8_lossy(&log[log.len().saturating_sub(4_000)..]).into_owned();
        format!("── the end of {}:\n{text}", self.folder.join("server.log").display())
    }

    /// Waits until it serves.
    pub(crate) fn wait_ready(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + READY_WITHIN;
        while status_of(self.address, "/ready") != Some(200) {
            if let Some(status) = self.child.try_wait().context("look at the server")? {
                bail!("the server ended ({status}) before it was ready\n{}", self.log_tail());
            }
            if Instant::now() > deadline {
                bail!("the server was not ready within {READY_WITHIN:?}\n{}", self.log_tail());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.alive() {
            self.kill().unwrap_or_else(|error| println!("{error:#}"));
        }
    }
}

fn spawn(folder: &Path, address: SocketAddr, arguments: &[String]) -> anyhow::Result<Child> {
    let log =
        File::options().create(true).append(true).open(folder.join("server.log")).context("open the log")?;
    let mut serve = process::command(workspace::muster());
    serve.arg("serve").arg("--listen").arg(address.to_string()).arg("--data-dir").arg(folder.join("data"));
    serve.args(arguments);
    serve.stdout(log.try_clone().context("share the log")?).stderr(Stdio::from(log));
    serve.spawn().context("start target/release/muster; `cargo build --release` makes it")
}

/// The status of a plain GET, if there was an answer.
fn status_of(address: SocketAddr, path: &str) -> Option<u16> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).ok()?;
    std::str::from_utf8(&answer[9..12]).ok()?.parse().ok()
}
