//! The order that a power cut needs: an acknowledgement leaves the socket after the sync of its log entry returned.
//! kill -9 can't show it, because the page cache survives it; what the system calls are can be seen with `strace`.

use crate::{
    client::Session,
    figures::say,
    node::{Node, Started},
    trace::{Shown, check, check_late},
};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};
use tokio::task::JoinSet;

const CONNECTIONS: usize = 4;
const WRITES: usize = 25;

/// `strace` before the binary, or nothing where there is none.
fn strace(trace: &Path, more: &[&str]) -> Option<Command> {
    let version = Command::new("strace").arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !version.is_ok_and(|status| status.success()) {
        say("SKIPPED: strace is not installed, the order of sync and acknowledgement was not looked at");
        return None;
    }
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-yy", "-s", "100000", "-o"]).arg(trace);
    command.args([
        "-e",
        "trace=read,readv,recvfrom,recvmsg,write,writev,sendto,sendmsg,pwrite64,fdatasync,fsync",
    ]);
    command.args(more).arg(crate::node::MUSTER);
    Some(command)
}

/// Writes on some connections at once, until all is written or the node fails; how many were acknowledged.
async fn write(node: &Node) -> usize {
    let mut writers = JoinSet::new();
    for connection in 0..CONNECTIONS {
        let address = node.address();
        writers.spawn(async move {
            let session = Session::open(&address).await.unwrap();
            let mut acknowledged = 0;
            for number in 0..WRITES {
                let marker = format!("marker-{connection}-{number}-");
                if session.publish(&marker, &format!("content of {marker}")).await.is_err() {
                    break;
                }
                acknowledged += 1;
            }
            acknowledged
        });
    }
    writers.join_all().await.into_iter().sum()
}

/// A node under strace. The process of ours is strace, which would leave the node running.
struct Traced {
    node: Option<Node>,
    dir: PathBuf,
    trace: PathBuf,
}

impl Traced {
    async fn start(dir: &Path, more: &[&str]) -> Option<Self> {
        let trace = dir.with_extension("trace");
        let mut traced = Self { node: None, dir: dir.to_owned(), trace };
        let node = Node::spawn_with(strace(&traced.trace, more)?, dir, &[]);
        traced.node = match node.wait_ready().await {
            Started::Ready(node) => Some(node),
            Started::Refused(refusal) => panic!("no start under strace: {refusal:?}"),
        };
        Some(traced)
    }

    fn node(&self) -> &Node {
        self.node.as_ref().unwrap()
    }

    /// Waits until it has ended; its exit code and the trace.
    async fn end(mut self) -> (Option<i32>, String) {
        let status = self.node.take().unwrap().wait_end().await;
        (status.code(), fs::read_to_string(&self.trace).unwrap())
    }

    /// Sends a signal to the node itself, whose id is in the lock file.
    fn signal(&self, signal: Signal) {
        let holder = fs::read_to_string(self.dir.join("LOCK")).unwrap_or_default();
        if let Some(node) = holder.trim().parse().ok().and_then(Pid::from_raw) {
            // It may have ended.
            kill_process(node, signal).ok();
        }
    }
}

impl Drop for Traced {
    fn drop(&mut self) {
        if self.node.is_some() {
            self.signal(Signal::KILL);
        }
    }
}

/// Runs a node under strace, writes, and gives the trace.
async fn traced(dir: &Path, more: &[&str]) -> Option<(usize, String)> {
    let traced = Traced::start(dir, more).await?;
    let acknowledged = write(traced.node()).await;
    traced.signal(Signal::TERM);
    let (code, trace) = traced.end().await;
    assert_eq!(code, Some(0));
    Some((acknowledged, trace))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledgements_leave_after_the_sync_returned() {
    let base = tempfile::tempdir().unwrap();
    let Some((acknowledged, trace)) = traced(&base.path().join("data"), &[]).await else { return };
    assert_eq!(acknowledged, CONNECTIONS * WRITES);
    let shown = check(&trace).unwrap();
    assert_eq!(shown.acknowledged, acknowledged, "every acknowledgement was found in the trace");
    say(&format!("power cut: {acknowledged} acknowledgements, each after its sync; {} syncs", shown.syncs));
    // The same trace, doctored: the check must be able to fail.
    let without: String =
        trace.lines().filter(|line| !line.contains("fdatasync")).flat_map(|line| [line, "\n"]).collect();
    assert!(check(&without).is_err_and(|why| why.contains("never synced")), "without syncs");
    assert!(
        check_late(&trace).is_err_and(|why| why.contains("before its sync")),
        "with a sync that returns late"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_syncs_the_check_fails() {
    let base = tempfile::tempdir().unwrap();
    // The kernel is never asked; the node is told that all is well.
    let more = ["-e", "inject=fdatasync,fsync:retval=0"];
    let Some((acknowledged, trace)) = traced(&base.path().join("data"), &more).await else { return };
    assert_eq!(acknowledged, CONNECTIONS * WRITES, "the node can't know");
    let why = check(&trace).unwrap_err();
    assert!(why.contains("never synced"), "{why}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_acknowledged_over_a_failed_sync() {
    let base = tempfile::tempdir().unwrap();
    let dir = base.path().join("data");
    let more = ["-e", "inject=fdatasync:error=EIO:when=20+"];
    let Some(traced) = Traced::start(&dir, &more).await else { return };
    let acknowledged = write(traced.node()).await;
    let log = traced.node().log();
    let (code, trace) = traced.end().await;
    assert!((1..CONNECTIONS * WRITES).contains(&acknowledged), "{acknowledged} before the disk failed");
    assert_eq!(code, Some(4), "it stops at once: {log}");
    let Shown { acknowledged: shown, .. } = check(&trace).unwrap();
    assert!(shown >= acknowledged, "{shown} of {acknowledged} acknowledgements were found");

    let node = Node::start(&dir, &[]).await;
    let session = Session::open(&node.address()).await.unwrap();
    let mut served = 0;
    for connection in 0..CONNECTIONS {
        for number in 0..WRITES {
            let marker = format!("marker-{connection}-{number}-");
            served += usize::from(session.read(&marker, "").await.unwrap().is_some());
        }
    }
    assert!(served >= acknowledged, "{served} of {acknowledged} are there after a restart");
}
