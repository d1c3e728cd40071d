//! Flipped bits and cut files: nothing acknowledged vanishes silently.

use super::*;
use muster_runtime::disk::read_all;

const ENTRIES: u64 = 30;

/// A log of thirty appends over several segments.
fn log_on_disk(committed: bool) -> MemoryDisk {
    let disk = new_disk();
    let (mut log, _) = open_on(&disk).unwrap();
    log.save_vote(Vote { term: 4, node: 1, committed: true }).unwrap();
    for index in 0..ENTRIES {
        log.append(&[entry(index, 10 + index as usize * 20)]).unwrap();
    }
    if committed {
        log.save_committed(log.last()).unwrap();
    }
    disk
}

fn files(disk: &MemoryDisk) -> Vec<PathBuf> {
    disk.list(Path::new(DIR)).unwrap().iter().map(|name| Path::new(DIR).join(name)).collect()
}

fn copy(disk: &MemoryDisk) -> MemoryDisk {
    let copy = new_disk();
    for path in files(disk) {
        let file = copy.open(&path, muster_runtime::disk::Open::New).unwrap();
        file.write_at(0, &read_all(disk, &path).unwrap()).unwrap();
    }
    copy
}

/// Opens a damaged log: refused, or every entry is there except those of a reported cut.
fn check(disk: &MemoryDisk, what: &str) -> Result<u64, LogError> {
    let (log, recovery) = open_on(disk)?;
    let found = all(&log);
    assert_eq!(found, entries_of(found.len() as u64), "{what}");
    if (found.len() as u64) < ENTRIES {
        let cut = recovery.cut.unwrap_or_else(|| panic!("{what}: entries are missing without a word"));
        assert_eq!(cut.first, found.len() as u64, "{what}");
        assert_eq!(cut.first + cut.entries, ENTRIES, "{what}");
    }
    assert_eq!(log.vote().map(|vote| vote.term), Some(4), "{what}");
    Ok(ENTRIES - found.len() as u64)
}

fn entries_of(count: u64) -> Vec<Entry> {
    (0..count).map(|index| entry(index, 10 + index as usize * 20)).collect()
}

#[test]
fn one_flipped_bit_anywhere_is_refused_repaired_or_reported() {
    for committed in [false, true] {
        let whole = log_on_disk(committed);
        let (mut refused, mut lost) = (0, 0);
        for seed in 0..1_500 {
            let mut rng = Rng::seeded(seed);
            let disk = copy(&whole);
            let files = files(&disk);
            let path = &files[rng.below(files.len() as u64) as usize];
            let bit = rng.below(read_all(&disk, path).unwrap().len() as u64 * 8) as usize;
            disk.damage(path, |bytes| bytes[bit / 8] ^= 1 << (bit % 8)).unwrap();
            let before = read_all(&disk, path).unwrap();
            match check(&disk, &format!("bit {bit} of {}", path.display())) {
                Ok(missing) => lost += missing,
                Err(LogError::Corrupt(_)) => {
                    assert_eq!(read_all(&disk, path).unwrap(), before, "a refused log is left as it is");
                    refused += 1;
                }
                Err(error) => panic!("bit {bit} of {}: {error}", path.display()),
            }
        }
        assert!(refused > 300, "{refused}");
        // Only the last entry can be taken for a torn one, and not if it was noted as committed.
        assert_eq!(lost > 0, !committed, "{lost}");
    }
}

#[test]
fn a_file_cut_anywhere_is_refused_or_reported() {
    for committed in [false, true] {
        let whole = log_on_disk(committed);
        for seed in 0..600 {
            let mut rng = Rng::seeded(seed);
            let disk = copy(&whole);
            let files: Vec<_> = files(&disk)
                .into_iter()
                .filter(|path| path.extension().is_some_and(|e| e == "log"))
                .collect();
            let path = &files[rng.below(files.len() as u64) as usize];
            let content = read_all(&disk, path).unwrap();
            let used = content.iter().rposition(|byte| *byte != 0).unwrap_or(0);
            let len = rng.below(used as u64) as usize;
            disk.damage(path, |bytes| bytes.truncate(len)).unwrap();
            // A cut exactly between two records of the last segment leaves no trace but the commit point.
            match open_on(&disk) {
                Err(LogError::Corrupt(_)) => {}
                Err(error) => panic!("{}: {error}", path.display()),
                Ok((log, recovery)) => {
                    assert!(!committed, "{} cut to {len}", path.display());
                    assert_eq!(Some(path), files.last());
                    let boundary = recovery.cut.is_none();
                    assert!(!boundary || log.bytes() > 0 || len < segment::HEADER);
                }
            }
        }
    }
}

