//! Latencies in logarithmic buckets: fixed memory, about 3 % resolution, mergeable.

use std::time::Duration;

/// Buckets a power of two: 32 give a relative error of at most 1/32.
const STEPS: usize = 32;
const STEPS_LOG2: u32 = 5;
/// Powers of two above the linear part; the last bucket is at 2^41 ns, about 36 minutes.
const POWERS: usize = 37;

/// Counts of durations.
#[derive(Clone, Debug)]
pub(crate) struct Histogram {
    counts: Vec<u64>,
    total: u64,
    max: Duration,
}

impl Histogram {
    /// An empty one.
    pub(crate) fn new() -> Self {
        Self { counts: vec![0; STEPS * POWERS], total: 0, max: Duration::ZERO }
    }

    /// Counts one duration.
    pub(crate) fn record(&mut self, value: Duration) {
        let nanos = u64::try_from(value.as_nanos()).unwrap_or(u64::MAX);
        self.counts[bucket(nanos)] += 1;
        self.total += 1;
        self.max = self.max.max(value);
    }

    /// Adds everything another one counted.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine += theirs;
        }
        self.total += other.total;
        self.max = self.max.max(other.max);
    }

    /// How many durations were counted.
    pub(crate) fn count(&self) -> u64 {
        self.total
    }

    /// The longest one.
    pub(crate) fn max(&self) -> Duration {
        self.max
    }

    /// The duration that a share `q` (0..=1) of all stay at or below, to the resolution; zero when empty.
    pub(crate) fn quantile(&self, q: f64) -> Duration {
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rank among counted samples"
        )]
        let rank = ((self.total as f64 * q).ceil() as u64).max(1);
        let mut seen = 0;
        for (index, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return Duration::from_nanos(upper(index)).min(self.max);
            }
        }
        self.max
    }
}

/// The bucket of a value: linear below `STEPS`, then `STEPS` buckets a power of two.
fn bucket(nanos: u64) -> usize {
    let power = u64::BITS - (nanos / STEPS as u64).leading_zeros();
    let shift = power.saturating_sub(1);
    let step = usize::try_from((nanos >> shift) & (STEPS as u64 - 1)).unwrap_or(STEPS - 1);
    (power as usize * STEPS + step).min(STEPS * POWERS - 1)
}

/// The largest value that falls into a bucket.
fn upper(index: usize) -> u64 {
    let (power, step) = (index / STEPS, (index % STEPS) as u64);
    if power == 0 {
        return step;
    }
    let shift = u32::try_from(power - 1).unwrap_or(u32::MAX);
    ((step + 1 + (1 << STEPS_LOG2)) << shift) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_lies_in_its_bucket() {
        for nanos in (0..100_000_u64).chain((17..41).map(|bits| (1 << bits) - 1)) {
            let index = bucket(nanos);
            assert!(nanos <= upper(index), "{nanos} above bucket {index}");
            assert!(index == 0 || nanos > upper(index - 1), "{nanos} belongs below bucket {index}");
        }
    }

    #[test]
    fn quantiles_are_within_the_resolution() {
        let mut all = Histogram::new();
        for micros in 1..=1000 {
            all.record(Duration::from_micros(micros));
        }
        for (q, micros) in [(0.5, 500.0), (0.99, 990.0), (1.0, 1000.0)] {
            let found = all.quantile(q).as_secs_f64() * 1e6;
            assert!((found / micros - 1.0).abs() < 0.04, "{q}: {found} instead of {micros}");
        }
        assert_eq!(all.max(), Duration::from_micros(1000));
        assert_eq!(Histogram::new().quantile(0.99), Duration::ZERO);
    }

    #[test]
    fn merging_adds_counts() {
        let (mut left, mut right) = (Histogram::new(), Histogram::new());
        left.record(Duration::from_millis(1));
        right.record(Duration::from_millis(9));
        left.merge(&right);
        assert_eq!((left.count(), left.max()), (2, Duration::from_millis(9)));
    }
}
