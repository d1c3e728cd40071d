//! `rolling-upgrade`: three processes of the version before, changed to this one and back under load. What happens is
//! written in `crates/server/tests/ensemble/rolling.rs`; this builds both programs and starts it.

use std::fs;

use anyhow::Context;

use crate::report::Outcome;
use crate::{process, workspace};

/// Builds both, and tries them together.
pub(crate) fn rolling_upgrade() -> anyhow::Result<Outcome> {
    let build = ["build", "--locked", "--package", "muster-server", "--features", "previous-format"];
    process::run(&mut process::cargo(&build))?;
    // Out of the way of the other build, which has the same name.
    let folder = workspace::target().join("previous-format");
    fs::create_dir_all(&folder).context("create the folder of the version before")?;
    let before = folder.join("muster");
    fs::copy(workspace::target().join("debug/muster"), &before).context("copy the version before")?;
    let test = ["test", "--locked", "--package", "muster-server", "--test", "ensemble", "--"];
    let mut command = process::cargo(&test);
    command.args(["--ignored", "--exact", "--nocapture", "rolling_upgrade"]);
    command.env_remove("MUSTER_BINARY").env("MUSTER_BINARY_BEFORE", before);
    process::run(&mut command).map(|()| Outcome::Passed(String::new()))
}
