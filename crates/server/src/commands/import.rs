//! `muster import nacos`: moving in. A source is read as a whole, then written into a node, as any client writes: what is
//! answered is durable on the node's ensemble. Doing it again changes nothing.

mod archive;
mod collected;
mod dump;
mod live;
mod remote;
mod report;
mod target;

use crate::{
    cli::{ImportArgs, ImportFrom, ImportNacosArgs},
    exit::{Exit, USAGE},
};
use anyhow::Context;
use collected::Collected;
use live::Live;
use remote::Remote;
use std::{fs, io};
use target::{Options, Target};

/// Imports, prints the report, and fails if the source has what is not here now.
pub(crate) async fn run(args: &ImportArgs) -> anyhow::Result<()> {
    let ImportFrom::Nacos(args) = &args.from;
    let collected = collect(args).await?;
    let options = Options { overwrite: args.overwrite, dry_run: args.dry_run };
    let report = Target::new(Remote::new(&args.node.server)?, options).write(collected).await?;
    report.print(args.json)?;
    match report.open() {
        0 => Ok(()),
        open => Err(Exit::new(1, format!("{open} things of the source are not here, or differ")).into()),
    }
}

async fn collect(args: &ImportNacosArgs) -> anyhow::Result<Collected> {
    if let Some(file) = &args.zip {
        return archive::read(file, &args.namespace);
    }
    if let Some(file) = &args.mysql_dump {
        let zone = dump::zone(&args.time_zone).ok_or_else(|| {
            Exit::new(USAGE, format!("--time-zone {}: expected UTC or +HH:MM", args.time_zone))
        })?;
        return dump::read(file, &zone);
    }
    let address = args.from.as_deref().unwrap_or_default();
    let mut remote = Remote::new(address)?;
    if let (Some(username), Some(file)) = (&args.username, &args.password_file) {
        let password = if file.as_os_str() == "-" {
            io::read_to_string(io::stdin()).context("read the password from standard input")?
        } else {
            fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?
        };
        remote.login(username, password.trim_end_matches(['\r', '\n'])).await?;
    }
    let collected = Live::find(remote).await?.collect(!args.no_history).await;
    collected.with_context(|| format!("read {address}"))
}
