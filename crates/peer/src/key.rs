//! Hashes of keys and of secrets.

use aws_lc_rs::{constant_time::verify_slices_are_equal, digest};
use std::fmt;

/// The SHA-256 of a public key (its SubjectPublicKeyInfo): what a node is recognised by.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyHash(pub [u8; 32]);

/// The SHA-256 of a secret: tells whether somebody knows it, and is no secret itself. Secrets are random and long, so
/// that one round is enough.
#[derive(Clone, Copy, Debug)]
pub struct SecretHash(pub [u8; 32]);

impl KeyHash {
    /// The hash of a public key.
    pub fn of(key: &[u8]) -> Self {
        Self(sha256(key))
    }

    /// Reads 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        Some(Self(from_hex(text)?.try_into().ok()?))
    }
}

impl fmt::Display for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl SecretHash {
    /// The hash of a secret.
    pub fn of(secret: &[u8]) -> Self {
        Self(sha256(secret))
    }

    /// Whether it is the same, in a time that does not tell where they differ.
    pub fn is(&self, other: &Self) -> bool {
        verify_slices_are_equal(&self.0, &other.0).is_ok()
    }
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let digest = digest::digest(&digest::SHA256, bytes);
    digest.as_ref().try_into().expect("SHA-256 has 32 bytes")
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads an even number of hexadecimal digits.
pub(crate) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let is_hex = text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let pairs = (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok());
    is_hex.then(|| pairs.collect()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_read_as_they_are_written() {
        let hash = KeyHash::of(b"key");
        assert_eq!(KeyHash::parse(&hash.to_string()), Some(hash));
        for text in ["", "0", "zz", &"0".repeat(62), &"+1".repeat(32), &"é".repeat(32)] {
            assert_eq!(KeyHash::parse(text), None, "{text}");
        }
    }

    #[test]
    fn only_the_same_secret_is_the_same() {
        assert!(SecretHash::of(b"a").is(&SecretHash::of(b"a")));
        assert!(!SecretHash::of(b"a").is(&SecretHash::of(b"b")));
    }
}
