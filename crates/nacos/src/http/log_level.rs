//! Changing how much is logged, while the server runs.

use super::{Http, namespaces::form_missing, refuse, trouble::Trouble};
use muster_model::ErrorCode;
use serde::Deserialize;
use std::fmt;

/// How much is logged of what; whoever writes the log implements it. A change lasts until the process ends.
pub trait LogLevels: fmt::Debug + Send + Sync {
    /// Logs a target (a crate's name with underscores; "" is everything without a level of its own) from a level
    /// on: `trace`, `debug`, `info`, `warn`, `error` or `off`.
    fn set(&self, target: &str, level: &'static str);
}

/// Our targets behind the beginnings of the original's logger names (`naming-server`, `config-dump`, `core-cluster`).
const TARGETS: [(&str, &[&str]); 4] = [
    ("naming", &["muster_registry", "muster_watch", "muster_nacos"]),
    ("config", &["muster_config", "muster_watch", "muster_nacos"]),
    ("core", &["muster_node", "muster_consensus", "muster_transport", "muster_nacos"]),
    ("alipay-jraft", &["muster_consensus", "openraft"]),
];

/// The targets of a logger name: the original's, `ROOT` for everything, or one of our own.
fn targets(name: &str) -> Option<Vec<&str>> {
    let name = name.trim();
    if name.eq_ignore_ascii_case("root") {
        return Some(vec![""]);
    }
    let is_ours = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':');
    if name.starts_with("muster_") && is_ours(name) {
        return Some(vec![name]);
    }
    let of = |(start, targets): &(&str, &'static [&str])| {
        let rest = name.strip_prefix(start)?;
        (rest.is_empty() || rest.starts_with('-')).then(|| targets.to_vec())
    };
    TARGETS.iter().find_map(of)
}

fn level(text: &str) -> Option<&'static str> {
    let levels = ["trace", "debug", "info", "warn", "error", "off"];
    levels.into_iter().find(|level| text.trim().eq_ignore_ascii_case(level))
}

/// A change as v2 and v3 send it: `{"logName":"naming-server","logLevel":"DEBUG"}`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LogChange {
    log_name: Option<String>,
    log_level: Option<String>,
}

impl Http {
    /// Does what a change says.
    pub(crate) fn change_log(&self, change: &LogChange) -> Result<(), Trouble> {
        let name = change.log_name.as_deref().ok_or_else(|| form_missing("logName"))?;
        let level = change.log_level.as_deref().ok_or_else(|| form_missing("logLevel"))?;
        self.set_log_level(name, level)
    }

    /// Sets the level of a logger by its name in the original. What neither of us knows is refused: it would else
    /// look as if it had been done.
    pub(crate) fn set_log_level(&self, name: &str, text: &str) -> Result<(), Trouble> {
        let unknown = |what: &str, text: &str| {
            refuse(ErrorCode::InvalidParameter, format!("there is no {what} {text}"))
        };
        let targets = targets(name).ok_or_else(|| unknown("logger", name))?;
        let level = level(text).ok_or_else(|| unknown("log level", text))?;
        let Some(levels) = &self.settings.log_levels else {
            return Err(refuse(ErrorCode::Internal, "log levels can't be changed in this process"));
        };
        for target in targets {
            levels.set(target, level);
        }
        tracing::info!(name, level, "log level changed on request");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_original_mean_targets_of_ours() {
        assert_eq!(targets("ROOT"), Some(vec![""]));
        assert_eq!(targets("naming-push"), targets("naming"));
        assert_eq!(targets("muster_nacos::http"), Some(vec!["muster_nacos::http"]));
        for name in ["naminga", "", "muster_nacos=trace,x", "com.alibaba"] {
            assert_eq!(targets(name), None, "{name}");
        }
        assert_eq!((level("WARN"), level(" debug"), level("loud")), (Some("warn"), Some("debug"), None));
    }
}
