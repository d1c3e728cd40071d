use super::*;
use muster_model::{
    Actor, Cause, ConnectionId, GroupName, Namespace, Reason, Revision, ServiceKey, ServiceName,
};
use muster_runtime::{
    Rng,
    disk::{MemoryDisk, RealDisk, read_all},
};

const DIR: &str = "/journal";

fn open(disk: &MemoryDisk, settings: JournalSettings) -> (Journal, JournalTask) {
    Journal::open(Arc::new(disk.clone()), Path::new(DIR), settings).unwrap()
}

fn change(number: u64) -> Change {
    let key = ServiceKey::new(
        Namespace::default(),
        GroupName::default(),
        ServiceName::new(&format!("service-{}", number % 3)).unwrap(),
    );
    let actor = Actor {
        connection: number.is_multiple_of(2).then_some(ConnectionId(number)),
        address: [None, "10.0.0.1".parse().ok(), "fe80::1".parse().ok()][number as usize % 3],
        user: number.is_multiple_of(5).then(|| "nacos 中".into()),
    };
    Change {
        at: Timestamp(1_000 + number),
        service: key,
        instance: format!("10.0.0.{number}:80@DEFAULT").into(),
        what: ["added", "updated", "healthy", "unhealthy", "removed"][number as usize % 5],
        cause: Cause { actor, reason: Reason::ALL[number as usize % Reason::ALL.len()] },
        revision: Revision(number),
    }
}

fn newest_first(numbers: std::ops::Range<u64>) -> Vec<Change> {
    numbers.rev().map(change).collect()
}

fn all(journal: &Journal) -> History {
    journal.query(&JournalFilter { limit: usize::MAX, ..JournalFilter::default() }).unwrap()
}

#[test]
fn what_was_recorded_is_found_newest_first() {
    let (journal, _task) = open(&MemoryDisk::new(), JournalSettings::default());
    (0..40).for_each(|number| journal.record(change(number)));
    journal.flush();
    journal.record_all((40..60).map(change));
    let history = all(&journal);
    assert_eq!(history.changes, newest_first(0..60), "also what was not flushed");
    assert_eq!((history.dropped, history.damaged_blocks), (0, 0));
    assert_eq!(history.oldest, Some(Timestamp(1_000)));
}

#[test]
fn filters_narrow_the_answer() {
    let (journal, _task) = open(&MemoryDisk::new(), JournalSettings::default());
    journal.record_all((0..30).map(change));
    let numbers = |filter: JournalFilter| {
        journal.query(&filter).unwrap().changes.iter().map(|change| change.revision.0).collect::<Vec<_>>()
    };
    let none = JournalFilter::default();
    assert_eq!(numbers(JournalFilter { limit: 3, ..none.clone() }), [29, 28, 27]);
    let service = Some("service-1".to_owned());
    assert_eq!(numbers(JournalFilter { service, limit: 2, ..none.clone() }), [28, 25]);
    assert_eq!(numbers(JournalFilter { since: Some(Timestamp(1_028)), ..none.clone() }), [29, 28]);
    let instance = Some("10.0.0.7:".to_owned());
    assert_eq!(numbers(JournalFilter { instance, ..none.clone() }), [7]);
    assert_eq!(numbers(JournalFilter { namespace: Some("other".into()), ..none.clone() }), [0; 0]);
    assert_eq!(numbers(JournalFilter { group: Some("DEFAULT_GROUP".into()), ..none }).len(), 30);
}

#[test]
fn a_kill_loses_only_what_was_not_flushed() {
    let dir = tempfile::tempdir().unwrap();
    let open = || Journal::open(Arc::new(RealDisk), dir.path(), JournalSettings::default()).unwrap();
    let (journal, _task) = open();
    journal.record_all((0..20).map(change));
    journal.flush();
    journal.record_all((20..25).map(change));
    // Another process would find the files as they are now.
    assert_eq!(all(&open().0).changes, newest_first(0..20));
    let (journal, _task) = open();
    journal.record_all((30..32).map(change));
    journal.flush();
    assert_eq!(all(&journal).changes, [newest_first(30..32), newest_first(0..20)].concat());
}

#[test]
fn a_full_queue_drops_and_says_so() {
    let disk = MemoryDisk::new();
    let (journal, _task) = open(&disk, JournalSettings { queue_max: 10, ..JournalSettings::default() });
    journal.record_all((0..25).map(change));
    assert_eq!(journal.dropped(), 15);
    let history = all(&journal);
    assert_eq!((history.changes, history.dropped), (newest_first(0..10), 15));
    journal.record(change(25));
    // It is still said after a restart.
    journal.flush();
    let (journal, _task) = open(&disk, JournalSettings::default());
    let history = all(&journal);
    assert_eq!((history.changes.len(), history.dropped), (11, 15));
    // Not when only what came later was asked for.
    let later = JournalFilter { since: Some(Timestamp(1_025)), ..JournalFilter::default() };
    assert_eq!(journal.query(&later).unwrap().dropped, 0);
}

