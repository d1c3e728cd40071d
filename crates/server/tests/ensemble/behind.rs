//! A node that was away while the others were written to, and comes back: what it lacks comes by log, or by snapshot. It
//! is not ready before it has all of it.

use crate::{
    calls::{self, Written},
    ensemble::Ensemble,
    figures::say,
    http::Caller,
    process::Process,
};
use muster_runtime::Rng;
use std::{fs, sync::Arc, time::Duration};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

/// How long one call may take: a large content waits for those before it.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long it may take to catch up before a test gives up.
const READY_WITHIN: Duration = Duration::from_secs(1_800);
/// Clients that write at one time.
const WRITERS: usize = 4;
/// Before and between looks whether it is ready.
const LOOK_AGAIN: Duration = Duration::from_millis(5);
/// What a node logs when it is sent a snapshot.
const RECEIVED: &str = "a snapshot is received";

/// How what it lacks comes to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Entry by entry.
    Log,
    /// The whole state, because the log does not go back so far.
    Snapshot,
}

/// How much a node lacks: so many configs, of so many bytes each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Behind {
    pub(crate) configs: u64,
    pub(crate) bytes: usize,
}

/// Contents by number: each another one, and none that gets much smaller.
#[derive(Debug)]
struct Contents(String);

impl Contents {
    fn new(bytes: usize) -> Self {
        const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let mut rng = Rng::seeded(1);
        let mut noise = String::with_capacity(bytes + 10);
        while noise.len() < bytes {
            let drawn = rng.next_u64();
            noise.extend((0..10).map(|place| char::from(LETTERS[(drawn >> (6 * place)) as usize % 64])));
        }
        noise.truncate(bytes);
        Self(noise)
    }

    fn of(&self, number: u64) -> String {
        let name = name(number);
        // Begun elsewhere, so that no two have a block in common.
        let (end, begin) = self.0.split_at(number as usize * 7_919 % self.0.len());
        let mut content = format!("{name}-{begin}{end}");
        content.truncate(self.0.len());
        content
    }
}

fn name(number: u64) -> String {
    format!("behind-{number}")
}

/// Has a follower fall so far behind, and come back one way.
pub(crate) async fn catches_up(way: Way, behind: Behind) {
    let Behind { configs, bytes } = behind;
    let kept = match way {
        Way::Log => {
            [format!("log_entries_kept={}", 100 * configs), format!("log_bytes_kept={}", 1_u64 << 40)]
        }
        Way::Snapshot => {
            [format!("log_entries_kept={}", configs / 10), format!("snapshot_every={}", configs / 5)]
        }
    };
    let [one, two] = &kept;
    let mut ensemble = Ensemble::start_large(3, &["write_timeout=60s", one, two]).await;
    let leader = ensemble.leader().await;
    let (follower, third) = ((leader + 1) % 3, (leader + 2) % 3);
    let contents = Arc::new(Contents::new(bytes));
    ensemble.kill(follower);

    let began = Instant::now();
    write_all(&ensemble, [leader, third], configs, &contents).await;
    let wrote = began.elapsed();
    let leader = ensemble.leader().await;
    let wrote_peak = peak(&ensemble.nodes[leader]);
    forget_peak(&ensemble.nodes[leader]);

    let began = Instant::now();
    ensemble.start_node(follower);
    let refusals = wait_ready(&mut ensemble.nodes[follower]).await;
    let ready = began.elapsed();
    // The newest first: what is applied is applied in order.
    let served = read_all(&ensemble, follower, configs, &contents).await;
    let read = began.elapsed() - ready;
    let log = ensemble.nodes[follower].log();
    let came_by_snapshot = log[ensemble.nodes[follower].logged_before..].contains(RECEIVED);
    say(&format!(
        "{configs} configs of {bytes} bytes written in {wrote:.1?} (peak of the leader {wrote_peak} MiB); a node without \
         them, by {way:?}: ready {ready:.1?} after its start, {refusals} times asked before and not; {served} served, read in \
         {read:.1?}; peak of the leader {} MiB, of that node {} MiB",
        peak(&ensemble.nodes[leader]),
        peak(&ensemble.nodes[follower]),
    ));
    assert_eq!(came_by_snapshot, way == Way::Snapshot, "it came the other way");
    assert_eq!(served, configs, "it was ready without the rest");
}

/// Writes all, through these nodes in turn.
async fn write_all(ensemble: &Ensemble, through: [usize; 2], configs: u64, contents: &Arc<Contents>) {
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let mut caller = Caller::new(ensemble.nodes[through[writer % 2]].http, PATIENCE);
        let contents = contents.clone();
        writers.spawn(async move {
            for number in (writer as u64..configs).step_by(WRITERS) {
                write(&mut caller, number, &contents).await;
            }
        });
    }
    while let Some(writer) = writers.join_next().await {
        writer.unwrap();
    }
}

/// Writes one, again and again until it is acknowledged.
async fn write(caller: &mut Caller, number: u64, contents: &Contents) {
    let (name, content, began) = (name(number), contents.of(number), Instant::now());
    loop {
        let written = calls::publish(caller, &name, &content, None).await;
        if written == Written::Done {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "{name} is not acknowledged: {written:?}");
        sleep(LOOK_AGAIN).await;
    }
}

/// Waits until a node says that it is ready. How often it said that it was not.
async fn wait_ready(node: &mut Process) -> u64 {
    node.wait_live().await;
    let (began, mut refusals) = (Instant::now(), 0);
    loop {
        match node.ready("/ready").await {
            Some(answer) if answer.status == 200 => return refusals,
            Some(_) => refusals += 1,
            None => {}
        }
        assert!(began.elapsed() < READY_WITHIN, "{} is not ready: {}", node.http, node.log_tail());
        sleep(LOOK_AGAIN).await;
    }
}

/// Reads all at one node, the last first. How many were there and as they were written.
async fn read_all(ensemble: &Ensemble, at: usize, configs: u64, contents: &Contents) -> u64 {
    let mut caller = Caller::new(ensemble.nodes[at].http, PATIENCE);
    let mut served = 0;
    for number in (0..configs).rev() {
        match calls::read(&mut caller, &name(number), false).await {
            Ok(Some(content)) if content == contents.of(number) => served += 1,
            Ok(Some(_)) => say(&format!("{} has another content", name(number))),
            other => say(&format!("{}: {other:?}", name(number))),
        }
    }
    served
}

/// The most memory that a node has had, in MiB, since that was forgotten.
fn peak(node: &Process) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", node.id().unwrap())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() >> 10
}

fn forget_peak(node: &Process) {
    fs::write(format!("/proc/{}/clear_refs", node.id().unwrap()), "5").unwrap();
}
