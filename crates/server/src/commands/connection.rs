//! Connecting to a node, as real clients do.

use super::output;
use crate::{cli::ClientFlags, exit::chain};
use anyhow::{Context, anyhow};
use muster_client::{Client, ClientError, Driver, Options, Push, connect};
use std::{io, time::Duration};
use tokio::sync::mpsc::Receiver;

/// Between two tries to reach a node that went away.
const RETRY: Duration = Duration::from_secs(1);

/// An open connection: calls, what keeps it alive, and what the node tells unasked.
pub(crate) type Connection = (Client, Driver, Receiver<Push>);

/// A connection in the namespace the flags name.
pub(crate) async fn open(flags: &ClientFlags) -> anyhow::Result<Connection> {
    let server = &flags.node.server;
    let options = Options { namespace: flags.namespace.clone(), ..Options::default() };
    connect(server, options).await.map_err(|error| {
        if let ClientError::Connect { address, source } = &error {
            let why = system_error(source).map_or_else(|| chain(source), ToString::to_string);
            anyhow!("no node answers at {server} (gRPC at {address}): {why}")
        } else {
            anyhow::Error::new(error).context(format!("connect to {server}"))
        }
    })
}

/// What the system said, below what the libraries between say of it.
fn system_error<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a io::Error> {
    let mut cause = Some(error);
    let mut found = None;
    while let Some(error) = cause {
        found = error.downcast_ref::<io::Error>().or(found);
        cause = error.source();
    }
    found
}

/// Runs `session` on a connection until it ends by itself, and again on a new one whenever the connection ended
/// before: a node that restarts is waited for, as real clients do. Only the first connection must succeed at once.
pub(crate) async fn keep(
    flags: &ClientFlags,
    mut session: impl AsyncFnMut(Connection) -> anyhow::Result<Ended>,
) -> anyhow::Result<()> {
    let mut connection = open(flags).await?;
    loop {
        match session(connection).await? {
            Ended::Done => return Ok(()),
            Ended::Lost(why) => output::note(&format!("{why}; connecting again")),
        }
        connection = loop {
            tokio::time::sleep(RETRY).await;
            if let Ok(connection) = open(flags).await {
                break connection;
            }
        };
    }
}

/// Why a session ended.
pub(crate) enum Ended {
    /// It did what it was for.
    Done,
    /// The connection went away.
    Lost(String),
}

/// Waits for Ctrl-C or SIGTERM.
pub(crate) async fn interrupted() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).context("watch for SIGTERM")?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted.context("watch for Ctrl-C"),
        _ = terminate.recv() => Ok(()),
    }
}
