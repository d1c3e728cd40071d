use super::*;
use crate::{
    log::{Entry, EntryId, Log, LogSettings},
    state::{SqliteStore, StateError, StateStore},
};
use muster_model::{Row, Table};
use muster_runtime::{
    Rng,
    disk::{MemoryDisk, Operation, RealDisk},
};
use std::{collections::BTreeMap, fs, io};

fn real() -> Arc<dyn Disk> {
    Arc::new(RealDisk)
}

fn number(marker: &[u8]) -> Option<u64> {
    marker.try_into().ok().map(u64::from_le_bytes)
}

fn index_of(marker: &[u8]) -> MarkerIndex {
    if marker.starts_with(b"newer") {
        return MarkerIndex::Newer(2);
    }
    number(marker).map_or(MarkerIndex::None, MarkerIndex::Entry)
}

fn entry(index: u64) -> Entry {
    let mut rng = Rng::seeded(index);
    let payload = (0..60).map(|_| rng.next_u64() as u8).collect::<Vec<_>>().into();
    Entry { index, term: 1, node: 1, payload }
}

/// What a toy state machine makes of an entry: one row.
fn apply(store: &dyn StateStore, entry: &Entry) -> Result<(), StateError> {
    let key = format!("{:03}", entry.index % 64).into();
    let row = Row { table: Table::Config, key, value: Some(entry.payload.clone()) };
    store.commit(&[row], &entry.index.to_le_bytes())
}

fn content(store: &dyn StateStore) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let rows = store.scan(Table::Config, b"", usize::MAX).unwrap();
    rows.into_iter().map(|(key, value)| (key.to_vec(), value.to_vec())).collect()
}

fn wanted(entries: u64) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let row = |index: u64| (format!("{:03}", index % 64).into_bytes(), entry(index).payload.to_vec());
    (0..entries).map(row).collect()
}

/// A start: everything is opened, and the log is replayed from where the state ends.
fn start(path: &Path) -> Result<(DataDir, Log, SqliteStore, StateOrigin), DataDirError> {
    let dir = DataDir::open(real(), path)?;
    let settings = LogSettings { segment_bytes: 4_096, ..LogSettings::default() };
    let (mut log, _) = Log::open(real(), &dir.log_dir(), settings)?;
    let (store, origin) = dir.open_state(&log.reader(), &index_of)?;
    let applied = store.applied()?.and_then(|marker| number(&marker));
    if let Some(applied) = applied.filter(|applied| log.last().is_none_or(|last| last.index < *applied)) {
        log.purge_to(EntryId { index: applied, term: 1, node: 1 })?;
    }
    let from = applied.map_or(0, |applied| applied + 1);
    for entry in log.reader().read(from..u64::MAX, usize::MAX)? {
        apply(&store, &entry)?;
    }
    Ok((dir, log, store, origin))
}

/// A directory with a hundred acknowledged entries, of which the first sixty are only in a snapshot and the
/// state; left as a kill leaves it.
fn used(path: &Path, purge: bool) {
    let (dir, mut log, store, _) = start(path).unwrap();
    for index in 0..100 {
        log.append(&[entry(index)]).unwrap();
        log.save_committed(log.last()).unwrap();
        apply(&store, &entry(index)).unwrap();
        if index == 70 && purge {
            store.checkpoint().unwrap();
            dir.snapshots().unwrap().write(store.export().unwrap()).unwrap();
            log.purge_to(entry(60).id()).unwrap();
        }
    }
}

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for item in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(item.file_name());
        if item.file_type().unwrap().is_dir() {
            copy_tree(&item.path(), &target);
        } else {
            fs::copy(item.path(), target).unwrap();
        }
    }
}

fn files_below(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for item in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        if item.file_type().unwrap().is_dir() {
            files.extend(files_below(&item.path()));
        } else if item.metadata().unwrap().len() > 0 {
            files.push(item.path());
        }
    }
    files.sort();
    files
}

