//! How soon a peer that failed is asked again.

use std::time::Duration;

/// After the first failure on the network (`TaskAcceptor`: 100 ms).
const NETWORK_PAUSE: Duration = Duration::from_millis(100);

/// After the first answer that says there is too much to do (`TaskAcceptor`: 1 s).
const BUSY_PAUSE: Duration = Duration::from_secs(1);

/// No pause is longer: a peer that comes back is noticed within it.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// How a peer failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// It was not reached.
    Network,
    /// It has too much to do.
    Busy,
    /// It answered what it will answer again.
    Refused,
}

/// The pauses of one peer: each is twice as long as the one before, until it answers.
#[derive(Debug, Default)]
pub(super) struct Pace {
    last: Option<Duration>,
}

impl Pace {
    /// It answered.
    pub(super) fn reset(&mut self) {
        self.last = None;
    }

    /// It failed; how long to leave it alone.
    pub(super) fn pause(&mut self, failure: Failure) -> Duration {
        let first = match failure {
            Failure::Network => NETWORK_PAUSE,
            Failure::Busy => BUSY_PAUSE,
            Failure::Refused => PAUSE_MAX,
        };
        let pause = self.last.map_or(first, |last| (last * 2).max(first)).min(PAUSE_MAX);
        self.last = Some(pause);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_limit_and_start_anew_after_an_answer() {
        let mut pace = Pace::default();
        let pauses: Vec<u128> = (0..8).map(|_| pace.pause(Failure::Network).as_millis()).collect();
        assert_eq!(pauses, [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
        pace.reset();
        assert_eq!(pace.pause(Failure::Network).as_millis(), 100);
        assert_eq!(pace.pause(Failure::Busy).as_millis(), 1_000);
        assert_eq!(pace.pause(Failure::Refused).as_millis(), 5_000);
    }
}
