//! The table of settings: key, meaning, how a text becomes the value and back.

use super::{LogFormat, Settings, values};
use muster_transport::{SurfaceError, Surfaces};
use std::{path::PathBuf, time::Duration};

/// One setting. The environment variable is `MUSTER_` and the key in capitals; `nacos` names variables of
/// the original that mean the same.
pub(super) struct Setting {
    pub(super) key: &'static str,
    pub(super) about: &'static str,
    pub(super) nacos: &'static [&'static str],
    pub(super) set: fn(&mut Settings, &str) -> Result<(), String>,
    pub(super) show: fn(&Settings) -> String,
}

impl Setting {
    /// The environment variable of the setting.
    pub(super) fn variable(&self) -> String {
        format!("MUSTER_{}", self.key.to_ascii_uppercase())
    }
}

macro_rules! setting {
    ($key:ident, $about:literal, $nacos:expr, $parse:expr, $show:expr) => {
        Setting {
            key: stringify!($key),
            about: $about,
            nacos: $nacos,
            set: |settings, text| {
                settings.$key = $parse(text)?;
                Ok(())
            },
            show: |settings| $show(&settings.$key),
        }
    };
}

macro_rules! limit {
    ($key:ident, $about:literal, $parse:expr, $show:expr) => {
        Setting {
            key: stringify!($key),
            about: $about,
            nacos: &[],
            set: |settings, text| {
                settings.limits.$key = $parse(text)? as usize;
                Ok(())
            },
            show: |settings| $show(&settings.limits.$key),
        }
    };
}

fn count(text: &str) -> Result<u64, String> {
    values::number(text, 1, 1 << 40)
}

fn size(text: &str) -> Result<usize, String> {
    values::bytes(text).map(|bytes| bytes as usize)
}

/// Contents are held, escaped and framed in memory, so more is a mistake.
fn content_size(text: &str) -> Result<u64, String> {
    values::bytes_in(text, 1, 1 << 30)
}

fn show_size(bytes: &usize) -> String {
    values::show_bytes(*bytes as u64)
}

fn show_long(bytes: &u64) -> String {
    values::show_bytes(*bytes)
}

fn show_time(duration: &Duration) -> String {
    values::show_duration(*duration)
}

fn plain<T: ToString>(value: &T) -> String {
    value.to_string()
}

fn context_path(text: &str) -> Result<String, String> {
    let path = text.trim().trim_matches('/');
    let legal =
        !path.contains("//") && path.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./".contains(&b));
    match (path.is_empty(), legal) {
        (_, false) => Err(format!("expected a path such as \"/nacos\", found {text:?}")),
        (true, true) => Ok(String::new()),
        (false, true) => Ok(format!("/{path}")),
    }
}

fn surfaces(text: &str) -> Result<Surfaces, String> {
    text.parse().map_err(|error: SurfaceError| error.to_string())
}

fn directory(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() { Err("expected a directory, found nothing".into()) } else { Ok(PathBuf::from(text)) }
}

fn log_format(text: &str) -> Result<LogFormat, String> {
    match text.trim() {
        "auto" => Ok(LogFormat::Auto),
        "human" => Ok(LogFormat::Human),
        "json" => Ok(LogFormat::Json),
        _ => Err(format!("expected auto, human or json, found {text:?}")),
    }
}

fn show_log_format(format: &LogFormat) -> String {
    match format {
        LogFormat::Auto => "auto",
        LogFormat::Human => "human",
        LogFormat::Json => "json",
    }
    .into()
}

/// A filter; a lone word is a level, because `inof` would else silently name a module that nobody has.
fn log_level(text: &str) -> Result<String, String> {
    let wrong = || {
        format!(
            "expected a level such as info, or a filter such as \"info,muster_nacos=debug\", found {text:?}"
        )
    };
    let is_level = |word: &str| ["off", "error", "warn", "info", "debug", "trace"].contains(&word);
    let is_wrong = |part: &str| !is_level(part.rsplit('=').next().unwrap_or(part).trim());
    if text.split(',').any(is_wrong) || text.parse::<tracing_subscriber::EnvFilter>().is_err() {
        return Err(wrong());
    }
    Ok(text.to_owned())
}

fn listeners() -> Vec<Setting> {
    vec![
        setting!(
            listen,
            "address and port of everything; port + 1000 is opened for Nacos gRPC clients too",
            &[],
            values::address,
            plain
        ),
        setting!(
            listen_surfaces,
            "what is found on these two ports: all, or some of nacos-client, nacos-admin, eureka, muster-admin, console, metrics",
            &[],
            surfaces,
            plain
        ),
        setting!(
            console_port,
            "one more port of the same address for the console and its API (8080 in Nacos 3), 0 for none",
            &["NACOS_CONSOLE_PORT"],
            values::port_or_none,
            plain
        ),
        setting!(console_surfaces, "what is found on that port", &[], surfaces, plain),
        setting!(
            eureka_port,
            "one more port of the same address for Eureka clients, 0 for none: 8761 unless `listen` is set",
            &[],
            values::port_or_none,
            plain
        ),
        setting!(eureka_surfaces, "what is found on that port", &[], surfaces, plain),
        setting!(
            open_client_api,
            "serve clients without authentication on an address other machines can reach",
            &[],
            values::boolean,
            plain
        ),
        setting!(
            context_path,
            "prefix of the Nacos HTTP paths",
            &["SERVER_SERVLET_CONTEXTPATH", "SERVER_SERVLET_CONTEXT_PATH", "NACOS_SERVER_CONTEXTPATH"],
            context_path,
            plain
        ),
    ]
}

