//! Design D4: a mirror that has everything up to some operation of its owner has exactly what the owner had then. While a
//! client changes its node the two may hear of that at different moments; but from 2 s after the heal on nothing may fall
//! into the net that the comparison of digests is.

use crate::record::Seen;

pub(super) fn check(seen: &Seen) -> Option<String> {
    let (node, count) = seen.mismatches.iter().find(|(_, count)| **count > 0)?;
    Some(format!("node {node} had mirrors that differed from their owners {count} times"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirror_that_differs_is_found() {
        let mut seen = Seen::default();
        seen.mismatches.insert(1, 0);
        assert_eq!(check(&seen), None);
        seen.mismatches.insert(2, 1);
        assert!(check(&seen).is_some());
    }
}
