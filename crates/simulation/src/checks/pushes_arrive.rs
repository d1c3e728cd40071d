//! Design D5: whoever watches is told of the newest state, whatever happened in between: 2 s after everything is well again
//! each subscriber was told what its node shows, and so at the end. Clients go on in between, so what was told is taken at
//! the same moments as what is shown.

use crate::record::{Held, Pushed, Seen};
use std::collections::BTreeMap;

pub(super) fn check(seen: &Seen) -> Option<String> {
    differ(&seen.healed, &seen.told_healed, "2 s after the heal")
        .or_else(|| differ(&seen.last, &seen.pushed, "at the end"))
}

fn differ(held: &BTreeMap<usize, Held>, told: &BTreeMap<usize, Pushed>, when: &str) -> Option<String> {
    held.iter().find_map(|(node, held)| {
        let pushed = told.get(node)?;
        held.services.iter().find_map(|(service, hosts)| {
            let told = pushed.services.get(service).map_or(&[][..], Vec::as_slice);
            (told != hosts).then(|| {
                format!(
                    "{when} node {node} shows {hosts:?} of {service}, and its subscriber was told {told:?}"
                )
            })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Held, Pushed};

    #[test]
    fn a_push_that_never_came_is_found() {
        let mut seen = Seen::default();
        let held = Held { services: [("s".to_owned(), vec!["a".to_owned()])].into(), ..Held::default() };
        seen.healed.insert(1, held.clone());
        assert_eq!(check(&seen), None, "nobody subscribed");
        seen.told_healed.insert(1, Pushed { services: held.services.clone() });
        assert_eq!(check(&seen), None);
        seen.pushed.insert(1, Pushed::default());
        assert_eq!(check(&seen), None, "it may have changed since");
        seen.last.insert(1, held);
        assert!(check(&seen).is_some_and(|text| text.starts_with("at the end")));
        seen.told_healed.insert(1, Pushed::default());
        assert!(check(&seen).is_some_and(|text| text.starts_with("2 s")));
    }
}
