//! The binary `muster`: command line, settings, assembly by hand, signals.
//!
//! Everything is put together in `serve.rs`, in one place and in order; each other command is a module of
//! `commands`. No decision about services or configs is made in this crate.

mod cli;
mod commands;
mod exit;
mod serve;
mod settings;
mod start;
mod telemetry;
mod version;

use clap::Parser;
use cli::{Cli, Command};
use std::{collections::BTreeMap, io::Write, process::ExitCode};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Where standard error is closed there is nobody to tell.
            drop(writeln!(std::io::stderr(), "muster: {error:#}"));
            exit::code_of(&error)
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<()> {
    let environment: BTreeMap<String, String> = std::env::vars().collect();
    match cli.command {
        None => serve::serve(&cli.serve, &environment),
        Some(Command::Serve(flags)) => serve::serve(&flags, &environment),
        Some(Command::Settings(args)) => commands::settings::run(&args, &environment),
        Some(Command::Restore(args)) => commands::restore::run(&args),
        Some(Command::History(args)) if args.data_dir.is_some() => commands::history::read(&args),
        Some(command) => commands::block_on(command),
    }
}