#[test]
fn a_start_finds_what_the_last_one_left() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("data");
    let (dir, _log, store, origin) = start(&path).unwrap();
    assert_eq!((origin, content(&store)), (StateOrigin::New, BTreeMap::new()));
    drop((dir, _log, store));
    used(&path, true);
    let (_dir, log, store, origin) = start(&path).unwrap();
    assert_eq!((origin, log.first()), (StateOrigin::Intact, Some(61)));
    assert_eq!(content(&store), wanted(100));
}

#[test]
fn whatever_file_is_damaged_nothing_acknowledged_is_silently_missing() {
    let temp = tempfile::tempdir().unwrap();
    let (mut rebuilt, mut refused) = (0, 0);
    for purge in [false, true] {
        let original = temp.path().join(format!("original-{purge}"));
        used(&original, purge);
        for seed in 0..100 {
            let mut rng = Rng::seeded(seed);
            let path = temp.path().join("damaged");
            copy_tree(&original, &path);
            let files = files_below(&path);
            let file = &files[rng.below(files.len() as u64) as usize];
            let mut bytes = fs::read(file).unwrap();
            let at = rng.below(bytes.len() as u64) as usize;
            if seed % 5 == 0 {
                bytes.truncate(at)
            } else {
                bytes[at] ^= 1 << rng.below(8)
            }
            fs::write(file, bytes).unwrap();
            let what = format!("purge {purge}, seed {seed}: {} at {at}", file.display());
            match start(&path) {
                Ok((_dir, _log, store, origin)) => {
                    assert!(content(&store) == wanted(100), "{what}: {origin:?}");
                    rebuilt += u64::from(origin != StateOrigin::Intact);
                }
                Err(DataDirError::Disk(error)) => panic!("{what}: {error}"),
                Err(_) => refused += 1,
            }
            fs::remove_dir_all(&path).unwrap();
        }
    }
    assert!(rebuilt > 5 && refused > 25, "{rebuilt} rebuilt, {refused} refused");
}

#[test]
fn a_missing_or_broken_state_is_rebuilt_from_snapshot_and_log() {
    let temp = tempfile::tempdir().unwrap();
    for (purge, name) in [(true, "a"), (false, "b")] {
        let path = temp.path().join(name);
        used(&path, purge);
        for broken in [false, true] {
            if broken {
                fs::write(path.join(STATE), b"this is not a database").unwrap();
            } else {
                fs::remove_file(path.join(STATE)).unwrap();
            }
            let (_dir, _log, store, origin) = start(&path).unwrap();
            assert_eq!(content(&store), wanted(100));
            assert_eq!(matches!(origin, StateOrigin::Snapshot { .. }), purge, "{origin:?}");
            assert_eq!(matches!(origin, StateOrigin::Log { .. }), !purge, "{origin:?}");
            assert!(!broken || path.join("state.db.damaged").exists());
        }
    }
}

/// Each of the files that a newer version may have left, and that only: all of it stays as it is.
#[test]
fn what_a_newer_version_wrote_is_refused_and_not_touched() {
    for part in ["state", "snapshot"] {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("data");
        used(&path, true);
        let (dir, log, store, _) = start(&path).unwrap();
        store.commit(&[], b"newer").unwrap();
        if part == "snapshot" {
            dir.snapshots().unwrap().write(store.export().unwrap()).unwrap();
        }
        // A copy, as a kill leaves it: the write-ahead log is not moved.
        let copied = temp.path().join("copy");
        copy_tree(&path, &copied);
        drop((dir, log, store));
        if part == "snapshot" {
            SqliteStore::files(&copied.join("state.db"))
                .iter()
                .for_each(|file| fs::remove_file(file).unwrap());
        }
        let content = |files: Vec<PathBuf>| -> Vec<_> {
            let own = |file: &PathBuf| !file.ends_with("LOCK") && !file.ends_with("state.db-shm");
            files.into_iter().filter(own).map(|file| (fs::read(&file).unwrap(), file)).collect()
        };
        let before = content(files_below(&copied));
        let refused = start(&copied).map(drop).unwrap_err();
        assert!(matches!(refused, DataDirError::NewerFormat { found: 2, .. }), "{part}: {refused}");
        assert!(refused.to_string().contains("start a newer muster"), "{refused}");
        let after = content(files_below(&copied));
        assert!(before == after, "{part}: something was changed");
    }
}

