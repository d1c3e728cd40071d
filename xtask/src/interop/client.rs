//! One client process: the lines it prints, the lines it is told, and its end.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

/// How a suite's program is started; the scenario and its arguments follow.
pub(super) struct Launch {
    /// The program.
    pub(super) program: PathBuf,
    /// What stands before the scenario.
    pub(super) arguments: Vec<String>,
}

/// What a client said.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A check held.
    Ok(String),
    /// A check did not hold, and why.
    Fail(String, String),
    /// This client has no such function.
    NotApplicable(String),
    /// It waits for the driver.
    Ready,
    /// Something that people should read.
    Note(String),
    /// Anything else, mostly a library's own output.
    Other(String),
}

/// A running client; it is killed when this is dropped.
pub(super) struct Client {
    child: Child,
    lines: Receiver<String>,
    log: PathBuf,
}

impl Client {
    /// Starts a scenario. The client's caches and log files go to a fresh `folder`, so that no run sees what
    /// an earlier one kept.
    pub(super) fn start(launch: &Launch, scenario: &[&str], folder: &Path) -> anyhow::Result<Self> {
        let home = folder.join(format!("{}-home", scenario.join("-").replace([':', '/'], "_")));
        std::fs::create_dir_all(&home).context("create a client's home")?;
        let log = home.join("client.log");
        let mut command = Command::new(&launch.program);
        command.args(&launch.arguments).args(scenario).current_dir(&home).env("HOME", &home);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(&log).context("create a client's log")?);
        let mut child = command.spawn().with_context(|| format!("start {}", launch.program.display()))?;
        let output = child.stdout.take().context("take the client's output")?;
        let (sender, lines) = sync_channel(1024);
        thread::spawn(move || {
            // Not `lines()`: a library's output may hold anything, and its end must not look like the client's.
            let mut reader = BufReader::new(output);
            let mut bytes = Vec::new();
            while reader.read_until(b'\n', &mut bytes).is_ok_and(|read| read > 0) {
                let text = String::from_utf8_lossy(&bytes).trim_end().to_owned();
                bytes.clear();
                if sender.send(text).is_err() {
                    return;
                }
            }
        });
        Ok(Self { child, lines, log })
    }

    /// The next line, or none when the client has closed its output.
    pub(super) fn next(&self, deadline: Instant) -> anyhow::Result<Option<Line>> {
        match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(text) => Ok(Some(read(&text))),
            Err(RecvTimeoutError::Disconnected) => Ok(None),
            Err(RecvTimeoutError::Timeout) => {
                bail!("the client said nothing more in time; its log is {}", self.log.display())
            }
        }
    }

    /// Lets a client that is `ready` go on.
    pub(super) fn go_on(&mut self) -> anyhow::Result<()> {
        let input = self.child.stdin.as_mut().context("the client's input is closed")?;
        input.write_all(b"go\n").and_then(|()| input.flush()).context("let the client go on")
    }

    /// Ends it without any warning to it.
    pub(super) fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill().context("kill the client")?;
        self.child.wait().context("wait for the killed client").map(drop)
    }

    /// Waits for its end, a moment after it closed its output; whether it called itself a success.
    pub(super) fn succeeded(&mut self) -> anyhow::Result<bool> {
        let deadline = Instant::now() + Duration::from_secs(10);
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().context("wait for the client")? {
                return Ok(status.success());
            }
            thread::sleep(Duration::from_millis(20));
        }
        bail!("the client closed its output and did not end")
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.kill().unwrap_or_else(|error| println!("{error:#}"));
        }
    }
}

fn read(text: &str) -> Line {
    if text == "ready" {
        return Line::Ready;
    }
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    let (check, why) = rest.split_once(": ").unwrap_or((rest, ""));
    match word {
        "ok" => Line::Ok(rest.to_owned()),
        "FAIL" => Line::Fail(check.to_owned(), why.to_owned()),
        "note" => Line::Note(rest.to_owned()),
        "n/a" => Line::NotApplicable(check.to_owned()),
        _ => Line::Other(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_client_are_told_from_noise() {
        assert_eq!(read("ok register"), Line::Ok("register".into()));
        assert_eq!(read("FAIL cas: stale: taken"), Line::Fail("cas".into(), "stale: taken".into()));
        assert_eq!(read("n/a batch: no such call"), Line::NotApplicable("batch".into()));
        assert_eq!(read("note 3 calls: 1 failed"), Line::Note("3 calls: 1 failed".into()));
        assert_eq!(read("ready"), Line::Ready);
        assert_eq!(read("okay then"), Line::Other("okay then".into()));
    }

    #[test]
    fn a_client_is_driven_through_its_lines() {
        let folder = std::env::temp_dir().join(format!("client-{}", std::process::id()));
        let script = "echo ready; read word; echo ok $word; exit 3".to_owned();
        let launch = Launch { program: "sh".into(), arguments: vec!["-c".into(), script] };
        let mut client = Client::start(&launch, &["s"], &folder).unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        assert_eq!(client.next(deadline).unwrap(), Some(Line::Ready));
        client.go_on().unwrap();
        assert_eq!(client.next(deadline).unwrap(), Some(Line::Ok("go".into())));
        assert_eq!(client.next(deadline).unwrap(), None);
        assert!(!client.succeeded().unwrap());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
