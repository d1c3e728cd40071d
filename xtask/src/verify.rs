//! `verify`: all of CI, in the order in which a mistake is cheapest to find. Writes nothing to the repository.

use std::process::Command;

use crate::report::{Outcome, Report};
use crate::{audit, conformance, interop, process, rolling, simulate, soak, tidy};

/// Runs every step, also after a failure; whether all passed.
pub(crate) fn verify() -> bool {
    let mut report = Report::default();
    report.step("format", || {
        process::run(&mut process::cargo(&["fmt", "--all", "--check"]))?;
        passes(&mut process::cargo(&["fmt", "--manifest-path", "interop/rust/Cargo.toml", "--check"]))
    });
    report.step("tidy", tidy::tidy);
    report.step("audit", audit::audit);
    let clippy = ["clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"];
    report.step("clippy", || passes(&mut process::cargo(&clippy)));
    report.step("tests", || {
        passes(&mut process::cargo(&["test", "--locked", "--workspace", "--no-fail-fast"]))
    });
    let docs = ["doc", "--locked", "--workspace", "--no-deps", "--document-private-items"];
    report.step("docs", || passes(process::cargo(&docs).env("RUSTDOCFLAGS", "-D warnings")));
    let built = report.step("release build", || {
        passes(&mut process::cargo(&["build", "--locked", "--release", "--package", "muster-server"]))
    });
    // Without it the last steps would try whatever an earlier build left.
    let unbuilt = || Ok(Outcome::Failed("needs the release build".into()));
    report.step("simulate", simulate::verified);
    report.step("ensemble", || if built { soak::once() } else { unbuilt() });
    report.step("rolling upgrade", rolling::rolling_upgrade);
    report.step("conformance", || if built { conformance::conformance(&[]) } else { unbuilt() });
    report.step("interop", || if built { interop::interop(&[]) } else { unbuilt() });
    report.close()
}

fn passes(command: &mut Command) -> anyhow::Result<Outcome> {
    process::run(command).map(|()| Outcome::Passed(String::new()))
}
