//! Damaged files: no start may silently lack what was acknowledged. It serves all of it, or refuses and says what can
//! be done; what a cut end of the log has cost is counted and named.

use crate::{
    client::Session,
    figures::{figure, rng, say},
    harm::{check_advice, damage, used},
    node::{Node, Refusal, Started, log_of},
    sequence::Sequence,
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    path::{Path, PathBuf},
};

/// A data directory of a dead node, and what it must serve.
struct Base {
    dir: PathBuf,
    writes: Sequence,
    what: &'static str,
}

/// One way a node may come to its end.
struct Past {
    what: &'static str,
    settings: &'static [&'static str],
    bytes: usize,
    count: u64,
    is_killed: bool,
}

const PASTS: [Past; 4] = [
    Past { what: "killed", settings: &[], bytes: 200, count: 80, is_killed: true },
    Past { what: "stopped", settings: &["snapshot_every=30"], bytes: 200, count: 80, is_killed: false },
    Past {
        what: "killed, compacted",
        settings: &["snapshot_every=30"],
        bytes: 200,
        count: 80,
        is_killed: true,
    },
    Past { what: "killed, two segments", settings: &[], bytes: 150_000, count: 120, is_killed: true },
];

async fn bases(root: &Path) -> Vec<Base> {
    let mut bases = Vec::new();
    for (number, past) in PASTS.iter().enumerate() {
        let dir = root.join(format!("base-{number}"));
        let mut writes = Sequence::new("damaged", past.bytes);
        // Two lives, so that the second one finds something.
        for _ in 0..2 {
            let node = Node::start(&dir, past.settings).await;
            let session = Session::open(&node.address()).await.unwrap();
            writes.write_many(&session, past.count / 2).await;
            session.register("damaged", 9).await.unwrap();
            drop(session);
            if past.is_killed {
                node.kill();
            } else {
                assert!(node.stop().await.success());
            }
        }
        bases.push(Base { dir, writes, what: past.what });
    }
    bases
}

/// All files below a directory, but the lock, by their names in it.
fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.ends_with("LOCK") {
                found.push(path.strip_prefix(dir).unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

fn copy(from: &Path, to: &Path) {
    for file in files(from) {
        fs::create_dir_all(to.join(&file).parent().unwrap()).unwrap();
        fs::copy(from.join(&file), to.join(&file)).unwrap();
    }
    for folder in ["log", "snapshots", "journal"] {
        fs::create_dir_all(to.join(folder)).unwrap();
    }
}

/// What the log of a node says was cut off the end of the log: the number of entries.
fn cut_entries(log: &str) -> u64 {
    log.lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|line| line["first_entry"].is_u64() && line["segment"].is_string())
        .map(|line| line["entries"].as_u64().unwrap())
        .sum()
}

fn check_refusal(refusal: &Refusal, dir: &Path, context: &str) {
    assert_eq!(refusal.code, Some(4), "{context}: {}", refusal.text);
    check_advice(refusal.message(), dir, context);
}

/// How a trial ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    ServedAll,
    NamedLoss,
    Refused,
}

