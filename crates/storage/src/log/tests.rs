use super::*;
use muster_runtime::disk::MemoryDisk;

mod damage;
mod power;
mod space;

const DIR: &str = "/log";
const SEGMENT: u64 = 4_096;

fn new_disk() -> MemoryDisk {
    let disk = MemoryDisk::new();
    disk.create_dir_all(Path::new(DIR)).unwrap();
    disk
}

fn open_on(disk: &dyn CloneDisk) -> Result<(Log, Recovery), LogError> {
    let settings = LogSettings { segment_bytes: SEGMENT, rng: Rng::seeded(1) };
    Log::open(disk.shared(), Path::new(DIR), settings)
}

/// Anything a log can be opened on in these tests.
trait CloneDisk {
    fn shared(&self) -> Arc<dyn Disk>;
}

impl<D: Disk + Clone> CloneDisk for D {
    fn shared(&self) -> Arc<dyn Disk> {
        Arc::new(self.clone())
    }
}

/// An entry whose payload can be told from every other one's.
fn entry(index: u64, len: usize) -> Entry {
    let payload: Vec<u8> = (0..len).map(|at| (index as usize * 31 + at * 7) as u8).collect();
    Entry { index, term: 1 + index / 10, node: 1, payload: payload.into() }
}

fn entries(indexes: std::ops::Range<u64>, len: usize) -> Vec<Entry> {
    indexes.map(|index| entry(index, len)).collect()
}

fn start(log: &Log) -> u64 {
    log.purged().map_or(0, |purged| purged.index + 1)
}

fn all(log: &Log) -> Vec<Entry> {
    log.reader().read(start(log)..u64::MAX, usize::MAX).unwrap()
}

#[test]
fn entries_are_there_after_reopening() {
    let disk = new_disk();
    let (mut log, recovery) = open_on(&disk).unwrap();
    assert_eq!(recovery, Recovery::default());
    assert_eq!((log.first(), log.last(), log.vote()), (None, None, None));
    for first in (0..100).step_by(5) {
        log.append(&entries(first..first + 5, first as usize * 10)).unwrap();
    }
    let written = all(&log);
    assert_eq!(written.len(), 100);
    let vote = Vote { term: 7, node: 3, committed: true };
    log.save_vote(vote).unwrap();
    log.save_committed(Some(entry(90, 0).id())).unwrap();
    drop(log);

    let (log, recovery) = open_on(&disk).unwrap();
    assert_eq!(recovery, Recovery { entries: 100, ..Recovery::default() });
    assert_eq!(all(&log), written);
    assert_eq!((log.first(), log.last()), (Some(0), Some(entry(99, 0).id())));
    assert_eq!((log.vote(), log.committed()), (Some(vote), Some(entry(90, 0).id())));
    assert!(disk.list(Path::new(DIR)).unwrap().len() > 5, "it has several segments");
}

#[test]
fn an_append_is_one_sync() {
    let disk = new_disk();
    let (mut log, _) = open_on(&disk).unwrap();
    log.append(&[entry(0, 10)]).unwrap();
    let before = disk.syncs();
    log.append(&entries(1..9, 10)).unwrap();
    assert_eq!(disk.syncs(), before + 1);
}

#[test]
fn an_append_larger_than_a_segment_gets_one_of_its_own() {
    let disk = new_disk();
    let (mut log, _) = open_on(&disk).unwrap();
    let large = vec![entry(0, 10), entry(1, 3 * SEGMENT as usize), entry(2, 0)];
    large.iter().for_each(|entry| log.append(std::slice::from_ref(entry)).unwrap());
    let (log, _) = open_on(&disk).unwrap();
    assert_eq!(all(&log), large);
}

