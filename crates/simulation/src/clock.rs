//! The clocks of a simulated machine.

use muster_model::{Monotonic, Now, Timestamp};
use muster_runtime::Clock;
use parking_lot::Mutex;
use std::time::Duration;

/// Virtual time begins here: 2026-01-01.
const EPOCH_MS: u64 = 1_767_225_600_000;

/// Clocks that follow virtual time, as well as those of real machines follow real time: the wall clock may be off and
/// jump, and both may be too fast or too slow.
#[derive(Debug)]
pub struct HostClock(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Virtual time when the speed was set last, and the monotonic clock then; microseconds.
    since: u64,
    mono: u64,
    /// Millionths too fast.
    drift_ppm: i64,
    /// The wall clock's error, milliseconds.
    off_ms: i64,
    /// The newest virtual time that was read: between two steps of the simulation there is none.
    last: u64,
}

impl State {
    fn mono_at(&self, virtual_us: u64) -> u64 {
        let passed = (virtual_us - self.since) as i64;
        self.mono + (passed + passed / 1_000 * self.drift_ppm / 1_000) as u64
    }
}

impl HostClock {
    /// Clocks that are right, on a machine that was switched on a while ago.
    pub fn new() -> Self {
        Self(Mutex::new(State { mono: 1_000_000, ..State::default() }))
    }

    /// Has the clocks run too fast (or too slow) from now on, by so many millionths.
    pub fn set_drift(&self, ppm: i64, virtual_now: Duration) {
        let mut state = self.0.lock();
        let now = (virtual_now.as_micros() as u64).max(state.last);
        state.mono = state.mono_at(now);
        (state.since, state.last, state.drift_ppm) = (now, now, ppm);
    }

    /// Sets the wall clock wrong by so much.
    pub fn set_off(&self, ms: i64) {
        self.0.lock().off_ms = ms;
    }
}

impl Default for HostClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for HostClock {
    fn now(&self) -> Now {
        let mut state = self.0.lock();
        if let Some(now) = turmoil::sim_elapsed() {
            state.last = state.last.max(now.as_micros() as u64);
        }
        let mono = state.mono_at(state.last) / 1_000;
        Now { wall: Timestamp((EPOCH_MS + mono).saturating_add_signed(state.off_ms)), mono: Monotonic(mono) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wall_clock_jumps_and_the_other_one_only_drifts() {
        let clock = HostClock::new();
        let before = clock.now();
        clock.set_off(-5_000);
        clock.set_drift(100_000, Duration::from_secs(10));
        let now = clock.now();
        assert_eq!(now.wall.0, before.wall.0 + 10_000 - 5_000);
        clock.set_drift(0, Duration::from_secs(20));
        assert_eq!(clock.now().mono.since(before.mono), 10_000 + 11_000, "ten right seconds, ten fast ones");
    }
}
