use super::*;

fn disk() -> MemoryDisk {
    let disk = MemoryDisk::new();
    disk.create_dir_all(Path::new("/d")).unwrap();
    disk
}

fn content(disk: &MemoryDisk, name: &str) -> Option<Vec<u8>> {
    super::super::read_all(disk, Path::new(name)).ok()
}

#[test]
fn what_was_synced_survives_every_power_cut() {
    for seed in 0..200 {
        let disk = disk();
        let file = disk.open(Path::new("/d/a"), Open::New).unwrap();
        file.write_at(0, &[1; 2_000]).unwrap();
        file.sync_data().unwrap();
        disk.sync_dir(Path::new("/d")).unwrap();
        file.write_at(2_000, &[2; 2_000]).unwrap();
        disk.power_cut(&mut Rng::seeded(seed));
        assert_eq!(content(&disk, "/d/a").unwrap()[..2_000], [1; 2_000], "seed {seed}");
        assert!(file.len().is_err(), "a handle from before the cut is dead");
    }
}

#[test]
fn what_was_not_synced_survives_in_any_combination_of_sectors() {
    let mut seen = BTreeSet::new();
    for seed in 0..200 {
        let disk = disk();
        let file = disk.open(Path::new("/d/a"), Open::New).unwrap();
        file.set_len(1_536).unwrap();
        file.sync_data().unwrap();
        disk.sync_dir(Path::new("/d")).unwrap();
        file.write_at(0, &[7; 1_536]).unwrap();
        disk.power_cut(&mut Rng::seeded(seed));
        let content = content(&disk, "/d/a").unwrap();
        seen.insert([content[0], content[512], content[1_024]]);
    }
    assert_eq!(seen.len(), 8);
}

#[test]
fn a_name_is_durable_only_when_its_directory_was_synced() {
    let (mut lost, mut kept) = (0, 0);
    for seed in 0..100 {
        let disk = disk();
        disk.open(Path::new("/d/a"), Open::New).unwrap();
        disk.sync_dir(Path::new("/d")).unwrap();
        disk.rename(Path::new("/d/a"), Path::new("/d/b")).unwrap();
        disk.power_cut(&mut Rng::seeded(seed));
        let names = disk.list(Path::new("/d")).unwrap();
        assert_eq!(names.len(), 1);
        if names[0] == "a" { lost += 1 } else { kept += 1 }
    }
    assert!(lost > 0 && kept > 0);
}

#[test]
fn a_full_disk_cuts_the_write_short_and_says_so() {
    let disk = disk();
    disk.set_capacity(Some(10));
    let file = disk.open(Path::new("/d/a"), Open::New).unwrap();
    assert!(file.write_at(0, &[1; 16]).unwrap_err().is_full());
    assert_eq!(content(&disk, "/d/a").unwrap(), [1; 10]);
    assert_eq!(disk.free_bytes(Path::new("/d")).unwrap(), 0);
    disk.set_capacity(None);
    file.write_at(0, &[1; 16]).unwrap();
}

#[test]
fn a_lock_keeps_others_out_until_it_is_dropped() {
    let disk = disk();
    let lock = disk.lock_exclusive(Path::new("/d/l")).unwrap();
    assert!(matches!(disk.lock_exclusive(Path::new("/d/l")), Err(DiskError::Locked { .. })));
    drop(lock);
    disk.lock_exclusive(Path::new("/d/l")).unwrap();
}
