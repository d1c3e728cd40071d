//! Connecting to a node, as real clients do.

use crate::cli::ClientFlags;
use anyhow::Context;
use muster_client::{Client, Driver, Options, Push, connect};
use tokio::sync::mpsc::Receiver;

/// A connection in the namespace the flags name.
pub(crate) async fn open(flags: &ClientFlags) -> anyhow::Result<(Client, Driver, Receiver<Push>)> {
    let options = Options { namespace: flags.namespace.clone(), ..Options::default() };
    connect(&flags.server, options).await.with_context(|| format!("connect to {}", flags.server))
}
