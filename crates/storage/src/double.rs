//! A small value in two copies, of which one is always whole.

use crate::FORMAT_VERSION;
use muster_runtime::disk::{Disk, DiskError, DiskFile, Open};
use std::{path::Path, sync::Arc};

/// Bytes of a copy; the two lie in different blocks of any device.
const COPY: usize = 512;
const SPACING: u64 = 4_096;
const HEADER: usize = 24;
const MAGIC: [u8; 7] = *b"MUSTER2";

/// A small file with two copies of a value: magic, version, CRC32C, length, sequence number, value, zeros.
#[derive(Debug)]
pub(crate) struct Double {
    file: Arc<dyn DiskFile>,
    sequence: u64,
}

/// What was found in the file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// There was no file, or nothing had been written to it.
    Nothing,
    /// The newest value; whether one of the copies was damaged.
    Value { value: Vec<u8>, damaged: bool },
    /// Both copies are damaged.
    Damaged,
    /// A newer version wrote it.
    Newer(u8),
}

enum Copy {
    Empty,
    Valid { sequence: u64, value: Vec<u8> },
    Newer(u8),
    Damaged,
}

impl Double {
    /// Opens or creates the file.
    pub(crate) fn open(disk: &dyn Disk, path: &Path) -> Result<(Self, Found), DiskError> {
        let new = !disk.exists(path)?;
        let file = disk.open(path, Open::OrCreate)?;
        if new {
            file.preallocate(2 * SPACING)?;
            file.sync_data()?;
            disk.sync_dir(path.parent().unwrap_or(Path::new(".")))?;
        }
        let (one, two) = (read(&*file, 0)?, read(&*file, 1)?);
        let (found, sequence) = newest(one, two);
        Ok((Self { file, sequence }, found))
    }

    /// Stores a value in both copies, one after the other, each synced: at any moment one of them is whole, and at
    /// rest they are equal, so that damage to either is healed by the other.
    pub(crate) fn write(&mut self, value: &[u8]) -> Result<(), DiskError> {
        self.sequence += 1;
        for copy in 0..2 {
            self.file.write_at(copy * SPACING, &encode(self.sequence, value))?;
            self.file.sync_data()?;
        }
        Ok(())
    }

    /// Stores a value in the older copy without a sync: for a value that may be lost.
    pub(crate) fn write_lazily(&mut self, value: &[u8]) -> Result<(), DiskError> {
        self.sequence += 1;
        self.file.write_at(self.sequence % 2 * SPACING, &encode(self.sequence, value))
    }
}

fn newest(one: Copy, two: Copy) -> (Found, u64) {
    let whole = |value, damaged, sequence| (Found::Value { value, damaged }, sequence);
    match (one, two) {
        (Copy::Newer(version), _) | (_, Copy::Newer(version)) => (Found::Newer(version), 0),
        (Copy::Valid { sequence: a, value }, Copy::Valid { sequence: b, .. }) if a >= b => {
            whole(value, false, a)
        }
        (Copy::Valid { .. }, Copy::Valid { sequence, value }) => whole(value, false, sequence),
        (Copy::Valid { sequence, value }, other) | (other, Copy::Valid { sequence, value }) => {
            whole(value, matches!(other, Copy::Damaged), sequence)
        }
        // The first copy is synced before the second is touched, so here the very first write was torn.
        (Copy::Empty | Copy::Damaged, Copy::Empty) => (Found::Nothing, 0),
        (Copy::Damaged, _) | (_, Copy::Damaged) => (Found::Damaged, 0),
    }
}

fn encode(sequence: u64, value: &[u8]) -> [u8; COPY] {
    assert!(value.len() <= COPY - HEADER, "a double value is small");
    let mut copy = [0; COPY];
    copy[..7].copy_from_slice(&MAGIC);
    copy[7] = FORMAT_VERSION;
    copy[12..16].copy_from_slice(&(value.len() as u32).to_le_bytes());
    copy[16..24].copy_from_slice(&sequence.to_le_bytes());
    copy[HEADER..HEADER + value.len()].copy_from_slice(value);
    let crc = crc(&copy);
    copy[8..12].copy_from_slice(&crc.to_le_bytes());
    copy
}

