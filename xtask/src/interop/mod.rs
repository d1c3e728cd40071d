//! `interop`: real, unmodified clients against our server. What each client program does is written in
//! `interop/README.md`; this module builds the programs, gives them servers and counts their checks.

mod client;
mod scenario;
mod suites;

use std::thread;

use anyhow::bail;

use crate::report::Outcome;
use crate::server::Server;
use crate::workspace;
use scenario::Tally;
use suites::{SUITES, Suite};

/// Runs the named suites, or all, side by side.
pub(crate) fn interop(names: &[String]) -> anyhow::Result<Outcome> {
    if let Some(unknown) = names.iter().find(|name| !SUITES.iter().any(|suite| suite.name == name.as_str())) {
        let known: Vec<&str> = SUITES.iter().map(|suite| suite.name).collect();
        bail!("no suite {unknown:?}; there are {}", known.join(", "));
    }
    let chosen =
        SUITES.iter().filter(|suite| names.is_empty() || names.iter().any(|name| name == suite.name));
    let (runnable, missing): (Vec<&Suite>, Vec<&Suite>) = chosen.partition(|suite| suite.toolchain_present());
    for suite in &missing {
        println!("SKIPPED {}: {} is not installed", suite.name, suite.tool);
    }
    let shared = Server::fresh("interop/shared")?;
    let port = shared.port();
    // Each suite has a thread of its own; the clients mostly wait for pushes and leases.
    let tallies: Vec<Tally> = thread::scope(|scope| {
        let running: Vec<_> =
            runnable.iter().map(|suite| scope.spawn(move || run_suite(suite, port))).collect();
        running
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|_| Tally::broken("the driver panicked")))
            .collect()
    });
    Ok(conclude(&runnable, &tallies, missing.len(), shared))
}

fn run_suite(suite: &Suite, port: u16) -> Tally {
    let ran = suite.prepare().and_then(|launch| scenario::run_all(suite.name, &launch, port));
    ran.unwrap_or_else(|error| {
        println!("FAIL {}: {error:#}", suite.name);
        Tally::broken(&format!("{error:#}"))
    })
}

fn conclude(suites: &[&Suite], tallies: &[Tally], missing: usize, mut shared: Server) -> Outcome {
    for (suite, tally) in suites.iter().zip(tallies) {
        println!("   {:<12} {tally}", suite.name);
    }
    let sum = |count: fn(&Tally) -> usize| tallies.iter().map(count).sum::<usize>();
    let (passed, failed) = (sum(|tally| tally.passed), sum(|tally| tally.failed));
    println!("interop: {passed} passed, {failed} failed");
    let note = format!(
        "{passed} checks of {} suites passed, {failed} failed, {missing} suites skipped",
        suites.len()
    );
    if !shared.alive() {
        return Outcome::Failed(format!("the shared server died; {note}\n{}", shared.log_tail()));
    }
    match (failed, missing) {
        (0, 0) if passed > 0 => Outcome::Passed(note),
        (0, _) if passed > 0 && !workspace::is_ci() => Outcome::Passed(note),
        (0, 1..) if !workspace::is_ci() => Outcome::Skipped("no client's toolchain is installed".into()),
        _ => Outcome::Failed(note),
    }
}
