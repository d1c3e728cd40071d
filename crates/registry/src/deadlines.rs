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

    /// Takes the first key out, if it is due, with the time it was due at.
    pub(crate) fn pop_due(&mut self, now: Monotonic) -> Option<(Monotonic, K)> {
        if self.next()? > now {
            return None;
        }
        self.0.pop().map(|Reverse(due)| due)
    }

    /// Drops what is there twice and the keys that are no longer wanted, if those are the most: logarithmic
    /// time a push on average.
    pub(crate) fn retain(&mut self, wanted: usize, is_wanted: impl Fn(Monotonic, &K) -> bool) {
        if self.0.len() > 2 * wanted + 64 {
            let mut all = std::mem::take(&mut self.0).into_vec();
            all.sort_unstable();
            all.dedup();
            all.retain(|Reverse((at, key))| is_wanted(*at, key));
            self.0 = all.into();
        }
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}
