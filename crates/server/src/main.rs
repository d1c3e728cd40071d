//! The binary `muster`: command line, settings, assembly by hand, signals.
//!
//! Everything is put together in `serve.rs`, in one place and in order; each other command is a module of
//! `commands`. No decision about services or configs is made in this crate.

mod cli;
mod commands;
mod drain;
mod exit;
mod greeting;
mod membership;
mod openapi;
mod serve;
mod settings;
mod signals;
mod start;
mod telemetry;
mod version;

use clap::Parser;
use cli::{Cli, ClusterArgs, ClusterCommand, Command};
use exit::Exit;
use std::{collections::BTreeMap, io::Write, process::ExitCode};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        // As with `muster list | head`: whoever reads has what it wanted.
        Err(error) if error.is::<commands::ReaderGone>() => ExitCode::SUCCESS,
        Err(error) => {
            // Where standard error is closed there is nobody to tell.
            drop(writeln!(std::io::stderr(), "muster: {}", exit::chain(error.as_ref())));
            exit::code_of(&error)
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        None => serve::serve(&cli.serve, &environment()?),
        Some(Command::Serve(flags)) => serve::serve(&flags, &environment()?),
        Some(Command::Settings(args)) => commands::settings::run(&args, &environment()?),
        Some(Command::Restore(args)) => commands::restore::run(&args),
        Some(Command::History(args)) if args.data_dir.is_some() => commands::history::read(&args),
        Some(Command::Cluster(ClusterArgs { command: ClusterCommand::Recover(args) })) => {
            membership::recover(&args, &environment()?)
        }
        Some(command) => commands::block_on(command),
    }
}

/// The environment as far as it is text; what is not is no business of ours, unless it bears our name.
fn environment() -> Result<BTreeMap<String, String>, Exit> {
    let mut variables = BTreeMap::new();
    for (name, value) in std::env::vars_os() {
        match (name.into_string(), value.into_string()) {
            (Ok(name), Ok(value)) => drop(variables.insert(name, value)),
            (Ok(name), Err(_)) if name.starts_with("MUSTER_") => {
                return Err(Exit::new(exit::USAGE, format!("{name}: the value is not UTF-8")));
            }
            (Ok(_) | Err(_), _) => {}
        }
    }
    Ok(variables)
}
