//! Design D5: who is told of changes by one process is never told something older than before, and a node that answered a
//! write shows it.

use crate::record::{Observed, Seen};
use muster_model::HashMap;

pub(super) fn check(seen: &Seen) -> Option<String> {
    let mut newest: HashMap<_, &Observed> = HashMap::default();
    seen.observed.iter().find_map(|observed| {
        let before = newest.insert((observed.client, observed.server, &observed.what), observed)?;
        (before.revision > observed.revision).then(|| format!("{observed:?} after {before:?}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Server;

    #[test]
    fn only_one_connection_is_in_order() {
        let observed = |client, life, revision| {
            let server = Server { node: 1, life };
            Observed { at_ms: 1, client, server, what: "config 1".into(), revision }
        };
        let mut seen = Seen {
            observed: vec![observed(1, 1, 5), observed(2, 1, 4), observed(1, 2, 3)],
            ..Seen::default()
        };
        assert_eq!(check(&seen), None);
        seen.observed.push(observed(1, 1, 4));
        assert!(check(&seen).is_some());
    }
}
