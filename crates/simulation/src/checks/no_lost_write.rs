//! Design D3: a write is acknowledged when it is on the disks of a majority. So at the end every node has, of each config,
//! the acknowledged write of the highest revision or what came after it, and its history has every acknowledged write.

use crate::{
    history::NOTHING,
    record::{Acknowledged, Held, Seen},
};

pub(super) fn check(seen: &Seen) -> Option<String> {
    lost_config(seen).or_else(|| lost_instance(seen))
}

fn lost_config(seen: &Seen) -> Option<String> {
    seen.last.iter().find_map(|(node, held)| {
        seen.acknowledged.iter().find_map(|write| Some(format!("node {node}: {}", lost(write, held, seen)?)))
    })
}

/// A persistent instance that is older than what was acknowledged.
fn lost_instance(seen: &Seen) -> Option<String> {
    seen.last.iter().find_map(|(node, held)| {
        seen.stored.iter().find_map(|(service, stored)| {
            let hosts = held.services.get(service).map_or(&[][..], Vec::as_slice);
            let version = hosts.first().and_then(|host| host.rsplit_once(" v")?.1.parse::<u32>().ok());
            let is_there =
                version.is_some_and(|version| (stored.acknowledged..=stored.asked).contains(&version));
            (!is_there).then(|| format!("node {node} has {hosts:?} of {service}, which had {stored:?}"))
        })
    })
}

/// How a write is missing, if it is.
fn lost(write: &Acknowledged, held: &Held, seen: &Seen) -> Option<String> {
    let (value, revision) = held.configs.get(&write.key).copied().unwrap_or_default();
    if write.value == NOTHING {
        // What was there before was removed.
        let is_back = revision != 0
            && seen
                .acknowledged
                .iter()
                .any(|old| old.key == write.key && old.revision == revision && old.ended < write.began);
        return is_back.then(|| format!("{write:?} was removed, and is there with revision {revision}"));
    }
    if revision == write.revision && value != write.value {
        return Some(format!("{write:?}, and with that revision there is {value}"));
    }
    let history = held.history.get(&write.key)?;
    if !history.contains_key(&write.revision) {
        return Some(format!("{write:?} is not in the history, and the config has revision {revision}"));
    }
    // An entry of a change has what was there before it.
    let has_it = value == write.value || history.values().any(|value| *value == write.value);
    (!has_it).then(|| format!("the content of {write:?} is nowhere"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn seen(now: Option<(u32, u64)>, history: &[(u64, u32)]) -> Seen {
        let mut held = Held::default();
        held.configs.extend(now.map(|now| (1, now)));
        held.history.insert(1, history.iter().copied().collect::<BTreeMap<_, _>>());
        let write = Acknowledged { key: 1, value: 7, revision: 10, began: 1, ended: 2 };
        Seen { acknowledged: vec![write], last: BTreeMap::from([(1, held)]), ..Seen::default() }
    }

    #[test]
    fn a_write_is_there_or_in_the_history() {
        assert_eq!(check(&seen(Some((7, 10)), &[(10, 7)])), None);
        assert_eq!(check(&seen(Some((8, 11)), &[(10, 5), (11, 7)])), None);
        assert_eq!(check(&seen(None, &[(10, 7), (12, 7)])), None, "it was removed since");
        assert!(check(&seen(Some((8, 11)), &[(11, 7)])).is_some());
        assert!(check(&seen(Some((8, 11)), &[(10, 5), (11, 6)])).is_some());
        assert!(check(&seen(Some((8, 10)), &[(10, 8)])).is_some());
        assert!(check(&seen(None, &[])).is_some());
    }

    #[test]
    fn a_persistent_instance_is_no_older_than_acknowledged() {
        let mut seen = Seen::default();
        let held = |host: &str| {
            let services = [("s".to_owned(), vec![host.to_owned()])].into();
            Held { services, ..Held::default() }
        };
        seen.stored.insert("s".into(), crate::record::Stored { acknowledged: 3, asked: 4 });
        seen.last.insert(1, held("10.0.0.1:80 true v3"));
        seen.last.insert(2, held("10.0.0.1:80 true v4"));
        assert_eq!(check(&seen), None);
        seen.last.insert(3, held("10.0.0.1:80 true v2"));
        assert!(check(&seen).is_some_and(|text| text.contains("node 3")));
    }

    #[test]
    fn what_was_removed_stays_so() {
        let mut seen = seen(Some((7, 10)), &[(10, 7)]);
        let removal = |began| Acknowledged { key: 1, value: NOTHING, revision: 0, began, ended: began + 1 };
        seen.acknowledged.push(removal(3));
        assert!(check(&seen).is_some());
        seen.acknowledged[1] = removal(2);
        assert_eq!(check(&seen), None, "both at the same time: the removal may have come first");
    }
}
