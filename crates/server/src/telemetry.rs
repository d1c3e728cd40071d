//! Log lines: human on a terminal, JSON otherwise, always on standard error.

use crate::settings::{LogFormat, Settings};
use std::io::{self, IsTerminal};
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// Starts logging for the process. The consensus library speaks of its routine at INFO, so it is heard from WARN.
pub(crate) fn start(settings: &Settings) {
    let filter = EnvFilter::new(format!("openraft=warn,{}", settings.log_level));
    let json = match settings.log_format {
        LogFormat::Json => true,
        LogFormat::Human => false,
        LogFormat::Auto => !io::stderr().is_terminal(),
    };
    let layer = fmt::layer().with_writer(io::stderr);
    let registry = tracing_subscriber::registry().with(filter);
    if json {
        registry.with(layer.json().flatten_event(true)).init();
    } else {
        registry.with(layer.with_target(false).with_ansi(io::stderr().is_terminal())).init();
    }
}
