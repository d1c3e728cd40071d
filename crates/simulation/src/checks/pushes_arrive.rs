//! Design D5: whoever watches is told of the newest state, whatever happened in between: 2 s after everything is well again
//! each subscriber was told what its node shows.

use crate::record::Seen;

pub(super) fn check(seen: &Seen) -> Option<String> {
    seen.healed.iter().find_map(|(node, held)| {
        let pushed = seen.pushed.get(node)?;
        held.services.iter().find_map(|(service, hosts)| {
            let told = pushed.services.get(service).map_or(&[][..], Vec::as_slice);
            (told != hosts).then(|| {
                format!("node {node} shows {hosts:?} of {service}, and its subscriber was told {told:?}")
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
        seen.pushed.insert(1, Pushed { services: held.services });
        assert_eq!(check(&seen), None);
        seen.pushed.insert(1, Pushed::default());
        assert!(check(&seen).is_some());
    }
}
