//! The commands that are no server: each is a client of a running node, or works on files.

mod backup;
mod brakes;
mod cluster;
mod configs;
mod connection;
mod doctor;
pub(crate) mod history;
mod http;
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "what a dump or another server says is either what is expected or refused, whatever it is"
)]
mod import;
pub(crate) mod output;
pub(crate) mod restore;
mod services;
pub(crate) mod settings;
mod watch;

pub(crate) use output::ReaderGone;

use crate::cli::Command;
use anyhow::Context;

/// Runs a command that talks to a node.
pub(crate) fn block_on(command: Command) -> anyhow::Result<()> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("start the runtime")?;
    runtime.block_on(async {
        match command {
            Command::Get(args) => configs::get(&args).await,
            Command::Publish(args) => configs::publish(&args).await,
            Command::Register(args) => services::register(&args).await,
            Command::List(args) => services::list(&args).await,
            Command::Watch(args) => watch::watch(&args).await,
            Command::History(args) => history::ask(&args).await,
            Command::Brakes(args) => brakes::run(&args).await,
            Command::Cluster(args) => cluster::run(&args).await,
            Command::Backup(args) => backup::run(&args).await,
            Command::Doctor(args) => doctor::run(&args).await,
            Command::Import(args) => import::run(&args).await,
            Command::Serve(_) | Command::Settings(_) | Command::Restore(_) => {
                unreachable!("these run without a client")
            }
        }
    })
}
