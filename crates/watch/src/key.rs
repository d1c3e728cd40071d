//! What a pattern is matched against.

use muster_model::{ConfigKey, ServiceKey};
use std::hash::Hash;

/// A key with the three parts that a fuzzy watch pattern has.
pub trait FuzzyKey: Clone + Eq + Hash + Ord {
    /// The namespace, canonical.
    fn namespace(&self) -> &str;
    /// The group.
    fn group(&self) -> &str;
    /// The service name or data id.
    fn name(&self) -> &str;
}

impl FuzzyKey for ServiceKey {
    fn namespace(&self) -> &str {
        self.namespace().as_str()
    }

    fn group(&self) -> &str {
        self.group().as_str()
    }

    fn name(&self) -> &str {
        self.name().as_str()
    }
}

impl FuzzyKey for ConfigKey {
    fn namespace(&self) -> &str {
        self.namespace().as_str()
    }

    fn group(&self) -> &str {
        self.group().as_str()
    }

    fn name(&self) -> &str {
        self.data_id().as_str()
    }
}
