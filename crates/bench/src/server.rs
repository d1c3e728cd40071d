//! The servers that are measured: started on free ports and fresh directories, killed when dropped.

use crate::{connection::Connection, http1, process::Process, wire};
use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use http::Method;
use std::{
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    process::{Child, Command},
    time::Instant,
};

/// How long a start may take.
const START_WAIT: Duration = Duration::from_secs(60);
/// What Nacos clients add to the main port to find gRPC.
const GRPC_OFFSET: u16 = 1000;

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// A handler that parses the body and answers bytes made once.
    Floor,
    /// Muster.
    Muster,
    /// r-nacos, by its program `rnacos`.
    Rnacos,
    /// Eureka's own server: the JAR that `--eureka` names, run by `java`.
    Eureka,
}

impl Kind {
    /// What it is called in the table.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Muster => "muster",
            Self::Rnacos => "r-nacos",
            Self::Eureka => "eureka",
        }
    }
}

/// Where programs and directories are.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    /// The program `muster`.
    pub(crate) muster: PathBuf,
    /// Where fresh data directories are made: on the file system that is to be measured.
    pub(crate) data_root: PathBuf,
    /// The program of Eureka's own server, if there is one.
    pub(crate) eureka: Option<PathBuf>,
}

/// A running server.
pub(crate) struct Server {
    kind: Kind,
    grpc: SocketAddr,
    http: SocketAddr,
    process: Process,
    directory: TempDir,
    /// What it was started from, for more of its kind. None: it was not started here.
    places: Option<Places>,
    /// None: it runs on its own, or in this process.
    _child: Option<Child>,
}

impl Server {
    /// Starts a server on a fresh directory and waits until it serves.
    pub(crate) async fn start(kind: Kind, places: &Places) -> Result<Self> {
        let http = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        Self::start_at(kind, places, http, &[]).await
    }

    /// As [`Server::start`], at this address and with more arguments.
    pub(crate) async fn start_at(
        kind: Kind,
        places: &Places,
        http: SocketAddr,
        arguments: &[String],
    ) -> Result<Self> {
        let directory = fresh_directory(&places.data_root)?;
        let grpc = match kind {
            Kind::Floor | Kind::Eureka => http,
            Kind::Muster | Kind::Rnacos => SocketAddr::new(http.ip(), http.port() + GRPC_OFFSET),
        };
        let log = File::create(directory.path().join("output")).context("create the log of the server")?;
        let mut child = command(kind, places, http, directory.path())?
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(log.try_clone().context("share the log of the server")?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("start {}", kind.name()))?;
        let process = Process::new(child.id().context("read the id of the server")?);
        let places = Some(places.clone());
        let server = Self { kind, grpc, http, process, directory, places, _child: None };
        server.wait_until_ready(&mut child).await?;
        Ok(Self { _child: Some(child), ..server })
    }

    /// A server that runs already.
    pub(crate) fn attached(kind: Kind, address: SocketAddr, pid: u32, data_root: &Path) -> Result<Self> {
        let directory = fresh_directory(data_root)?;
        let process = Process::new(pid);
        Ok(Self { kind, grpc: address, http: address, process, directory, places: None, _child: None })
    }

    /// What it is called in the table.
    pub(crate) fn name(&self) -> &'static str {
        self.kind.name()
    }

    /// Whether it only pretends.
    pub(crate) fn is_floor(&self) -> bool {
        self.kind == Kind::Floor
    }

    /// Whether it is somebody else's.
    pub(crate) fn is_foreign(&self) -> bool {
        matches!(self.kind, Kind::Rnacos | Kind::Eureka)
    }

    /// Where it speaks gRPC.
    pub(crate) fn grpc(&self) -> SocketAddr {
        self.grpc
    }

    /// Where it speaks HTTP/1.1.
    pub(crate) fn http(&self) -> SocketAddr {
        self.http
    }

    /// Its process.
    pub(crate) fn process(&self) -> Process {
        self.process
    }

    /// What more of its kind can be started from.
    pub(crate) fn places(&self) -> Result<&Places> {
        self.places.as_ref().context("only a server that was started here can be compared with a cluster")
    }

    /// A directory on its file system.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    async fn wait_until_ready(&self, child: &mut Child) -> Result<()> {
        let start = Instant::now();
        loop {
            let Err(problem) = self.probe().await else { return Ok(()) };
            if let Some(status) = child.try_wait().context("look after the server")? {
                bail!("{} ended at its start, {status}: {}", self.name(), self.output());
            }
            if start.elapsed() > START_WAIT {
                bail!("{} is not ready after {START_WAIT:?} ({problem:#}): {}", self.name(), self.output());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn probe(&self) -> Result<()> {
        if self.kind == Kind::Muster {
            let answer = http1::Client::open(self.http).await?.call(&Method::GET, "/ready").await?;
            if !answer.status.is_success() {
                bail!("/ready answers {}", answer.status);
            }
        }
        if self.kind == Kind::Eureka {
            let answer = http1::Client::open(self.http).await?.call(&Method::GET, "/eureka/apps").await?;
            if !answer.status.is_success() {
                bail!("/eureka/apps answers {}", answer.status);
            }
            return Ok(());
        }
        let mut connection = Connection::open(self.grpc).await?;
        connection.channel.call_ok(wire::frame("ServerCheckRequest", "{}")).await?;
        Ok(())
    }

    fn output(&self) -> String {
        let path = self.directory.path().join("output");
        fs::read_to_string(&path).unwrap_or_else(|error| format!("(its output cannot be read: {error})"))
    }
}

fn fresh_directory(root: &Path) -> Result<TempDir> {
    tempfile::Builder::new()
        .prefix("muster-bench-")
        .tempdir_in(root)
        .with_context(|| format!("create a directory in {}", root.display()))
}

fn command(kind: Kind, places: &Places, http: SocketAddr, directory: &Path) -> Result<Command> {
    let data = directory.join("data");
    Ok(match kind {
        Kind::Floor => {
            let mut command = Command::new(std::env::current_exe().context("find the bench")?);
            command.args(["floor", "--address", &http.to_string()]);
            command
        }
        Kind::Muster => {
            let mut command = Command::new(&places.muster);
            command.args(["serve", "--listen", &http.to_string(), "--data-dir"]).arg(data);
            command
        }
        Kind::Rnacos => {
            let mut command = Command::new("rnacos");
            command
                .env("RNACOS_HTTP_PORT", http.port().to_string())
                .env("RNACOS_GRPC_PORT", (http.port() + GRPC_OFFSET).to_string())
                .env("RNACOS_HTTP_CONSOLE_PORT", "0")
                .env("RNACOS_DATA_DIR", &data)
                .env("RNACOS_CONFIG_DB_DIR", &data);
            command
        }
        Kind::Eureka => {
            let mut command = Command::new("java");
            let jar = places.eureka.as_ref().context("Eureka's own server needs --eureka JAR")?;
            command.args(["-Xmx384m", "-jar"]).arg(jar).arg(format!("--server.port={}", http.port()));
            command
        }
    })
}

/// A port that is free now, as is the one of gRPC above it.
pub(crate) fn free_port() -> Result<u16> {
    for _ in 0..100 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("find a free port")?;
        let port = listener.local_addr().context("find a free port")?.port();
        let above = port.checked_add(GRPC_OFFSET);
        if above.is_some_and(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()) {
            return Ok(port);
        }
    }
    bail!("no two free ports {GRPC_OFFSET} apart")
}
