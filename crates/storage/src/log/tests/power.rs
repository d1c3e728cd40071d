//! Power cuts: what was acknowledged survives, and the tests can tell.

use super::*;
use muster_runtime::disk::{DiskError, DiskFile, DiskLock, Open};

/// A disk whose files forget to sync.
#[derive(Clone, Debug)]
struct Careless(MemoryDisk);

#[derive(Debug)]
struct CarelessFile(Arc<dyn DiskFile>);

impl Disk for Careless {
    fn open(&self, path: &Path, how: Open) -> Result<Arc<dyn DiskFile>, DiskError> {
        Ok(Arc::new(CarelessFile(self.0.open(path, how)?)))
    }
    fn rename(&self, from: &Path, to: &Path) -> Result<(), DiskError> {
        self.0.rename(from, to)
    }
    fn remove(&self, path: &Path) -> Result<(), DiskError> {
        self.0.remove(path)
    }
    fn list(&self, dir: &Path) -> Result<Vec<String>, DiskError> {
        self.0.list(dir)
    }
    fn exists(&self, path: &Path) -> Result<bool, DiskError> {
        self.0.exists(path)
    }
    fn create_dir(&self, dir: &Path) -> Result<(), DiskError> {
        self.0.create_dir(dir)
    }
    fn create_dir_all(&self, dir: &Path) -> Result<(), DiskError> {
        self.0.create_dir_all(dir)
    }
    fn sync_dir(&self, dir: &Path) -> Result<(), DiskError> {
        self.0.sync_dir(dir)
    }
    fn free_bytes(&self, dir: &Path) -> Result<u64, DiskError> {
        self.0.free_bytes(dir)
    }

    fn total_bytes(&self, dir: &Path) -> Result<u64, DiskError> {
        self.0.total_bytes(dir)
    }
    fn lock_exclusive(&self, path: &Path) -> Result<DiskLock, DiskError> {
        self.0.lock_exclusive(path)
    }
}

impl DiskFile for CarelessFile {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, DiskError> {
        self.0.read_at(offset, buffer)
    }
    fn write_at(&self, offset: u64, data: &[u8]) -> Result<(), DiskError> {
        self.0.write_at(offset, data)
    }
    fn len(&self) -> Result<u64, DiskError> {
        self.0.len()
    }
    fn set_len(&self, len: u64) -> Result<(), DiskError> {
        self.0.set_len(len)
    }
    fn preallocate(&self, len: u64) -> Result<(), DiskError> {
        self.0.preallocate(len)
    }
    fn sync_data(&self) -> Result<(), DiskError> {
        Ok(())
    }
}

/// What the log has promised.
#[derive(Debug, Default)]
struct Promised {
    /// The entries from `start` on.
    entries: Vec<Entry>,
    start: u64,
    vote: Option<Vote>,
}

impl Promised {
    fn next(&self) -> u64 {
        self.start + self.entries.len() as u64
    }
}

/// One life of a log: random work until the power goes in the middle of a call. What is promised is what was
/// acknowledged; `Err` names a promise that the next opening does not keep.
fn live(
    disk: &dyn CloneDisk,
    memory: &MemoryDisk,
    rng: &mut Rng,
    promised: &mut Promised,
) -> Result<(), String> {
    let (mut log, _) = open_on(disk).map_err(|error| format!("refuses to open: {error}"))?;
    let kept = all(&log);
    check(&log, &kept, promised)?;
    // What was not acknowledged may have survived; from now on it counts.
    promised.entries = kept;
    promised.start = start(&log);
    promised.vote = log.vote();
    let doomed_at = memory.syncs() + rng.below(12);
    loop {
        if memory.syncs() >= doomed_at {
            memory.fail_syncs(u64::MAX);
        }
        if work(&mut log, rng, promised).is_err() || (memory.syncs() == 0 && rng.below(8) == 0) {
            break;
        }
    }
    memory.power_cut(rng);
    memory.fail_syncs(0);
    Ok(())
}

