//! Connecting to a node, as real clients do.

use super::output;
use crate::{cli::ClientFlags, exit::chain, signals::Signals};
use anyhow::anyhow;
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

/// Runs `session` on a connection until it is done, and again on a new one whenever the connection was lost: a node
/// that restarts is waited for, as real clients do. Only the first connection must succeed at once. The session gets
/// the signals that should end it; between two sessions a signal ends the command.
pub(crate) async fn keep(
    flags: &ClientFlags,
    mut session: impl AsyncFnMut(Connection, &mut Signals) -> anyhow::Result<Ended>,
) -> anyhow::Result<()> {
    let mut connection = open(flags).await?;
    let mut signals = Signals::watch()?;
    loop {
        match session(connection, &mut signals).await? {
            Ended::Done => return Ok(()),
            Ended::Lost(why) => output::note(&format!("{why}; connecting again")),
        }
        connection = tokio::select! {
            connection = reopen(flags) => connection,
            _ = signals.next() => return Ok(()),
        };
    }
}

async fn reopen(flags: &ClientFlags) -> Connection {
    loop {
        tokio::time::sleep(RETRY).await;
        if let Ok(connection) = open(flags).await {
            return connection;
        }
    }
}

/// Why a session ended.
pub(crate) enum Ended {
    /// It did what it was for.
    Done,
    /// The connection went away.
    Lost(String),
}

impl Ended {
    /// The node drains: whoever stays is disconnected.
    pub(crate) fn reset() -> Self {
        Self::Lost("the node asks its clients to leave".to_owned())
    }

    /// What the driver of a connection ended with.
    pub(crate) fn of(ended: Result<(), ClientError>) -> Self {
        Self::Lost(ended.err().map_or_else(|| "the connection ended".to_owned(), |error| error.to_string()))
    }
}