fn network() -> Vec<Setting> {
    vec![
        setting!(drain, "longest wait for connections to end at shutdown", &[], values::duration, show_time),
        setting!(
            connections_max,
            "connections of all listeners together; one more is closed at once",
            &[],
            |t| count(t).map(|n| n as usize),
            plain
        ),
        setting!(
            header_bytes_max,
            "bytes of the headers of one HTTP/1 request",
            &[],
            |t| values::bytes_in(t, 8 << 10, 16 << 20).map(|bytes| bytes as usize),
            show_size
        ),
        setting!(
            header_timeout,
            "longest wait for the headers of a request that has begun",
            &[],
            values::timeout,
            show_time
        ),
        setting!(
            body_timeout,
            "longest wait for more of the body of a request",
            &[],
            values::timeout,
            show_time
        ),
        setting!(
            idle_timeout,
            "an HTTP/1 connection idle for longer is closed",
            &[],
            values::timeout,
            show_time
        ),
        setting!(
            gate_v1_v2,
            "answer Nacos v1 and v2 with 410 and a hint, as 3.x does, except for what clients call",
            &[],
            values::boolean,
            plain
        ),
        setting!(
            cors,
            "let pages of any origin call the Nacos paths from a browser, as the original does",
            &[],
            values::boolean,
            plain
        ),
        setting!(
            udp_push_anywhere,
            "send UDP pushes to the address a 1.x client names, not only to where its request came from",
            &[],
            values::boolean,
            plain
        ),
    ]
}

fn storage() -> Vec<Setting> {
    vec![
        setting!(data_dir, "directory of all stored data", &[], directory, |p: &PathBuf| p
            .display()
            .to_string()),
        setting!(write_timeout, "longest wait for a durable write", &[], values::timeout, show_time),
        setting!(
            reserve_bytes,
            "free disk space below which durable writes are refused",
            &[],
            values::bytes,
            show_long
        ),
        setting!(snapshot_every, "log entries between snapshots", &[], count, plain),
        setting!(
            log_entries_kept,
            "log entries kept beside a snapshot for peers that are behind",
            &[],
            |t| values::number(t, 0, 1 << 40),
            plain
        ),
        setting!(
            log_bytes_kept,
            "bytes of such entries at most; who is further behind is sent the snapshot",
            &[],
            values::bytes,
            show_long
        ),
        setting!(
            history_days,
            "days that config history is kept",
            &["NACOS_CONFIG_RETENTION_DAYS"],
            |t| values::number(t, 1, 36_500),
            plain
        ),
        setting!(
            history_per_config_max,
            "history entries kept of one config; the oldest go first",
            &[],
            |t| values::number(t, 1, u64::from(u32::MAX)).map(|n| n as u32),
            plain
        ),
        setting!(
            journal_bytes_max,
            "bytes of the flight recorder on disk; the oldest are dropped",
            &[],
            values::bytes,
            show_long
        ),
    ]
}

fn memory() -> Vec<Setting> {
    vec![
        setting!(
            rendered_bytes_max,
            "memory for rendered lists of services; the least recently used are dropped",
            &[],
            size,
            show_size
        ),
        setting!(content_cache_bytes_max, "memory for config contents", &[], size, show_size),
        limit!(content_bytes_max, "bytes of one config's content, as UTF-8", content_size, show_size),
        limit!(metadata_chars_max, "characters of one instance's metadata", count, plain),
        limit!(batch_instances_max, "instances in one batch registration", count, plain),
        limit!(gray_versions_max, "gray versions of one config", count, plain),
        limit!(fuzzy_patterns_max, "fuzzy watch patterns of all clients together", count, plain),
        limit!(fuzzy_matches_max, "keys that one fuzzy watch may match", count, plain),
        limit!(watches_per_connection_max, "services and configs one connection may watch", count, plain),
        limit!(publications_per_client_max, "services one client may register to", count, plain),
    ]
}

fn registry() -> Vec<Setting> {
    vec![
        setting!(
            eureka_self_preservation,
            "hold Eureka instances whose leases run out when too many do at once",
            &[],
            values::boolean,
            plain
        ),
        setting!(
            health_checks_concurrent_max,
            "active health checks of persistent instances at one moment; further ones wait",
            &[],
            |t| values::number(t, 1, 65_536).map(|n| n as usize),
            plain
        ),
    ]
}

fn logging() -> Vec<Setting> {
    vec![
        setting!(
            log_level,
            "a level, or a filter such as \"info,muster_nacos=debug\"",
            &[],
            log_level,
            plain
        ),
        setting!(
            log_format,
            "auto (human on a terminal, JSON otherwise), human or json",
            &[],
            log_format,
            show_log_format
        ),
    ]
}

/// Every setting, in the order in which they are shown.
pub(super) fn table() -> Vec<Setting> {
    let mut all = listeners();
    all.extend(network());
    all.extend(storage());
    all.extend(super::quotas::quotas());
    all.extend(memory());
    all.extend(registry());
    all.extend(super::eureka::table());
    all.extend(super::peers::table());
    all.extend(super::cluster::table());
    all.extend(logging());
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_level_is_no_module() {
        for text in ["info", "debug,openraft=off", "info,muster_nacos=debug"] {
            assert!(log_level(text).is_ok(), "{text}");
        }
        for text in ["inof", "info,muster_nacos", "info,x=loud", ""] {
            assert!(log_level(text).is_err(), "{text}");
        }
    }

    #[test]
    fn context_paths_are_brought_to_one_form() {
        for (text, path) in [("/nacos", "/nacos"), ("a/b/", "/a/b"), ("/", ""), ("", "")] {
            assert_eq!(context_path(text).as_deref(), Ok(path), "{text}");
        }
        for text in ["/a b", "/{x}", "/a?b", "/a//b"] {
            assert!(context_path(text).is_err(), "{text}");
        }
    }
}
