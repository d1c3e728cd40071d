//! Design D7: no node that answers shows an empty list while an instance of the service lives. An instance lives while its
//! client is answered by some node at least every 10 s, which is far within its lease, and does not take it back.
//!
//! A node must know it: it has shown it, or has answered its client, long enough ago that it is in its checkpoint.

use crate::record::{Listed, Renewed, Seen};

/// A client that was answered so long ago may have lost its lease.
const ALIVE_MS: u64 = 10_000;
/// Within a tick of the simulated network two hosts may be at different times.
const TICKS_MS: u64 = 10;
/// A checkpoint is no older than this.
const KNOWN_MS: u64 = 6_000;

pub(super) fn check(seen: &Seen) -> Option<String> {
    seen.lists.iter().filter(|list| list.hosts.is_empty()).find_map(|empty| {
        let mut renewed = seen.renewed.iter().filter(|one| one.service == empty.service);
        let alive = renewed.find(|one| is_alive(one, empty, seen) && is_known(one, empty, seen))?;
        Some(format!("{empty:?}, and {} lives: {alive:?}", alive.host))
    })
}

fn is_alive(renewed: &Renewed, empty: &Listed, seen: &Seen) -> bool {
    let is_recent = |at_ms| at_ms <= empty.at_ms && at_ms + ALIVE_MS > empty.at_ms;
    let mut later =
        seen.renewed.iter().filter(|one| one.host == renewed.host && one.service == renewed.service);
    !renewed.is_leaving
        && is_recent(renewed.at_ms)
        && !later.any(|one| {
            one.is_leaving
                && one.at_ms <= empty.at_ms + TICKS_MS
                && one.at_ms + KNOWN_MS + ALIVE_MS > empty.at_ms
        })
}

fn is_known(renewed: &Renewed, empty: &Listed, seen: &Seen) -> bool {
    let is_old = |at_ms| at_ms + KNOWN_MS <= empty.at_ms;
    let mut shown = seen.lists.iter().filter(|list| {
        list.server.node == empty.server.node && list.service == empty.service && is_old(list.at_ms)
    });
    shown.next_back().is_some_and(|list| list.hosts.contains(&renewed.host))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Server;

    fn listed(at_ms: u64, hosts: &[&str]) -> Listed {
        let hosts = hosts.iter().map(|host| (*host).to_owned()).collect();
        Listed { at_ms, server: Server { node: 1, life: 1 }, service: "s".into(), hosts }
    }

    fn renewed(at_ms: u64, is_leaving: bool) -> Renewed {
        Renewed { at_ms, service: "s".into(), host: "a".into(), node: 2, is_leaving }
    }

    #[test]
    fn an_empty_list_is_a_breach_while_somebody_lives() {
        let lists = vec![listed(1_000, &["a"]), listed(9_000, &[])];
        let seen = |renewed| Seen { lists: lists.clone(), renewed, ..Seen::default() };
        assert_eq!(check(&seen(vec![])), None);
        assert!(check(&seen(vec![renewed(8_000, false)])).is_some());
        assert_eq!(check(&seen(vec![renewed(7_000, true), renewed(6_000, false)])), None, "it left");
        assert_eq!(check(&seen(vec![renewed(9_500, false)])), None, "it came later");
        let mut unknown = seen(vec![renewed(8_000, false)]);
        unknown.lists[0].server.node = 2;
        assert_eq!(check(&unknown), None, "this node never knew it");
    }
}
