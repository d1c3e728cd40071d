//! `simulate`: builds the simulator and runs it.

use anyhow::Context;
use std::process::Command;

use crate::{process, workspace};

/// Runs `muster-simulation`; its arguments are passed on. Whether no promise was broken.
pub(crate) fn simulate(arguments: &[String]) -> anyhow::Result<bool> {
    build()?;
    Ok(simulator().args(arguments).status().context("start the simulator")?.success())
}

/// A folder of its own: tokio's scheduler draws from a seed only if everything is built with this.
fn build() -> anyhow::Result<()> {
    let arguments = [
        "build",
        "--locked",
        "--profile",
        "simulation",
        "--package",
        "muster-simulation",
        "--features",
        "mutations",
    ];
    let mut cargo = process::cargo(&arguments);
    process::run(cargo.env("RUSTFLAGS", "--cfg tokio_unstable").env("CARGO_TARGET_DIR", folder()))
}

fn folder() -> std::path::PathBuf {
    workspace::target().join("steady")
}

fn simulator() -> Command {
    process::command(folder().join("simulation").join("muster-simulation"))
}
