//! What went well and what did not, counted by all loads together.

use parking_lot::Mutex;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// Complaints that are kept; the others are counted.
const KEPT_MAX: usize = 40;

/// Counters, and what must never happen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally(Arc<Mutex<Counted>>);

#[derive(Debug, Default)]
struct Counted {
    counts: BTreeMap<String, u64>,
    longest: BTreeMap<String, Duration>,
    breaches: Vec<String>,
    breaches_total: usize,
}

impl Tally {
    /// One more of these.
    pub(crate) fn count(&self, what: &str) {
        *self.0.lock().counts.entry(what.to_owned()).or_default() += 1;
    }

    /// The longest time that something took or was away.
    pub(crate) fn took(&self, what: &str, time: Duration) {
        let mut counted = self.0.lock();
        let longest = counted.longest.entry(what.to_owned()).or_default();
        *longest = time.max(*longest);
    }

    /// Something that must never happen.
    pub(crate) fn breach(&self, what: String) {
        let mut counted = self.0.lock();
        counted.breaches_total += 1;
        if counted.breaches.len() < KEPT_MAX {
            counted.breaches.push(what);
        }
    }

    /// What must never have happened, and did, since this was asked last.
    pub(crate) fn take_breaches(&self) -> Vec<String> {
        let mut counted = self.0.lock();
        let more = counted.breaches_total - counted.breaches.len();
        counted.breaches_total = 0;
        let mut taken = std::mem::take(&mut counted.breaches);
        if more > 0 {
            taken.push(format!("and {more} more"));
        }
        taken
    }

    /// All counts, for people.
    pub(crate) fn summary(&self) -> String {
        let counted = self.0.lock();
        let counts = counted.counts.iter().map(|(what, count)| format!("{count} {what}"));
        let longest =
            counted.longest.iter().map(|(what, time)| format!("{what}: at most {} ms", time.as_millis()));
        counts.chain(longest).collect::<Vec<_>>().join(", ")
    }
}
