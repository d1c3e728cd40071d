//! What starts the process: one typed struct, filled from flags, environment, file and defaults, in that order
//! of precedence, in one place. Nothing is guessed: an unknown key or a bad value refuses the start, and all
//! problems are reported together.

mod cluster;
mod eureka;
mod listeners;
mod nacos;
mod nearest;
mod peers;
mod quotas;
mod sources;
mod table;
mod values;

use muster_eureka::{EurekaSettings, PeerUrl};
use muster_model::Limits;
use muster_node::{QuotaSettings, registry::EurekaRules};
use muster_transport::{Surface, Surfaces, TransportSettings};
use std::{net::SocketAddr, path::PathBuf, time::Duration};

pub(crate) use cluster::ClusterSettings;
pub(crate) use sources::{Flags, load};
pub(crate) use values::duration;

/// Milliseconds of a day.
const DAY_MS: u64 = 86_400_000;

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// Human on a terminal, JSON otherwise.
    Auto,
    /// One readable line an event.
    Human,
    /// One JSON object an event.
    Json,
}

/// Every setting, typed. What each means, its unit and its default stand in the settings table, which
/// `muster settings` prints.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) listen: SocketAddr,
    pub(crate) listen_surfaces: Surfaces,
    /// 0 opens none.
    pub(crate) console_port: u16,
    pub(crate) console_surfaces: Surfaces,
    /// 0 opens none. By default Eureka's own, where `listen` is the default, too; else none.
    pub(crate) eureka_port: u16,
    pub(crate) eureka_surfaces: Surfaces,
    pub(crate) eureka: EurekaSettings,
    pub(crate) eureka_rules: EurekaRules,
    pub(crate) eureka_peers: Vec<PeerUrl>,
    /// Nothing registers none.
    pub(crate) eureka_peer_app: String,
    pub(crate) eureka_peer_host: String,
    pub(crate) eureka_peer_queue_max: usize,
    pub(crate) cluster: ClusterSettings,
    pub(crate) data_dir: PathBuf,
    pub(crate) open_client_api: bool,
    pub(crate) context_path: String,
    pub(crate) drain: Duration,
    pub(crate) connections_max: usize,
    pub(crate) header_bytes_max: usize,
    pub(crate) header_timeout: Duration,
    pub(crate) body_timeout: Duration,
    pub(crate) idle_timeout: Duration,
    pub(crate) limits: Limits,
    pub(crate) udp_push_anywhere: bool,
    pub(crate) cors: bool,
    pub(crate) gate_v1_v2: bool,
    pub(crate) history_days: u64,
    pub(crate) history_per_config_max: u32,
    pub(crate) health_checks_concurrent_max: usize,
    pub(crate) quota: QuotaSettings,
    pub(crate) eureka_self_preservation: bool,
    pub(crate) rendered_bytes_max: usize,
    pub(crate) content_cache_bytes_max: usize,
    pub(crate) journal_bytes_max: u64,
    pub(crate) reserve_bytes: u64,
    pub(crate) write_timeout: Duration,
    pub(crate) snapshot_every: u64,
    pub(crate) log_entries_kept: u64,
    pub(crate) log_bytes_kept: u64,
    pub(crate) log_level: String,
    pub(crate) log_format: LogFormat,
}

/// Defaults that belong to a component are taken from it.
impl Default for Settings {
    fn default() -> Self {
        let transport = TransportSettings::default();
        let node = muster_node::Settings::default();
        let consensus = muster_consensus::Settings::default();
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8848)),
            listen_surfaces: Surfaces::ALL,
            console_port: 0,
            console_surfaces: Surfaces::of(&[Surface::Console]),
            eureka_port: 8761,
            eureka_surfaces: Surfaces::ALL,
            eureka: EurekaSettings::default(),
            eureka_rules: node.eureka,
            eureka_peers: Vec::new(),
            eureka_peer_app: String::new(),
            eureka_peer_host: String::new(),
            eureka_peer_queue_max: muster_eureka::PeerSettings::QUEUE_MAX,
            cluster: ClusterSettings::default(),
            data_dir: PathBuf::from("./muster-data"),
            open_client_api: false,
            context_path: "/nacos".into(),
            drain: Duration::from_secs(10),
            connections_max: transport.connections_max,
            header_bytes_max: transport.header_bytes_max,
            header_timeout: transport.header_read_timeout,
            body_timeout: transport.body_stall_timeout,
            idle_timeout: transport.http1_idle_timeout,
            limits: node.limits,
            udp_push_anywhere: false,
            cors: true,
            gate_v1_v2: false,
            history_days: node.history.history_retention_ms / DAY_MS,
            history_per_config_max: node.history.history_entries_max,
            health_checks_concurrent_max: node.health_checks_concurrent_max,
            quota: node.quota,
            eureka_self_preservation: node.eureka_self_preservation,
            rendered_bytes_max: node.rendered_bytes_max,
            content_cache_bytes_max: node.content_bytes_max,
            journal_bytes_max: muster_storage::journal::JournalSettings::default().bytes_max,
            reserve_bytes: consensus.reserve_bytes,
            write_timeout: consensus.propose_timeout,
            snapshot_every: consensus.snapshot_entries,
            log_entries_kept: consensus.log_entries_kept,
            log_bytes_kept: consensus.log_bytes_kept,
            log_level: "info".into(),
            log_format: LogFormat::Auto,
        }
    }
}

impl Settings {
    /// What one setting alone cannot show: the start is refused over it, like over a bad value.
    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if !self.listen.ip().is_loopback() && !self.open_client_api {
            problems.push(format!(
                "listen: other machines can reach {}, and there is no access control in this version: whoever \
                 reaches it may read and change every service and config. Listen on 127.0.0.1, or add \
                 --open-client-api to say that this is meant",
                self.listen
            ));
        }
        problems.extend(self.port_problems());
        problems.extend(self.peer_problems());
        problems.extend(self.cluster_problems());
        problems.extend(self.transport().problems().iter().map(ToString::to_string));
        problems
    }

    /// What goes to `transport`.
    pub(crate) fn transport(&self) -> TransportSettings {
        TransportSettings {
            connections_max: self.connections_max,
            header_bytes_max: self.header_bytes_max,
            header_read_timeout: self.header_timeout,
            body_stall_timeout: self.body_timeout,
            http1_idle_timeout: self.idle_timeout,
            ..TransportSettings::default()
        }
    }

    /// What goes to `node`.
    pub(crate) fn node(&self) -> muster_node::Settings {
        let mut node = muster_node::Settings {
            limits: self.limits.clone(),
            eureka: self.eureka_rules.clone(),
            health_checks_concurrent_max: self.health_checks_concurrent_max,
            quota: self.quota,
            eureka_self_preservation: self.eureka_self_preservation,
            rendered_bytes_max: self.rendered_bytes_max,
            content_bytes_max: self.content_cache_bytes_max,
            ..muster_node::Settings::default()
        };
        node.mirror.peer_silence = self.cluster.peer_silence;
        node.mirror.join_wait = self.cluster.join_wait;
        node.history.history_retention_ms = self.history_days * DAY_MS;
        node.history.history_entries_max = self.history_per_config_max;
        node
    }

    /// What goes to `consensus`.
    pub(crate) fn consensus(&self) -> muster_consensus::Settings {
        muster_consensus::Settings {
            propose_timeout: self.write_timeout,
            reserve_bytes: self.reserve_bytes,
            snapshot_entries: self.snapshot_every,
            log_entries_kept: self.log_entries_kept,
            log_bytes_kept: self.log_bytes_kept,
            ..muster_consensus::Settings::default()
        }
    }
}
