//! What an operator may choose of this edge.

use muster_node::registry::EurekaBase;

/// Settings of the Eureka edge. `Default` is the one place of the defaults.
#[derive(Clone, Debug)]
pub struct EurekaSettings {
    /// What is found below `/eureka` and `/eureka/v2` (the default group of the default namespace).
    pub base: EurekaBase,
    /// One more path that all of it is found below, beside `/eureka`: `/` and segments, no `/` at the end. Empty for none.
    pub extra_path: String,
    /// Bytes of one body, also when unpacked (8 MiB; a peer sends up to 250 instances at once); beyond it the answer is
    /// 413.
    pub body_bytes_max: usize,
    /// Memory for rendered and packed lists (64 MiB); the least recently used are dropped, to be rendered again when asked
    /// for.
    pub rendered_bytes_max: usize,
}

impl Default for EurekaSettings {
    fn default() -> Self {
        Self {
            base: EurekaBase::default(),
            extra_path: String::new(),
            body_bytes_max: 8 << 20,
            rendered_bytes_max: 64 << 20,
        }
    }
}
