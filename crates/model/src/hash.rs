//! Hash maps and sets whose order is unknown to clients, and can be known to a test.
//!
//! Names come from clients, so hashes are seeded at random, once a process: nobody outside can choose names that collide.
//! A simulation chooses the seed ([`set_hash_seed`]), and the same seed gives the same order of every map.

use foldhash::{
    SharedSeed,
    fast::{FoldHasher, RandomState},
};
use std::{
    cell::Cell,
    hash::BuildHasher,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

static SHARED: OnceLock<SharedSeed> = OnceLock::new();
static THREADS: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// The number of the next map that this thread makes.
    static MAPS: Cell<u64> = Cell::new(THREADS.fetch_add(1 << 32, Ordering::Relaxed));
}

/// A hash map.
pub type HashMap<K, V> = std::collections::HashMap<K, V, HashState>;

/// A hash set.
pub type HashSet<T> = std::collections::HashSet<T, HashState>;

/// Makes hashers; each map has its own.
#[derive(Clone, Debug)]
pub struct HashState(u64);

impl Default for HashState {
    #[inline]
    fn default() -> Self {
        // An odd multiplier spreads consecutive numbers: maps must not share an order, or filling one from another
        // takes quadratic time.
        let number = MAPS.replace(MAPS.get().wrapping_add(1));
        Self(number.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }
}

impl BuildHasher for HashState {
    type Hasher = FoldHasher<'static>;

    #[inline]
    fn build_hasher(&self) -> FoldHasher<'static> {
        FoldHasher::with_seed(self.0, shared())
    }
}

#[inline]
fn shared() -> &'static SharedSeed {
    SHARED.get_or_init(|| SharedSeed::from_u64(RandomState::default().hash_one(0_u64)))
}

/// Seeds the maps that this thread makes from now on: equal seeds, equal orders. The seed that all threads share becomes a
/// constant, if this comes before the first map of the process. For simulations.
pub fn set_hash_seed(seed: u64) {
    SHARED.get_or_init(|| SharedSeed::from_u64(0));
    MAPS.set(seed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_one_order_and_each_map_its_own() {
        let order = |state: HashState| {
            let mut map: HashMap<u32, ()> = HashMap::with_hasher(state);
            map.extend((0..100).map(|number| (number, ())));
            map.into_keys().collect::<Vec<_>>()
        };
        assert_eq!(order(HashState(7)), order(HashState(7)));
        assert_ne!(order(HashState(7)), order(HashState(8)));
    }
}
