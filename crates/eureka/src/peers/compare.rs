//! What two registries lack of each other, when one of them was away.

use super::queue::Key;
use crate::wire::{BatchAction, Declared};
use muster_model::EurekaStatus;
use std::collections::{HashMap, HashSet};

/// What we hold of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Held {
    /// Its last change.
    pub(super) last_dirty: i64,
    /// The override in force; `Unknown` for none.
    pub(super) overridden: EurekaStatus,
    /// Its client spoke to us last, and not to a peer: it is ours to tell of.
    pub(super) is_ours: bool,
    /// No other node of ours owns it, so that a peer which lost its override has it from us.
    pub(super) is_here: bool,
    /// The override is older than what the peer's list may show: a peer that lacks it there has lost it.
    pub(super) is_old: bool,
}

/// What to do about a difference.
#[derive(Debug, PartialEq)]
pub(super) enum Step {
    /// Register the peer's copy here, as if it had told us.
    TakeOver(Box<Declared>),
    /// Tell the peer.
    Tell(Key, BatchAction),
}

/// What makes both registries equal. `settled` are instances that changed while the peer's list was on its way, or whose
/// change already waits to be told: the list says nothing of them.
///
/// The later change wins, by the instance's own clock. Of two that are equally old an override wins over none: what is
/// deleted is told by a task that waits until it is delivered, so a missing override was lost rather than deleted.
/// Only what our own clients registered is told: anything else has an owner that tells it. An override is told, whoever
/// set it, to a peer that lost it; not if it is so new that whoever set it tells it, of which the list says nothing yet.
pub(super) fn differences(
    held: &HashMap<Key, Held>,
    theirs: Vec<Declared>,
    settled: &HashSet<Key>,
) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut known = HashSet::with_capacity(theirs.len());
    for copy in theirs {
        let key = Key::of(&copy.instance);
        let is_settled = settled.contains(&key);
        known.insert(key.clone());
        if is_settled {
            continue;
        }
        let overridden = copy.overridden.unwrap_or(EurekaStatus::Unknown);
        match held.get(&key) {
            None => steps.push(Step::TakeOver(Box::new(copy))),
            Some(ours) if ours.last_dirty < copy.instance.last_dirty => {
                steps.push(Step::TakeOver(Box::new(copy)));
                let is_lost = overridden == EurekaStatus::Unknown && ours.overridden != EurekaStatus::Unknown;
                if is_lost && ours.is_here && ours.is_old {
                    steps.push(Step::Tell(key, BatchAction::StatusUpdate));
                }
            }
            Some(ours) if ours.last_dirty > copy.instance.last_dirty && ours.is_ours => {
                steps.push(Step::Tell(key, BatchAction::Register));
            }
            Some(ours) if ours.overridden == overridden => {}
            Some(_) if overridden != EurekaStatus::Unknown => steps.push(Step::TakeOver(Box::new(copy))),
            Some(ours) if !ours.is_here || !ours.is_old => {}
            Some(_) => steps.push(Step::Tell(key, BatchAction::StatusUpdate)),
        }
    }
    let missing =
        held.iter().filter(|(key, ours)| ours.is_ours && !known.contains(*key) && !settled.contains(*key));
    steps.extend(missing.map(|(key, _)| Step::Tell(key.clone(), BatchAction::Register)));
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use EurekaStatus::{OutOfService, Unknown};
    use muster_model::{DataCenter, EurekaInstance, EurekaLease, EurekaPort, Metadata};

    fn key(id: &str) -> Key {
        Key { app: "ORDER".into(), id: id.into() }
    }

    fn theirs(id: &str, last_dirty: i64, overridden: EurekaStatus) -> Declared {
        let port = EurekaPort { number: 8080, enabled: true };
        let instance = EurekaInstance {
            app: "ORDER".into(),
            instance_id: Some(id.into()),
            host_name: "h".into(),
            ip_addr: "10.0.0.1".into(),
            sid: None,
            status: EurekaStatus::Up,
            port,
            secure_port: port,
            country_id: 1,
            data_center: DataCenter::MyOwn,
            lease: EurekaLease::default(),
            metadata: Metadata::default(),
            app_group: None,
            home_page_url: None,
            status_page_url: None,
            health_check_url: None,
            secure_health_check_url: None,
            vip_address: None,
            secure_vip_address: None,
            asg_name: None,
            last_dirty,
        };
        Declared { instance, overridden: (overridden != Unknown).then_some(overridden) }
    }

    /// What is done about instance `a`, which we hold or not, and the peer holds or not.
    fn steps(held: Option<Held>, copy: Option<Declared>) -> Vec<Step> {
        let held = held.map(|held| (key("a"), held)).into_iter().collect();
        differences(&held, copy.into_iter().collect(), &HashSet::new())
    }

    fn ours(last_dirty: i64, overridden: EurekaStatus, is_ours: bool) -> Option<Held> {
        Some(Held { last_dirty, overridden, is_ours, is_here: true, is_old: true })
    }

    fn take_over(copy: &Declared) -> Step {
        Step::TakeOver(Box::new(copy.clone()))
    }

    fn tell(action: BatchAction) -> Vec<Step> {
        vec![Step::Tell(key("a"), action)]
    }

    #[test]
    fn what_one_side_lacks_it_is_given() {
        let copy = theirs("a", 5, Unknown);
        assert_eq!(steps(None, Some(copy.clone())), [take_over(&copy)]);
        assert_eq!(steps(ours(5, Unknown, true), None), tell(BatchAction::Register));
        assert_eq!(steps(ours(5, Unknown, false), None), [], "its owner tells of it");
        assert_eq!(steps(ours(5, Unknown, true), Some(copy)), []);
    }

    #[test]
    fn the_later_change_wins() {
        let copy = theirs("a", 5, Unknown);
        assert_eq!(steps(ours(4, Unknown, true), Some(copy.clone())), [take_over(&copy)]);
        assert_eq!(steps(ours(6, Unknown, true), Some(copy.clone())), tell(BatchAction::Register));
        assert_eq!(steps(ours(6, Unknown, false), Some(copy)), []);
    }

    #[test]
    fn an_override_wins_over_none() {
        let (plain, overridden) = (theirs("a", 5, Unknown), theirs("a", 5, OutOfService));
        assert_eq!(steps(ours(5, Unknown, true), Some(overridden.clone())), [take_over(&overridden)]);
        assert_eq!(steps(ours(5, OutOfService, false), Some(plain.clone())), tell(BatchAction::StatusUpdate));
        assert_eq!(steps(ours(5, OutOfService, true), Some(overridden)), []);
        let mut both = vec![take_over(&plain)];
        both.extend(tell(BatchAction::StatusUpdate));
        assert_eq!(steps(ours(4, OutOfService, true), Some(plain)), both);
    }

    #[test]
    fn what_another_node_of_ours_owns_is_told_by_that_one() {
        let elsewhere = |last_dirty, overridden| {
            Some(Held { last_dirty, overridden, is_ours: false, is_here: false, is_old: true })
        };
        let plain = theirs("a", 5, Unknown);
        assert_eq!(steps(elsewhere(5, OutOfService), Some(plain.clone())), []);
        assert_eq!(steps(elsewhere(6, Unknown), Some(plain.clone())), []);
        assert_eq!(steps(elsewhere(4, OutOfService), Some(plain.clone())), [take_over(&plain)]);
        assert_eq!(steps(elsewhere(5, Unknown), None), []);
    }

    #[test]
    fn an_override_that_the_list_may_not_show_yet_is_left_to_who_set_it() {
        let new = |last_dirty| {
            Some(Held { last_dirty, overridden: OutOfService, is_ours: true, is_here: true, is_old: false })
        };
        let plain = theirs("a", 5, Unknown);
        assert_eq!(steps(new(5), Some(plain.clone())), []);
        assert_eq!(steps(new(4), Some(plain.clone())), [take_over(&plain)]);
        assert_eq!(steps(new(6), Some(plain)), tell(BatchAction::Register));
    }

    #[test]
    fn what_changed_meanwhile_is_left_alone() {
        let held = [(key("a"), ours(5, Unknown, true).unwrap())].into_iter().collect();
        let settled = [key("a"), key("b")].into_iter().collect();
        assert_eq!(differences(&held, vec![theirs("b", 5, Unknown)], &settled), []);
    }
}
