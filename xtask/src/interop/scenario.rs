//! The scenarios every client goes through, and the checks each must report.

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use super::client::{Client, Launch, Line};
use crate::server::Server;
use crate::workspace;

/// The longest a client may take for one scenario; the slowest waits for a beat lease of 30 s.
const SCENARIO_WITHIN: Duration = Duration::from_secs(240);

/// How long the server stays away when it is killed under its clients.
const SERVER_AWAY: Duration = Duration::from_secs(2);

const NAMING: &[&str] = &[
    "register",
    "batch",
    "clusters",
    "groups",
    "disabled",
    "persistent",
    "subscribe",
    "unsubscribe",
    "deregister",
    "names",
    "list",
];
const CONFIG: &[&str] =
    &["publish", "get", "missing", "listen", "unlisten", "cas", "remove", "large", "chinese", "names"];
const RESTART: &[&str] = &["kept", "reregister", "subscription", "listener"];
const CRASH: &[&str] = &["seen", "vanished"];

/// What a suite's checks came to.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Checks that held.
    pub(super) passed: usize,
    /// Checks that did not, were not reported, or could not be run.
    pub(super) failed: usize,
    not_applicable: Vec<String>,
    failures: Vec<String>,
}

impl Tally {
    /// A suite that could not be run to its end.
    pub(super) fn broken(why: &str) -> Self {
        Self {
            failed: 1,
            failures: vec![why.lines().next().unwrap_or_default().to_owned()],
            ..Self::default()
        }
    }

    fn fail(&mut self, suite: &str, check: &str, why: &str) {
        println!("FAIL {suite} {check}: {why}");
        self.failed += 1;
        self.failures.push(check.to_owned());
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if !self.failures.is_empty() {
            write!(f, " ({})", self.failures.join(", "))?;
        }
        if !self.not_applicable.is_empty() {
            write!(f, "; the client has no {}", self.not_applicable.join(", "))?;
        }
        Ok(())
    }
}

/// One suite at work: its program and where its things go.
struct Stage<'a> {
    suite: &'a str,
    launch: &'a Launch,
    folder: PathBuf,
    tally: Tally,
}

/// Takes one client through all scenarios; `port` is the server that all suites share.
pub(super) fn run_all(suite: &str, launch: &Launch, port: u16) -> anyhow::Result<Tally> {
    let folder = workspace::target().join("interop").join(suite);
    if folder.exists() {
        std::fs::remove_dir_all(&folder).context("remove what an earlier run left")?;
    }
    let mut stage = Stage { suite, launch, folder, tally: Tally::default() };
    stage.attempt("naming", NAMING, |stage, seen| stage.plain("naming", port, seen));
    stage.attempt("config", CONFIG, |stage, seen| stage.plain("config", port, seen));
    stage.attempt("crash", CRASH, |stage, seen| stage.crash(port, seen));
    stage.attempt("restart", RESTART, Stage::restart);
    Ok(stage.tally)
}

