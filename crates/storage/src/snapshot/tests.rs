use super::*;
use crate::state::{MemoryStore, StateStore};
use muster_model::Table;
use muster_runtime::{
    Rng,
    disk::{MemoryDisk, read_all},
};

const DIR: &str = "/snapshots";

fn new_disk() -> MemoryDisk {
    let disk = MemoryDisk::new();
    disk.create_dir_all(Path::new(DIR)).unwrap();
    disk
}

fn snapshots(disk: &MemoryDisk) -> Snapshots {
    Snapshots::open(Arc::new(disk.clone()), Path::new(DIR)).unwrap()
}

fn row(number: u64, len: usize) -> Row {
    let value: Vec<u8> = (0..len).map(|at| (at as u64 * number % 251) as u8).collect();
    Row { table: Table::Config, key: format!("{number:06}").into(), value: Some(value.into()) }
}

/// A store of a few chunks.
fn store(applied: &'static str) -> MemoryStore {
    let store = MemoryStore::new();
    let rows: Vec<Row> = (0..2_000).map(|number| row(number, 2_000)).collect();
    store.commit(&rows, applied.as_bytes()).unwrap();
    store.commit(&[row(3_000, 3 << 20), row(3_001, 0)], applied.as_bytes()).unwrap();
    store
}

fn content(store: &MemoryStore) -> (Option<Bytes>, Vec<Row>) {
    let export = store.export().unwrap();
    (export.applied, export.rows.map(Result::unwrap).collect())
}

#[test]
fn what_is_exported_is_imported_again() {
    let disk = new_disk();
    let snapshots = snapshots(&disk);
    let original = store("17");
    let snapshot = snapshots.write(original.export().unwrap()).unwrap();
    assert_eq!(snapshots.list().unwrap(), std::slice::from_ref(&snapshot));
    assert_eq!((snapshot.applied.clone(), snapshots.verify(&snapshot).unwrap()), ("17".into(), 2_002));
    let copy = MemoryStore::new();
    copy.import(&snapshot.applied, &mut snapshots.rows(&snapshot).unwrap()).unwrap();
    assert_eq!(content(&copy), content(&original));
    assert!(snapshot.bytes < 3 << 20, "it is compressed: {}", snapshot.bytes);
}

#[test]
fn a_stream_is_received_as_it_was_sent() {
    let (from, to) = (new_disk(), new_disk());
    let sent = snapshots(&from).write(store("17").export().unwrap()).unwrap();
    let mut stream = snapshots(&from).open_stream(&sent).unwrap();
    let received = snapshots(&to).receive(&mut stream).unwrap();
    assert_eq!((received.applied, received.bytes), (sent.applied, sent.bytes));
    assert_eq!(read_all(&to, &received.path).unwrap(), read_all(&from, &sent.path).unwrap());
    let mut backup = Vec::new();
    assert_eq!(write_to(store("17").export().unwrap(), &mut backup).unwrap(), 2_002);
    assert_eq!(backup, read_all(&from, &sent.path).unwrap(), "a backup is a snapshot");
}

#[test]
fn any_damage_is_noticed() {
    let disk = new_disk();
    let small = MemoryStore::new();
    small.commit(&(0..30).map(|number| row(number, 50)).collect::<Vec<_>>(), b"9").unwrap();
    let snapshot = snapshots(&disk).write(small.export().unwrap()).unwrap();
    let whole = read_all(&disk, &snapshot.path).unwrap();
    let refused = |bytes: &[u8], what: String| {
        let disk = new_disk();
        assert!(snapshots(&disk).receive(&mut &bytes[..]).is_err(), "{what}");
        assert_eq!(disk.list(Path::new(DIR)).unwrap(), [""; 0], "nothing is left of it");
    };
    for at in 0..whole.len() {
        refused(&whole[..at], format!("cut to {at}"));
        let mut damaged = whole.clone();
        damaged[at] ^= 1 << (at % 8);
        refused(&damaged, format!("flipped at {at}"));
    }
    refused(&[&whole[..], b"x"].concat(), "longer".into());
}

#[test]
fn a_damaged_file_breaks_an_import_off() {
    let disk = new_disk();
    let snapshots = snapshots(&disk);
    let snapshot = snapshots.write(store("17").export().unwrap()).unwrap();
    let middle = snapshot.bytes as usize / 2;
    disk.damage(&snapshot.path, |bytes| bytes[middle] ^= 1).unwrap();
    assert!(matches!(snapshots.verify(&snapshot), Err(SnapshotError::Damaged(_))));
    let copy = MemoryStore::new();
    assert!(copy.import(b"17", &mut snapshots.rows(&snapshot).unwrap()).is_err());
    assert_eq!(content(&copy), (None, vec![]));
}

