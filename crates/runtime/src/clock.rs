//! Reading time.

use muster_model::{Monotonic, Now, Timestamp};
use parking_lot::Mutex;
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// Reads both clocks.
pub trait Clock: Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> Now;
}

/// The clocks of this machine.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock whose monotonic time starts now, at 1 ms.
    #[expect(clippy::disallowed_methods, reason = "this is where time is read")]
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is where time is read")]
    fn now(&self) -> Now {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now {
            wall: Timestamp(wall.as_millis() as u64),
            mono: Monotonic(self.start.elapsed().as_millis() as u64 + 1),
        }
    }
}

/// A clock that a test moves by hand.
#[derive(Debug, Default)]
pub struct ManualClock {
    now: Mutex<Now>,
}

impl ManualClock {
    /// A clock that stands at a moment.
    pub fn at(now: Now) -> Self {
        Self { now: Mutex::new(now) }
    }

    /// Moves both clocks on.
    pub fn advance(&self, ms: u64) {
        let mut now = self.now.lock();
        now.wall.0 += ms;
        now.mono.0 += ms;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Now {
        *self.now.lock()
    }
}

/// The clocks of this machine, which a test can have run ahead: for what really waits and must not wait long.
#[derive(Debug, Default)]
pub struct SkippingClock {
    real: SystemClock,
    skipped_ms: AtomicU64,
}

impl SkippingClock {
    /// Moves both clocks on by this time, in whole milliseconds, beside what passes.
    pub fn skip(&self, time: Duration) {
        self.skipped_ms.fetch_add(time.as_millis() as u64, Ordering::Relaxed);
    }
}

impl Clock for SkippingClock {
    fn now(&self) -> Now {
        let (mut now, skipped) = (self.real.now(), self.skipped_ms.load(Ordering::Relaxed));
        now.wall.0 += skipped;
        now.mono.0 += skipped;
        now
    }
}
