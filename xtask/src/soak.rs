//! `soak` and the two minutes of it in `verify`: three processes of the release build, killed, stopped, cut off, out of
//! space and wiped under load. What happens is written in `crates/server/tests/ensemble`; this starts it.

use std::process::Command;

use anyhow::{Context, bail};

use crate::report::Outcome;
use crate::{process, workspace};

/// Minutes of `soak` where nothing else is asked for.
const MINUTES: &str = "60";

/// Everything once.
pub(crate) fn once() -> anyhow::Result<Outcome> {
    run("three_nodes", MINUTES).map(Outcome::Passed)
}

/// A node that lacks 5 GB, and then everything again and again, also long: `[--minutes N]`.
pub(crate) fn soak(arguments: &[String]) -> anyhow::Result<Outcome> {
    let minutes = match arguments {
        [] => MINUTES,
        [flag, minutes] if flag == "--minutes" => {
            minutes.parse::<u64>().with_context(|| format!("--minutes {minutes:?}"))?;
            minutes
        }
        _ => bail!("soak takes --minutes N and nothing else"),
    };
    let build = ["build", "--locked", "--release", "--package", "muster-server"];
    process::run(&mut process::cargo(&build))?;
    run("far_behind", minutes)?;
    run("soak", minutes).map(Outcome::Passed)
}

/// Runs a test, and gives its summary.
fn run(test: &str, minutes: &str) -> anyhow::Result<String> {
    let mut command = in_which_may_mount();
    let arguments = [
        "test",
        "--locked",
        "--package",
        "muster-server",
        "--test",
        "ensemble",
        "--",
        "--ignored",
        "--exact",
        "--nocapture",
        test,
    ];
    command.args(arguments);
    command.env("MUSTER_BINARY", workspace::muster()).env("MUSTER_SOAK_MINUTES", minutes);
    process::run_for("summary: ", &mut command)
}

/// Cargo, in a namespace of its own for mounts, where a small disk of a node may be mounted: as root, or as root of a
/// namespace of its own for users. Where neither is allowed the test does not try a full disk, and says so.
fn in_which_may_mount() -> Command {
    let cargo = process::cargo(&[]);
    for flags in ["-m", "-Urm"] {
        // A private copy of all mounts, and one more.
        let mounts = [flags, "mount", "-t", "tmpfs", "tmpfs", "/tmp"];
        if process::present("unshare", &mounts) {
            let mut command = process::command("unshare");
            command.arg(flags).arg(cargo.get_program());
            return command;
        }
    }
    cargo
}
