//! The suite that every store passes, and what SQLite adds: damage, a full disk, speed.

use super::*;
use muster_runtime::Rng;
use std::collections::BTreeMap;

mod sqlite;

fn key(number: u64) -> Bytes {
    format!("key-{number:03}").into_bytes().into()
}

fn put(table: Table, number: u64, value: impl Into<Bytes>) -> Row {
    Row { table, key: key(number), value: Some(value.into()) }
}

fn delete(table: Table, number: u64) -> Row {
    Row { table, key: key(number), value: None }
}

fn content(store: &dyn StateStore) -> (Option<Bytes>, Vec<Row>) {
    let export = store.export().unwrap();
    (export.applied, export.rows.map(Result::unwrap).collect())
}

/// Every behaviour that is not one implementation's own.
fn suite(store: &dyn StateStore) {
    starts_empty(store);
    keeps_rows_in_order(store);
    later_rows_of_a_commit_win(store);
    an_export_stands_still(store);
    an_import_replaces_all_or_nothing(store);
    behaves_like_a_map(store);
}

fn starts_empty(store: &dyn StateStore) {
    assert_eq!(store.applied().unwrap(), None);
    assert_eq!(store.checkpoint().unwrap(), None);
    assert_eq!(store.get(Table::Config, b"a").unwrap(), None);
    assert_eq!(content(store), (None, vec![]));
}

fn keeps_rows_in_order(store: &dyn StateStore) {
    let rows: Vec<Row> =
        [5, 1, 3].map(|number| put(Table::Config, number, format!("v{number}").into_bytes())).to_vec();
    store.commit(&rows, b"1").unwrap();
    store.commit(&[put(Table::ConfigContent, 2, vec![7; 100_000]), put(Table::Lock, 9, "")], b"2").unwrap();
    assert_eq!(store.applied().unwrap().unwrap(), "2");
    assert_eq!(store.get(Table::Config, &key(3)).unwrap().unwrap(), "v3");
    assert_eq!(store.get(Table::ConfigContent, &key(2)).unwrap().unwrap(), vec![7; 100_000]);
    assert_eq!(store.get(Table::Lock, &key(9)).unwrap().unwrap(), "");
    assert_eq!(store.get(Table::Service, &key(3)).unwrap(), None);
    let keys = |from: &[u8], limit| {
        let found = store.scan(Table::Config, from, limit).unwrap();
        found.into_iter().map(|(key, _)| key).collect::<Vec<_>>()
    };
    assert_eq!(keys(b"", usize::MAX), [key(1), key(3), key(5)]);
    assert_eq!(keys(&key(3), 9), [key(3), key(5)]);
    assert_eq!(keys(b"key-002", 1), [key(3)]);
    assert_eq!(store.checkpoint().unwrap().unwrap(), "2");
}

fn later_rows_of_a_commit_win(store: &dyn StateStore) {
    let (config, lock) = (Table::Config, Table::Lock);
    let rows =
        [put(config, 1, "old"), put(config, 1, "new"), delete(lock, 9), delete(lock, 404), put(lock, 9, "x")];
    store.commit(&rows, b"3").unwrap();
    assert_eq!(store.get(config, &key(1)).unwrap().unwrap(), "new");
    assert_eq!(store.get(lock, &key(9)).unwrap().unwrap(), "x");
    store.commit(&[delete(lock, 9)], b"4").unwrap();
    assert_eq!(store.get(lock, &key(9)).unwrap(), None);
}

fn an_export_stands_still(store: &dyn StateStore) {
    let before = content(store);
    let mut export = store.export().unwrap();
    let first = export.rows.next().unwrap().unwrap();
    let rows: Vec<Row> = (0..50).map(|number| put(Table::Instance, number, "later")).collect();
    store.commit(&rows, b"5").unwrap();
    store.commit(&[delete(Table::Config, 5)], b"6").unwrap();
    assert_eq!(store.checkpoint().unwrap().unwrap(), "6", "a view must not hold up a checkpoint");
    let mut exported = vec![first];
    exported.extend(export.rows.map(Result::unwrap));
    assert_eq!((export.applied, exported), before);
}

fn an_import_replaces_all_or_nothing(store: &dyn StateStore) {
    let before = content(store);
    let broken = [Ok(put(Table::Lock, 1, "x")), Err(StateError::Damaged("cut".into()))];
    assert!(store.import(b"7", &mut broken.into_iter()).is_err());
    assert_eq!(content(store), before);
    let rows: Vec<Row> = (0..3_000).map(|number| put(Table::Service, number, vec![1; 700])).collect();
    let mut sorted = rows.clone();
    sorted.sort_by(|a, b| a.key.cmp(&b.key));
    store.import(b"8", &mut rows.into_iter().map(Ok)).unwrap();
    assert_eq!(content(store), (Some("8".into()), sorted));
    store.import(b"9", &mut std::iter::empty()).unwrap();
    assert_eq!(content(store), (Some("9".into()), vec![]));
}

fn behaves_like_a_map(store: &dyn StateStore) {
    let mut rng = Rng::seeded(11);
    let mut model = BTreeMap::new();
    for round in 0..300_u64 {
        let mut rows = Vec::new();
        for _ in 0..rng.below(6) {
            let table = Table::ALL[rng.below(Table::ALL.len() as u64) as usize];
            let number = rng.below(40);
            let value = (rng.below(3) > 0)
                .then(|| Bytes::from(vec![rng.next_u64() as u8; rng.below(3_000) as usize]));
            match &value {
                Some(value) => _ = model.insert((table, key(number)), value.clone()),
                None => _ = model.remove(&(table, key(number))),
            }
            rows.push(Row { table, key: key(number), value });
        }
        store.commit(&rows, &round.to_le_bytes()).unwrap();
        if rng.below(20) == 0 {
            store.checkpoint().unwrap();
        }
    }
    let rows = model.into_iter().map(|((table, key), value)| Row { table, key, value: Some(value) });
    assert_eq!(content(store), (Some(Bytes::copy_from_slice(&299_u64.to_le_bytes())), rows.collect()));
}

#[test]
fn the_memory_store_passes_the_suite() {
    suite(&MemoryStore::new());
}

#[test]
fn a_power_cut_brings_back_a_commit_since_the_checkpoint() {
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..100 {
        let store = MemoryStore::new();
        for number in 0..6_u8 {
            store.commit(&[put(Table::Lock, number.into(), "x")], &[number]).unwrap();
            if number == 2 {
                store.checkpoint().unwrap();
            }
        }
        store.power_cut(&mut Rng::seeded(seed));
        let (applied, rows) = content(&store);
        let applied = applied.unwrap()[0];
        assert_eq!(rows.len(), usize::from(applied) + 1, "marker and rows belong together");
        seen.insert(applied);
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), [2, 3, 4, 5]);
}
