//! What an operator may set about the use cases.

use muster_config::QuotaDefaults;
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
    /// How many configs groups and namespaces may have.
    pub quota: QuotaSettings,
    /// Memory for rendered lists of services (64 MiB); the least recently used are dropped.
    pub rendered_bytes_max: usize,
    /// How ephemeral registrations are mirrored between nodes.
    pub mirror: muster_mirror::Settings,
    /// Memory for config contents and answers rendered from them (64 MiB).
    pub content_bytes_max: usize,
}

/// Quotas of configs. What is set for one group or namespace is kept either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QuotaSettings {
    /// Whether a publication beyond them is refused (false, as in Nacos: `isCapacityLimitCheck`).
    pub enforced: bool,
    /// What holds where nothing was set.
    pub defaults: QuotaDefaults,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            eureka: EurekaRules::default(),
            history: muster_config::Settings::default(),
            health_checks_concurrent_max: 256,
            eureka_self_preservation: true,
            quota: QuotaSettings::default(),
            rendered_bytes_max: 64 << 20,
            mirror: muster_mirror::Settings::default(),
            content_bytes_max: 64 << 20,
        }
    }
}
