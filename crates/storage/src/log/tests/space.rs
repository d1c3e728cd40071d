//! A full disk: refused, unharmed, and again possible.

use super::*;

#[test]
fn a_full_disk_is_an_error_to_repeat_and_harms_nothing() {
    let mut refusals = 0;
    for seed in 0..300 {
        let mut rng = Rng::seeded(seed);
        let disk = new_disk();
        let (mut log, _) = open_on(&disk).unwrap();
        let mut next = 0;
        while next < 40 {
            if rng.below(3) == 0 {
                disk.set_capacity(Some(disk.used() + rng.below(3_000)));
            }
            let batch: Vec<Entry> =
                (next..next + 1 + rng.below(4)).map(|index| entry(index, 100 + seed as usize)).collect();
            match log.append(&batch) {
                Ok(()) => next += batch.len() as u64,
                Err(error) => {
                    assert!(error.is_full(), "{error}");
                    refusals += 1;
                    assert_eq!(all(&log), entries(0..next, 100 + seed as usize));
                    if rng.below(2) == 0 {
                        disk.set_capacity(None);
                    }
                    if rng.below(4) == 0 {
                        log = open_on(&disk).map(|(log, _)| log).unwrap_or(log);
                        next = log.last().map_or(0, |last| last.index + 1);
                        disk.set_capacity(None);
                    }
                }
            }
        }
        let (log, recovery) = open_on(&disk).unwrap();
        assert_eq!(all(&log), entries(0..next, 100 + seed as usize), "seed {seed}");
        assert_eq!(recovery.cut, None, "seed {seed}");
    }
    assert!(refusals > 300, "{refusals}");
}

/// A disk that keeps the promise of `preallocate` badly, as copy-on-write file systems do.
#[test]
fn a_write_cut_short_leaves_nothing_behind() {
    let disk = new_disk();
    let (mut log, _) = open_on(&disk).unwrap();
    log.append(&entries(0..2, 100)).unwrap();
    let path = Path::new(DIR).join("00000000000000000000.log");
    let end = segment::HEADER as u64 + log.bytes();
    // The reserved space is gone, so that the next write runs out of room between two of its records.
    disk.damage(&path, |bytes| bytes.truncate(end as usize)).unwrap();
    let mut image = Vec::new();
    record::encode(&entry(2, 60), 0, log.index.read().segments[0].salt, end, &mut image);
    let second = end + image.len() as u64;
    record::encode(&entry(3, 60), 1, log.index.read().segments[0].salt, second, &mut image);
    disk.damage(&path, |bytes| bytes.extend_from_slice(&image)).unwrap();
    log.untidy = true;
    disk.set_capacity(Some(disk.used()));
    assert!(log.append(&entries(2..4, 60)).unwrap_err().is_full());
    disk.set_capacity(None);
    // Another, shorter append at the same place: the second record of the failed one must not come back.
    log.append(&[entry(2, 60)]).unwrap();
    let (log, recovery) = open_on(&disk).unwrap();
    assert_eq!(all(&log), [entries(0..2, 100), entries(2..3, 60)].concat());
    assert_eq!(recovery.cut, None);
}

/// What comes after a write that found no room may be too long for the segment.
#[test]
fn a_write_cut_short_leaves_nothing_behind_in_a_segment_that_is_left() {
    let disk = new_disk();
    let (mut log, _) = open_on(&disk).unwrap();
    log.append(&entries(0..2, 100)).unwrap();
    let end = segment::HEADER + log.bytes() as usize;
    let path = Path::new(DIR).join("00000000000000000000.log");
    let mut image = Vec::new();
    record::encode(&entry(2, 60), 0, log.index.read().segments[0].salt, end as u64, &mut image);
    disk.damage(&path, |bytes| bytes[end..end + 50].copy_from_slice(&image[..50])).unwrap();
    log.untidy = true;
    log.append(&[entry(2, SEGMENT as usize)]).unwrap();
    let (log, recovery) = open_on(&disk).unwrap();
    assert_eq!(all(&log), [entries(0..2, 100), entries(2..3, SEGMENT as usize)].concat());
    assert_eq!(recovery.cut, None);
}

#[test]
fn the_reserve_is_measured_on_what_is_free() {
    let disk = new_disk();
    let reserve = crate::space::Reserve { bytes: 1_000 };
    disk.set_capacity(Some(1_500));
    assert!(reserve.allows(&disk, Path::new(DIR), 500).unwrap());
    assert!(!reserve.allows(&disk, Path::new(DIR), 501).unwrap());
}
