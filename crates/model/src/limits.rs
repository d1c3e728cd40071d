//! Every limit on what clients may send, with its default.

/// Limits on names are at their types; these are the ones an operator may set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of UTF-8 of one config's content (10 MiB).
    pub content_bytes_max: usize,
    /// Characters of all metadata keys and values of one instance or service (1,024, as in Nacos; Spring and Dubbo
    /// applications often need more, and set it).
    pub metadata_chars_max: usize,
    /// Characters of all metadata keys and values of one Eureka instance, those of its data center among them (65,536);
    /// beyond it a registration or an addition is refused.
    pub eureka_metadata_chars_max: usize,
    /// Instances in one batch registration (10,000).
    pub batch_instances_max: usize,
    /// Gray versions of one config (10, as in Nacos).
    pub gray_versions_max: usize,
    /// Distinct fuzzy watch patterns in the whole server, for each of naming and config (20, as in Nacos).
    pub fuzzy_patterns_max: usize,
    /// Keys one fuzzy watch pattern may match (500, as in Nacos); beyond it the list is truncated.
    pub fuzzy_matches_max: usize,
    /// Services and configs one connection may watch (100,000).
    pub watches_per_connection_max: usize,
    /// Publications one client may hold (100,000).
    pub publications_per_client_max: usize,
    /// Changes of ephemeral publications kept for nodes that were away (65,536, and 16 MiB); beyond it they are sent a
    /// snapshot.
    pub mirror_changes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            content_bytes_max: 10 << 20,
            metadata_chars_max: 1_024,
            eureka_metadata_chars_max: 65_536,
            batch_instances_max: 10_000,
            gray_versions_max: 10,
            fuzzy_patterns_max: 20,
            fuzzy_matches_max: 500,
            watches_per_connection_max: 100_000,
            publications_per_client_max: 100_000,
            mirror_changes_max: 65_536,
        }
    }
}

impl Limits {
    /// The largest gRPC message: content twice over, because JSON escapes, and 1 MiB for the rest.
    pub fn frame_bytes_max(&self) -> usize {
        2 * self.content_bytes_max + (1 << 20)
    }
}
