//! One allocation for equal names.

use crate::{DecodeError, stored};
use muster_model::{ClusterName, HashSet};
use std::sync::Arc;

/// The cluster names in use, each once. Names that nobody uses any more are dropped when the set has doubled,
/// so it stays within twice of what is in use.
#[derive(Debug)]
pub(crate) struct Interned {
    names: HashSet<ClusterName>,
    purge_at: usize,
}

const PURGE_MIN: usize = 1_024;

impl Default for Interned {
    fn default() -> Self {
        Self { names: HashSet::default(), purge_at: PURGE_MIN }
    }
}

impl Interned {
    /// The shared name of a text.
    pub(crate) fn named(&mut self, text: &str) -> Result<ClusterName, DecodeError> {
        if let Some(shared) = self.names.get(text) {
            return Ok(shared.clone());
        }
        let mut name = stored::cluster(text)?;
        self.intern(&mut name);
        Ok(name)
    }

    /// Puts the shared name in place of an equal one.
    pub(crate) fn intern(&mut self, name: &mut ClusterName) {
        if let Some(shared) = self.names.get(name) {
            *name = shared.clone();
            return;
        }
        if self.names.len() >= self.purge_at {
            self.names.retain(|name| Arc::strong_count(name.shared()) > 1);
            self.purge_at = (self.names.len() * 2).max(PURGE_MIN);
        }
        self.names.insert(name.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_names_share_and_unused_names_go() {
        let mut interned = Interned::default();
        let mut first = ClusterName::new("east").unwrap();
        let mut second = ClusterName::new("east").unwrap();
        interned.intern(&mut first);
        interned.intern(&mut second);
        assert!(Arc::ptr_eq(first.shared(), second.shared()));

        for i in 0..10 * PURGE_MIN {
            interned.intern(&mut ClusterName::new(&format!("c{i}")).unwrap());
        }
        assert!(interned.names.len() <= PURGE_MIN);
        assert!(interned.names.contains("east"));
    }
}
