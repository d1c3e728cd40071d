//! `muster-simulation`: tries seeds, says which fail, and repeats one exactly.
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a command line program that prints, and measures the time it takes"
)]

use clap::Parser;
use muster_simulation::{Outcome, Trace, run, schedule::Schedule};
#[cfg(feature = "mutations")]
use std::process::Stdio;
use std::{
    process::ExitCode,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
    time::Instant,
};

/// Seeds that one process tries.
const PORTION: u64 = 25;

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
    /// Try only this deliberate defect
    #[cfg(feature = "mutations")]
    #[arg(long)]
    mutation: Option<String>,
    /// Processes that try seeds at the same time
    #[arg(long, default_value_t = cores())]
    jobs: usize,
    /// Try no more seeds after so many seconds
    #[arg(long)]
    within: Option<u64>,
}

/// Log lines begin as those of a trace do: with milliseconds of virtual time.
struct VirtualTime;

impl tracing_subscriber::fmt::time::FormatTime for VirtualTime {
    fn format_time(&self, writer: &mut tracing_subscriber::fmt::format::Writer<'_>) -> std::fmt::Result {
        match turmoil::sim_elapsed() {
            Some(elapsed) => write!(writer, "{}", elapsed.as_millis()),
            None => write!(writer, "0"),
        }
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn main() -> ExitCode {
    let options = Options::parse();
    if let Some(filter) = &options.log {
        tracing_subscriber::fmt().with_env_filter(filter).with_timer(VirtualTime).with_ansi(false).init();
    }
    // Before any map is made: from now on equal seeds give equal orders, on every thread.
    muster_model::set_hash_seed(0);
    #[cfg(feature = "mutations")]
    if let Some(name) = &options.mutation {
        let is_found = match options.seed {
            Some(seed) => mutate_seed(name, seed),
            None => mutate_one(name),
        };
        return ExitCode::from(u8::from(!is_found));
    }
    #[cfg(feature = "mutations")]
    if options.mutations {
        return ExitCode::from(u8::from(!mutate(&options)));
    }
    let failures = match options.seed {
        Some(seed) => usize::from(!repeat(seed, options.trace)),
        None if options.seeds > PORTION => share(&options),
        None => search(&options),
    };
    ExitCode::from(u8::from(failures > 0))
}

/// Runs one seed twice and tells about it; whether it is well.
fn repeat(seed: u64, with_lines: bool) -> bool {
    println!("{:#?}", Schedule::of_seed(seed));
    let outcome = run(seed, &if with_lines { Trace::with_lines() } else { Trace::default() });
    if with_lines {
        println!("{}", outcome.lines);
    }
    let again = run(seed, &if with_lines { Trace::with_lines() } else { Trace::default() });
    tell_difference(&outcome.lines, &again.lines);
    let calls: usize = outcome.seen.calls.values().map(Vec::len).sum();
    let (acknowledged, lists) = (outcome.seen.acknowledged.len(), outcome.seen.lists.len());
    println!("seed {seed}: {calls} calls, {acknowledged} acknowledged writes, {lists} lists");
    tell(seed, &outcome, again.hash)
}

/// Says where two runs part.
fn tell_difference(one: &str, other: &str) {
    let Some(at) = one.lines().zip(other.lines()).position(|(one, other)| one != other) else { return };
    for (name, lines) in [("one", one), ("other", other)] {
        let from: Vec<_> = lines.lines().skip(at.saturating_sub(2)).take(10).collect();
        println!("{name} run, where they part:\n{}", from.join("\n"));
    }
}

/// Tries seeds, each twice; how many fail. One at a time: see `world.rs` on the numbers of tasks.
fn search(options: &Options) -> usize {
    let began = Instant::now();
    let is_time = || options.within.is_none_or(|seconds| began.elapsed().as_secs() < seconds);
    let (mut failures, mut tried) = (0, 0_u64);
    for seed in (options.from..).take(options.seeds as usize).take_while(|_| is_time()) {
        let outcome = run(seed, &Trace::default());
        let again = run(seed, &Trace::default()).hash;
        tried += 1;
        failures += usize::from(!tell(seed, &outcome, again));
    }
    let seconds = began.elapsed().as_secs_f64();
    let last = options.from + tried;
    println!("seeds {}..{last}, each twice, {failures} failed, {seconds:.1} s", options.from);
    failures
}

/// Has other processes try the seeds, a few each: how many of these fail.
fn share(options: &Options) -> usize {
    let began = Instant::now();
    let (next, failed) = (AtomicU64::new(options.from), AtomicUsize::new(0));
    let end = options.from.saturating_add(options.seeds);
    let is_time = || options.within.is_none_or(|seconds| began.elapsed().as_secs() < seconds);
    let work = || {
        while is_time() {
            let from = next.fetch_add(PORTION, Ordering::Relaxed);
            if from >= end {
                return;
            }
            failed.fetch_add(usize::from(!try_portion(from, PORTION.min(end - from))), Ordering::Relaxed);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..options.jobs.max(1) {
            scope.spawn(work);
        }
    });
    let tried = next.into_inner().min(end) - options.from;
    println!("{tried} seeds, each twice, {:.1} s", began.elapsed().as_secs_f64());
    failed.into_inner()
}

fn try_portion(from: u64, seeds: u64) -> bool {
    try_again(&["--from", &from.to_string(), "--seeds", &seeds.to_string()])
}

/// Runs this program with other arguments; whether all was well.
fn try_again(arguments: &[&str]) -> bool {
    let start = || std::process::Command::new(std::env::current_exe()?).args(arguments).status();
    start().is_ok_and(|status| status.success())
}

/// Tries the deliberate defects, each in a process of its own; whether each is found.
#[cfg(feature = "mutations")]
fn mutate(options: &Options) -> bool {
    use muster_simulation::mutations::BROKEN;
    println!("{:<18}{:<18}found by", "defect", "promise");
    let (next, escaped) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let work = || {
        while let Some((mutation, _)) = BROKEN.get(next.fetch_add(1, Ordering::Relaxed)) {
            let is_found = try_again(&["--mutation", &format!("{mutation:?}")]);
            escaped.fetch_add(usize::from(!is_found), Ordering::Relaxed);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..options.jobs.max(1) {
            scope.spawn(work);
        }
    });
    escaped.into_inner() == 0
}

/// Tries one deliberate defect, by its name; whether it is found. Each seed has a process of its own, which may end by an
/// assertion.
#[cfg(feature = "mutations")]
fn mutate_one(name: &str) -> bool {
    use muster_simulation::mutations::{BROKEN, SEEDS};
    let Some((_, promise)) = named(name) else {
        println!("there is no defect {name}: {BROKEN:?}");
        return false;
    };
    let began = Instant::now();
    let finds = |seed: &u64| {
        let arguments = ["--mutation", name, "--seed", &seed.to_string()];
        let program = std::env::current_exe();
        let quiet =
            |program| std::process::Command::new(program).args(arguments).stderr(Stdio::null()).status();
        program.and_then(quiet).is_ok_and(|status| status.success())
    };
    let found = (0..SEEDS).find(finds);
    let seed = found.map_or_else(|| format!("NOT FOUND within {SEEDS} seeds"), |seed| format!("seed {seed}"));
    let promise = format!("{promise:?}");
    println!("{name:<18}{promise:<18}{seed}, {:.1} s", began.elapsed().as_secs_f64());
    found.is_some()
}

/// Tries one deliberate defect under one seed; whether it is found.
#[cfg(feature = "mutations")]
fn mutate_seed(name: &str, seed: u64) -> bool {
    let defect = named(name);
    defect.is_some_and(|(mutation, promise)| muster_simulation::mutations::finds(mutation, promise, seed))
}

#[cfg(feature = "mutations")]
fn named(name: &str) -> Option<(muster_model::mutation::Mutation, muster_simulation::checks::Promise)> {
    let all = muster_simulation::mutations::BROKEN;
    all.into_iter().find(|(mutation, _)| format!("{mutation:?}") == name)
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
