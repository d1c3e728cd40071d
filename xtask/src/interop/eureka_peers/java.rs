//! A real Eureka server (Spring Cloud Netflix) as a process.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use super::message;
use crate::interop::client::Launch;
use crate::interop::suites;
use crate::{process, workspace};

/// How long a start may take on a busy machine.
const READY_WITHIN: Duration = Duration::from_secs(120);

/// As a team runs it, but for what a test of replication needs: lists without their cache of 30 s, and time-outs between
/// servers that a busy machine keeps (200 ms by default), as a batch that timed out is sent again.
const OPTIONS: &[&str] = &[
    "--eureka.server.use-read-only-response-cache=false",
    "--eureka.server.peer-node-connect-timeout-ms=2000",
    "--eureka.server.peer-node-read-timeout-ms=5000",
];

/// Builds the server, once in a run, as the file must stay as it is under a server that runs; how it is started.
pub(in crate::interop) fn build() -> anyhow::Result<Launch> {
    let output = workspace::target().join("interop-eureka-peer");
    let mut build = process::command("mvn");
    build.args(["--quiet", "--batch-mode", "-DskipTests", "package", "--file"]);
    build
        .arg(suites::sources("eureka-peer").join("pom.xml"))
        .arg(format!("-Dpeer.build={}", output.display()));
    static IS_BUILT: AtomicBool = AtomicBool::new(false);
    suites::with_maven(|| {
        if !IS_BUILT.load(Ordering::Relaxed) {
            process::quiet(&mut build)?;
            IS_BUILT.store(true, Ordering::Relaxed);
        }
        Ok::<_, anyhow::Error>(())
    })?;
    let jar = output.join("eureka-peer.jar").display().to_string();
    let options = ["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-jar", &jar];
    Ok(Launch { program: "java".into(), arguments: options.map(str::to_owned).into() })
}

/// What tells a server from others.
pub(in crate::interop) struct Place {
    /// Its host, so that no peer of it looks like itself: real servers compare hosts only.
    pub(in crate::interop) name: &'static str,
    /// Where it listens, on the loopback interface.
    pub(in crate::interop) port: u16,
    /// Where its log lies.
    pub(in crate::interop) folder: PathBuf,
}

/// A running server; it is killed when this is dropped.
pub(in crate::interop) struct JavaServer {
    place: Place,
    command: Vec<String>,
    child: Child,
}

impl JavaServer {
    /// Starts a server that replicates to these, with more options of Spring's; it is not waited for.
    pub(in crate::interop) fn start(
        launch: &Launch,
        place: Place,
        peers: &[String],
        options: &[&str],
    ) -> anyhow::Result<Self> {
        let Place { name, port, folder } = &place;
        fs::create_dir_all(folder).context("create the folder of an Eureka server")?;
        let mut command = launch.arguments.clone();
        command.push(format!("--server.port={port}"));
        command.push(format!("--eureka.instance.hostname={name}"));
        command.push(format!("--eureka.client.service-url.defaultZone={}", peers.join(",")));
        command.extend(OPTIONS.iter().chain(options).map(|option| (*option).to_owned()));
        let child = spawn(&command, folder)?;
        Ok(Self { place, command, child })
    }

    pub(in crate::interop) fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.place.port))
    }

    /// Waits until it answers.
    pub(in crate::interop) fn wait_ready(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + READY_WITHIN;
        let Place { name, folder, .. } = &self.place;
        loop {
            if message::ask(self.address(), "GET", "/eureka/apps", "").is_ok_and(|(status, _)| status == 200)
            {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait().context("look at an Eureka server")? {
                bail!("the server {name} ended ({status}); its log is in {}", folder.display());
            }
            if Instant::now() > deadline {
                bail!("the server {name} did not answer; its log is in {}", folder.display());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Ends the process without any warning to it.
    pub(in crate::interop) fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill().context("kill an Eureka server")?;
        self.child.wait().context("wait for the killed server").map(drop)
    }

    /// Starts it again; it knows nothing any more.
    pub(in crate::interop) fn restart(&mut self) -> anyhow::Result<()> {
        self.child = spawn(&self.command, &self.place.folder)?;
        Ok(())
    }
}

impl Drop for JavaServer {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.kill().unwrap_or_else(|error| println!("{error:#}"));
        }
    }
}

fn spawn(command: &[String], folder: &Path) -> anyhow::Result<Child> {
    let log =
        File::options().create(true).append(true).open(folder.join("server.log")).context("open the log")?;
    let mut java = Command::new("java");
    java.args(command).current_dir(folder).stdin(Stdio::null());
    java.stdout(log.try_clone().context("share the log")?).stderr(log);
    java.spawn().context("start java")
}
