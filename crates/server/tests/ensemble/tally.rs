//! What went well and what did not, counted by all loads together.

use jiff::Timestamp;
use parking_lot::Mutex;
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

/// Complaints that are kept; the others are counted.
const KEPT_MAX: usize = 40;
/// Notes that are kept: the last ones.
const NOTES_MAX: usize = 60;

/// Counters, and what must never happen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally(Arc<Mutex<Counted>>);

#[derive(Debug, Default)]
struct Counted {
    counts: BTreeMap<String, u64>,
    longest: BTreeMap<String, Duration>,
    breaches: Vec<String>,
    breaches_total: usize,
    /// What clients met with last, for whoever looks for the cause of a breach.
    notes: VecDeque<String>,
    /// An instance that a list lacked, by service.
    lacking: BTreeMap<String, String>,
    /// A service that lists may lack instances of for now.
    excused: Option<String>,
}

impl Tally {
    /// One more of these.
    pub(crate) fn count(&self, what: &str) {
        *self.0.lock().counts.entry(what.to_owned()).or_default() += 1;
    }

    /// How many of these there were.
    pub(crate) fn of(&self, what: &str) -> u64 {
        self.0.lock().counts.get(what).copied().unwrap_or_default()
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
            counted.breaches.push(format!("{} {what}", clock()));
        }
    }

    /// A node told of a service without all that live.
    pub(crate) fn lacks(&self, node: &str, service: &str, hosts: &BTreeSet<String>, told: &BTreeSet<String>) {
        let lacking: Vec<_> = hosts.difference(told).map(String::as_str).collect();
        let Some(first) = lacking.first() else { return };
        if self.0.lock().excused.as_deref() == Some(service) {
            return self.count("lists without connections that only the other side of a long cut hears");
        }
        let (count, of) = (lacking.len(), hosts.len());
        self.breach(format!("{node} told of {service} without {count} of {of} that live, as {first}"));
        self.0.lock().lacking.insert(service.to_owned(), (*first).to_owned());
    }

    /// Lists may lack instances of this service from now on, or of none.
    pub(crate) fn excuse(&self, service: Option<&str>) {
        self.0.lock().excused = service.map(str::to_owned);
    }

    /// An instance that a list lacked, by service, since this was asked last.
    pub(crate) fn take_lacking(&self) -> BTreeMap<String, String> {
        std::mem::take(&mut self.0.lock().lacking)
    }

    /// Something that may explain a breach.
    pub(crate) fn note(&self, what: &str) {
        let mut counted = self.0.lock();
        if counted.notes.len() == NOTES_MAX {
            counted.notes.pop_front();
        }
        counted.notes.push_back(format!("{} {what}", clock()));
    }

    /// What was noted last.
    pub(crate) fn take_notes(&self) -> VecDeque<String> {
        std::mem::take(&mut self.0.lock().notes)
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

/// The time of day, as the logs of the nodes have it.
fn clock() -> String {
    Timestamp::now().strftime("%H:%M:%S%.3f").to_string()
}
