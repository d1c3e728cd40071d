//! Parts of a node's publications that are compared and mended one by one.

use std::fmt;

/// How many parts there are. A publication's bucket is a hash of its key, the same on every node.
pub const BUCKETS: usize = 256;

/// Some of the buckets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Buckets([u64; 4]);

impl Buckets {
    /// All of them: a whole resync.
    pub const ALL: Self = Self([u64::MAX; 4]);
    /// None.
    pub const NONE: Self = Self([0; 4]);

    /// Those in which two digests differ.
    pub fn differing(one: &[u64; BUCKETS], other: &[u64; BUCKETS]) -> Self {
        let mut differing = Self::NONE;
        for (bucket, (one, other)) in one.iter().zip(other).enumerate() {
            if one != other {
                differing.insert(bucket as u8);
            }
        }
        differing
    }

    /// Adds one.
    pub fn insert(&mut self, bucket: u8) {
        self.0[usize::from(bucket) / 64] |= 1 << (bucket % 64);
    }

    /// Adds those of another set.
    pub fn extend(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(mine, other)| *mine |= other);
    }

    /// Whether one of them is meant.
    pub fn contains(&self, bucket: u8) -> bool {
        self.0[usize::from(bucket) / 64] & (1 << (bucket % 64)) != 0
    }

    /// How many are meant.
    pub fn len(&self) -> u32 {
        self.0.iter().map(|part| part.count_ones()).sum()
    }

    /// Whether none is meant.
    pub fn is_empty(&self) -> bool {
        *self == Self::NONE
    }

    /// Whether all are meant.
    pub fn is_all(&self) -> bool {
        *self == Self::ALL
    }

    pub(crate) fn parts(&self) -> Vec<u64> {
        self.0.to_vec()
    }

    /// `None`: not as many parts as there must be.
    pub(crate) fn from_parts(parts: Vec<u64>) -> Option<Self> {
        parts.try_into().ok().map(Self)
    }
}

impl fmt::Debug for Buckets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_all() { write!(f, "all buckets") } else { write!(f, "{} buckets", self.len()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differing_buckets_are_named() {
        let (mut one, other) = ([7; BUCKETS], [7; BUCKETS]);
        assert!(Buckets::differing(&one, &other).is_empty());
        one[0] = 8;
        one[63] = 8;
        one[255] = 6;
        let differing = Buckets::differing(&one, &other);
        let named: Vec<u8> = (0..=255).filter(|bucket| differing.contains(*bucket)).collect();
        assert_eq!((named, differing.len()), (vec![0, 63, 255], 3));
        assert_eq!(Buckets::from_parts(differing.parts()), Some(differing));
        assert!((0..=255).all(|bucket| Buckets::ALL.contains(bucket)));
    }
}