#[test]
fn a_missing_file_is_refused() {
    let whole = log_on_disk(true);
    for path in files(&whole) {
        let disk = copy(&whole);
        disk.remove(&path).unwrap();
        match open_on(&disk) {
            Err(LogError::Corrupt(_)) => {}
            Err(error) => panic!("{}: {error}", path.display()),
            Ok((log, _)) => {
                assert!(path.ends_with("committed"));
                assert_eq!(all(&log).len() as u64, ENTRIES);
            }
        }
    }
}

#[test]
fn corruption_is_named() {
    let disk = log_on_disk(false);
    let path = Path::new(DIR).join("00000000000000000000.log");
    let offset = segment::HEADER + record::size(10) + record::size(30);
    disk.damage(&path, |bytes| bytes[offset + record::HEADER] ^= 4).unwrap();
    let before = read_all(&disk, &path).unwrap();
    let error = open_on(&disk).unwrap_err();
    let LogError::Corrupt(corruption) = &error else { panic!("{error}") };
    assert_eq!((&corruption.file, corruption.offset, corruption.index), (&path, offset as u64, 2));
    let text = error.to_string();
    for part in ["00000000000000000000.log at offset 208", "entry 2", "muster restore FILE --data-dir DIR"] {
        assert!(text.contains(part), "{text:?} lacks {part:?}");
    }
    assert_eq!(read_all(&disk, &path).unwrap(), before, "a refused log is left as it is");
}

#[test]
fn the_last_record_of_an_older_segment_is_not_taken_for_a_torn_tail() {
    let disk = log_on_disk(false);
    let log = open_on(&disk).unwrap().0;
    let (path, end, next) = {
        let index = log.index.read();
        let segment = &index.segments[0];
        (segment.path.clone(), segment.end, segment.next())
    };
    drop(log);
    disk.damage(&path, |bytes| bytes[end as usize - 9] ^= 1).unwrap();
    let before = read_all(&disk, &path).unwrap();
    let error = open_on(&disk).unwrap_err();
    let LogError::Corrupt(corruption) = &error else { panic!("{error}") };
    assert_eq!((&corruption.file, corruption.index), (&path, next - 1));
    assert_eq!(read_all(&disk, &path).unwrap(), before);
}

#[test]
fn damage_in_the_unused_zeros_is_reported() {
    let disk = new_disk();
    let (mut log, _) = open_on(&disk).unwrap();
    log.append(&entries(0..2, 40)).unwrap();
    let path = Path::new(DIR).join("00000000000000000000.log");
    disk.damage(&path, |bytes| bytes[3_000] ^= 1).unwrap();
    let (log, recovery) = open_on(&disk).unwrap();
    assert_eq!(all(&log), entries(0..2, 40));
    let cut = recovery.cut.unwrap();
    assert!(cut.to_string().contains("1 entries, 2 to 2"), "{cut}");
    assert_eq!((cut.first, cut.offset + cut.bytes), (2, 3_001));
    assert_eq!(open_on(&disk).unwrap().1.cut, None);
}

#[test]
fn a_payload_that_looks_like_a_record_is_not_taken_for_one() {
    // A copy of the beginning of the log as the payload of its last entry, whose own header is then damaged.
    let disk = new_disk();
    let (mut log, _) = open_on(&disk).unwrap();
    log.append(&entries(0..2, 40)).unwrap();
    let path = Path::new(DIR).join("00000000000000000000.log");
    let image = read_all(&disk, &path).unwrap()[segment::HEADER..400].to_vec();
    let offset = segment::HEADER + 2 * record::size(40);
    log.append(&[Entry { payload: image.into(), ..entry(2, 0) }]).unwrap();
    disk.damage(&path, |bytes| bytes[offset + 9] ^= 1).unwrap();
    let (log, recovery) = open_on(&disk).unwrap();
    assert_eq!(all(&log), entries(0..2, 40));
    assert_eq!(recovery.cut.map(|cut| (cut.first, cut.entries)), Some((2, 1)));
}

#[test]
fn damage_after_opening_is_noticed_when_read() {
    let disk = log_on_disk(false);
    let (log, _) = open_on(&disk).unwrap();
    let path = Path::new(DIR).join("00000000000000000000.log");
    disk.damage(&path, |bytes| bytes[segment::HEADER + record::HEADER] ^= 1).unwrap();
    assert!(matches!(log.reader().read(0..1, 0), Err(LogError::Corrupt(_))));
    assert_eq!(log.reader().read(1..2, 0).unwrap(), [entry(1, 30)]);
}
