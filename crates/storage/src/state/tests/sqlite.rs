use super::*;
use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

/// A database in a directory of its own.
fn store_in(dir: &Path) -> SqliteStore {
    SqliteStore::open(&dir.join("state.db")).unwrap()
}

#[test]
fn it_passes_the_suite_and_is_there_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let store = store_in(dir.path());
    suite(&store);
    for file in fs::read_dir(dir.path()).unwrap().map(Result::unwrap) {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o077, 0, "{file:?} is its owner's alone");
    }
    let before = content(&store);
    drop(store);
    assert_eq!(content(&store_in(dir.path())), before);
}

/// Copies the files as a kill would leave them: no connection closes, the write-ahead log is not moved.
fn copy_files(from: &Path, to: &Path) {
    for name in fs::read_dir(from).unwrap().map(|entry| entry.unwrap().file_name()) {
        fs::copy(from.join(&name), to.join(&name)).unwrap();
    }
}

/// A store with some content in the database file and some in the write-ahead log only.
fn filled(dir: &Path, values: &mut BTreeMap<u64, (u64, Vec<Row>)>) -> SqliteStore {
    let store = store_in(dir);
    let resting: Vec<Row> = (0..200).map(|number| put(Table::Service, number, vec![1; 500])).collect();
    store.commit(&resting, b"").unwrap();
    for round in 0..40_u64 {
        let len = 200 * (round as usize % 9);
        let rows = (0..4).map(|n| put(Table::Config, (round * 7 + n * 3) % 50, vec![round as u8; len]));
        store.commit(&rows.collect::<Vec<_>>(), &round.to_le_bytes()).unwrap();
        values.insert(round, (round, content(&store).1));
        if round == 25 {
            store.checkpoint().unwrap();
        }
    }
    store
}

/// Opens a damaged store: refused, or it is exactly what some commit had left. False: refused.
fn is_whole(dir: &Path, values: &BTreeMap<u64, (u64, Vec<Row>)>, what: &str) -> bool {
    let store = match SqliteStore::open(&dir.join("state.db")) {
        Ok(store) => store,
        Err(StateError::Damaged(_)) => return false,
        Err(error) => panic!("{what}: {error}"),
    };
    let (applied, rows) = content(&store);
    let Some(applied) = applied.filter(|applied| !applied.is_empty()) else {
        assert!(rows.is_empty() || rows.len() == 200, "{what}");
        return true;
    };
    let round = u64::from_le_bytes(applied[..].try_into().unwrap());
    assert!(rows == values[&round].1, "{what}: not what commit {round} has left");
    true
}

#[test]
fn damage_is_detected_or_leaves_the_state_of_a_commit() {
    let original = tempfile::tempdir().unwrap();
    let mut values = BTreeMap::new();
    let _open = filled(original.path(), &mut values);
    let mut refused = 0;
    for seed in 0..300 {
        let mut rng = Rng::seeded(seed);
        let dir = tempfile::tempdir().unwrap();
        copy_files(original.path(), dir.path());
        let name = ["state.db", "state.db-wal", "state.db", "state.db-shm"][rng.below(4) as usize];
        let path = dir.path().join(name);
        let mut bytes = fs::read(&path).unwrap();
        let at = rng.below(bytes.len() as u64) as usize;
        let what = if seed % 5 == 0 {
            bytes.truncate(at);
            format!("{name} cut to {at}")
        } else {
            bytes[at] ^= 1 << rng.below(8);
            format!("{name} flipped at {at}")
        };
        fs::write(&path, bytes).unwrap();
        refused += u64::from(!is_whole(dir.path(), &values, &what));
    }
    assert!(refused > 30, "{refused}");
}

#[test]
fn a_row_that_decays_while_open_is_not_served() {
    let dir = tempfile::tempdir().unwrap();
    let store = store_in(dir.path());
    store.commit(&[put(Table::Config, 1, "content")], b"1").unwrap();
    let other = rusqlite::Connection::open(dir.path().join("state.db")).unwrap();
    other.execute("UPDATE row SET value = x'00'", []).unwrap();
    assert!(matches!(store.get(Table::Config, &key(1)), Err(StateError::Damaged(_))));
    assert!(matches!(store.scan(Table::Config, b"", 9), Err(StateError::Damaged(_))));
    assert!(store.export().unwrap().rows.any(|row| row.is_err()));
}

#[test]
fn a_missing_row_is_noticed_by_an_export_and_at_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let store = store_in(dir.path());
    store.commit(&[put(Table::Config, 1, "a"), put(Table::Config, 2, "b")], b"1").unwrap();
    let other = rusqlite::Connection::open(dir.path().join("state.db")).unwrap();
    other.execute("DELETE FROM row WHERE key = ?1", [&key(2)[..]]).unwrap();
    assert!(store.export().unwrap().rows.last().unwrap().is_err());
    drop(store);
    let error = SqliteStore::open(&dir.path().join("state.db")).unwrap_err();
    assert!(error.to_string().contains("1 rows were found which are not the 2"), "{error}");
}

#[test]
fn a_full_disk_is_an_error_to_repeat() {
    let dir = tempfile::tempdir().unwrap();
    let store = store_in(dir.path());
    store.commit(&[put(Table::Config, 1, "a")], b"1").unwrap();
    store.limit_pages(8);
    let large = put(Table::ConfigContent, 2, vec![1; 200_000]);
    assert!(store.commit(std::slice::from_ref(&large), b"2").unwrap_err().is_full());
    assert_eq!(content(&store), (Some("1".into()), vec![put(Table::Config, 1, "a")]));
    store.limit_pages(1_000_000);
    store.commit(&[large], b"2").unwrap();
    drop(store);
    assert_eq!(content(&store_in(dir.path())).0.unwrap(), "2");
}