/// Starts a node on a damaged directory and checks what it does.
async fn trial(
    dir: &Path,
    mut writes: Sequence,
    twice: bool,
    context: &str,
    messages: &mut Vec<String>,
) -> End {
    let node = match Node::try_start(dir, &[]).await {
        Started::Ready(node) => node,
        Started::Refused(refusal) => {
            check_refusal(&refusal, dir, context);
            messages.push(refusal.message().replace(dir.to_str().unwrap(), "DIR"));
            return End::Refused;
        }
    };
    let session = Session::open(&node.address()).await.unwrap();
    let missing = writes.missing(&session).await;
    let lost = missing.len() as u64;
    if lost > 0 {
        let named = cut_entries(&node.log());
        let is_end = missing[0] == writes.acknowledged - lost;
        assert!(is_end && lost <= named, "{context}: silently lost {missing:?}: {}", node.log());
        writes.acknowledged -= lost;
    }
    if !twice {
        return if lost > 0 { End::NamedLoss } else { End::ServedAll };
    }
    // It is whole again: it takes writes, and the next start has them.
    writes.write_many(&session, 2).await;
    node.kill();
    let node = match Node::try_start(dir, &[]).await {
        Started::Ready(node) => node,
        Started::Refused(refusal) => panic!("{context}: served once, then refused: {}", refusal.text),
    };
    let session = Session::open(&node.address()).await.unwrap();
    assert_eq!(
        writes.missing(&session).await,
        [0; 0],
        "{context}: lost after a second start: {}",
        node.log()
    );
    if lost > 0 { End::NamedLoss } else { End::ServedAll }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_damage_loses_anything_in_silence() {
    let mut rng = rng("damage");
    let trials = figure("MUSTER_DAMAGE_TRIALS", 100);
    let root = tempfile::tempdir().unwrap();
    let bases = bases(root.path()).await;
    let mut ends: BTreeMap<(String, End), u64> = BTreeMap::new();
    let mut messages = Vec::new();
    for number in 0..trials {
        // The large one is slow, so it is tried less often.
        let base = if number % 10 == 9 { &bases[3] } else { &bases[(number % 3) as usize] };
        let all = files(&base.dir);
        let file = &all[rng.below(all.len() as u64) as usize];
        let dir = root.path().join("trial");
        copy(&base.dir, &dir);
        let done = damage(&dir.join(file), &mut rng);
        let context = format!("trial {number}, {}, {}: {done}", base.what, file.display());
        let twice = trials > 100 || rng.below(2) == 0;
        let end = trial(&dir, base.writes.clone(), twice, &context, &mut messages).await;
        let class =
            file.file_name().unwrap().to_str().unwrap().trim_start_matches(|c: char| c.is_ascii_digit());
        *ends.entry((class.to_owned(), end)).or_default() += 1;
        fs::remove_dir_all(&dir).unwrap();
        fs::remove_file(log_of(&dir)).unwrap();
    }
    say(&format!("damage: {trials} trials: {ends:?}"));
    messages.sort();
    messages.dedup();
    if figure("MUSTER_DAMAGE_MESSAGES", 0) > 0 {
        messages.iter().for_each(|message| say(message));
    }
}

/// What a power cut leaves: the last append is torn, and neither the state nor the noted commit point has come as far.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_torn_end_is_cut_counted_and_named() {
    let base = tempfile::tempdir().unwrap();
    let dir = base.path().join("data");
    let mut writes = Sequence::new("torn", 200);
    let node = Node::start(&dir, &[]).await;
    let session = Session::open(&node.address()).await.unwrap();
    writes.write_many(&session, 9).await;
    drop(session);
    node.kill();
    let committed = fs::read(dir.join("log/committed")).unwrap();
    let node = Node::start(&dir, &[]).await;
    let session = Session::open(&node.address()).await.unwrap();
    writes.write_many(&session, 2).await;
    drop(session);
    node.kill();
    for file in ["state.db", "state.db-wal", "state.db-shm"] {
        fs::remove_file(dir.join(file)).unwrap();
    }
    fs::write(dir.join("log/committed"), committed).unwrap();
    let log = dir.join("log/00000000000000000000.log");
    let last = used(&fs::read(&log).unwrap());
    OpenOptions::new().write(true).open(&log).unwrap().set_len(last - 3).unwrap();

    let node = Node::start(&dir, &[]).await;
    let session = Session::open(&node.address()).await.unwrap();
    assert_eq!(writes.missing(&session).await, [10], "the torn one only");
    let said = node.log();
    assert_eq!(cut_entries(&said), 1, "{said}");
    assert!(said.contains("00000000000000000000.log") && said.contains("torn"), "{said}");
}