#[test]
fn a_state_that_ends_before_the_log_begins_is_rebuilt() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("data");
    let (dir, mut log, store, _) = start(&path).unwrap();
    for index in 0..20 {
        log.append(&[entry(index)]).unwrap();
        apply(&store, &entry(index)).unwrap();
    }
    store.checkpoint().unwrap();
    let old = fs::read(path.join(STATE)).unwrap();
    // This one is whole, but does not reach the log, so it must never be used.
    dir.snapshots().unwrap().write(store.export().unwrap()).unwrap();
    for index in 20..50 {
        log.append(&[entry(index)]).unwrap();
        apply(&store, &entry(index)).unwrap();
    }
    let snapshot = dir.snapshots().unwrap().write(store.export().unwrap()).unwrap();
    log.purge_to(entry(40).id()).unwrap();
    drop((dir, log, store));
    put_database(&path, &old);
    let (dir, log, store, origin) = start(&path).unwrap();
    assert_eq!(
        origin,
        StateOrigin::Snapshot { path: snapshot.path.clone(), why: "it ends with entry 19".into() }
    );
    assert_eq!(content(&store), wanted(50));
    drop((dir, log, store));
    put_database(&path, &old);
    fs::write(&snapshot.path, b"MUSTERSN").unwrap();
    let error = start(&path).map(|_| ()).unwrap_err();
    for part in ["it ends with entry 19", "purged up to entry 40", "muster restore"] {
        assert!(error.to_string().contains(part), "{error}");
    }
}

/// Replaces the database by an older file of it.
fn put_database(path: &Path, old: &[u8]) {
    for file in SqliteStore::files(&path.join(STATE)) {
        _ = fs::remove_file(file);
    }
    fs::write(path.join(STATE), old).unwrap();
}

#[test]
fn a_backup_is_restored_into_an_empty_directory_only() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("data");
    used(&path, true);
    let mut backup = Vec::new();
    let (_dir, _log, store, _) = start(&path).unwrap();
    crate::snapshot::write_to(store.export().unwrap(), &mut backup).unwrap();
    let other = temp.path().join("other");
    assert_eq!(DataDir::restore(real(), &other, &mut &backup[..]).unwrap(), 64);
    let again = DataDir::restore(real(), &other, &mut &backup[..]).unwrap_err();
    assert!(matches!(again, DataDirError::NotEmpty { .. }), "{again}");
    let (_dir, mut log, store, origin) = start(&other).unwrap();
    assert!(matches!(origin, StateOrigin::Snapshot { .. }));
    assert_eq!((content(&store), log.last().map(|id| id.index)), (wanted(100), Some(99)));
    log.append(&[entry(100)]).unwrap();
    let third = temp.path().join("third");
    let cut = DataDir::restore(real(), &third, &mut &backup[..900]).unwrap_err();
    assert!(cut.to_string().contains("damaged: it is cut"), "{cut}");
    let unfinished = DataDir::open(real(), &third).unwrap_err();
    assert!(matches!(unfinished, DataDirError::RestoreUnfinished { .. }), "{unfinished}");
    assert_eq!(DataDir::restore(real(), &third, &mut &backup[..]).unwrap(), 64);
    DataDir::open(real(), &third).unwrap();
}

