//! A suite at work: its client processes, what they report, and the scenarios of Nacos clients.

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

    /// Notes and prints what a check came to, and how long that took.
    pub(super) fn note(&mut self, suite: &str, check: &str, took: Duration, came_to: anyhow::Result<()>) {
        match came_to {
            Ok(()) => {
                self.passed += 1;
                println!("   {suite} {check}: {:.1} s", took.as_secs_f64());
            }
            Err(error) => self.fail(suite, check, &format!("{error:#}")),
        }
    }

    /// Notes and prints a check that did not hold.
    pub(super) fn fail(&mut self, suite: &str, check: &str, why: &str) {
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

/// A scenario that one process goes through by itself.
pub(super) struct Act {
    /// Which of the suite's programs.
    pub(super) program: usize,
    /// Its name on the program's command line.
    pub(super) scenario: &'static str,
    /// What must be reported.
    pub(super) checks: &'static [&'static str],
}

/// One suite at work: its programs and where its things go.
pub(super) struct Stage<'a> {
    /// The suite's name.
    pub(super) suite: &'a str,
    /// Its programs; most have one.
    launches: &'a [Launch],
    folder: PathBuf,
    /// What came of it so far.
    pub(super) tally: Tally,
}

impl<'a> Stage<'a> {
    /// One with an empty folder for its processes.
    pub(super) fn open(suite: &'a str, launches: &'a [Launch]) -> anyhow::Result<Self> {
        let folder = workspace::target().join("interop").join(suite);
        if folder.exists() {
            std::fs::remove_dir_all(&folder).context("remove what an earlier run left")?;
        }
        Ok(Self { suite, launches, folder, tally: Tally::default() })
    }

    /// The scenarios of a Nacos client; `port` is the server that all suites share.
    pub(super) fn nacos(&mut self, port: u16) {
        self.attempt("naming", NAMING, |stage, seen| stage.plain("naming", port, seen));
        self.attempt("config", CONFIG, |stage, seen| stage.plain("config", port, seen));
        self.attempt("crash", CRASH, Stage::crash);
        self.attempt("restart", RESTART, Stage::restart);
    }

    /// Scenarios of one process each.
    pub(super) fn acts(&mut self, acts: &[Act], port: u16) {
        for act in acts {
            self.attempt(act.scenario, act.checks, |stage, seen| {
                let client = stage.start(act.program, &[act.scenario, &address(port), stage.suite])?;
                stage.finish(act.scenario, client, seen)
            });
        }
    }

    /// Runs a scenario; each of its checks must have been reported, whatever else happened.
    pub(super) fn attempt(
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
        self.require(scenario, checks, &seen);
        println!("   {} {scenario}: {:.1} s", self.suite, began.elapsed().as_secs_f64());
    }

    /// Fails each of these checks that was not reported.
    pub(super) fn require(&mut self, scenario: &str, checks: &[&str], seen: &BTreeSet<String>) {
        for check in checks.iter().filter(|check| !seen.contains(**check)) {
            self.tally.fail(self.suite, &format!("{scenario}/{check}"), "was not reported");
        }
    }

    /// A client by itself.
    fn plain(&mut self, scenario: &str, port: u16, seen: &mut BTreeSet<String>) -> anyhow::Result<()> {
        let client = self.start(0, &[scenario, &address(port)])?;
        self.finish(scenario, client, seen)
    }

    /// A client is killed; another one, which watches its instances, must see them go within the lease. On a server of
    /// their own: where other clients ended without a word just before, the brake on mass expiry would keep them.
    fn crash(&mut self, seen: &mut BTreeSet<String>) -> anyhow::Result<()> {
        let server = Server::fresh(&format!("interop/{}-crash", self.suite))?;
        let port = server.port();
        let mut observer = self.start(0, &["observe", &address(port)])?;
        self.until_ready("crash", &mut observer, seen)?;
        let mut victim = self.start(0, &["victim", &address(port)])?;
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
        let mut client = self.start(0, &["restart", &address(server.port())])?;
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

    /// Starts one of the suite's programs.
    pub(super) fn start(&self, program: usize, scenario: &[&str]) -> anyhow::Result<Client> {
        let launch = self.launches.get(program).context("the suite has no such program")?;
        Client::start(launch, scenario, &self.folder)
    }

    /// Counts what a client reports until it waits for the driver.
    pub(super) fn until_ready(
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

    /// Counts what a client reports until it ends.
    pub(super) fn finish(
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

    /// Counts a check of the driver's own.
    pub(super) fn verdict(
        &mut self,
        scenario: &str,
        check: &str,
        outcome: Result<(), String>,
        seen: &mut BTreeSet<String>,
    ) {
        let line = match outcome {
            Ok(()) => Line::Ok(check.to_owned()),
            Err(why) => Line::Fail(check.to_owned(), why),
        };
        self.count(scenario, line, seen);
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
            Line::Note(text) => println!("   {} {scenario}: {text}", self.suite),
            Line::Ready | Line::Other(_) => {}
        }
    }
}

/// The loopback interface's address of a port.
pub(super) fn address(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(script: &str) -> Tally {
        let launches = [Launch { program: "sh".into(), arguments: vec!["-c".into(), script.into()] }];
        let folder = std::env::temp_dir().join(format!("scenario-{}", std::process::id()));
        let mut stage = Stage { suite: "s", launches: &launches, folder, tally: Tally::default() };
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
