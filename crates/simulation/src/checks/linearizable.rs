//! Design D3 and the reads through the barrier: publications, compare-and-set, removals and barrier reads of one
//! config are as if done one after another, each between its question and its answer.

use crate::{linearizability, record::Seen};

pub(super) fn check(seen: &Seen) -> Option<String> {
    seen.calls.iter().find_map(|(key, calls)| {
        let broken = linearizability::check(calls).err()?;
        Some(format!("config {key}: {broken}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Answer, Asked, Call};

    #[test]
    fn each_config_is_a_register_of_its_own() {
        let call = |asked, began, answer| Call { client: 1, asked, began, ended: began + 1, answer };
        let mut seen = Seen::default();
        seen.calls.insert(1, vec![call(Asked::Publish(5), 1, Answer::Published)]);
        seen.calls.insert(2, vec![call(Asked::Read, 3, Answer::Found(0))]);
        assert_eq!(check(&seen), None);
        seen.calls.entry(2).or_default().push(call(Asked::Read, 5, Answer::Found(5)));
        assert!(check(&seen).is_some_and(|text| text.contains("config 2")));
    }
}
