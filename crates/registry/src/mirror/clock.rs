//! The hybrid logical clock that orders registrations on all nodes.

use muster_model::Now;

/// How far a time of another node may be ahead of ours, milliseconds.
const AHEAD_MAX_MS: u64 = 10_000;
/// Bits of the counter below the milliseconds.
pub(crate) const COUNTER_BITS: u32 = 16;

/// Never goes backwards, whatever the wall clock does, and is ahead of all it has seen.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    last: u64,
}

impl Clock {
    /// A time that no earlier call gave and none that was seen has.
    pub(crate) fn next(&mut self, now: Now) -> u64 {
        self.last = (self.last + 1).max(now.wall.0 << COUNTER_BITS);
        self.last
    }

    /// Takes note of a time of another node; refused if it is too far ahead.
    pub(crate) fn see(&mut self, at: u64, now: Now) -> bool {
        if at >> COUNTER_BITS > now.wall.0 + AHEAD_MAX_MS && at > self.last {
            return false;
        }
        self.last = self.last.max(at);
        true
    }
}
