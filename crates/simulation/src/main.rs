//! `muster-simulation`: tries seeds, says which fail, and repeats one exactly.
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a command line program that prints, and measures the time it takes"
)]

use clap::Parser;
use muster_simulation::{Outcome, Trace, run, schedule::Schedule};
use std::{
    process::ExitCode,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
    time::Instant,
};

#[derive(Parser)]
#[command(about = "Whole ensembles under virtual time and faults, from a seed")]
struct Options {
    /// How many seeds are tried
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// The first of them
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Only this one, with its schedule
    #[arg(long)]
    seed: Option<u64>,
    /// With --seed: print everything that happens
    #[arg(long)]
    trace: bool,
    /// With --seed: print what the nodes log, of this level and above
    #[arg(long)]
    log: Option<String>,
    /// Try each deliberate defect until the promise that it breaks is seen to be broken
    #[cfg(feature = "mutations")]
    #[arg(long)]
    mutations: bool,
    /// Seeds that are tried at the same time
    #[arg(long, default_value_t = 2)]
    jobs: usize,
    /// Try no more seeds after so many seconds
    #[arg(long)]
    within: Option<u64>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    if let Some(filter) = &options.log {
        tracing_subscriber::fmt().with_env_filter(filter).without_time().init();
    }
    // Before any map is made: from now on equal seeds give equal orders, on every thread.
    muster_model::set_hash_seed(0);
    #[cfg(feature = "mutations")]
    if options.mutations {
        return ExitCode::from(u8::from(!mutate()));
    }
    let failures = match options.seed {
        Some(seed) => usize::from(!repeat(seed, options.trace)),
        None => search(&options),
    };
    ExitCode::from(u8::from(failures > 0))
}

/// Runs one seed twice and tells about it; whether it is well.
fn repeat(seed: u64, with_lines: bool) -> bool {
    println!("{:#?}", Schedule::of_seed(seed));
    let outcome = run(seed, &if with_lines { Trace::with_lines() } else { Trace::default() });
    println!("{}", outcome.lines);
    let again = run(seed, &Trace::default()).hash;
    let calls: usize = outcome.seen.calls.values().map(Vec::len).sum();
    let (acknowledged, lists) = (outcome.seen.acknowledged.len(), outcome.seen.lists.len());
    println!("seed {seed}: {calls} calls, {acknowledged} acknowledged writes, {lists} lists");
    tell(seed, &outcome, again)
}

/// Tries seeds, each twice; how many fail.
fn search(options: &Options) -> usize {
    let began = Instant::now();
    let (next, failures, tried) = (AtomicU64::new(options.from), AtomicUsize::new(0), AtomicUsize::new(0));
    let end = options.from.saturating_add(options.seeds);
    let work = || {
        while options.within.is_none_or(|seconds| began.elapsed().as_secs() < seconds) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end {
                return;
            }
            let outcome = run(seed, &Trace::default());
            let again = run(seed, &Trace::default()).hash;
            tried.fetch_add(1, Ordering::Relaxed);
            failures.fetch_add(usize::from(!tell(seed, &outcome, again)), Ordering::Relaxed);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..options.jobs.max(1) {
            scope.spawn(work);
        }
    });
    let (tried, failures) = (tried.into_inner(), failures.into_inner());
    println!("{tried} seeds, each twice, {failures} failed, {:.1} s", began.elapsed().as_secs_f64());
    failures
}

/// Tries the deliberate defects; whether each is found.
#[cfg(feature = "mutations")]
fn mutate() -> bool {
    use muster_simulation::mutations::{BROKEN, SEEDS, find};
    let mut is_well = true;
    for (mutation, promise) in BROKEN {
        let began = Instant::now();
        let found = find(mutation, promise);
        is_well &= found.is_some();
        let found =
            found.map_or(format!("NOT FOUND within {SEEDS} seeds"), |seed| format!("found by seed {seed}"));
        println!("{mutation:?} breaks {promise:?}: {found}, {:.1} s", began.elapsed().as_secs_f64());
    }
    is_well
}

/// Says what is wrong with a seed; whether nothing is.
fn tell(seed: u64, outcome: &Outcome, again: u64) -> bool {
    for breach in &outcome.breaches {
        println!("seed {seed}: {breach}");
    }
    let is_repeatable = outcome.hash == again;
    if !is_repeatable {
        println!("seed {seed}: two runs differ: {:016x} and {again:016x}", outcome.hash);
    }
    let is_well = outcome.breaches.is_empty() && is_repeatable;
    if !is_well {
        println!("seed {seed} FAILED; cargo xtask simulate --seed {seed}");
    }
    is_well
}
