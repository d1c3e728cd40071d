//! A state store in memory, for tests and simulation.

/// A state store in memory with an explicit synced point.
#[derive(Debug, Default)]
pub struct MemoryStore {}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Goes back to a commit that may survive a power cut: any from the last checkpoint on.
    pub fn power_cut(&self, rng: &mut muster_runtime::Rng) {
        unimplemented!()
    }
}
