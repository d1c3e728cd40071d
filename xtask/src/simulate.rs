//! `simulate`: builds the simulator and runs it.

use anyhow::Context;
use std::path::PathBuf;

use crate::report::Outcome;
use crate::{process, workspace};

/// Seeds that `verify` tries, from 0 on: with a build from nothing about three minutes on two cores that have nothing else to do.
const VERIFIED: u64 = 150;

/// Runs `muster-simulation`; its arguments are passed on. Whether no promise was broken.
pub(crate) fn simulate(arguments: &[String]) -> anyhow::Result<bool> {
    let folder = build(arguments.iter().any(|argument| argument.starts_with("--mutation")))?;
    let mut simulator = process::command(folder.join("simulation").join("muster-simulation"));
    Ok(simulator.args(arguments).status().context("start the simulator")?.success())
}

/// The same seeds each time, so that a failure is of what was changed.
pub(crate) fn verified() -> anyhow::Result<Outcome> {
    let is_well = simulate(&["--seeds".to_owned(), VERIFIED.to_string()])?;
    let seeds = format!("seeds 0 to {}, each twice", VERIFIED - 1);
    Ok(if is_well { Outcome::Passed(seeds) } else { Outcome::Failed(seeds) })
}

/// Gives the folder that it builds into, one of its own: tokio's scheduler draws from a seed only if everything is built with
/// this. With a deliberate defect openraft's assertions would end many a run before a checker sees what clients would, whose
/// servers are built without them.
fn build(is_defective: bool) -> anyhow::Result<PathBuf> {
    let folder = workspace::target().join(if is_defective { "defective" } else { "steady" });
    let mut arguments = vec![
        "build",
        "--locked",
        "--profile",
        "simulation",
        "--package",
        "muster-simulation",
        "--features",
        "mutations",
    ];
    if is_defective {
        arguments.extend(["--config", "profile.simulation.package.openraft.debug-assertions=false"]);
    }
    let mut cargo = process::cargo(&arguments);
    process::run(cargo.env("RUSTFLAGS", "--cfg tokio_unstable").env("CARGO_TARGET_DIR", &folder))?;
    Ok(folder)
}