#[test]
fn a_restored_snapshot_that_decays_before_the_first_start_is_refused() {
    let temp = tempfile::tempdir().unwrap();
    let (path, other) = (temp.path().join("data"), temp.path().join("other"));
    used(&path, false);
    let (_dir, _log, store, _) = start(&path).unwrap();
    let mut backup = Vec::new();
    crate::snapshot::write_to(store.export().unwrap(), &mut backup).unwrap();
    DataDir::restore(real(), &other, &mut &backup[..]).unwrap();
    let file = &files_below(&other.join(SNAPSHOTS))[0];
    backup[700] ^= 1;
    fs::write(file, backup).unwrap();
    assert!(matches!(start(&other).map(|_| ()), Err(DataDirError::Unrecoverable { .. })));
}

#[test]
fn a_second_user_is_refused() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("data");
    let first = DataDir::open(real(), &path).unwrap();
    let error = DataDir::open(real(), &path).unwrap_err();
    assert!(error.to_string().contains(&format!("(process {})", std::process::id())), "{error}");
    drop(first);
    DataDir::open(real(), &path).unwrap();
}

#[test]
fn a_directory_that_can_t_be_ours_is_refused_with_a_reason() {
    let temp = tempfile::tempdir().unwrap();
    let open =
        |name: &str| DataDir::open(real(), &temp.path().join(name)).map(|_| ()).unwrap_err().to_string();
    assert!(open("missing/data").contains("missing does not exist: create it"), "{}", open("missing/data"));
    fs::create_dir(temp.path().join("home")).unwrap();
    fs::write(temp.path().join("home/letter.txt"), "dear").unwrap();
    assert!(open("home").contains("holds letter.txt and no FORMAT file"), "{}", open("home"));
    assert!(!temp.path().join("home/LOCK").exists(), "nothing is left in it");

    let path = temp.path().join("data");
    drop(DataDir::open(real(), &path).unwrap());
    fs::write(path.join(FORMAT), "muster data directory, format 2\n").unwrap();
    assert!(open("data").contains("format version 2"), "{}", open("data"));
    fs::write(path.join(FORMAT), "muster data directory, farmat 1\n").unwrap();
    assert!(open("data").contains("FORMAT is damaged"), "{}", open("data"));
    fs::remove_file(path.join(FORMAT)).unwrap();
    assert!(open("data").contains("FORMAT is damaged"), "{}", open("data"));

    let source = io::Error::from(io::ErrorKind::ReadOnlyFilesystem);
    let denied = DiskError::Denied { operation: Operation::Open, path: path.clone(), source };
    let error = DataDirError::sort(&path, denied).to_string();
    assert!(error.contains("can't be written") && error.contains("read-only"), "{error}");
}

#[test]
fn an_interrupted_first_start_is_begun_again() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("data");
    fs::create_dir(&path).unwrap();
    fs::write(path.join(LOCK), "").unwrap();
    fs::write(path.join("FORMAT.new"), "must").unwrap();
    DataDir::open(real(), &path).unwrap();
    assert_eq!(fs::read_to_string(path.join(FORMAT)).unwrap(), "muster data directory, format 1\n");
}

#[test]
fn after_a_power_cut_during_the_first_start_the_next_one_works() {
    for seed in 0..200 {
        let mut rng = Rng::seeded(seed);
        let disk = MemoryDisk::new();
        disk.create_dir_all(Path::new("/var")).unwrap();
        let path = Path::new("/var/data");
        let first = DataDir::open(Arc::new(disk.clone()), path).and_then(|dir| {
            disk.fail_syncs(rng.below(2));
            Ok(Log::open(Arc::new(disk.clone()), &dir.log_dir(), LogSettings::default())?)
        });
        let failed = first.is_err();
        drop(first);
        disk.power_cut(&mut rng);
        disk.fail_syncs(0);
        let dir = DataDir::open(Arc::new(disk.clone()), path).unwrap();
        Log::open(Arc::new(disk.clone()), &dir.log_dir(), LogSettings::default()).unwrap();
        assert!(failed || disk.exists(&path.join(FORMAT)).unwrap());
    }
}
