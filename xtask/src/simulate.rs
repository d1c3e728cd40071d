//! `simulate`: builds the simulator and runs it.

use anyhow::Context;
use std::process::Command;

use crate::report::Outcome;
use crate::{process, workspace};

/// Seeds that `verify` tries, from 0 on: with a build from nothing about three minutes on two cores that have nothing else to do.
const VERIFIED: u64 = 150;

/// Runs `muster-simulation`; its arguments are passed on. Whether no promise was broken.
pub(crate) fn simulate(arguments: &[String]) -> anyhow::Result<bool> {
    build()?;
    Ok(simulator().args(arguments).status().context("start the simulator")?.success())
}

/// The same seeds each time, so that a failure is of what was changed.
pub(crate) fn verified() -> anyhow::Result<Outcome> {
    let is_well = simulate(&["--seeds".to_owned(), VERIFIED.to_string()])?;
    let seeds = format!("seeds 0 to {}, each twice", VERIFIED - 1);
    Ok(if is_well { Outcome::Passed(seeds) } else { Outcome::Failed(seeds) })
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
