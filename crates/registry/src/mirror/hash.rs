//! A hash that is the same on all nodes and in all builds. It tells states apart that differ by accident; it is no
//! defence against anybody.

const MIX: [u64; 2] = [0x9E37_79B9_7F4A_7C15, 0xD6E8_FEB8_6659_FD93];

fn folded(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ (product >> 64) as u64
}

/// Two numbers mixed into one.
pub(crate) fn mix(a: u64, b: u64) -> u64 {
    folded(a ^ MIX[0], b ^ MIX[1])
}

/// The hash of some bytes, by eight of them at a time.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    let mut state = bytes.len() as u64 ^ MIX[1];
    let mut chunks = bytes.chunks_exact(8);
    for chunk in &mut chunks {
        let word = u64::from_le_bytes(chunk.try_into().expect("chunks of eight"));
        state = folded(state ^ word, MIX[0]);
    }
    let rest = chunks.remainder();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    folded(state ^ u64::from_le_bytes(last), MIX[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_same_in_every_build() {
        assert_eq!(hash(b""), 0x8f82_50e9_99ab_8492);
        assert_eq!(hash(b"a publication of some client"), 0x735c_18ba_897b_fc8b);
        assert_eq!(mix(1, 2), 0xbd60_66e6_b2ae_ea0c);
    }
}
