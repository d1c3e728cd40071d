//! The automation of this workspace: `cargo xtask verify | fix | tidy | conformance | interop | ensemble | soak |
//! rolling-upgrade | simulate | bench`.
//!
//! `verify` is all of CI and writes nothing to the repository. It is not a place for product code: nothing
//! here is linked into `muster`. Start at [`verify`], which lists the steps.
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a command line program that runs other programs: it prints, waits and reads the environment"
)]

mod audit;
mod balancer;
mod bench;
mod conformance;
mod ensemble;
mod fix;
mod interop;
mod process;
mod python;
mod report;
mod rolling;
mod server;
mod simulate;
mod soak;
mod tidy;
mod verify;
mod workspace;

use std::process::ExitCode;

use anyhow::bail;

const USAGE: &str = "\
Automation of this workspace.

Usage: cargo xtask <command>

Commands:
  verify                        everything CI checks, read-only
  fix                           format, and apply what clippy can mend by itself
  tidy                          the rules of this repository that no compiler knows
  audit                         licences, duplicate versions, banned crates, advisories
  conformance [--address A:P]   replay what real servers answered, against a fresh server or the one at A:P
  interop [suite...]            real, unmodified clients against a fresh server
  ensemble                      three processes under faults and load, everything once; needs a release build
  soak [--minutes N]            the same again and again, and long: an hour if nothing is said
  rolling-upgrade               three processes changed from the version before to this one and back, under load
  simulate [argument...]        whole ensembles under virtual time and faults: --seeds N, --seed S, --mutations
  bench [argument...]           speed and memory; arguments go to the load generator

Environment:
  CI=true              a real-client suite that cannot run is a failure, not SKIPPED
  MUSTER_ADVISORY_DB   a checkout of the RustSec advisory database
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("xtask: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Runs one command; the answer is whether all was well.
fn run(arguments: &[String]) -> anyhow::Result<bool> {
    let rest = arguments.get(1..).unwrap_or_default();
    match arguments.first().map(String::as_str) {
        Some("verify") => Ok(verify::verify()),
        Some("fix") => fix::fix(),
        Some("tidy") => report::alone("tidy", tidy::tidy),
        Some("audit") => report::alone("audit", audit::audit),
        Some("conformance") => report::alone("conformance", || conformance::conformance(rest)),
        Some("interop") => report::alone("interop", || interop::interop(rest)),
        Some("ensemble") => report::alone("ensemble", soak::once),
        Some("soak") => report::alone("soak", || soak::soak(rest)),
        Some("rolling-upgrade") => report::alone("rolling upgrade", rolling::rolling_upgrade),
        Some("bench") => bench::bench(rest),
        Some("simulate") => simulate::simulate(rest),
        Some("--help" | "-h" | "help") | None => {
            println!("{USAGE}");
            Ok(!arguments.is_empty())
        }
        Some(other) => bail!("no command {other:?}; `cargo xtask help` lists them"),
    }
}
