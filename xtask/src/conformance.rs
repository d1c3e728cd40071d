//! `conformance`: replays what real servers answered. The replayers are Python programs beside the recordings.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, bail};

use crate::report::Outcome;
use crate::server::{Environment, Server};
use crate::{process, python, workspace};

/// HTTP recordings that are replayed at a time: most of their time is waiting.
const HTTP_AT_A_TIME: usize = 6;

/// gRPC recordings that are replayed at a time.
const GRPC_AT_A_TIME: &str = "12";

/// The recordings show Nacos's limit on metadata, which is our default, too; said here so that they hold whatever the
/// environment sets.
const AS_RECORDED: Environment = &[("MUSTER_METADATA_CHARS_MAX", "1024")];

/// How many steps of the recordings our server answered as the real one did.
#[derive(Clone, Copy, Default)]
struct Count {
    passed: usize,
    failed: usize,
}

/// Replays all recordings against a fresh server, or against the one whose HTTP port is given.
pub(crate) fn conformance(arguments: &[String]) -> anyhow::Result<Outcome> {
    let (server, address) = match arguments {
        [] => {
            let server = Server::fresh_with("conformance", AS_RECORDED)?;
            let address = format!("127.0.0.1:{}", server.port());
            (Some(server), address)
        }
        [flag, address] if flag == "--address" => (None, address.clone()),
        _ => bail!("usage: cargo xtask conformance [--address HOST:PORT]"),
    };
    let recordings = workspace::root().join("conformance");
    let interpreter = python::environment("conformance", &recordings.join("requirements.txt"))?;
    // Side by side: each recording has names of its own, and those that must be alone come last over gRPC.
    let (http, grpc) = std::thread::scope(|scope| {
        let http = scope.spawn(|| replay_http(&interpreter, &recordings, &address));
        let grpc = replay_grpc(&interpreter, &recordings, &address);
        (http.join().unwrap_or_else(|_| bail!("the HTTP replay panicked")), grpc)
    });
    let (http, grpc) = (http?, grpc?);
    println!("   HTTP: {} passed, {} failed", http.passed, http.failed);
    println!("   gRPC: {} passed, {} failed", grpc.passed, grpc.failed);
    let (passed, failed) = (http.passed + grpc.passed, http.failed + grpc.failed);
    println!("conformance: {passed} passed, {failed} failed");
    if server.is_some_and(|mut server| !server.alive()) {
        return Ok(Outcome::Failed("the server died".into()));
    }
    let note = format!("{passed} steps as recorded, {failed} not");
    Ok(if failed == 0 && passed > 0 { Outcome::Passed(note) } else { Outcome::Failed(note) })
}

fn replay_grpc(interpreter: &Path, recordings: &Path, address: &str) -> anyhow::Result<Count> {
    let (host, port) = address.rsplit_once(':').context("an address is HOST:PORT")?;
    let grpc = port.parse::<u16>().context("read the port")? + 1000;
    let mut replay = process::command(interpreter);
    replay.arg(recordings.join("conform_grpc.py")).args(["replay", "--address", &format!("{host}:{grpc}")]);
    replay.args(["--jobs", GRPC_AT_A_TIME]);
    replay_with(replay.arg(recordings.join("nacos-grpc")))
}

/// One process a recording, several at a time: their steps wait for leases and long polls, not for the server.
fn replay_http(interpreter: &Path, recordings: &Path, address: &str) -> anyhow::Result<Count> {
    let queue = Arc::new(Mutex::new(recordings_in(&recordings.join("nacos-http"))?));
    let (sender, counts) = sync_channel(HTTP_AT_A_TIME);
    for _ in 0..HTTP_AT_A_TIME {
        let (queue, sender) = (queue.clone(), sender.clone());
        let (interpreter, program) = (interpreter.to_path_buf(), recordings.join("conform.py"));
        let base = format!("http://{address}");
        std::thread::spawn(move || {
            let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).pop();
            while let Some(recording) = next() {
                let mut replay = process::command(&interpreter);
                replay.arg(&program).args(["replay", "--base", &base]).arg(recording);
                if sender.send(replay_with(&mut replay)).is_err() {
                    return;
                }
            }
        });
    }
    drop(sender);
    let mut total = Count::default();
    for count in counts {
        let count = count?;
        total = Count { passed: total.passed + count.passed, failed: total.failed + count.failed };
    }
    Ok(total)
}

/// Runs a replayer, shows the steps that differ and reads its closing line.
fn replay_with(replay: &mut Command) -> anyhow::Result<Count> {
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

/// The recordings of a folder, the longest-running ones last, as they are taken from the end.
fn recordings_in(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))?;
    let mut found: Vec<PathBuf> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    found.retain(|path| path.extension().is_some_and(|ending| ending == "json"));
    found.sort_by_key(|path| (path.to_string_lossy().contains("beat"), path.clone()));
    Ok(found)
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
}
