//! Damaged files of one of three nodes: it comes back and has what the others have, or it refuses to start and says what
//! can be done. It never serves anything else.

use crate::{
    doctor,
    figures::{figure, rng, say},
    group::{Group, copy},
    harm::{check_advice, damage},
};
use muster_runtime::Rng;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::ExitStatus,
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// How long a test waits for what has no limit of its own.
const PATIENCE: Duration = Duration::from_secs(60);
/// The node that is damaged.
const DAMAGED: usize = 2;
/// Configs that are written over and over.
const CONFIGS: usize = 10;
/// How long their contents are, so that damage meets what users stored.
const BYTES: usize = 1_500;

/// How a trial ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    CameBack,
    Refused,
}

/// The nodes, and what all of them must have.
struct Trials {
    group: Group,
    rng: Rng,
    contents: BTreeMap<String, String>,
    writes: usize,
    ends: BTreeMap<(&'static str, End), usize>,
}

impl Trials {
    async fn begin() -> Self {
        let rng = rng("damaged");
        let mut group = Group::new(3);
        let (list, secret) = (group.list(), group.secret("of damaged files"));
        for index in 0..3 {
            // Snapshots are made and the log is shortened all the time.
            let settings = ["snapshot_every=25", "log_entries_kept=5"];
            group.start(
                index,
                &["--set", &list, "--set", &secret, "--set", settings[0], "--set", settings[1]],
            );
        }
        for node in &mut group.nodes {
            node.wait_ready().await;
        }
        group.wait_voters(0, 3).await;
        let mut trials = Self { group, rng, contents: BTreeMap::new(), writes: 0, ends: BTreeMap::new() };
        trials.write(DAMAGED, 2 * CONFIGS).await;
        doctor::finds_nothing(&trials.group, 0).await;
        trials
    }

    async fn write(&mut self, at: usize, times: usize) {
        for _ in 0..times {
            let data_id = format!("damaged-{}", self.writes % CONFIGS);
            let content = format!("{:0>BYTES$}", self.writes);
            self.group.publish_soon(at, &data_id, &content).await;
            self.contents.insert(data_id, content);
            self.writes += 1;
        }
    }

    /// A file of those that are damaged, and what it is called.
    fn pick(&mut self, data: &Path) -> (&'static str, PathBuf) {
        let newest = |folder: &str, ends: &str| {
            let files = fs::read_dir(data.join(folder)).unwrap().map(|entry| entry.unwrap().path());
            files.filter(|path| path.to_str().unwrap().ends_with(ends)).max()
        };
        let state = |name: &str| Some(data.join(name)).filter(|path| path.exists());
        let picked = match self.rng.below(8) {
            0..3 => ("state.db", state("state.db")),
            3..5 => ("state.db-wal", state("state.db-wal")),
            5..7 => ("log", newest("log", ".log")),
            _ => ("snapshot", newest("snapshots", ".snapshot")),
        };
        // Whoever ended in order leaves no write-ahead file.
        match picked {
            (what, Some(path)) => (what, path),
            (_, None) => ("state.db", data.join("state.db")),
        }
    }

    async fn trial(&mut self, number: usize) {
        self.write(number % 3, 2).await;
        if self.rng.below(2) == 0 {
            self.group.nodes[DAMAGED].stop().await;
        } else {
            self.group.nodes[DAMAGED].kill();
        }
        let (data, kept) = (self.group.nodes[DAMAGED].data.clone(), self.group.path("kept"));
        copy(&data, &kept);
        if self.rng.below(2) == 0 {
            self.write(0, 1).await;
        }
        let (what, path) = self.pick(&data);
        let done = damage(&path, &mut self.rng);
        let context = format!("trial {number}, {}: {done}", path.display());
        let end = match self.start().await {
            None => End::CameBack,
            Some(status) => {
                let log = self.group.nodes[DAMAGED].log();
                let said = log.lines().rev().find(|line| line.starts_with("muster: ")).unwrap_or_default();
                assert_eq!(status.code(), Some(4), "{context}: {log}");
                check_advice(said, &data, &context);
                assert!(said.contains("`muster cluster remove`"), "{context}: what a member can do: {said}");
                assert_eq!(what, "log", "{context}: the rest is rebuilt from it: {said}");
                // As from a backup of this very moment.
                fs::remove_dir_all(&data).unwrap();
                copy(&kept, &data);
                assert_eq!(self.start().await, None, "{context}: {}", self.group.nodes[DAMAGED].log_tail());
                End::Refused
            }
        };
        if what == "snapshot" && path.exists() {
            // Else nobody notices until it is needed, and the next trial would be one of two damages.
            fs::copy(kept.join("snapshots").join(path.file_name().unwrap()), &path).unwrap();
        }
        fs::remove_dir_all(&kept).unwrap();
        self.check(&context).await;
        *self.ends.entry((what, end)).or_default() += 1;
    }

    /// Starts the node and waits until it serves; or how it ended.
    async fn start(&mut self) -> Option<ExitStatus> {
        self.group.start_again(DAMAGED);
        let node = &mut self.group.nodes[DAMAGED];
        let begun = Instant::now();
        loop {
            if let Some(status) = node.child.as_mut().unwrap().try_wait().unwrap() {
                node.child = None;
                return Some(status);
            }
            if node.ready("/ready").await.is_some_and(|answer| answer.status == 200) {
                return None;
            }
            assert!(begun.elapsed() < PATIENCE, "neither ready nor ended: {}", node.log_tail());
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// The node serves what was acknowledged, and its state is that of the others at one entry.
    async fn check(&self, context: &str) {
        for (data_id, content) in &self.contents {
            let read = self.group.read(DAMAGED, data_id).await;
            assert_eq!(read.as_ref(), Some(content), "{context}: {data_id}");
        }
        self.group.wait_voters(DAMAGED, 3).await;
        let found = doctor::ask(&self.group, 0).await;
        assert!(found.is_empty(), "{context}: {found:#?}\n{}", self.group.nodes[DAMAGED].log_tail());
    }
}

async fn damages(trials: u64) {
    let mut all = Trials::begin().await;
    for number in 0..trials {
        all.trial(usize::try_from(number).unwrap()).await;
    }
    say(&format!("damaged: {trials} trials of one node of three: {:?}", all.ends));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_member_is_as_the_others_or_refuses_to_start() {
    damages(24).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the same, long: `MUSTER_DAMAGE_TRIALS` says how often"]
async fn a_damaged_member_is_as_the_others_or_refuses_to_start_each_time() {
    damages(figure("MUSTER_DAMAGE_TRIALS", 300)).await;
}
