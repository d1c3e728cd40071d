//! Design D4: when most leases run out at once, it is the server's or the network's fault, and what they keep stays as it is.

use crate::record::Seen;

/// With fewer instances than this not every node has a brake.
const CROWD_MIN: usize = 40;

pub(super) fn check(seen: &Seen) -> Option<String> {
    let (node, lost) = seen.silenced.iter().find(|(_, silenced)| {
        silenced.before >= CROWD_MIN && silenced.after.is_some_and(|after| after * 2 < silenced.before)
    })?;
    Some(format!("node {node} gave up a crowd that fell silent: {lost:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Silenced;

    #[test]
    fn a_crowd_that_is_given_up_is_found() {
        let mut seen = Seen::default();
        seen.silenced.insert(1, Silenced { before: 60, after: Some(51) });
        seen.silenced.insert(2, Silenced { before: 60, after: None });
        assert_eq!(check(&seen), None);
        seen.silenced.insert(3, Silenced { before: 60, after: Some(4) });
        assert!(check(&seen).is_some_and(|text| text.contains("node 3")));
    }
}
