//! `interop`: real, unmodified clients against our server. What each client program does is written in
//! `interop/README.md`; this module builds the programs, gives them servers and counts their checks.

mod client;
mod ensemble;
mod eureka;
mod eureka_ensemble;
mod eureka_peers;
mod flood;
mod jvm;
mod scenario;
mod suites;
mod tap;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::{anyhow, bail};

use crate::report::Outcome;
use crate::server::Server;
use crate::workspace;
use client::Launch;
use scenario::{Stage, Tally};
use suites::{Plan, SUITES, Suite};

/// Runs the named suites, or all, side by side.
pub(crate) fn interop(names: &[String]) -> anyhow::Result<Outcome> {
    if let Some(unknown) = names.iter().find(|name| !SUITES.iter().any(|suite| suite.name == name.as_str())) {
        let known: Vec<&str> = SUITES.iter().map(|suite| suite.name).collect();
        bail!("no suite {unknown:?}; there are {}", known.join(", "));
    }
    let is_chosen = |suite: &&Suite| names.is_empty() || names.iter().any(|name| name == suite.name);
    let chosen = SUITES.iter().filter(is_chosen);
    let (runnable, missing): (Vec<&Suite>, Vec<&Suite>) = chosen.partition(|suite| suite.toolchain_present());
    for suite in &missing {
        println!("SKIPPED {}: {} is not installed", suite.name, suite.tool);
    }
    let mut servers = vec![Server::fresh("interop/shared")?];
    if runnable.iter().any(|suite| matches!(suite.plan, Plan::Eureka(..))) {
        servers.push(Server::fresh_with("interop/shared-eureka", eureka::settings())?);
    }
    let ports = Ports {
        nacos: servers[0].port(),
        // Where none is needed nobody asks for it.
        eureka: servers.last().map_or(0, Server::port),
    };
    let tallies = run_all(&runnable, ports);
    Ok(conclude(&runnable, &tallies, missing.len(), servers))
}

/// The servers that suites share.
#[derive(Clone, Copy)]
struct Ports {
    /// For Nacos clients, and where both kinds meet: its settings are the defaults.
    nacos: u16,
    /// For Eureka clients, which may be killed here as few as they are.
    eureka: u16,
}

/// How many of the suites that measure intervals run side by side.
const MEASURING: usize = 4;

/// Clients mostly wait for pushes and leases, so suites run side by side. All are built from the start; those that measure
/// intervals wait for the others to end, and are few at a time.
fn run_all(suites: &[&Suite], ports: Ports) -> Vec<Tally> {
    let tallies = Mutex::new(Vec::with_capacity(suites.len()));
    let tell = |at: usize, tally| tallies.lock().unwrap_or_else(PoisonError::into_inner).push((at, tally));
    thread::scope(|scope| {
        let (late, early): (Vec<_>, Vec<_>) =
            suites.iter().enumerate().partition(|(_, suite)| suite.measures());
        let early: Vec<_> = early
            .into_iter()
            .map(|(at, suite)| scope.spawn(move || tell(at, run_suite(suite, suite.prepare(), ports))))
            .collect();
        let late: VecDeque<_> =
            late.into_iter().map(|(at, suite)| (at, suite, scope.spawn(|| suite.prepare()))).collect();
        for thread in early {
            // A suite that says nothing is counted below.
            drop(thread.join());
        }
        let late = Arc::new(Mutex::new(late));
        let next = move || late.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        for _ in 0..MEASURING {
            let next = next.clone();
            scope.spawn(move || {
                while let Some((at, suite, prepared)) = next() {
                    let prepared = prepared.join().unwrap_or_else(|_| Err(anyhow!("the build panicked")));
                    tell(at, run_suite(suite, prepared, ports));
                }
            });
        }
    });
    let mut told = tallies.into_inner().unwrap_or_else(PoisonError::into_inner);
    told.sort_by_key(|(at, _)| *at);
    let mut told = told.into_iter().peekable();
    let tally = |at| told.next_if(|(told_at, _)| *told_at == at).map(|(_, tally)| tally);
    (0..suites.len())
        .map(tally)
        .map(|told| told.unwrap_or_else(|| Tally::broken("the driver panicked")))
        .collect()
}

fn run_suite(suite: &Suite, prepared: anyhow::Result<Vec<Launch>>, ports: Ports) -> Tally {
    let ran = prepared.and_then(|launches| {
        if let (Plan::Peers, [real_server]) = (&suite.plan, &launches[..]) {
            return eureka_peers::run(real_server);
        }
        if let (Plan::EnsemblePeers, [real_server]) = (&suite.plan, &launches[..]) {
            return eureka_ensemble::run(real_server);
        }
        if matches!(suite.plan, Plan::Ensemble) {
            return ensemble::run(&launches);
        }
        let mut stage = Stage::open(suite.name, &launches)?;
        match &suite.plan {
            Plan::Nacos => stage.nacos(ports.nacos),
            Plan::Eureka(traits, more) => {
                stage.eureka(traits, ports.eureka);
                stage.acts(more, ports.eureka);
            }
            Plan::Own(acts) => stage.acts(acts, ports.nacos),
            Plan::Mixed => stage.mixed(ports.nacos),
            Plan::Peers | Plan::EnsemblePeers | Plan::Ensemble => bail!("the suite brings its own servers"),
        }
        Ok(stage.tally)
    });
    ran.unwrap_or_else(|error| {
        println!("FAIL {}: {error:#}", suite.name);
        Tally::broken(&format!("{error:#}"))
    })
}

fn conclude(suites: &[&Suite], tallies: &[Tally], missing: usize, mut servers: Vec<Server>) -> Outcome {
    for (suite, tally) in suites.iter().zip(tallies) {
        println!("   {:<18} {tally}", suite.name);
    }
    let sum = |count: fn(&Tally) -> usize| tallies.iter().map(count).sum::<usize>();
    let (passed, failed) = (sum(|tally| tally.passed), sum(|tally| tally.failed));
    println!("interop: {passed} passed, {failed} failed");
    let note = format!(
        "{passed} checks of {} suites passed, {failed} failed, {missing} suites skipped",
        suites.len()
    );
    if let Some(dead) = servers.iter_mut().find_map(|server| (!server.alive()).then(|| server.log_tail())) {
        return Outcome::Failed(format!("a shared server died; {note}\n{dead}"));
    }
    match (failed, missing) {
        (0, 0) if passed > 0 => Outcome::Passed(note),
        (0, _) if passed > 0 && !workspace::is_ci() => Outcome::Passed(note),
        (0, 1..) if !workspace::is_ci() => Outcome::Skipped("no client's toolchain is installed".into()),
        _ => Outcome::Failed(note),
    }
}
