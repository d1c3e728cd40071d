//! `bench`: builds the server and the load generator as they are shipped and runs the second.

use crate::{process, workspace};

/// Runs `muster-bench` against the release binary; its arguments are passed on.
pub(crate) fn bench(arguments: &[String]) -> anyhow::Result<bool> {
    process::run(&mut process::cargo(&[
        "build",
        "--release",
        "--package",
        "muster-server",
        "--package",
        "muster-bench",
    ]))?;
    let mut load = process::command(workspace::target().join("release").join("muster-bench"));
    process::run(load.args(arguments).env("MUSTER_BINARY", workspace::muster()))?;
    Ok(true)
}
