//! How many removals are too many.

use muster_model::Monotonic;
use std::collections::BTreeMap;

/// With fewer leases than this a share means nothing.
pub(super) const SMALL: usize = 10;
/// The share of lost leases, in percent, beyond which they are held.
const LOST_MAX_PERCENT: usize = 15;
/// The span in which removals are counted together, seconds.
const SPAN_SECS: u64 = 60;

/// Whether `count` of `all` leases are more than the share that may be lost.
pub(super) fn exceeds(count: usize, all: usize) -> bool {
    count * 100 > all * LOST_MAX_PERCENT
}

/// Whether renewals exceed the share again below which leases are held.
pub(super) fn has_recovered(silent: usize, all: usize) -> bool {
    silent * 100 < all * LOST_MAX_PERCENT
}

/// Eureka's own rule (eureka-core `PeerAwareInstanceRegistryImpl.isLeaseExpirationEnabled`): leases may expire if more
/// renewals came in the last minute than 85 % of those expected, rounded down, and that is more than none. `expected`
/// is in millionths, by each lease's own interval.
pub(super) fn keeps_up(renewals: u64, expected: u64) -> bool {
    let threshold = expected * (100 - LOST_MAX_PERCENT as u64) / 100 / 1_000_000;
    threshold > 0 && renewals > threshold
}

/// Removals that were, and those that will be if nothing is renewed, by the second.
#[derive(Debug, Default)]
pub(super) struct Removals(BTreeMap<u64, usize>);

impl Removals {
    /// Counts a removal; gives the second it is counted in.
    pub(super) fn add(&mut self, at: Monotonic, now: Monotonic) -> u64 {
        let (second, oldest) = (at.0 / 1_000, (now.0 / 1_000).saturating_sub(SPAN_SECS));
        while self.0.first_key_value().is_some_and(|(second, _)| *second < oldest) {
            self.0.pop_first();
        }
        *self.0.entry(second).or_default() += 1;
        second
    }

    /// A removal will not be, after all.
    pub(super) fn take_back(&mut self, second: u64) {
        if let Some(count) = self.0.get_mut(&second) {
            *count -= 1;
            if *count == 0 {
                self.0.remove(&second);
            }
        }
    }

    /// Removals within the last minute.
    pub(super) fn past(&self, now: Monotonic) -> usize {
        let now = now.0 / 1_000;
        self.0.range((now + 1).saturating_sub(SPAN_SECS)..=now).map(|(_, count)| count).sum()
    }

    /// The most removals in any minute that this moment is in and that is not over.
    pub(super) fn densest_with(&self, at: Monotonic, now: Monotonic) -> usize {
        let (second, now) = (at.0 / 1_000, now.0 / 1_000);
        let first = (second + 1).saturating_sub(SPAN_SECS).max((now + 1).saturating_sub(SPAN_SECS));
        let counts: Vec<_> =
            self.0.range(first..second + SPAN_SECS).map(|(at, count)| (*at, *count)).collect();
        let (mut densest, mut sum, mut from) = (0, 0, 0);
        for (at, count) in &counts {
            sum += count;
            while counts[from].0 + SPAN_SECS <= *at {
                sum -= counts[from].1;
                from += 1;
            }
            densest = densest.max(sum);
        }
        densest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Monotonic {
        Monotonic(secs * 1_000)
    }

    #[test]
    fn eureka_s_rule_as_the_original_counts_it() {
        // (clients at 30 s, renewals a minute) as in a real server, which rounds down.
        for (clients, renewals, may_expire) in [
            (1, 2, true),
            (1, 1, false),
            (3, 4, false),
            (6, 10, false),
            (7, 12, true),
            (9, 16, true),
            (0, 0, false),
        ] {
            assert_eq!(keeps_up(renewals, clients * 2_000_000), may_expire, "{clients} {renewals}");
        }
    }

    #[test]
    fn removals_far_apart_do_not_add_up() {
        let mut removals = Removals::default();
        for secs in [100, 100, 130, 161, 220] {
            removals.add(at(secs), at(100));
        }
        assert_eq!(removals.densest_with(at(159), at(100)), 3);
        assert_eq!(removals.densest_with(at(160), at(100)), 2);
        assert_eq!(removals.densest_with(at(400), at(100)), 0);
        assert_eq!(removals.past(at(131)), 3);
        assert_eq!(removals.past(at(160)), 1);
    }

    #[test]
    fn what_is_over_is_dropped() {
        let mut removals = Removals::default();
        for secs in 0..10_000 {
            removals.add(at(secs), at(secs));
        }
        assert!(removals.0.len() <= 61);
        let second = removals.add(at(20_000), at(20_000));
        assert_eq!(removals.0.len(), 1);
        removals.take_back(second);
        assert!(removals.0.is_empty());
    }
}
