//! What `muster import` takes.

use super::client::NodeFlags;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `muster import`
#[derive(Args, Debug)]
pub(crate) struct ImportArgs {
    #[command(subcommand)]
    pub(crate) from: ImportFrom,
}

/// Whose data.
#[derive(Debug, Subcommand)]
pub(crate) enum ImportFrom {
    /// Namespaces, configs with gray versions and history, persistent services, users of a Nacos
    Nacos(ImportNacosArgs),
}

const AFTER_HELP: &str = "\
It is written through the node at --server, which must run on this machine. Running it again changes
nothing. Exit code 1: something of the source is not here, or differs (see --overwrite).

Only a MySQL dump has everything: an API does not list gray versions by tag, an export has configs
of one namespace and nothing else, and persistent services are in no database, only in the API.
Users are kept with their bcrypt hashes; nothing asks for them until there is access control.";

/// `muster import nacos`
#[derive(Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct ImportNacosArgs {
    /// A running server, read over its HTTP API
    #[arg(
        long,
        value_name = "ADDRESS[:PORT]|URL",
        required_unless_present_any = ["zip", "mysql_dump"],
        conflicts_with_all = ["zip", "mysql_dump"],
        help_heading = "Source"
    )]
    pub(crate) from: Option<String>,
    /// An archive that the console of Nacos exported
    #[arg(long, value_name = "FILE", conflicts_with = "mysql_dump", help_heading = "Source")]
    pub(crate) zip: Option<PathBuf>,
    /// What mysqldump wrote of the database of Nacos
    #[arg(long, value_name = "FILE", help_heading = "Source")]
    pub(crate) mysql_dump: Option<PathBuf>,
    /// An administrator of the running server
    #[arg(long, value_name = "NAME", requires = "password_file", help_heading = "Source")]
    pub(crate) username: Option<String>,
    /// File with the password; - is standard input
    #[arg(long, value_name = "FILE", requires = "username", help_heading = "Source")]
    pub(crate) password_file: Option<PathBuf>,
    /// Namespace for the configs of an archive, which names none
    #[arg(long, short, value_name = "ID", default_value = "public", help_heading = "Source")]
    pub(crate) namespace: String,
    /// Time zone of the dates in a dump, which name none: UTC or +HH:MM
    #[arg(long, value_name = "ZONE", default_value = "UTC", help_heading = "Source")]
    pub(crate) time_zone: String,
    /// Leave out the history of the configs of a running server
    #[arg(long, help_heading = "Source")]
    pub(crate) no_history: bool,
    /// Say what would be done, and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Replace what is here and differs; else it stays as it is
    #[arg(long)]
    pub(crate) overwrite: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) node: NodeFlags,
}
