//! Design D4: 2 s after everything is well again all nodes show the same services, and the same configs at the end.

use crate::record::{Held, Seen};
use std::collections::BTreeMap;

pub(super) fn check(seen: &Seen) -> Option<String> {
    let services = |held: &Held| held.services.clone();
    let configs = |held: &Held| (held.configs.clone(), held.history.clone());
    differ(&seen.healed, "2 s after the heal", services)
        .or_else(|| differ(&seen.last, "at the end", services))
        .or_else(|| differ(&seen.last, "at the end", configs))
}

fn differ<T: PartialEq + std::fmt::Debug>(
    held: &BTreeMap<usize, Held>,
    when: &str,
    part: impl Fn(&Held) -> T,
) -> Option<String> {
    let mut all = held.iter();
    let (first, one) = all.next()?;
    let (other, two) = all.find(|(_, other)| part(other) != part(one))?;
    Some(format!("{when} node {first} has {:?}\nand node {other} has {:?}", part(one), part(two)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_node_that_differs_is_found() {
        let held = |hosts: &[&str]| Held {
            services: BTreeMap::from([(
                "s".to_owned(),
                hosts.iter().map(|host| (*host).to_owned()).collect(),
            )]),
            ..Held::default()
        };
        let mut seen = Seen { healed: (1..=3).map(|node| (node, held(&["a"]))).collect(), ..Seen::default() };
        assert_eq!(check(&seen), None);
        seen.healed.insert(3, held(&["a", "b"]));
        assert!(check(&seen).is_some_and(|text| text.contains("node 3")));
    }
}
