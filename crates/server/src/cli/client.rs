//! What the commands take that are clients of a node or work on files.

use super::values;
use clap::Args;
use std::path::PathBuf;

/// Which node a command talks to.
#[derive(Args, Clone, Debug)]
pub(crate) struct NodeFlags {
    /// Address of the node, as Nacos clients are given it; without a port, 8848
    #[arg(
        long,
        value_name = "ADDRESS[:PORT]",
        default_value = "127.0.0.1:8848",
        value_parser = values::server,
        help_heading = "Node"
    )]
    pub(crate) server: String,
}

/// Which node and namespace a command talks to, and how it prints.
#[derive(Args, Clone, Debug)]
pub(crate) struct ClientFlags {
    #[command(flatten)]
    pub(crate) node: NodeFlags,
    /// Namespace
    #[arg(long, short, value_name = "ID", default_value = "public", help_heading = "Node")]
    pub(crate) namespace: String,
    /// Group
    #[arg(long, short, value_name = "NAME", default_value = "DEFAULT_GROUP")]
    pub(crate) group: String,
    /// Print JSON, one value a line
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
    /// Type of the content
    #[arg(
        long = "type",
        value_name = "TYPE",
        value_parser = ["text", "json", "xml", "yaml", "html", "properties", "toml"]
    )]
    pub(crate) kind: Option<String>,
    /// Publish only if the present content has this MD5, as `muster get --json` prints it
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
    #[arg(value_name = "ADDRESS:PORT", value_parser = values::instance)]
    pub(crate) address: (String, u16),
    /// Cluster
    #[arg(long, value_name = "NAME", default_value = "DEFAULT")]
    pub(crate) cluster: String,
    /// Share of calls, 0 to 10000
    #[arg(
        long,
        value_name = "NUMBER",
        default_value = "1",
        value_parser = values::weight,
        allow_negative_numbers = true
    )]
    pub(crate) weight: f64,
    /// A label; may be repeated
    #[arg(long = "metadata", short = 'm', value_name = "KEY=VALUE", value_parser = values::pair)]
    pub(crate) metadata: Vec<(String, String)>,
    #[command(flatten)]
    pub(crate) client: ClientFlags,
}

/// `muster list`
#[derive(Args, Debug)]
pub(crate) struct ListArgs {
    /// Service whose instances are wanted; without it, the services of the group are listed
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
    #[arg(value_parser = ["service"], hide_possible_values = true)]
    pub(crate) kind: String,
    /// Service name
    pub(crate) name: String,
    /// Only instances whose address begins like this
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) instance: Option<String>,
    /// Most records to print, the newest
    #[arg(long, value_name = "NUMBER", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) limit: u32,
    /// Read the journal in this data directory instead of asking a node: works on a stopped one
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) client: ClientFlags,
}

/// `muster brakes`
#[derive(Args, Debug)]
pub(crate) struct BrakesArgs {
    /// Release the brake on this kind of leases: instances whose lease ran out are removed
    #[arg(long, value_name = "KIND", value_parser = ["beat", "eureka"])]
    pub(crate) release: Option<String>,
    /// Namespace of the brake to release
    #[arg(long, short, value_name = "ID", default_value = "public")]
    pub(crate) namespace: String,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) node: NodeFlags,
}

/// `muster doctor`
#[derive(Args, Debug)]
#[command(
    after_help = "Exit code 1: something is wrong. The node must run on this machine; all durable data are read."
)]
pub(crate) struct DoctorArgs {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) node: NodeFlags,
}

/// `muster backup`
#[derive(Args, Debug)]
pub(crate) struct BackupArgs {
    /// File to write; it must not exist
    pub(crate) file: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) node: NodeFlags,
}

/// `muster restore`
#[derive(Args, Debug)]
pub(crate) struct RestoreArgs {
    /// File that `muster backup` wrote
    pub(crate) file: PathBuf,
    /// Directory to fill; it must hold no data
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}
