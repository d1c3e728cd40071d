//! Whatever breaks around it, no process ends by itself, and when everything is well again every node is ready. One exception:
//! a node that joins must write down who it is before it does anything, and ends if its disk is full.

use crate::record::Seen;

pub(super) fn check(seen: &Seen) -> Option<String> {
    seen.failures.first().cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_a_breach() {
        assert_eq!(check(&Seen::default()), None);
        assert!(check(&Seen { failures: vec!["it stopped".into()], ..Seen::default() }).is_some());
    }
}
