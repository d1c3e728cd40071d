//! Log lines: human on a terminal, JSON otherwise, always on standard error.

use crate::settings::{LogFormat, Settings};
use muster_nacos::LogLevels;
use parking_lot::Mutex;
use std::{
    collections::BTreeMap,
    fmt,
    io::{self, IsTerminal},
    sync::Arc,
};
use tracing_subscriber::{
    EnvFilter, Registry, fmt as lines, layer::SubscriberExt, reload, util::SubscriberInitExt,
};

/// What is logged: the setting, and what was changed since.
struct Filter {
    setting: String,
    changed: Mutex<BTreeMap<String, &'static str>>,
    handle: reload::Handle<EnvFilter, Registry>,
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Filter").field("setting", &self.setting).field("changed", &self.changed).finish()
    }
}

/// The consensus library calls each call to a peer that is down an error: `muster_consensus` says what matters instead.
/// Later directives win.
fn directives(setting: &str, changed: &BTreeMap<String, &'static str>) -> String {
    let mut text = format!("openraft=off,{setting}");
    for (target, level) in changed {
        let equals = if target.is_empty() { "" } else { "=" };
        text.push_str(&format!(",{target}{equals}{level}"));
    }
    text
}

impl LogLevels for Filter {
    fn set(&self, target: &str, level: &'static str) {
        let mut changed = self.changed.lock();
        changed.insert(target.to_owned(), level);
        let filter = EnvFilter::new(directives(&self.setting, &changed));
        if let Err(error) = self.handle.reload(filter) {
            tracing::warn!(%error, "change a log level");
        }
    }
}

/// Starts logging for the process; what is given changes its levels.
pub(crate) fn start(settings: &Settings) -> Arc<dyn LogLevels> {
    let filter = EnvFilter::new(directives(&settings.log_level, &BTreeMap::new()));
    let (filter, handle) = reload::Layer::new(filter);
    let json = match settings.log_format {
        LogFormat::Json => true,
        LogFormat::Human => false,
        LogFormat::Auto => !io::stderr().is_terminal(),
    };
    let layer = lines::layer().with_writer(io::stderr);
    let registry = tracing_subscriber::registry().with(filter);
    if json {
        registry.with(layer.json().flatten_event(true)).init();
    } else {
        registry.with(layer.with_target(false).with_ansi(io::stderr().is_terminal())).init();
    }
    Arc::new(Filter { setting: settings.log_level.clone(), changed: Mutex::default(), handle })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_changed_stands_last() {
        let changed = BTreeMap::from([("".to_owned(), "warn"), ("muster_nacos".to_owned(), "trace")]);
        assert_eq!(directives("info", &changed), "openraft=off,info,warn,muster_nacos=trace");
        assert_eq!(directives("info", &BTreeMap::new()), "openraft=off,info");
    }
}