#[test]
fn the_newest_are_kept() {
    let disk = new_disk();
    let snapshots = snapshots(&disk);
    for applied in ["1", "2", "3"] {
        let store = MemoryStore::new();
        store.commit(&[], applied.as_bytes()).unwrap();
        snapshots.write(store.export().unwrap()).unwrap();
    }
    snapshots.retain(2).unwrap();
    let kept: Vec<Bytes> = snapshots.list().unwrap().into_iter().map(|snapshot| snapshot.applied).collect();
    assert_eq!(kept, ["3", "2"]);
}

#[test]
fn a_full_disk_leaves_nothing_and_says_so() {
    let disk = new_disk();
    let snapshots = snapshots(&disk);
    disk.set_capacity(Some(100_000));
    assert!(snapshots.write(store("1").export().unwrap()).unwrap_err().is_full());
    assert_eq!(disk.used(), 0);
    disk.set_capacity(None);
    snapshots.write(store("1").export().unwrap()).unwrap();
}

#[test]
fn after_any_power_cut_a_snapshot_is_whole_or_not_there() {
    for seed in 0..300 {
        let mut rng = Rng::seeded(seed);
        let disk = new_disk();
        let old = MemoryStore::new();
        old.commit(&[row(1, 700)], b"1").unwrap();
        snapshots(&disk).write(old.export().unwrap()).unwrap();
        let new = MemoryStore::new();
        new.commit(&[row(1, 7_000)], b"2").unwrap();
        let finished = rng.below(2) == 0;
        if !finished {
            disk.fail_syncs(1);
        }
        assert_eq!(snapshots(&disk).write(new.export().unwrap()).is_ok(), finished);
        disk.power_cut(&mut rng);
        disk.fail_syncs(0);
        let list = snapshots(&disk).list().unwrap();
        list.iter().for_each(|snapshot| _ = snapshots(&disk).verify(snapshot).unwrap());
        assert_eq!(list[0].applied, if finished { "2" } else { "1" }, "seed {seed}");
        assert_eq!(disk.list(Path::new(DIR)).unwrap().len(), list.len());
    }
}

#[test]
fn a_newer_format_is_refused() {
    let mut backup = Vec::new();
    write_to(store("1").export().unwrap(), &mut backup).unwrap();
    backup[8] = 2;
    let crc = crc32c::crc32c_append(crc32c::crc32c(&backup[..20]), b"1");
    backup[20..24].copy_from_slice(&crc.to_le_bytes());
    let error = snapshots(&new_disk()).receive(&mut &backup[..]).unwrap_err();
    assert!(error.to_string().contains("use a newer muster"), "{error}");
}

/// Sends a snapshot in parts, beginning where the receiver says.
fn send(outgoing: &Outgoing, incoming: &mut Incoming, parts: usize) {
    for _ in 0..parts {
        let part = outgoing.part(incoming.len(), 10_000).unwrap();
        incoming.append(&part).unwrap();
    }
}

#[test]
fn a_snapshot_that_comes_in_parts_goes_on_where_it_stopped() {
    let (from, to) = (new_disk(), new_disk());
    let source = snapshots(&from);
    let sent = source.write(store("17").export().unwrap()).unwrap();
    let outgoing = source.outgoing(&sent).unwrap();
    let target = snapshots(&to);
    send(&outgoing, &mut target.incoming("1-other").unwrap(), 2);
    send(&outgoing, &mut target.incoming("1-this").unwrap(), 3);
    let mut incoming = target.incoming("1-this").unwrap();
    assert_eq!(incoming.len(), 30_000);
    assert_eq!(to.list(Path::new(DIR)).unwrap().len(), 1, "the other one is thrown away");
    // Also while a newer one takes its place at the sender.
    source.write(store("18").export().unwrap()).unwrap();
    source.retain(1).unwrap();
    while incoming.len() < sent.bytes {
        send(&outgoing, &mut incoming, 1);
    }
    let received = incoming.finish().unwrap();
    assert_eq!((&received.applied, received.bytes), (&sent.applied, sent.bytes));
    assert_eq!(target.verify(&received).unwrap(), 2_002);
    target.remove(&received).unwrap();
    assert!(target.is_empty().unwrap());
}

#[test]
fn a_mixture_is_found_out_and_thrown_away() {
    let (from, to) = (new_disk(), new_disk());
    let source = snapshots(&from);
    let sent = source.write(store("17").export().unwrap()).unwrap();
    let outgoing = source.outgoing(&sent).unwrap();
    let mut incoming = snapshots(&to).incoming("1-this").unwrap();
    send(&outgoing, &mut incoming, 2);
    incoming.append(&[7; 100]).unwrap();
    while incoming.len() < sent.bytes {
        send(&outgoing, &mut incoming, 1);
    }
    assert!(matches!(incoming.finish(), Err(SnapshotError::Damaged(_))));
    assert_eq!(to.list(Path::new(DIR)).unwrap().len(), 0);
}
