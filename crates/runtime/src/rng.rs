//! Randomness from a seed.

use std::hash::{BuildHasher, RandomState};

/// A small pseudo-random generator (SplitMix64): equal seeds give equal sequences. Not for secrets.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// A generator with a chosen seed.
    pub fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// A generator that differs each time the process starts.
    pub fn from_system() -> Self {
        Self(RandomState::new().hash_one(std::process::id()))
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `bound`, which must not be 0. The slight bias of the remainder is accepted.
    pub fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "there is no number below 0");
        self.next_u64() % bound
    }
}