#[test]
fn the_oldest_go_when_the_cap_is_reached() {
    let disk = MemoryDisk::new();
    let settings = JournalSettings { bytes_max: 64 << 10, ..JournalSettings::default() };
    let (mut journal, mut _task) = open(&disk, settings);
    for number in 0..3_000 {
        journal.record(change(number));
        if number % 17 == 0 {
            journal.flush();
            assert!(disk.used() <= 64 << 10, "{}", disk.used());
        }
        if number % 700 == 0 {
            journal.flush();
            (journal, _task) = open(&disk, settings);
        }
    }
    let changes = all(&journal).changes;
    assert_eq!(changes[..300], newest_first(2_700..3_000)[..]);
    assert!(changes.len() < 1_000);
    assert!(disk.used() > 32 << 10, "{}", disk.used());
}

#[test]
fn damage_costs_a_block_and_is_counted() {
    let whole = MemoryDisk::new();
    let (journal, _task) = open(&whole, JournalSettings::default());
    for block in 0..10 {
        journal.record_all((block * 5..block * 5 + 5).map(change));
        journal.flush();
    }
    let path = Path::new(DIR).join("0000000001.journal");
    let content = read_all(&whole, &path).unwrap();
    for seed in 0..400 {
        let mut rng = Rng::seeded(seed);
        let disk = MemoryDisk::new();
        drop(open(&disk, JournalSettings::default()));
        disk.open(&path, muster_runtime::disk::Open::New).unwrap().write_at(0, &content).unwrap();
        let at = rng.below(content.len() as u64 - 16) as usize + 16;
        let cut = seed % 3 == 0;
        disk.damage(&path, |bytes| if cut { bytes.truncate(at) } else { bytes[at] ^= 1 << rng.below(8) })
            .unwrap();
        let (journal, _task) = open(&disk, JournalSettings::default());
        let history = all(&journal);
        if !cut {
            assert_eq!((history.changes.len(), history.damaged_blocks), (45, 1), "flipped at {at}");
        }
        let mut expected = newest_first(0..50);
        expected.retain(|change| history.changes.contains(change));
        assert_eq!(history.changes, expected, "what is found is true and in order");
    }
}

#[test]
fn a_full_disk_drops_and_counts_until_there_is_space() {
    let disk = MemoryDisk::new();
    let (journal, _task) = open(&disk, JournalSettings::default());
    journal.record_all((0..5).map(change));
    journal.flush();
    disk.set_capacity(Some(disk.used() + 100));
    journal.record_all((5..12).map(change));
    journal.flush();
    assert_eq!((all(&journal).dropped, journal.dropped()), (7, 7));
    disk.set_capacity(None);
    journal.record_all((12..15).map(change));
    let history = all(&journal);
    assert_eq!(history.changes, [newest_first(12..15), newest_first(0..5)].concat());
    assert_eq!((history.dropped, history.damaged_blocks), (7, 0));
}

#[tokio::test]
async fn the_task_writes_within_the_interval_and_at_the_end() {
    let disk = MemoryDisk::new();
    let settings =
        JournalSettings { flush_interval: Duration::from_millis(20), ..JournalSettings::default() };
    let (journal, task) = open(&disk, settings);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = task.run(async move { _ = stopped.await });
    let acting = async {
        journal.record(change(0));
        // Only the task can have written it.
        let written = async {
            while disk.used() == 0 {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(5), written).await.unwrap();
        journal.record(change(1));
        stop.send(()).unwrap();
    };
    tokio::join!(running, acting);
    assert_eq!(all(&open(&disk, JournalSettings::default()).0).changes, newest_first(0..2));
}

/// `cargo test --release -p muster-storage -- --ignored --nocapture`
#[test]
#[ignore = "a measurement"]
#[expect(clippy::disallowed_methods, reason = "it measures")]
fn cost_of_a_record() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _task) = Journal::open(Arc::new(RealDisk), dir.path(), JournalSettings::default()).unwrap();
    let sample: Vec<Change> = (0..16).map(change).collect();
    let (mut caller, mut writer) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..100 {
        let changes: Vec<Change> = (0..10_000).map(|number| sample[number % 16].clone()).collect();
        let begun = std::time::Instant::now();
        changes.into_iter().for_each(|change| journal.record(change));
        caller += begun.elapsed();
        let begun = std::time::Instant::now();
        journal.flush();
        writer += begun.elapsed();
    }
    println!("a record costs its caller {:?}, the writer {:?}", caller / 1_000_000, writer / 1_000_000);
}