#[test]
fn reading_keeps_to_range_and_size_but_gives_one() {
    let disk = new_disk();
    let (mut log, _) = open_on(&disk).unwrap();
    log.append(&entries(0..40, 200)).unwrap();
    log.append(&entries(40..80, 200)).unwrap();
    let read = |range, max| {
        let found = log.reader().read(range, max).unwrap();
        found.iter().for_each(|found| assert_eq!(*found, entry(found.index, 200)));
        found.iter().map(|entry| entry.index).collect::<Vec<_>>()
    };
    assert_eq!(read(3..7, usize::MAX), [3, 4, 5, 6]);
    assert_eq!(read(3..7, 0), [3]);
    assert_eq!(read(38..80, 800), [38, 39, 40, 41]);
    assert_eq!(read(79..200, usize::MAX), [79]);
    assert_eq!(read(80..200, usize::MAX), [0; 0]);
    assert_eq!(log.reader().id(41).unwrap(), Some(entry(41, 0).id()));
    assert_eq!(log.reader().id(80).unwrap(), None);
}

#[test]
fn only_the_next_entry_is_taken() {
    let disk = new_disk();
    let (mut log, _) = open_on(&disk).unwrap();
    let refused = |result| matches!(result, Err(LogError::OutOfOrder { expected: 0, found: 1 }));
    assert!(refused(log.append(&[entry(1, 0)])));
    log.append(&entries(0..3, 9)).unwrap();
    assert!(log.append(&[entry(2, 0)]).is_err());
    assert!(log.append(&[entry(3, 0), entry(5, 0)]).is_err());
    assert_eq!(all(&log), entries(0..3, 9));
}

#[test]
fn truncating_takes_the_end_away_and_the_log_goes_on() {
    for from in [0, 1, 17, 39, 40] {
        let disk = new_disk();
        let (mut log, _) = open_on(&disk).unwrap();
        for index in 0..40 {
            log.append(&[entry(index, 300)]).unwrap();
        }
        log.truncate_from(from).unwrap();
        assert_eq!(all(&log), entries(0..from, 300));
        let other: Vec<Entry> = (from..from + 3).map(|index| Entry { term: 9, ..entry(index, 50) }).collect();
        log.append(&other).unwrap();
        let (log, recovery) = open_on(&disk).unwrap();
        assert_eq!(recovery, Recovery { entries: from + 3, ..Recovery::default() });
        assert_eq!(all(&log), [entries(0..from, 300), other].concat());
    }
}

#[test]
fn purging_takes_the_beginning_away_with_its_files() {
    let disk = new_disk();
    let (mut log, _) = open_on(&disk).unwrap();
    for index in 0..40 {
        log.append(&[entry(index, 300)]).unwrap();
    }
    let used = disk.used();
    log.purge_to(entry(25, 0).id()).unwrap();
    assert!(disk.used() <= used - 2 * SEGMENT);
    for _ in 0..2 {
        assert_eq!((log.first(), log.purged()), (Some(26), Some(entry(25, 0).id())));
        assert!(matches!(log.reader().read(25..30, 0), Err(LogError::Purged { index: 25, first: 26 })));
        assert_eq!(log.reader().id(25).unwrap(), Some(entry(25, 0).id()));
        assert_eq!(log.reader().id(24).unwrap(), None);
        assert_eq!(all(&log), entries(26..40, 300));
        let (reopened, recovery) = open_on(&disk).unwrap();
        assert_eq!(recovery.entries, 14);
        log = reopened;
    }
}

#[test]
fn purging_beyond_the_end_lets_the_log_go_on_behind() {
    for last in [39, 100] {
        let disk = new_disk();
        let (mut log, _) = open_on(&disk).unwrap();
        log.append(&entries(0..40, 300)).unwrap();
        let id = entry(last, 0).id();
        log.purge_to(id).unwrap();
        let (mut log, _) = open_on(&disk).unwrap();
        assert_eq!((log.first(), log.last()), (None, Some(id)));
        log.append(&entries(last + 1..last + 4, 300)).unwrap();
        let (log, _) = open_on(&disk).unwrap();
        assert_eq!(all(&log), entries(last + 1..last + 4, 300));
    }
}

