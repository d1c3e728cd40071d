//! Renewals of the last minute, and how many there should be.

use muster_model::Monotonic;

const SECONDS: usize = 60;

/// Counts of the last 60 seconds, one a second.
#[derive(Debug, Default)]
pub(super) struct Renewals {
    /// Absent until the first renewal.
    counts: Option<Box<[u32; SECONDS]>>,
    /// The second that was counted last.
    second: u64,
    /// Renewals a minute that all leases together should get, in millionths.
    expected: u64,
}

/// Millionths of a renewal a minute.
fn rate(interval_ms: u64) -> u64 {
    60_000 * 1_000_000 / interval_ms.max(1)
}

impl Renewals {
    pub(super) fn expect(&mut self, interval_ms: u64) {
        self.expected += rate(interval_ms);
    }

    pub(super) fn expect_no_more(&mut self, interval_ms: u64) {
        self.expected -= rate(interval_ms);
    }

    pub(super) fn expected(&self) -> u64 {
        self.expected
    }

    pub(super) fn count(&mut self, now: Monotonic) {
        let second = now.0 / 1_000;
        let counts = self.counts.get_or_insert_with(|| Box::new([0; SECONDS]));
        let passed = second.saturating_sub(self.second).min(SECONDS as u64);
        for behind in 0..passed {
            counts[((second - behind) % SECONDS as u64) as usize] = 0;
        }
        self.second = self.second.max(second);
        counts[(self.second % SECONDS as u64) as usize] += 1;
    }

    /// Renewals within the last minute.
    pub(super) fn recent(&self, now: Monotonic) -> u64 {
        let Some(counts) = &self.counts else { return 0 };
        let now = (now.0 / 1_000).max(self.second);
        let first =
            (now + 1).saturating_sub(SECONDS as u64).max((self.second + 1).saturating_sub(SECONDS as u64));
        (first..=self.second).map(|second| u64::from(counts[(second % SECONDS as u64) as usize])).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_renewal_counts_for_a_minute() {
        let mut renewals = Renewals::default();
        assert_eq!(renewals.recent(Monotonic(0)), 0);
        for secs in [100, 100, 101, 130, 159] {
            renewals.count(Monotonic(secs * 1_000 + 999));
        }
        for (secs, recent) in
            [(159, 5), (160, 3), (161, 2), (189, 2), (190, 1), (218, 1), (219, 0), (9_999, 0)]
        {
            assert_eq!(renewals.recent(Monotonic(secs * 1_000)), recent, "{secs}");
        }
        renewals.count(Monotonic(1_000_000));
        assert_eq!(renewals.recent(Monotonic(1_000_000)), 1);
    }

    #[test]
    fn leases_of_any_interval_come_and_go_without_a_trace() {
        let mut renewals = Renewals::default();
        let intervals = [30_000, 7, 1, 0, 33_333, u64::MAX, 5_000];
        intervals.iter().for_each(|interval| renewals.expect(*interval));
        intervals[1..].iter().for_each(|interval| renewals.expect_no_more(*interval));
        assert_eq!(renewals.expected(), 2_000_000);
    }
}
