//! What starts the process: one typed struct, filled from flags, environment, file and defaults, in that order
//! of precedence, in one place. Nothing is guessed: an unknown key or a bad value refuses the start, and all
//! problems are reported together.

mod nearest;
mod sources;
mod table;
mod values;

use muster_model::Limits;
use std::{net::SocketAddr, path::PathBuf, time::Duration};

pub(crate) use sources::{Flags, load};

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
    pub(crate) data_dir: PathBuf,
    pub(crate) open_client_api: bool,
    pub(crate) context_path: String,
    pub(crate) drain: Duration,
    pub(crate) connections_max: usize,
    pub(crate) header_bytes_max: usize,
    pub(crate) header_timeout: Duration,
    pub(crate) idle_timeout: Duration,
    pub(crate) limits: Limits,
    pub(crate) udp_push_anywhere: bool,
    pub(crate) history_days: u64,
    pub(crate) history_per_config_max: u64,
    pub(crate) rendered_bytes_max: usize,
    pub(crate) content_cache_bytes_max: usize,
    pub(crate) journal_bytes_max: u64,
    pub(crate) reserve_bytes: u64,
    pub(crate) write_timeout: Duration,
    pub(crate) snapshot_every: u64,
    pub(crate) log_level: String,
    pub(crate) log_format: LogFormat,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8848)),
            data_dir: PathBuf::from("./muster-data"),
            open_client_api: false,
            context_path: "/nacos".into(),
            drain: Duration::from_secs(10),
            connections_max: 50_000,
            header_bytes_max: 16 << 10,
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(120),
            limits: Limits::default(),
            udp_push_anywhere: false,
            history_days: 30,
            history_per_config_max: 1_000,
            rendered_bytes_max: 64 << 20,
            content_cache_bytes_max: 64 << 20,
            journal_bytes_max: 256 << 20,
            reserve_bytes: 64 << 20,
            write_timeout: Duration::from_secs(5),
            snapshot_every: 50_000,
            log_level: "info".into(),
            log_format: LogFormat::Auto,
        }
    }
}

impl Settings {
    /// The address Nacos clients use for gRPC: the same host, 1000 ports above.
    pub(crate) fn grpc_listen(&self) -> SocketAddr {
        SocketAddr::new(self.listen.ip(), self.listen.port() + 1000)
    }
}
