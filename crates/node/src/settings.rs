//! What an operator may set about the use cases.

use muster_model::Limits;
use muster_registry::EurekaRules;

/// Settings of a node. `Default` is the one place of the defaults.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Limits on what clients may send.
    pub limits: Limits,
    /// How Eureka and Nacos see each other.
    pub eureka: EurekaRules,
    /// How config history is kept.
    pub history: muster_config::Settings,
    /// Active checks of persistent instances at one moment (256); those that are due beyond it wait.
    pub health_checks_concurrent_max: usize,
    /// Whether a brake holds Eureka leases when many run out at once (on). Beat leases have theirs in any case.
    pub eureka_self_preservation: bool,
    /// Memory for rendered lists of services (64 MiB); the least recently used are dropped.
    pub rendered_bytes_max: usize,
    /// Memory for config contents and answers rendered from them (64 MiB).
    pub content_bytes_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            eureka: EurekaRules::default(),
            history: muster_config::Settings::default(),
            health_checks_concurrent_max: 256,
            eureka_self_preservation: true,
            rendered_bytes_max: 64 << 20,
            content_bytes_max: 64 << 20,
        }
    }
}