fn read(file: &dyn DiskFile, number: u64) -> Result<Copy, DiskError> {
    let mut copy = [0; COPY];
    file.read_at(number * SPACING, &mut copy)?;
    Ok(decode(&copy))
}

fn decode(copy: &[u8; COPY]) -> Copy {
    if copy.iter().all(|byte| *byte == 0) {
        return Copy::Empty;
    }
    if copy[..7] != MAGIC || copy[8..12] != crc(copy).to_le_bytes() {
        return Copy::Damaged;
    }
    if copy[7] != FORMAT_VERSION {
        return Copy::Newer(copy[7]);
    }
    let len = u32::from_le_bytes(*copy[12..].first_chunk().expect("inside the header")) as usize;
    let sequence = u64::from_le_bytes(*copy[16..].first_chunk().expect("inside the header"));
    copy.get(HEADER..HEADER + len)
        .map_or(Copy::Damaged, |value| Copy::Valid { sequence, value: value.to_owned() })
}

fn crc(copy: &[u8; COPY]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&copy[..8]), &copy[12..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use muster_runtime::{Rng, disk::MemoryDisk};

    const PATH: &str = "/d/vote";

    fn disk() -> MemoryDisk {
        let disk = MemoryDisk::new();
        disk.create_dir_all(Path::new("/d")).unwrap();
        disk
    }

    fn open(disk: &MemoryDisk) -> (Double, Found) {
        Double::open(disk, Path::new(PATH)).unwrap()
    }

    fn value(bytes: &[u8]) -> Found {
        Found::Value { value: bytes.to_owned(), damaged: false }
    }

    #[test]
    fn a_value_survives_any_power_cut_during_the_next_write() {
        for seed in 0..1_000 {
            let mut rng = Rng::seeded(seed);
            let disk = disk();
            let (mut double, found) = open(&disk);
            assert_eq!(found, Found::Nothing);
            double.write(b"first").unwrap();
            double.write(b"second").unwrap();
            disk.fail_syncs(1 + rng.below(2));
            double.write(b"third").unwrap_err();
            disk.power_cut(&mut rng);
            let Found::Value { value, .. } = open(&disk).1 else { panic!("seed {seed}: the value is gone") };
            assert!(value == b"second" || value == b"third", "seed {seed}");
        }
    }

    #[test]
    fn damage_to_one_copy_is_healed_and_never_brings_back_an_older_value() {
        for bit in 0..COPY * 8 {
            for copy in [0, SPACING as usize] {
                let disk = disk();
                let (mut double, _) = open(&disk);
                double.write(b"old").unwrap();
                double.write(b"new").unwrap();
                disk.damage(Path::new(PATH), |bytes| bytes[copy + bit / 8] ^= 1 << (bit % 8)).unwrap();
                let (mut double, found) = open(&disk);
                assert_eq!(found, Found::Value { value: b"new".to_vec(), damaged: true });
                double.write(b"new").unwrap();
                assert_eq!(open(&disk).1, value(b"new"));
            }
        }
    }

    #[test]
    fn two_damaged_copies_are_said_to_be_damaged() {
        let disk = disk();
        let (mut double, _) = open(&disk);
        double.write(b"x").unwrap();
        let flip = |bytes: &mut Vec<u8>| {
            bytes[20] ^= 1;
            bytes[SPACING as usize + 30] ^= 1;
        };
        disk.damage(Path::new(PATH), flip).unwrap();
        assert_eq!(open(&disk).1, Found::Damaged);
    }

    #[test]
    fn lazy_writes_alternate() {
        let disk = disk();
        let (mut double, _) = open(&disk);
        for value in [b"1", b"2", b"3"] {
            double.write_lazily(value).unwrap();
        }
        let (mut double, found) = open(&disk);
        assert_eq!(found, value(b"3"));
        double.write_lazily(b"4").unwrap();
        assert_eq!(open(&disk).1, value(b"4"));
    }
}
