//! What is due when.

use muster_model::Monotonic;
use std::{cmp::Reverse, collections::BinaryHeap};

/// Keys by the time they are due. A key that is no longer wanted stays until it is due, and whoever takes it
/// out checks whether it still means something; [`Deadlines::retain`] clears them out when they are many.
#[derive(Debug)]
pub(crate) struct Deadlines<K: Ord>(BinaryHeap<Reverse<(Monotonic, K)>>);

impl<K: Ord> Default for Deadlines<K> {
    fn default() -> Self {
        Self(BinaryHeap::new())
    }
}

impl<K: Ord> Deadlines<K> {
    pub(crate) fn push(&mut self, at: Monotonic, key: K) {
        self.0.push(Reverse((at, key)));
    }

    pub(crate) fn next(&self) -> Option<Monotonic> {
        self.0.peek().map(|Reverse((at, _))| *at)
    }

    /// Takes the first key out, if it is due.
    pub(crate) fn pop_due(&mut self, now: Monotonic) -> Option<K> {
        if self.next()? > now {
            return None;
        }
        self.0.pop().map(|Reverse((_, key))| key)
    }

    /// Drops the keys that are no longer wanted, if most are not: constant time a push on average.
    pub(crate) fn retain(&mut self, wanted: usize, is_wanted: impl Fn(&K) -> bool) {
        if self.0.len() > 2 * wanted + 64 {
            self.0.retain(|Reverse((_, key))| is_wanted(key));
        }
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}
