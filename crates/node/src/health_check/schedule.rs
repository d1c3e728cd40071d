//! Which instance is checked when, and what its latest checks found.

use super::{Finding, owner::Owners, pace::Tempo};
use muster_model::{ClientId, HashMap, HashSet, Monotonic, NodeId, ServiceKey};
use muster_runtime::Rng;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// The first check of an instance comes within this time of its registration.
pub(super) const FIRST_WITHIN_MS: u64 = 1_000;

pub(super) type Key = (ClientId, ServiceKey);

/// The instances to check: when each is next, and its latest results.
#[derive(Debug)]
pub(super) struct Schedule {
    due: BTreeMap<(Monotonic, u64), Key>,
    checked: HashMap<Key, Checked>,
    /// Those that another node checks. They are in `checked`, too, and not due.
    elsewhere: HashSet<Key>,
    pub(super) owners: Owners,
    sequence: u64,
    pub(super) rng: Rng,
}

/// What is known of an instance from its checks.
#[derive(Debug)]
struct Checked {
    tempo: Tempo,
    /// Equal findings in a row.
    healthy: bool,
    length: u32,
}

impl Schedule {
    /// Nothing to check yet, and all of it on this node.
    pub(super) fn new(rng: Rng, own: NodeId) -> Self {
        let (checked, elsewhere) = (HashMap::default(), HashSet::default());
        Self { due: BTreeMap::new(), checked, elsewhere, owners: Owners::alone(own), sequence: 0, rng }
    }

    /// Takes up an instance; `None` if it is checked already, else when its first check is.
    pub(super) fn begin(&mut self, key: &Key, now: Monotonic) -> Option<Monotonic> {
        if self.checked.contains_key(key) {
            return None;
        }
        let tempo = Tempo::new(&mut self.rng);
        self.checked.insert(key.clone(), Checked { tempo, healthy: true, length: 0 });
        let at = now.plus(self.rng.below(FIRST_WITHIN_MS));
        self.plan(key.clone(), at);
        Some(at)
    }

    pub(super) fn end(&mut self, key: &Key) {
        self.checked.remove(key);
        self.elsewhere.remove(key);
    }

    /// Leaves an instance to the node that checks it. What was found here counts no more when it comes back.
    pub(super) fn leave(&mut self, key: Key) {
        if let Some(checked) = self.checked.get_mut(&key) {
            checked.length = 0;
            self.elsewhere.insert(key);
        }
    }

    /// Other nodes take part: takes up what was left to one that is gone. Gives how many instances that are.
    pub(super) fn divide(&mut self, nodes: Arc<BTreeSet<NodeId>>, now: Monotonic) -> usize {
        self.owners.set(nodes);
        let owners = self.owners.clone();
        let mut ours: Vec<Key> = self.elsewhere.extract_if(|key| owners.is_ours(key)).collect();
        // One order, whatever that of the set.
        ours.sort_by(|one, other| (&one.1, one.0.to_string()).cmp(&(&other.1, other.0.to_string())));
        let count = ours.len();
        for key in ours {
            let at = now.plus(self.rng.below(FIRST_WITHIN_MS));
            self.plan(key, at);
        }
        count
    }

    pub(super) fn plan(&mut self, key: Key, at: Monotonic) {
        self.sequence += 1;
        self.due.insert((at, self.sequence), key);
    }

    /// How many instances are checked.
    pub(super) fn len(&self) -> usize {
        self.checked.len()
    }

    /// What its pause comes from, with the randomness for it.
    pub(super) fn tempo(&mut self, key: &Key) -> Option<(&mut Tempo, &mut Rng)> {
        self.checked.get_mut(key).map(|checked| (&mut checked.tempo, &mut self.rng))
    }

    /// Takes what is due, and says when the next check is.
    pub(super) fn take_due(&mut self, now: Monotonic) -> (Vec<Key>, Option<Monotonic>) {
        let later = self.due.split_off(&(now.plus(1), 0));
        let due = std::mem::replace(&mut self.due, later).into_values().collect();
        (due, self.due.keys().next().map(|(at, _)| *at))
    }

    /// Notes a finding; gives the health to set, if this finding decides one: so many equal ones in a row, or a failure
    /// that leaves no doubt.
    pub(super) fn note(&mut self, key: &Key, finding: Finding, check_times: u32) -> Option<bool> {
        let checked = self.checked.get_mut(key)?;
        let healthy = finding == Finding::Well;
        if checked.healthy != healthy {
            checked.healthy = healthy;
            checked.length = 0;
        }
        checked.length = checked.length.saturating_add(1);
        (finding == Finding::Dead || checked.length >= check_times).then_some(healthy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use muster_model::{GroupName, Host, Kind, Namespace, ServiceName};

    fn key() -> Key {
        let service =
            ServiceKey::new(Namespace::default(), GroupName::default(), ServiceName::new("s").unwrap());
        (ClientId::Address(Host::new("10.0.0.1").unwrap(), 80, Kind::Persistent), service)
    }

    #[test]
    fn three_equal_findings_or_a_plain_failure_decide() {
        let mut schedule = Schedule::new(Rng::seeded(1), NodeId(1));
        schedule.begin(&key(), Monotonic(0));
        let mut note = |finding| schedule.note(&key(), finding, 3);
        assert_eq!(note(Finding::Doubtful), None);
        assert_eq!(note(Finding::Doubtful), None);
        assert_eq!(note(Finding::Doubtful), Some(false));
        assert_eq!(note(Finding::Well), None);
        assert_eq!(note(Finding::Dead), Some(false));
        assert_eq!([Finding::Well; 3].map(&mut note), [None, None, Some(true)]);
    }

    #[test]
    fn what_a_lost_node_checked_is_taken_up_within_a_second_and_counts_anew() {
        let mut schedule = Schedule::new(Rng::seeded(1), NodeId(1));
        schedule.begin(&key(), Monotonic(0));
        schedule.take_due(Monotonic(FIRST_WITHIN_MS));
        schedule.note(&key(), Finding::Doubtful, 3);
        schedule.note(&key(), Finding::Doubtful, 3);
        schedule.leave(key());
        let nodes = |nodes: &[u64]| Arc::new(nodes.iter().map(|node| NodeId(*node)).collect());
        let elsewhere = (2..50).find(|other| {
            let mut owners = Owners::alone(NodeId(1));
            owners.set(nodes(&[1, *other]));
            !owners.is_ours(&key())
        });
        assert_eq!(schedule.divide(nodes(&[1, elsewhere.unwrap()]), Monotonic(5_000)), 0);
        assert_eq!(schedule.take_due(Monotonic(9_000)).0.len(), 0);
        assert_eq!(schedule.divide(nodes(&[1]), Monotonic(10_000)), 1);
        assert_eq!(schedule.take_due(Monotonic(11_000)).0, [key()]);
        assert_eq!(schedule.note(&key(), Finding::Doubtful, 3), None);
        assert_eq!(schedule.note(&key(), Finding::Doubtful, 3), None);
        assert_eq!(schedule.note(&key(), Finding::Doubtful, 3), Some(false));
    }

    #[test]
    fn an_instance_is_planned_once_however_often_it_registers() {
        let mut schedule = Schedule::new(Rng::seeded(1), NodeId(1));
        assert!(schedule.begin(&key(), Monotonic(0)).is_some());
        assert_eq!(schedule.begin(&key(), Monotonic(0)), None);
        let (due, next) = schedule.take_due(Monotonic(FIRST_WITHIN_MS));
        assert_eq!((due.len(), next), (1, None));
    }
}
