//! The command line, as typed values. What each command does is in its own module below `commands`.

mod client;
mod cluster;
mod import;
mod values;

pub(crate) use client::{
    BackupArgs, BrakesArgs, ClientFlags, DoctorArgs, GetArgs, HistoryArgs, ListArgs, PublishArgs,
    RegisterArgs, RestoreArgs, WatchArgs,
};
pub(crate) use cluster::{ClusterArgs, ClusterCommand, Output, RecoverArgs, TokenCommand};
pub(crate) use import::{ImportArgs, ImportFrom, ImportNacosArgs};

use crate::settings::Flags;
use clap::{
    Args, Parser, Subcommand,
    builder::styling::{AnsiColor, Styles},
};
use std::path::PathBuf;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

const AFTER_HELP: &str = "\
Without a command, `muster` is `muster serve`. `muster help COMMAND` says more about one.

Settings come from flags, then the environment (MUSTER_LISTEN and so on), then muster.toml, then
defaults: `muster settings` prints each, its value and where that came from.

Exit codes:
  0    Done
  1    The command failed
  2    Wrong usage or settings
  3    What was asked for does not exist
  4    The data directory is in use, damaged, too new or can't be written
  5    An address can't be opened
  130  Ended by a second signal, before the drain was over";

/// Service registry and config centre that Nacos clients use unchanged.
#[derive(Debug, Parser)]
#[command(
    name = "muster",
    bin_name = "muster",
    version = crate::version::LONG,
    subcommand_required = false,
    args_conflicts_with_subcommands = true,
    max_term_width = 100,
    styles = STYLES,
    after_help = AFTER_HELP
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) serve: ServeFlags,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a node (the default)
    Serve(ServeFlags),
    /// Print the content of a config
    Get(GetArgs),
    /// Publish a config from an argument, a file or standard input
    Publish(PublishArgs),
    /// Register an instance and keep it registered until interrupted
    Register(RegisterArgs),
    /// List the services of a group, or the instances of one service
    List(ListArgs),
    /// Print each change of a service or config as it happens
    Watch(WatchArgs),
    /// Show what happened to the instances of a service, and why
    History(HistoryArgs),
    /// Show where the expiry of instances is held because too many fell silent at once, or let them go
    Brakes(BrakesArgs),
    /// See the nodes of a cluster, and add, promote or remove some
    Cluster(ClusterArgs),
    /// Write a backup of all durable data of a running node to a file
    Backup(BackupArgs),
    /// Put a backup into an empty data directory
    Restore(RestoreArgs),
    /// Compare the nodes of a cluster and say what is wrong with any of them
    Doctor(DoctorArgs),
    /// Take over what another server has
    Import(ImportArgs),
    /// Print every setting, its value and where it came from
    Settings(SettingsArgs),
}

/// What `serve` takes. Any other setting: `--set key=value`.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct ServeFlags {
    /// Address and port; port + 1000 is opened too, for Nacos gRPC clients [default: 127.0.0.1:8848]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<String>,
    /// Directory of all stored data [default: ./muster-data]
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<String>,
    /// Serve clients without authentication on an address other machines can reach
    #[arg(long)]
    pub(crate) open_client_api: bool,
    /// Begin a cluster with this node
    #[arg(long)]
    pub(crate) cluster_init: bool,
    /// Join the cluster of the node at this cluster address
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) join: Option<String>,
    /// Token to join with; others can see it on the command line, so MUSTER_JOIN_TOKEN or join_token_file is better
    #[arg(long, value_name = "TOKEN")]
    pub(crate) join_token: Option<String>,
    /// File with the token to join with
    #[arg(long, value_name = "FILE")]
    pub(crate) join_token_file: Option<String>,
    /// Address and port for the other nodes [default in a cluster: that of --listen, port - 1000]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) cluster_listen: Option<String>,
    /// Settings file [default: muster.toml, if it is there]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Any setting by its key; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
}

impl ServeFlags {
    /// The flags as settings, with what is malformed among them.
    pub(crate) fn flags(&self) -> Flags {
        let mut flags = Flags { file: self.config.clone(), ..Flags::default() };
        for assignment in &self.set {
            match assignment.split_once('=') {
                Some((key, value)) => {
                    flags.values.push(("--set".to_owned(), key.trim().to_owned(), value.to_owned()));
                }
                None => flags.problems.push(format!("--set {assignment}: expected KEY=VALUE")),
            }
        }
        for (flag, key, value) in [
            ("--listen", "listen", &self.listen),
            ("--data-dir", "data_dir", &self.data_dir),
            ("--join", "cluster_join", &self.join),
            ("--join-token", "join_token", &self.join_token),
            ("--join-token-file", "join_token_file", &self.join_token_file),
            ("--cluster-listen", "cluster_listen", &self.cluster_listen),
        ] {
            flags.values.extend(value.clone().map(|value| (flag.to_owned(), key.to_owned(), value)));
        }
        if self.cluster_init {
            flags.values.push(("--cluster-init".into(), "cluster_init".into(), "true".into()));
        }
        if self.open_client_api {
            flags.values.push(("--open-client-api".into(), "open_client_api".into(), "true".into()));
        }
        flags
    }
}

/// `muster settings`
#[derive(Args, Debug)]
pub(crate) struct SettingsArgs {
    #[command(flatten)]
    pub(crate) serve: ServeFlags,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[cfg(test)]
mod tests;
