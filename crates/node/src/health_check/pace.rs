//! When an instance is checked next, and how many equal findings decide.

use muster_runtime::Rng;
use std::time::Duration;

/// Checks a second up to which every instance is checked as often as its kind of check allows (400). With more
/// instances the pauses grow, up to the longest that their kind has: 2,000 instances are checked every five seconds.
const CHECKS_A_SECOND: u64 = 400;

/// The pace of a kind of check. A pause follows the time that answers take: an old one counts `factor`, the new one
/// the rest, and what comes out is held between `min` and `max` (naming `HealthCheckTaskV2`, `SwitchDomain`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pace {
    pub(super) max: Duration,
    pub(super) min: Duration,
    pub(super) factor: f32,
}

/// What the pause of one instance comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tempo {
    smoothed_ms: f32,
}

impl Tempo {
    /// That of an instance never checked: somewhere between 2 and 7 s, so that they spread.
    pub(super) fn new(rng: &mut Rng) -> Self {
        Self { smoothed_ms: (2_000 + rng.below(5_000)) as f32 }
    }

    /// The pause after a check that took so long, with so many instances that are checked.
    pub(super) fn next(&mut self, pace: Pace, took: Duration, instances: usize, rng: &mut Rng) -> Duration {
        let (min, max) = (pace.min.min(pace.max).as_millis() as f32, pace.max.as_millis() as f32);
        let took = took.as_millis() as f32;
        self.smoothed_ms = (pace.factor * self.smoothed_ms + (1.0 - pace.factor) * took).clamp(min, max);
        let crowded = instances as u64 * 1_000 / CHECKS_A_SECOND;
        let pause = (self.smoothed_ms as u64).max(crowded).min(max as u64);
        // Instances that were registered together do not stay together.
        Duration::from_millis(pause - rng.below(pause / 10 + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TCP: Pace =
        Pace { max: Duration::from_millis(5_000), min: Duration::from_millis(1_000), factor: 0.75 };

    fn after(checks: usize, took_ms: u64, instances: usize) -> u64 {
        let mut rng = Rng::seeded(1);
        let mut tempo = Tempo::new(&mut rng);
        let took = Duration::from_millis(took_ms);
        (0..checks).map(|_| tempo.next(TCP, took, instances, &mut rng).as_millis() as u64).last().unwrap()
    }

    #[test]
    fn quick_answers_bring_the_shortest_pause_and_slow_ones_the_longest() {
        assert!((901..=1_000).contains(&after(20, 1, 10)));
        assert!((4_501..=5_000).contains(&after(20, 60_000, 10)));
        assert!((1_350..=5_000).contains(&after(1, 1, 10)));
    }

    #[test]
    fn many_instances_are_checked_every_five_seconds_and_no_less_often() {
        assert!((901..=1_000).contains(&after(20, 1, 400)));
        assert!((2_251..=2_500).contains(&after(20, 1, 1_000)));
        assert!((4_501..=5_000).contains(&after(20, 1, 2_000)));
        assert!((4_501..=5_000).contains(&after(20, 1, 100_000)));
    }
}
