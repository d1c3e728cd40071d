//! `soak` and the two minutes of it in `verify`: three processes of the release build, killed, stopped, cut off, out of
//! space and wiped under load. What happens is written in `crates/server/tests/ensemble`; this starts it.

use anyhow::{Context, bail};

use crate::report::Outcome;
use crate::{process, workspace};

/// Minutes of `soak` where nothing else is asked for.
const MINUTES: &str = "60";

/// Everything once.
pub(crate) fn once() -> anyhow::Result<Outcome> {
    run("three_nodes", MINUTES)
}

/// Everything again and again, also long: `[--minutes N]`.
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
    run("soak", minutes)
}

fn run(test: &str, minutes: &str) -> anyhow::Result<Outcome> {
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
    let mut command = process::cargo(&arguments);
    command.env("MUSTER_BINARY", workspace::muster()).env("MUSTER_SOAK_MINUTES", minutes);
    process::run(&mut command).map(|()| Outcome::Passed(String::new()))
}