#[test]
fn what_fits_into_bytes_is_found_over_segments_and_beside_what_was_purged() {
    let (mut log, _) = open_on(&new_disk()).unwrap();
    log.append(&entries(0..10, 400)).unwrap();
    (10..40).for_each(|index| log.append(&[entry(index, 400)]).unwrap());
    assert!(log.index.read().segments.len() > 2);
    let reader = log.reader();
    let each = log.bytes() / 40;
    assert_eq!(reader.first_within(40, u64::MAX), 0);
    assert_eq!(reader.first_within(40, 0), 40);
    for end in [1, 7, 39, 40, 50] {
        let have = end.min(40);
        for count in 0..=have {
            assert_eq!(reader.first_within(end, count * each), have - count);
            assert_eq!(reader.first_within(end, count * each + each - 1), have - count);
        }
    }
    for from in [0, 1, 20, 40, 50] {
        assert_eq!(reader.bytes_from(from), 40_u64.saturating_sub(from) * each);
    }
    log.purge_to(entry(25, 0).id()).unwrap();
    assert_eq!(reader.first_within(40, u64::MAX), 26);
    assert_eq!(reader.first_within(20, u64::MAX), 20, "nothing of that is left");
}

#[test]
fn a_reader_goes_on_while_the_log_is_purged_and_truncated() {
    let disk = new_disk();
    let (mut log, _) = open_on(&disk).unwrap();
    log.append(&entries(0..10, 300)).unwrap();
    let reader = log.reader();
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| {
            let mut reads = 0;
            while reader.last().is_none_or(|last| last.index < 2_000) {
                let Some(first) = reader.first() else { continue };
                match reader.read(first..u64::MAX, 2_000) {
                    Ok(found) => found.iter().for_each(|found| assert_eq!(*found, entry(found.index, 300))),
                    Err(LogError::Purged { .. }) => {}
                    Err(error) => panic!("{error}"),
                }
                reads += 1;
            }
            reads
        });
        for index in 10..=2_000 {
            log.append(&[entry(index, 300)]).unwrap();
            if index % 7 == 0 {
                log.truncate_from(index - 2).unwrap();
                log.append(&entries(index - 2..index + 1, 300)).unwrap();
                log.purge_to(entry(index - 6, 0).id()).unwrap();
            }
        }
        assert!(reading.join().unwrap() > 0);
    });
}

#[test]
fn a_newer_format_is_refused() {
    let disk = new_disk();
    let (mut log, _) = open_on(&disk).unwrap();
    log.append(&entries(0..3, 10)).unwrap();
    let newer = |bytes: &mut Vec<u8>| {
        bytes[8] = 2;
        let crc = crc32c::crc32c(&bytes[..60]).to_le_bytes();
        bytes[60..64].copy_from_slice(&crc);
    };
    disk.damage(&Path::new(DIR).join("00000000000000000000.log"), newer).unwrap();
    let error = open_on(&disk).unwrap_err();
    assert!(matches!(error, LogError::NewerFormat { found: 2, .. }));
    assert!(error.to_string().contains("start a newer muster"), "{error}");
}

/// What an append costs beside a bare write and sync: `cargo test -p muster-storage -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
#[expect(clippy::disallowed_methods, reason = "it measures")]
fn cost_of_an_append() {
    use muster_runtime::disk::{Open, RealDisk};
    let dir = tempfile::tempdir_in(".").unwrap();
    let (mut log, _) = Log::open(Arc::new(RealDisk), dir.path(), LogSettings::default()).unwrap();
    let file = RealDisk.open(&dir.path().join("bare"), Open::New).unwrap();
    file.preallocate(16 << 20).unwrap();
    let (mut bare, mut own) = (Vec::new(), Vec::new());
    for index in 0..2_000 {
        let begun = std::time::Instant::now();
        file.write_at(index * 1_072, &[7; 1_072]).unwrap();
        file.sync_data().unwrap();
        bare.push(begun.elapsed());
        let begun = std::time::Instant::now();
        log.append(&[Entry { term: 1, ..entry(index, 1_024) }]).unwrap();
        own.push(begun.elapsed());
    }
    bare.sort();
    own.sort();
    println!("bare p50 {:?} p99 {:?}", bare[1_000], bare[1_980]);
    println!("append p50 {:?} p99 {:?}", own[1_000], own[1_980]);
}
