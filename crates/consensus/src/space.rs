//! The reserve of disk space that lets accepted writes finish.

use muster_runtime::{Clock, disk::Disk};
use parking_lot::Mutex;
use std::{path::PathBuf, sync::Arc};

/// While there was enough, the file system is asked again after this long, ...
const CHECK_MS: u64 = 100;
/// ... or when this share of the reserve was proposed since.
const CHECK_SHARE: u64 = 8;

/// Watches the free space of a directory's file system.
pub(crate) struct Space {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    reserve: u64,
    clock: Arc<dyn Clock>,
    last: Mutex<Checked>,
}

#[derive(Default)]
struct Checked {
    is_full: bool,
    /// Monotonic milliseconds; 0 is never.
    at: u64,
    bytes_since: u64,
}

impl Space {
    pub(crate) fn new(disk: Arc<dyn Disk>, dir: PathBuf, reserve: u64, clock: Arc<dyn Clock>) -> Self {
        Self { disk, dir, reserve, clock, last: Mutex::default() }
    }

    /// Whether some bytes more may be proposed. While the answer is no, every call asks the file system, so that the
    /// first proposal after space was made is taken.
    pub(crate) fn has_room(&self, bytes: u64) -> bool {
        let now = self.clock.now().mono.0;
        let mut last = self.last.lock();
        last.bytes_since += bytes;
        let is_fresh = last.at != 0 && now.saturating_sub(last.at) < CHECK_MS;
        if !last.is_full && is_fresh && last.bytes_since < self.reserve / CHECK_SHARE {
            return true;
        }
        // A file system that does not answer is no reason to refuse: the write itself will tell.
        let free = self.disk.free_bytes(&self.dir).unwrap_or_else(|error| {
            tracing::warn!(%error, "could not ask for free disk space");
            u64::MAX
        });
        *last = Checked { is_full: free < self.reserve.saturating_add(bytes), at: now, bytes_since: 0 };
        !last.is_full
    }

    /// Whether there is less than the reserve, also while nothing is proposed that would find out.
    pub(crate) fn is_full(&self) -> bool {
        !self.has_room(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use muster_model::{Monotonic, Now, Timestamp};
    use muster_runtime::{ManualClock, disk::MemoryDisk};

    #[test]
    fn the_reserve_is_kept_and_recovery_is_noticed_at_once() {
        let disk = MemoryDisk::new();
        let clock = Arc::new(ManualClock::at(Now { wall: Timestamp(1), mono: Monotonic(1) }));
        let space = Space::new(Arc::new(disk.clone()), PathBuf::from("/data"), 1_000, clock.clone());
        assert!(space.has_room(10), "no limit");
        disk.set_capacity(Some(995));
        assert!(space.has_room(10), "not asked again yet");
        clock.advance(CHECK_MS);
        assert!(!space.has_room(10));
        assert!(space.is_full());
        disk.set_capacity(Some(2_000));
        assert!(space.has_room(10), "asked at once");
        disk.set_capacity(Some(500));
        assert!(!space.has_room(125), "much was proposed since");
        disk.set_capacity(Some(2_000));
        assert!(!space.is_full(), "noticed without a proposal");
        disk.set_capacity(Some(500));
        clock.advance(CHECK_MS);
        assert!(space.is_full(), "noticed without a proposal");
    }
}