#[test]
fn a_newer_format_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.db");
    SqliteStore::open(&path).unwrap().write_version(2);
    let error = SqliteStore::open(&path).unwrap_err();
    assert!(error.to_string().contains("start a newer muster"), "{error}");
}

/// How long a start takes that has to look at every row: `cargo test -p muster-storage -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
#[expect(clippy::disallowed_methods, reason = "it measures")]
fn opening_a_hundred_thousand_configs() {
    let dir = tempfile::tempdir().unwrap();
    let store = store_in(dir.path());
    for chunk in 0..100_u64 {
        let rows: Vec<Row> = (0..1_000)
            .flat_map(|n| {
                let number = chunk * 1_000 + n;
                [
                    put(Table::Config, number, vec![n as u8; 150]),
                    put(Table::ConfigContent, number, vec![n as u8; 1_024]),
                ]
            })
            .collect();
        let begun = std::time::Instant::now();
        store.commit(&rows, &chunk.to_le_bytes()).unwrap();
        if chunk % 25 == 0 {
            println!("commit of 2,000 rows: {:?}", begun.elapsed());
        }
    }
    let begun = std::time::Instant::now();
    for number in 0..2_000 {
        store
            .commit(
                &[put(Table::Config, number, "x"), put(Table::ConfigContent, number, vec![1; 1_024])],
                b"x",
            )
            .unwrap();
    }
    println!("commit of 2 rows: {:?}", begun.elapsed() / 2_000);
    let begun = std::time::Instant::now();
    store.checkpoint().unwrap();
    println!("checkpoint: {:?}", begun.elapsed());
    drop(store);
    println!("size: {}", fs::metadata(dir.path().join("state.db")).unwrap().len());
    let begun = std::time::Instant::now();
    let store = store_in(dir.path());
    println!("open: {:?}", begun.elapsed());
    let begun = std::time::Instant::now();
    for number in 0..10_000 {
        store.get(Table::ConfigContent, &key(number)).unwrap();
    }
    println!("get: {:?}", begun.elapsed() / 10_000);
}

/// A commit that comes while the log is moved keeps SQLite from beginning it anew.
#[test]
fn the_write_ahead_log_is_begun_anew_under_commits_without_a_pause() {
    let dir = tempfile::tempdir().unwrap();
    let store = store_in(dir.path());
    // Its header counts how often.
    let begun = || {
        let header = fs::read(dir.path().join("state.db-wal")).unwrap();
        u32::from_be_bytes(header[12..16].try_into().unwrap())
    };
    (0..65).for_each(|number| store.commit(&[put(Table::Config, number, vec![1; 1 << 20])], b"a").unwrap());
    let before = begun();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut number = 0;
            while !is_over.load(Relaxed) {
                store.commit(&[put(Table::Config, number % 65, vec![2; 64 << 10])], b"b").unwrap();
                number += 1;
            }
        });
        store.checkpoint().unwrap();
        store.checkpoint().unwrap();
        is_over.store(true, Relaxed);
    });
    store.commit(&[], b"c").unwrap();
    assert!(begun() > before, "{} bytes", fs::metadata(dir.path().join("state.db-wal")).unwrap().len());
    let before = content(&store);
    drop(store);
    assert_eq!(content(&store_in(dir.path())), before);
}

#[test]
fn an_export_only_puts_off_that_the_write_ahead_log_is_begun_anew() {
    let dir = tempfile::tempdir().unwrap();
    let store = store_in(dir.path());
    let large = |number| put(Table::Config, number, vec![1; 1 << 20]);
    store.commit(&[large(0)], b"a").unwrap();
    let export = store.export().unwrap();
    (1..70).for_each(|number| store.commit(&[large(number)], b"b").unwrap());
    assert_eq!(store.checkpoint().unwrap().as_deref(), Some(&b"b"[..]));
    assert_eq!(export.rows.count(), 1, "what it shows stays");
    assert_eq!(store.checkpoint().unwrap().as_deref(), Some(&b"b"[..]));
    store.commit(&[large(70)], b"c").unwrap();
    let wal = fs::metadata(dir.path().join("state.db-wal")).unwrap().len();
    assert!(wal <= 64 << 20, "{wal} bytes");
    assert_eq!(content(&store).1.len(), 71);
}

/// Each small row costs a page or two in the write-ahead log: it is far longer than what was written.
#[test]
fn small_rows_make_a_checkpoint_due_before_the_write_ahead_log_is_long() {
    let dir = tempfile::tempdir().unwrap();
    let store = store_in(dir.path());
    let wal = || fs::metadata(dir.path().join("state.db-wal")).unwrap().len();
    let (mut checkpoints, mut longest) = (0, 0);
    for round in 0..300_u64 {
        let rows =
            (0..100).map(|n| put(Table::Config, (round * 7_919 + n * 104_729) % 100_000, vec![1; 200]));
        store.commit(&rows.collect::<Vec<_>>(), &round.to_le_bytes()).unwrap();
        longest = longest.max(wal());
        if store.is_checkpoint_due() {
            store.checkpoint().unwrap();
            assert!(!store.is_checkpoint_due() || wal() > 64 << 20);
            store.commit(&[], b"begun anew").unwrap();
            assert!(!store.is_checkpoint_due());
            checkpoints += 1;
        }
    }
    assert!(checkpoints > 1, "{checkpoints}");
    assert!(longest < 70 << 20, "{longest}");
}
