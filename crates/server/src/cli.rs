//! The command line, as typed values. What each command does is in its own module below `commands`.

use crate::settings::Flags;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Service registry and config centre that Nacos clients use unchanged.
#[derive(Debug, Parser)]
#[command(
    name = "muster",
    version,
    long_version = crate::version::LONG,
    subcommand_required = false,
    after_help = "Without a command, `muster` is `muster serve`.\n\n\
        Exit codes: 0 done · 1 the command failed · 2 wrong usage or settings · 3 not found · \
        4 the data directory is in use, damaged or too new · 5 the address cannot be opened."
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
    /// List services, or the instances of one
    List(ListArgs),
    /// Print each change of a service or config as it happens
    Watch(WatchArgs),
    /// Show what happened to the instances of a service, and why
    History(HistoryArgs),
    /// Write a backup of all durable data of a running node to a file
    Backup(BackupArgs),
    /// Put a backup into an empty data directory
    Restore(RestoreArgs),
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
    /// Settings file [default: muster.toml, if it is there]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Any setting by its key; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
}

impl ServeFlags {
    /// The flags as settings; the error names the flag that is malformed.
    pub(crate) fn flags(&self) -> Result<Flags, String> {
        let mut values = Vec::new();
        for assignment in &self.set {
            let (key, value) = assignment
                .split_once('=')
                .ok_or_else(|| format!("--set {assignment}: expected KEY=VALUE"))?;
            values.push((key.trim().to_owned(), value.to_owned()));
        }
        for (key, value) in [("listen", &self.listen), ("data_dir", &self.data_dir)] {
            values.extend(value.clone().map(|value| (key.to_owned(), value)));
        }
        if self.open_client_api {
            values.push(("open_client_api".into(), "true".into()));
        }
        Ok(Flags { file: self.config.clone(), values })
    }
}

/// Which node a client command talks to, and how it prints.
#[derive(Args, Clone, Debug)]
pub(crate) struct ClientFlags {
    /// Address and port of the node, as Nacos clients are given it
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8848")]
    pub(crate) server: String,
    /// Namespace
    #[arg(long, short, value_name = "ID", default_value = "public")]
    pub(crate) namespace: String,
    /// Group
    #[arg(long, short, value_name = "NAME", default_value = "DEFAULT_GROUP")]
    pub(crate) group: String,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `muster get`
#[derive(Args, Debug)]
pub(crate) struct GetArgs {
    /// Data id of the config
    pub(crate) data_id: String,
    #[command(flatten)]
    pub(crate) client: ClientFlags,
}

/// `muster publish`
#[derive(Args, Debug)]
pub(crate) struct PublishArgs {
    /// Data id of the config
    pub(crate) data_id: String,
    /// The content; without it, standard input is read
    pub(crate) content: Option<String>,
    /// Read the content from a file
    #[arg(long, short, value_name = "FILE", conflicts_with = "content")]
    pub(crate) file: Option<PathBuf>,
    /// Type of the content: text, json, xml, yaml, html, properties or toml
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) kind: Option<String>,
    /// Publish only if the present content has this MD5
    #[arg(long, value_name = "MD5")]
    pub(crate) cas: Option<String>,
    #[command(flatten)]
    pub(crate) client: ClientFlags,
}

/// `muster register`
#[derive(Args, Debug)]
pub(crate) struct RegisterArgs {
    /// Service name
    pub(crate) service: String,
    /// Address and port of the instance
    pub(crate) address: String,
    /// Cluster
    #[arg(long, default_value = "DEFAULT")]
    pub(crate) cluster: String,
    /// Share of calls, 0 to 10000
    #[arg(long, default_value_t = 1.0)]
    pub(crate) weight: f64,
    /// A label; may be repeated
    #[arg(long = "metadata", short = 'm', value_name = "KEY=VALUE")]
    pub(crate) metadata: Vec<String>,
    #[command(flatten)]
    pub(crate) client: ClientFlags,
}

/// `muster list`
#[derive(Args, Debug)]
pub(crate) struct ListArgs {
    /// Service whose instances are wanted; without it, services are listed
    pub(crate) service: Option<String>,
    #[command(flatten)]
    pub(crate) client: ClientFlags,
}

/// `muster watch`
#[derive(Args, Debug)]
pub(crate) struct WatchArgs {
    /// Service name, or data id with --config
    pub(crate) name: String,
    /// Watch a config instead of a service
    #[arg(long)]
    pub(crate) config: bool,
    #[command(flatten)]
    pub(crate) client: ClientFlags,
}

/// `muster history`
#[derive(Args, Debug)]
pub(crate) struct HistoryArgs {
    /// `service`, the one kind of thing that has a history here
    #[arg(value_parser = ["service"])]
    pub(crate) kind: String,
    /// Service name
    pub(crate) name: String,
    /// Most lines to print
    #[arg(long, default_value_t = 50)]
    pub(crate) limit: usize,
    /// Read the journal in this data directory instead of asking a node; works on a stopped one
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) client: ClientFlags,
}

/// `muster backup`
#[derive(Args, Debug)]
pub(crate) struct BackupArgs {
    /// File to write; it must not exist
    pub(crate) file: PathBuf,
    /// Address and port of the node
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8848")]
    pub(crate) server: String,
}

/// `muster restore`
#[derive(Args, Debug)]
pub(crate) struct RestoreArgs {
    /// File that `muster backup` wrote
    pub(crate) file: PathBuf,
    /// Directory to fill; it must hold no data
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: PathBuf,
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
