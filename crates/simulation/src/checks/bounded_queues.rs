//! Design D13: no queue ever holds more than its limit.

use crate::record::Seen;

pub(super) fn check(seen: &Seen) -> Option<String> {
    let over = seen.fills.values().find(|fill| fill.held > fill.limit)?;
    Some(format!("{over:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Fill;

    #[test]
    fn a_queue_over_its_limit_is_found() {
        let mut seen = Seen::default();
        seen.fills.insert((1, "q"), Fill { node: 1, queue: "q", held: 5, limit: 5 });
        assert_eq!(check(&seen), None);
        seen.fills.insert((2, "q"), Fill { node: 2, queue: "q", held: 6, limit: 5 });
        assert!(check(&seen).is_some());
    }
}
