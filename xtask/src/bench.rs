//! `bench`: builds the server and the load generator as they are shipped and runs the second.

use anyhow::Context;

use crate::{process, workspace};

/// Runs `muster-bench`, which uses the server beside it; its arguments are passed on. Whether all targets were met.
pub(crate) fn bench(arguments: &[String]) -> anyhow::Result<bool> {
    let build = ["build", "--locked", "--release", "--package", "muster-server", "--package", "muster-bench"];
    process::run(&mut process::cargo(&build))?;
    let mut load = process::command(workspace::target().join("release").join("muster-bench"));
    Ok(load.args(arguments).status().context("start the load generator")?.success())
}
