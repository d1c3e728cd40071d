//! How often an instance beats and what happens when it stops.

use crate::Metadata;

/// The beat intervals of an instance, milliseconds, from its `preserved.*` metadata. They matter for beat
/// leases only; on a gRPC registration they are stored and shown, and the connection is the lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// How often the client should beat (`preserved.heart.beat.interval`, 5,000).
    pub beat_interval_ms: u64,
    /// Silence after which the instance is unhealthy (`preserved.heart.beat.timeout`, 15,000).
    pub beat_timeout_ms: u64,
    /// Silence after which the instance is removed (`preserved.ip.delete.timeout`, 30,000).
    pub delete_timeout_ms: u64,
}

/// The interval is longer than one of the time-outs, so the instance could never be healthy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the beat interval must not exceed the beat time-out and the delete time-out")]
pub struct TimingError;

impl Default for Timing {
    fn default() -> Self {
        Self { beat_interval_ms: 5_000, beat_timeout_ms: 15_000, delete_timeout_ms: 30_000 }
    }
}

impl Timing {
    /// Reads the timing from metadata. A value that is not all digits counts as absent, as in Nacos.
    pub fn of(metadata: &Metadata) -> Self {
        let mut timing = Self::default();
        for (key, value) in metadata.iter() {
            let field = match key {
                "preserved.heart.beat.interval" => &mut timing.beat_interval_ms,
                "preserved.heart.beat.timeout" => &mut timing.beat_timeout_ms,
                "preserved.ip.delete.timeout" => &mut timing.delete_timeout_ms,
                _ => continue,
            };
            if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
                *field = value.parse().unwrap_or(*field);
            }
        }
        timing
    }

    /// Refuses a timing under which the instance could never be healthy.
    pub fn checked(self) -> Result<Self, TimingError> {
        let possible =
            self.beat_interval_ms <= self.beat_timeout_ms && self.beat_interval_ms <= self.delete_timeout_ms;
        if possible { Ok(self) } else { Err(TimingError) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_digits_and_ignores_the_rest() {
        let metadata = Metadata::new([
            ("preserved.heart.beat.interval", "1000"),
            ("preserved.heart.beat.timeout", "soon"),
            ("preserved.ip.delete.timeout", ""),
        ]);
        let timing = Timing::of(&metadata);
        assert_eq!(timing, Timing { beat_interval_ms: 1_000, ..Timing::default() });
        assert_eq!(timing.checked(), Ok(timing));
        assert!(Timing { beat_interval_ms: 16_000, ..timing }.checked().is_err());
    }
}