fn check(log: &Log, kept: &[Entry], promised: &Promised) -> Result<(), String> {
    // An unacknowledged purge may have happened.
    let skipped = start(log).checked_sub(promised.start).ok_or("purged entries are back")? as usize;
    let wanted = promised.entries.get(skipped..).unwrap_or_default();
    if kept.get(..wanted.len()) != Some(wanted) {
        return Err(format!("{} entries of {} are left or changed", kept.len(), wanted.len()));
    }
    if log.vote().map(|vote| vote.term) < promised.vote.map(|vote| vote.term) {
        return Err("the vote is gone".into());
    }
    Ok(())
}

fn work(log: &mut Log, rng: &mut Rng, promised: &mut Promised) -> Result<(), LogError> {
    let next = promised.next();
    match rng.below(12) {
        0 => {
            let vote =
                Vote { term: promised.vote.map_or(1, |vote| vote.term + 1), node: 1, committed: false };
            log.save_vote(vote)?;
            promised.vote = Some(vote);
        }
        1 => log.save_committed(log.last())?,
        2 if next > promised.start => {
            let count = rng.below(promised.entries.len() as u64);
            // Entries are promised no more as soon as their removal is asked for.
            let end = promised.start + count;
            if log.committed().is_none_or(|committed| committed.index < end) {
                promised.entries.truncate(count as usize);
                log.truncate_from(end)?;
            }
        }
        3 if promised.entries.len() > 1 => {
            let count = 1 + rng.below(promised.entries.len() as u64 - 1);
            log.purge_to(promised.entries[count as usize - 1].id())?;
            promised.entries.drain(..count as usize);
            promised.start += count;
        }
        _ => {
            let count = 1 + rng.below(5);
            let mut batch = entries(next..next + count, 0);
            for entry in &mut batch {
                let len = rng.below(900) as usize;
                entry.term = 1;
                entry.payload = super::entry(rng.below(256), len).payload;
            }
            log.append(&batch)?;
            promised.entries.extend(batch);
        }
    }
    Ok(())
}

/// Three lives of one log; the first broken promise.
fn lives(seed: u64, disk: &dyn CloneDisk, memory: &MemoryDisk) -> Result<(), String> {
    let mut rng = Rng::seeded(seed);
    let mut promised = Promised::default();
    for _ in 0..4 {
        live(disk, memory, &mut rng, &mut promised)?;
    }
    Ok(())
}

#[test]
fn what_was_acknowledged_survives_a_thousand_power_cuts() {
    for seed in 0..1_000 {
        let disk = new_disk();
        lives(seed, &disk, &disk).unwrap_or_else(|broken| panic!("seed {seed}: {broken}"));
    }
}

#[test]
fn without_the_sync_the_loss_is_noticed() {
    let mut noticed = 0;
    for seed in 0..100 {
        let disk = new_disk();
        noticed += u64::from(lives(seed, &Careless(disk.clone()), &disk).is_err());
    }
    assert!(noticed > 90, "only {noticed} of 100 lives without syncs were found out");
}

#[test]
fn a_torn_append_is_cut_and_reported() {
    let mut cuts = 0;
    for seed in 0..300 {
        let disk = new_disk();
        let (mut log, _) = open_on(&disk).unwrap();
        log.append(&entries(0..3, 100)).unwrap();
        disk.fail_syncs(1);
        let torn = log.append(&entries(3..6, 700)).unwrap_err();
        assert!(matches!(torn, LogError::Failed(_)));
        assert!(matches!(log.append(&entries(3..6, 700)), Err(LogError::Stopped)));
        disk.power_cut(&mut Rng::seeded(seed));
        let (log, recovery) = open_on(&disk).unwrap();
        assert_eq!(all(&log)[..3], entries(0..3, 100));
        let kept = all(&log).len() as u64;
        if let Some(cut) = recovery.cut {
            cuts += 1;
            assert_eq!(cut.first, kept);
            assert!(cut.entries >= 1 && cut.first + cut.entries <= 6, "{cut:?}");
            let (_, again) = open_on(&disk).unwrap();
            assert_eq!(again.cut, None, "a cut is made once");
        }
    }
    assert!(cuts > 100, "{cuts}");
}
