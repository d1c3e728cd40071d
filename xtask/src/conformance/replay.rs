//! Running the replayers, which are Python programs beside the recordings, and counting what they say.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, bail};

use super::recordings::Recording;
use crate::process;

/// HTTP recordings that are replayed at a time against one server: most of their time is waiting.
const HTTP_AT_A_TIME: usize = 6;

/// gRPC recordings that are replayed at a time.
const GRPC_AT_A_TIME: &str = "12";

/// How many steps our server answered as the real one did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) passed: usize,
    pub(super) failed: usize,
}

impl Count {
    fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

/// The counts of a run, by group of recordings.
#[derive(Default)]
pub(super) struct Tally {
    groups: Mutex<BTreeMap<String, Count>>,
}

impl Tally {
    pub(super) fn add(&self, group: &str, count: Count) {
        let mut groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        groups.entry(group.to_owned()).or_default().add(count);
    }

    /// Prints a line a group; the sum of all.
    pub(super) fn close(self) -> Count {
        let mut sum = Count::default();
        for (group, count) in self.groups.into_inner().unwrap_or_else(PoisonError::into_inner) {
            println!("   {group:<14} {count}");
            sum.add(count);
        }
        sum
    }
}

/// Where a server under test answers.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) host: String,
    /// HTTP; gRPC is 1000 above.
    pub(super) port: u16,
    /// HTTP of the console family.
    pub(super) console: u16,
}

/// The replayers and their interpreter.
pub(super) struct Replayer {
    pub(super) interpreter: PathBuf,
    pub(super) conformance: PathBuf,
}

impl Replayer {
    /// Replays recordings side by side: each has names of its own.
    pub(super) fn http(
        &self,
        recordings: &[Recording],
        target: &Target,
        tally: &Tally,
    ) -> anyhow::Result<()> {
        let queue = Mutex::new(recordings.iter());
        let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
        std::thread::scope(|scope| {
            let work = || {
                while let Some(recording) = next() {
                    tally.add(&recording.group, self.one(&recording.path, target)?);
                }
                Ok(())
            };
            let workers: Vec<_> = recordings.iter().take(HTTP_AT_A_TIME).map(|_| scope.spawn(work)).collect();
            workers
                .into_iter()
                .try_for_each(|worker| worker.join().unwrap_or_else(|_| bail!("a replay over HTTP panicked")))
        })
    }

    /// Replays all recordings over gRPC; those that must be alone come last.
    pub(super) fn grpc(&self, target: &Target, tally: &Tally) -> anyhow::Result<()> {
        let port = target.port.checked_add(1000).context("gRPC is 1000 ports above HTTP")?;
        let mut replay = process::command(&self.interpreter);
        replay.arg(self.conformance.join("conform_grpc.py"));
        replay.args(["replay", "--address", &format!("{}:{port}", target.host), "--jobs", GRPC_AT_A_TIME]);
        tally.add("nacos-grpc", count(replay.arg(self.conformance.join("nacos-grpc")))?);
        Ok(())
    }

    fn one(&self, recording: &Path, target: &Target) -> anyhow::Result<Count> {
        let mut replay = process::command(&self.interpreter);
        replay.arg(self.conformance.join("conform.py"));
        replay.args(["replay", "--base", &format!("http://{}:{}", target.host, target.port)]);
        replay.args(["--port", &format!("console={}", target.console)]).arg(recording);
        let counted = count(&mut replay)?;
        if counted.failed > 0 {
            println!("   {}: {counted}", recording.file_name().unwrap_or_default().to_string_lossy());
        }
        Ok(counted)
    }
}

/// Runs a replayer, shows the steps that differ and reads its closing line.
fn count(replay: &mut Command) -> anyhow::Result<Count> {
    let output = replay.output().context("start a replayer")?;
    let (text, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let mut count = None;
    for line in text.lines() {
        match closing(line) {
            Some(read) => count = Some(read),
            None => println!("   {line}"),
        }
    }
    count.with_context(|| format!("the replayer ended without a count: {}", errors.trim_end()))
}

fn closing(line: &str) -> Option<Count> {
    let (passed, failed) = line.split_once(" passed, ")?;
    Some(Count { passed: passed.parse().ok()?, failed: failed.strip_suffix(" failed")?.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_closing_line_is_a_count() {
        let count = closing("12 passed, 3 failed").unwrap();
        assert_eq!((count.passed, count.failed), (12, 3));
        assert!(closing("v1.json: step 1 'x passed, y failed': status").is_none());
    }

    #[test]
    fn counts_add_up_by_group_and_over_all() {
        let tally = Tally::default();
        tally.add("a", Count { passed: 2, failed: 0 });
        tally.add("b", Count { passed: 1, failed: 1 });
        tally.add("a", Count { passed: 3, failed: 1 });
        assert_eq!(tally.groups.lock().unwrap()["a"], Count { passed: 5, failed: 1 });
        assert_eq!(tally.close(), Count { passed: 6, failed: 2 });
    }
}