impl Stage<'_> {
    /// Runs a scenario; each of its checks must have been reported, whatever else happened.
    fn attempt(
        &mut self,
        scenario: &str,
        checks: &[&str],
        run: impl FnOnce(&mut Self, &mut BTreeSet<String>) -> anyhow::Result<()>,
    ) {
        let began = Instant::now();
        let mut seen = BTreeSet::new();
        if let Err(error) = run(self, &mut seen) {
            self.tally.fail(self.suite, scenario, &format!("{error:#}"));
        }
        for check in checks.iter().filter(|check| !seen.contains(**check)) {
            self.tally.fail(self.suite, &format!("{scenario}/{check}"), "was not reported");
        }
        println!("   {} {scenario}: {:.1} s", self.suite, began.elapsed().as_secs_f64());
    }

    /// A client by itself.
    fn plain(&mut self, scenario: &str, port: u16, seen: &mut BTreeSet<String>) -> anyhow::Result<()> {
        let client = self.start(&[scenario, &address(port)])?;
        self.finish(scenario, client, seen)
    }

    /// A client is killed; another one, which watches its instances, must see them go within the lease.
    fn crash(&mut self, port: u16, seen: &mut BTreeSet<String>) -> anyhow::Result<()> {
        let mut observer = self.start(&["observe", &address(port)])?;
        self.until_ready("crash", &mut observer, seen)?;
        let mut victim = self.start(&["victim", &address(port)])?;
        self.until_ready("crash", &mut victim, seen)?;
        // The observer is ready a second time when it has seen the victim's instance.
        self.until_ready("crash", &mut observer, seen)?;
        victim.kill()?;
        observer.go_on()?;
        self.finish("crash", observer, seen)
    }

    /// The server is killed and started again under a client.
    fn restart(&mut self, seen: &mut BTreeSet<String>) -> anyhow::Result<()> {
        let mut server = Server::fresh(&format!("interop/{}-server", self.suite))?;
        let mut client = self.start(&["restart", &address(server.port())])?;
        self.until_ready("restart", &mut client, seen)?;
        server.kill()?;
        std::thread::sleep(SERVER_AWAY);
        server.restart()?;
        client.go_on()?;
        let finished = self.finish("restart", client, seen);
        if !server.alive() {
            bail!("the server died\n{}", server.log_tail());
        }
        finished
    }

    fn start(&self, scenario: &[&str]) -> anyhow::Result<Client> {
        Client::start(self.launch, scenario, &self.folder)
    }

    fn until_ready(
        &mut self,
        scenario: &str,
        client: &mut Client,
        seen: &mut BTreeSet<String>,
    ) -> anyhow::Result<()> {
        let deadline = Instant::now() + SCENARIO_WITHIN;
        while let Some(line) = client.next(deadline)? {
            if line == Line::Ready {
                return Ok(());
            }
            self.count(scenario, line, seen);
        }
        bail!("the client ended before it was ready")
    }

    fn finish(
        &mut self,
        scenario: &str,
        mut client: Client,
        seen: &mut BTreeSet<String>,
    ) -> anyhow::Result<()> {
        let deadline = Instant::now() + SCENARIO_WITHIN;
        let failed_before = self.tally.failed;
        while let Some(line) = client.next(deadline)? {
            self.count(scenario, line, seen);
        }
        if !client.succeeded()? && self.tally.failed == failed_before {
            bail!("the client failed without saying which check did");
        }
        Ok(())
    }

    fn count(&mut self, scenario: &str, line: Line, seen: &mut BTreeSet<String>) {
        match line {
            Line::Ok(check) => {
                self.tally.passed += 1;
                seen.insert(check);
            }
            Line::Fail(check, why) => {
                self.tally.fail(self.suite, &format!("{scenario}/{check}"), &why);
                seen.insert(check);
            }
            Line::NotApplicable(check) => {
                self.tally.not_applicable.push(format!("{scenario}/{check}"));
                seen.insert(check);
            }
            Line::Ready | Line::Other(_) => {}
        }
    }
}

fn address(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage(launch: &Launch) -> Stage<'_> {
        let folder = std::env::temp_dir().join(format!("scenario-{}", std::process::id()));
        Stage { suite: "s", launch, folder, tally: Tally::default() }
    }

    fn check(script: &str) -> Tally {
        let launch = Launch { program: "sh".into(), arguments: vec!["-c".into(), script.into()] };
        let mut stage = stage(&launch);
        stage.attempt("naming", &["a", "b"], |stage, seen| stage.plain("naming", 1, seen));
        stage.tally
    }

    #[test]
    fn every_check_must_be_reported() {
        let tally = check("echo ok a; echo n/a b: no call");
        assert_eq!((tally.passed, tally.failed), (1, 0));
        let tally = check("echo ok a");
        assert_eq!((tally.passed, tally.failed), (1, 1));
    }

    #[test]
    fn a_client_that_fails_silently_is_a_failure() {
        let tally = check("echo ok a; echo ok b; exit 1");
        assert_eq!((tally.passed, tally.failed), (2, 1));
        let tally = check("echo ok a; echo FAIL b: why; exit 1");
        assert_eq!((tally.passed, tally.failed), (1, 1));
    }
}
