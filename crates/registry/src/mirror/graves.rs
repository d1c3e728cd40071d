//! What was removed lately, so that no older claim brings it back.

use super::claim::{OriginPlace, Version};
use muster_model::{HashMap, Monotonic};
use std::collections::VecDeque;

/// Removals remembered at most; the newest are.
const GRAVES_MAX: usize = 65_536;
/// How long a removal is remembered, milliseconds: longer than any default lease.
const REMEMBERED_MS: u64 = 300_000;

/// A removal.
#[derive(Clone, Copy, Debug, Default)]
struct Grave {
    version: Version,
    /// Who told of it; it may be us.
    by: OriginPlace,
}

/// Removals by the hash of their keys. Two keys of one hash would at worst hide an older registration of the other.
#[derive(Debug, Default)]
pub(crate) struct Graves {
    by_key: HashMap<u64, Grave>,
    order: VecDeque<(Monotonic, u64)>,
}

impl Graves {
    /// Remembers a removal that an origin told of.
    pub(crate) fn bury(&mut self, key: u64, version: Version, by: OriginPlace, now: Monotonic) {
        while self
            .order
            .front()
            .is_some_and(|(at, _)| self.order.len() >= GRAVES_MAX || now.since(*at) > REMEMBERED_MS)
        {
            let Some((_, oldest)) = self.order.pop_front() else { break };
            self.by_key.remove(&oldest);
        }
        let known = self.by_key.entry(key);
        if let std::collections::hash_map::Entry::Vacant(_) = known {
            self.order.push_back((now, key));
        }
        let last = known.or_default();
        if version > last.version {
            *last = Grave { version, by };
        }
    }

    /// The last removal of a key, if it is remembered.
    pub(crate) fn of(&self, key: u64) -> Option<Version> {
        self.by_key.get(&key).map(|grave| grave.version)
    }

    /// Who told of the last removal of a key, if it is remembered.
    pub(crate) fn told_by(&self, key: u64) -> Option<OriginPlace> {
        self.by_key.get(&key).map(|grave| grave.by)
    }
}
